"""The linear-chain CRF: `reference` is the specification, `cpu` the fast form.

The fast form is plain tensor code, so it serves every device.
"""

from polytag.ops.crf.cpu import forward_backward as forward_backward
from polytag.ops.crf.cpu import log_partition as log_partition
from polytag.ops.crf.cpu import marginals as marginals
from polytag.ops.crf.cpu import softmax_margin as softmax_margin
from polytag.ops.crf.cpu import viterbi as viterbi
