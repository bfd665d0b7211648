"""The CRF in the native core: the loss with its gradients, without a call per step.

The contract is that of `polytag.training.ops.crf.reference`; what the core does not take is left to
`polytag.training.ops.crf.packed`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from polytag.native import training
from polytag.training.ops.crf.packed import safe_to_exponentiate
from polytag.training.ops.gru.native import usable


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
        width = -(-k // training.crf_width()) * training.crf_width()
        factors = emissions.new_zeros(2, k, width)
        factors[0, :, :k] = transitions.exp()
        factors[1, :, :k] = factors[0, :, :k].T
        tables = (emissions.new_empty(n, width), emissions.new_empty(n, width), emissions.new_empty(n))
        saved = (emissions, tags, transitions, start, sizes, factors, *tables)
        losses = training.crf_forward(**_arrays(saved), margin=margin)
        ctx.save_for_backward(*saved)
        ctx.margin = margin
        return torch.from_numpy(losses).float()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        emissions, _, transitions, start, *_ = saved
        weights = grad_outputs[0].contiguous()
        found = (torch.empty_like(emissions), torch.zeros_like(transitions), torch.zeros_like(start))
        d_emissions, d_transitions, d_start = (tensor.numpy() for tensor in found)
        training.crf_backward(
            **_arrays(saved), margin=ctx.margin, weights=weights.numpy(),
            d_emissions=d_emissions, d_transitions=d_transitions, d_start=d_start,
        )  # fmt: skip
        return found[0], None, found[1], found[2], None, None


def _arrays(saved: Sequence[Tensor]) -> dict[str, Any]:
    """What the core reads and writes, by name; the tensors must outlive the call."""
    names = ("emissions", "gold", "transitions", "start", "sizes", "factors", "local", "prefixes", "scales")
    return {name: tensor.detach().numpy() for name, tensor in zip(names, saved, strict=True)}
