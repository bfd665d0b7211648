"""The CRF in the native core: Viterbi, and the loss with its gradients, without a call per step.

The contract is that of `polytag.training.ops.crf.reference`; what the core does not take is left to `polytag.training.ops.crf.cpu`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from polytag.native import Crf, core, library
from polytag.training.ops.crf.cpu import safe_to_exponentiate


def usable(emissions: Tensor) -> bool:
    """Whether the native core is there and takes these scores."""
    return emissions.device.type == "cpu" and emissions.dtype == torch.float32 and core() is not None


def takes_loss(emissions: Tensor, transitions: Tensor) -> bool:
    """Whether `softmax_margin` is exact enough: large transitions would leave probabilities at 0."""
    return usable(emissions) and transitions.dtype == torch.float32 and safe_to_exponentiate(transitions)


def softmax_margin(
    emissions: Tensor,
    tags: Tensor,
    transitions: Tensor,
    start: Tensor,
    batch_sizes: Sequence[int],
    *,
    margin: float = 0.0,
) -> Tensor:
    """Loss of each sentence, [B]; see `polytag.training.ops.crf.reference.softmax_margin`."""
    sizes = torch.tensor(batch_sizes, dtype=torch.long)
    loss: Tensor = _SoftmaxMargin.apply(emissions, tags, transitions, start, sizes, margin)  # type: ignore[no-untyped-call]
    return loss


class _SoftmaxMargin(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, tags: Tensor, transitions: Tensor, start: Tensor, sizes: Tensor, margin: float
    ) -> Tensor:
        emissions, tags, transitions, start = (t.contiguous() for t in (emissions, tags, transitions, start))
        n, k = emissions.shape
        width = -(-k // library().polytag_width()) * library().polytag_width()
        factors = emissions.new_zeros(2, k, width)
        factors[0, :, :k] = transitions.exp()
        factors[1, :, :k] = factors[0, :, :k].T
        tables = (emissions.new_empty(n, width), emissions.new_empty(n, width), emissions.new_empty(n))
        losses = torch.empty(int(sizes[0]) if len(sizes) else 0, dtype=torch.float64)
        saved = (emissions, tags, transitions, start, sizes, factors, *tables)
        library().polytag_crf_forward(_crf(saved, margin, losses=losses))
        ctx.save_for_backward(*saved)
        ctx.margin = margin
        return losses.float()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        emissions, _, transitions, start, *_ = saved
        weights = grad_outputs[0].contiguous()
        found = (torch.empty_like(emissions), torch.zeros_like(transitions), torch.zeros_like(start))
        names = ("d_emissions", "d_transitions", "d_start")
        library().polytag_crf_backward(_crf(saved, ctx.margin, weights=weights, **dict(zip(names, found, strict=True))))
        return found[0], None, found[1], found[2], None, None


def _crf(saved: Sequence[Tensor], margin: float, **more: Tensor) -> Crf:
    """What the core reads and writes; the tensors must outlive the call."""
    emissions, gold, transitions, start, sizes, factors, local, prefixes, scales = saved
    given = {
        "sizes": sizes, "emissions": emissions, "gold": gold, "transitions": transitions, "factors": factors[0],
        "backward_factors": factors[1], "start": start, "local": local, "prefixes": prefixes, "scales": scales, **more,
    }  # fmt: skip
    addresses = {name: tensor.data_ptr() for name, tensor in given.items()}
    return Crf(tags=emissions.shape[1], steps=len(sizes), margin=margin, **addresses)


@torch.no_grad()
def viterbi(emissions: Tensor, transitions: Tensor, start: Tensor, batch_sizes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Best tag sequence [N] and its score [B]; see `polytag.training.ops.crf.reference.viterbi`."""
    emissions, transitions, start = emissions.contiguous(), transitions.contiguous(), start.contiguous()
    sizes = torch.tensor(batch_sizes, dtype=torch.long)
    best = torch.empty(emissions.shape[0], dtype=torch.long)
    totals = emissions.new_empty(batch_sizes[0] if len(batch_sizes) else 0)
    library().polytag_viterbi(
        emissions.data_ptr(), transitions.data_ptr(), start.data_ptr(), len(sizes), sizes.data_ptr(),
        transitions.shape[0], best.data_ptr(), totals.data_ptr(),
    )  # fmt: skip
    return best, totals
