"""Training on several processes: PyTorch's own distributed data parallel, as ``torchrun`` starts it.

Every process reads all the data, holds the whole network and computes the same schedule. Of each mini-batch it takes
its share of the sentences; DDP averages the gradients of all shares, and so all processes take the same step. Only the
first of them writes files.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from os import environ
from typing import Any, Protocol, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError
from polytag.scoring import Counts
from polytag.tagger.tagging import Tagger
from polytag.training.batch import Batch
from polytag.training.network import Network
from polytag.training.recurrent import WordEncoder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class World:
    """The processes that train together, and which of them this is; as PyTorch, counted from 0.

    All of them must call `gather`, `mean`, `agree` and `first`, in one order: each of these waits for the others.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """The part of a sequence that this process works on."""
        return items[self.rank :: self.size]

    def portion(self, sentences: Sequence[int]) -> tuple[Sequence[int], float]:
        """This process's sentences of a mini-batch and the weight of their mean loss.

        The mean over processes of the weighted losses is the mean loss of the mini-batch. Where no sentence is left
        for this process, it takes part with one that weighs nothing: the others wait for its gradients.
        """
        own = self.share(sentences)
        return (own, len(own) * self.size / len(sentences)) if own else (sentences[:1], 0.0)

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in order of rank."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, value)
        return found

    def mean(self, value: float) -> float:
        """The mean of a number over all processes."""
        if self.size == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64)
        dist.all_reduce(total)
        return float(total) / self.size

    def agree(self, action: Callable[[], T]) -> T:
        """Do something in every process; what goes wrong in one is raised in all, so that none waits for it.

        Raises:
            PolytagError: of the action, in whichever process.
        """
        if self.size == 1:
            return action()
        result: T | None = None
        error: PolytagError | None = None
        try:
            result = action()
        except PolytagError as raised:
            error = raised
        errors = [found for found in self.gather(error) if found is not None]
        if errors:
            raise error or errors[0]
        return cast(T, result)

    def first(self, action: Callable[[], T]) -> T:
        """Do something in the first process, and give its result to all when it is done.

        Raises:
            PolytagError: of the action.
        """
        return cast(T, self.gather(self.agree(lambda: action() if self.is_first else None))[0])


@contextmanager
def joined() -> Iterator[World]:
    """The processes that ``torchrun`` started together with this one, or this one alone.

    Gloo serves CPU and GPU alike, and unlike NCCL it sums sparse gradients.

    Raises:
        PolytagError: another process has ended before its time.
    """
    if dist.is_available() and dist.is_initialized():  # further out, or by the caller
        yield World(dist.get_rank(), dist.get_world_size())
        return
    if not dist.is_torchelastic_launched() or environ.get("WORLD_SIZE", "1") == "1":
        yield World()
        return
    dist.init_process_group("gloo")
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    except RuntimeError as error:
        if "gloo" not in str(error):  # which names its own source file when a connection is lost
            raise
        raise PolytagError("another process of this training has ended, so this one cannot go on") from error
    finally:
        # Its threads must end before the interpreter does, which they would abort; DDP holds them in reference cycles.
        gc.collect()
        dist.destroy_process_group()


class Loss(Protocol):
    """The mean loss of a batch; ``generator`` draws dropout."""

    def __call__(self, batch: Batch, /, *, generator: torch.Generator) -> Tensor: ...


def loss_functions(network: Network, *, margin: float, world: World) -> dict[str, Loss]:
    """The mean loss of a batch for each task; going backward through it averages the gradients over all processes."""
    if world.size == 1:
        return {task: partial(network.loss, task=task, margin=margin) for task in network.tasks}
    return {task: DistributedDataParallel(_Loss(network, task, margin)) for task in network.tasks}


class _Loss(nn.Module):
    """The loss of one task as a module whose children are what the task uses of its parts, and nothing else.

    DDP waits for a gradient of each parameter, so each task has its own; parts that tasks share are children of
    several, of which only the one whose loss was computed last reacts to their gradients.
    """

    def __init__(self, network: Network, task: str, margin: float) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            part.up_to(network.layers[task]) if isinstance(part, WordEncoder) else part
            for part in network.parts_of(task).values()
        )
        self._loss = partial(network.loss, task=task, margin=margin)  # no child: a method is not a module

    def forward(self, batch: Batch, *, generator: torch.Generator) -> Tensor:
        return self._loss(batch, generator=generator)


def evaluate(tagger: Tagger, sentences: Sequence[Sentence], task: str, *, world: World) -> Counts:
    """As `Tagger.evaluate`; each process tags its share."""
    counts, *others = world.gather(tagger.evaluate(world.share(sentences), task))
    for other in others:
        counts.merge(other)
    return counts
