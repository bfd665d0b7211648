"""Export: a tagger as one ONNX graph that runs without polytag, described by what it carries. Needs onnx.

Inputs, all int64 (B sentences, T words, U distinct words, S characters; padding is 0 and changes nothing):
    characters         [U, S]  characters of each distinct word     } without a character part
    character_lengths  [U]     how many of them there are           } both are absent
    words              [U]     index of each distinct word; absent without word embeddings
    sentences          [B, T]  the distinct word at each place
    lengths            [B]     words of each sentence, at least 1
    gazetteer.PART     [B, T]  the gazetteer's column of each word; only for parts that have one
    features.PART      [U, F]  indices of the features of each distinct word; only for parts that have some
Outputs, for each task:
    emissions.TASK     [B, T, K]  scores of each tag of the network's scheme, float32
    tags.TASK          [B, T]     the best tags in the scheme of the user's data, -1 beside the sentence
The metadata entry "polytag" says in JSON how strings become these numbers and what they stand for; see `description`.
"""

from polytag.exporting.check import Agreement as Agreement
from polytag.exporting.check import agreement as agreement
from polytag.exporting.check import check_export as check_export
from polytag.exporting.onnx_file import Export as Export
from polytag.exporting.onnx_file import export as export
