"""Averages of weights over the steps of a training: what is scored and kept in place of the last, restless ones."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

RISE = 10  # a mean is over the last of so many parts of the steps done, until that is its full length


@dataclass
class _Table:
    """Weights of which steps move some rows only; the averages of the others are caught up when they are wanted."""

    weight: nn.Parameter
    average: Tensor
    left: Tensor  # of each row, `Averages.left` when its average was last right; -inf: it never moved


class Averages:
    """Exponential moving averages of weights (Polyak and Juditsky 1992): a <- a + share (w - a) after each step.

    The share is that of a mean over ``steps``; at the start over a tenth of the steps done so far, so that the first
    weights are soon forgotten. A step that leaves a weight as it is counts as well.
    """

    def __init__(self, weights: Mapping[str, nn.Parameter], *, sparse: Collection[str], steps: float) -> None:
        """``sparse`` names the tables whose gradients are rows."""
        self.steps, self.done = steps, 0
        self.left = 0.0  # log of the part that weights of the start have in the averages
        copies = {name: weight.detach().clone() for name, weight in weights.items()}
        self._dense = {name: (weight, copies[name]) for name, weight in weights.items() if name not in sparse}
        self._tables = {name: _table(weights[name], copies[name]) for name in sparse}

    def before_step(self) -> None:
        """Catch up the rows that the gradients are about to move; they take in the step when they are wanted next."""
        for table in self._tables.values():
            if table.weight.grad is not None:
                table.weight.grad = table.weight.grad.coalesce()
                self._catch_up(table, table.weight.grad.indices()[0])

    @torch.no_grad()
    def after_step(self) -> None:
        """Take in the weights as they are now."""
        self.done += 1
        share = 1 / min(max(self.steps, 1.0), 1 + self.done / RISE)
        self.left += float(np.log1p(-share)) if share < 1 else -np.inf
        for weight, average in self._dense.values():
            average.lerp_(weight, share)

    def tensors(self) -> dict[str, Tensor]:
        """The averages by the names of the weights; they change with the next step."""
        for table in self._tables.values():
            self._catch_up(table, torch.nonzero(table.left > self.left)[:, 0])
        averages = {name: average for name, (_, average) in self._dense.items()}
        return averages | {name: table.average for name, table in self._tables.items()}

    def state(self) -> dict[str, Tensor]:
        """All that `restore` takes."""
        averages = {name: average for name, (_, average) in self._dense.items()}
        for name, table in self._tables.items():
            averages |= {name: table.average, f"{name}/left": table.left}
        return averages | {"done": torch.tensor(self.done), "left": torch.tensor(self.left, dtype=torch.float64)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Stand where averages of the same weights stood."""
        for name, mine in self.state().items():
            mine.copy_(state[name])
        self.done, self.left = int(state["done"]), float(state["left"])

    @torch.no_grad()
    def _catch_up(self, table: _Table, rows: Tensor) -> None:
        """Take in, all at once, the steps since these rows moved."""
        remains = (self.left - table.left.index_select(0, rows)).exp_().clamp_(max=1.0).to(table.weight.dtype)
        weight, average = (of.index_select(0, rows) for of in (table.weight, table.average))
        table.average.index_copy_(0, rows, weight.lerp_(average, remains[:, None]))
        table.left.index_fill_(0, rows, self.left)


def _table(weight: nn.Parameter, average: Tensor) -> _Table:
    left = torch.full((len(weight),), -np.inf, dtype=torch.float64, device=weight.device)
    return _Table(weight, average, left)
