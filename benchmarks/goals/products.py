"""The bound of recurrent layers: their matrix products alone, timed in the same run by the same library."""

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from polytag.training.network import Network
from polytag.training.recurrent import RecurrentStack

Contender = Callable[[], tuple[int, float]]  # runs once: the words and the seconds it took
LARGE = 2048  # rows and columns of the product whose rate is taken for the machine's best


def products_of(network: Network) -> Contender:
    """The bare matrix products of the step that ``network`` was trained on last."""
    seen: dict[Any, tuple[int, ...]] = {}
    for encoder in (*network.chars.values(), *network.words.values()):
        cast(RecurrentStack, encoder.stack).register_forward_pre_hook(
            lambda s, inputs: seen.update({s: inputs[1].batch_sizes})
        )

    def step() -> tuple[int, float]:
        products = all_of([layer for stack, sizes in seen.items() for layer in stack_products(stack, sizes)])
        began = time.perf_counter()
        products()
        return sum([*seen.values()][-1]), time.perf_counter() - began  # the words run last

    return step


def stack_products(stack: RecurrentStack, batch_sizes: Sequence[int]) -> list["LayerProducts"]:
    """The products of each layer of a stack."""
    weights = zip(stack.input_weight, stack.recurrent_weight, strict=True)
    return [LayerProducts(w.detach(), u.detach(), batch_sizes) for w, u in weights]


def all_of(layers: Sequence["LayerProducts"]) -> Callable[[], None]:
    """A function that runs them one after the other."""

    def run() -> None:
        for layer in layers:
            layer()

    return run


class LayerProducts:
    """All products of one layer, forward and backward, in both directions, over values that do not matter.

    D inputs, H states, N rows in all, b at a step: [N D][D 3H] once and, backward, [D N][N 3H] and [N 3H][3H D];
    [b H][H 2H] and [b H][H H] at each step and, backward, [b 2H][2H H] and [b H][H H]; [H N][N 3H] once.
    All memory is taken here, so that a call is products and nothing else.
    """

    def __init__(self, w: Tensor, u: Tensor, batch_sizes: Sequence[int]) -> None:
        n, self.width = sum(batch_sizes), u.shape[1]
        self.w, self.batch_sizes = w, batch_sizes
        self.x, self.states, self.gates = (w.new_full((2, n, d), 0.5) for d in (w.shape[1], self.width, 3 * self.width))
        self.one, self.two = u[:, :, : self.width].contiguous(), u[:, :, self.width :].contiguous()
        self.back = self.two.transpose(1, 2).contiguous()
        self.d_w, self.d_u, self.d_x, self.out = (torch.zeros_like(like) for like in (w, u, self.x, self.gates))

    def __call__(self) -> None:
        width, states, gates, out = self.width, self.states, self.gates, self.out
        torch.bmm(self.x, self.w, out=out)
        for size in self.batch_sizes:
            torch.bmm(states[:, :size], self.two, out=out[:, :size, : 2 * width])
            torch.bmm(states[:, :size], self.one, out=out[:, :size, :width])
        for size in reversed(self.batch_sizes):
            torch.bmm(states[:, :size], self.one, out=out[:, :size, :width])
            torch.bmm(gates[:, :size, : 2 * width], self.back, out=out[:, :size, :width])
        torch.bmm(states.transpose(1, 2), gates, out=self.d_u)
        torch.bmm(self.x.transpose(1, 2), gates, out=self.d_w)
        torch.bmm(gates, self.w.transpose(1, 2), out=self.d_x)


def operations(w: Tensor, u: Tensor, batch_sizes: Sequence[int]) -> int:
    """Floating-point operations of `LayerProducts`: 36 H (D + H) for each of the N rows."""
    return 36 * u.shape[1] * (w.shape[1] + u.shape[1]) * sum(batch_sizes)


def rate_of_large_product() -> float:
    """Operations per second of one large product in float32."""
    a = torch.full((LARGE, LARGE), 0.5)
    out = torch.empty_like(a)
    began = time.perf_counter()
    torch.mm(a, a, out=out)
    return float(2 * LARGE**3 / (time.perf_counter() - began))
