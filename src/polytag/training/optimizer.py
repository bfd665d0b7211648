"""Optimizers that move only what a task used: parts that it does not use have no gradient and stay, bit for bit."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim.adagrad import adagrad
from torch.optim.adam import adam

from polytag.plan import Plan
from polytag.plan.training import Training
from polytag.training.network import Network
from polytag.training.recurrent import WordEncoder

Memory = dict[str, Tensor]  # what is remembered of a parameter
_BETAS = 0.9, 0.999  # of Adam's averages


class Optimizer(ABC):
    """Moves parameters that have a gradient, as the class of the same name in `torch.optim` does.

    It calls what those classes call; they themselves load PyTorch's compiler, which is a third of a training's start.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], *, rate: float, epsilon: float = 0.0, shares: Sequence[float] = ()
    ) -> None:
        """``shares`` of the learning rate, by parameter, or none: all move at the whole ``rate``."""
        self.parameters, self.rate, self._epsilon = list(parameters), rate, epsilon
        self.shares = [*shares] or [1.0] * len(self.parameters)
        self.memory: dict[int, Memory] = {}  # by the parameter's number, of those that have moved

    @torch.no_grad()
    def step(self) -> None:
        """Move what has a gradient."""
        given = [(number, gradient) for number, p in enumerate(self.parameters) if (gradient := p.grad) is not None]
        for share in dict.fromkeys(self.shares[number] for number, _ in given):
            numbers = [number for number, _ in given if self.shares[number] == share]
            self._move(
                [self.parameters[number] for number in numbers],
                [gradient for number, gradient in given if self.shares[number] == share],
                [self.remembered(number) for number in numbers],
                self.rate * share,
            )

    def remembered(self, number: int) -> Memory:
        """What is remembered of a parameter; from its first step on."""
        if number not in self.memory:
            self.memory[number] = self.fresh(self.parameters[number])
        return self.memory[number]

    @abstractmethod
    def fresh(self, parameter: Tensor) -> Memory:
        """What is remembered of a parameter that has not moved yet."""

    @abstractmethod
    def _move(self, parameters: list[Tensor], gradients: list[Tensor], memory: list[Memory], rate: float) -> None: ...


class Sgd(Optimizer):
    """Plain gradients, dense or of rows."""

    def fresh(self, parameter: Tensor) -> Memory:  # noqa: ARG002
        return {}

    def _move(self, parameters: list[Tensor], gradients: list[Tensor], memory: list[Memory], rate: float) -> None:  # noqa: ARG002
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.add_(gradient, alpha=-rate)


class Adagrad(Optimizer):
    """AdaGrad (Duchi, Hazan and Singer 2011) with its epsilon inside the root, as in the authors' code.

    So it is the first value of the accumulators. Gradients are dense, or all are of rows.
    """

    def fresh(self, parameter: Tensor) -> Memory:
        return {"step": torch.zeros(()), "sum": torch.full_like(parameter, self._epsilon)}

    def _move(self, parameters: list[Tensor], gradients: list[Tensor], memory: list[Memory], rate: float) -> None:
        rows = any(gradient.is_sparse for gradient in gradients)
        # The fused step takes less than half the time, but no sparse gradients; not every PyTorch has it on a GPU.
        fused = not rows and all(parameter.device.type == "cpu" for parameter in parameters)
        sums, steps = ([of[name] for of in memory] for name in ("sum", "step"))
        adagrad(
            parameters, gradients, sums, steps, fused=fused, has_sparse_grad=rows, lr=rate, weight_decay=0.0,
            lr_decay=0.0, eps=0.0, maximize=False,
        )  # fmt: skip


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015) of dense gradients."""

    def fresh(self, parameter: Tensor) -> Memory:
        step = torch.zeros((), device=parameter.device)
        return {"step": step, "exp_avg": torch.zeros_like(parameter), "exp_avg_sq": torch.zeros_like(parameter)}

    def _move(self, parameters: list[Tensor], gradients: list[Tensor], memory: list[Memory], rate: float) -> None:
        means, squares, steps = ([of[name] for of in memory] for name in ("exp_avg", "exp_avg_sq", "step"))
        adam(
            parameters, gradients, means, squares, [], steps, fused=True, amsgrad=False, beta1=_BETAS[0],
            beta2=_BETAS[1], lr=rate, weight_decay=0.0, eps=self._epsilon, maximize=False,
        )  # fmt: skip


class SparseAdam(Adam):
    """Adam of gradients of rows: the averages of a row decay when it has a gradient, and not else."""

    def fresh(self, parameter: Tensor) -> Memory:
        return super().fresh(parameter) | {"step": torch.zeros((), dtype=torch.int64)}

    def _move(self, parameters: list[Tensor], gradients: list[Tensor], memory: list[Memory], rate: float) -> None:
        for parameter, gradient, of in zip(parameters, gradients, memory, strict=True):
            of["step"] += 1
            bias, of_squares = (1 - beta ** int(of["step"]) for beta in _BETAS)
            found = gradient.coalesce()
            rows, values = found.indices()[0], found.values()
            mean, square = (of[name].index_select(0, rows) for name in ("exp_avg", "exp_avg_sq"))
            mean += (values - mean) * (1 - _BETAS[0])
            square += (values**2 - square) * (1 - _BETAS[1])
            of["exp_avg"].index_copy_(0, rows, mean)
            of["exp_avg_sq"].index_copy_(0, rows, square)
            steps = mean / (square.sqrt() + self._epsilon) * (-rate * math.sqrt(of_squares) / bias)
            parameter.index_add_(0, rows, steps)


def optimizers_of(network: Network, plan: Plan) -> dict[str, list[Optimizer]]:
    """The optimizers of each task: one set for all, or one for each with accumulators of its own."""
    features = {id(parameter) for parameter in network.feature_parameters()}
    share = {
        id(module.embedding.weight): plan.words[name].fine_tuning
        for name, module in network.words.items()
        if isinstance(module, WordEncoder) and module.embedding is not None
    }

    def optimizers(modules: Iterable[nn.Module]) -> list[Optimizer]:
        parameters = [p for module in modules for p in module.parameters() if p.requires_grad]
        rows = [(p, share[id(p)]) for p in parameters if id(p) in share]
        dense = [p for p in parameters if id(p) not in share.keys() | features]
        return make_optimizers(dense, rows, plan.training, features=[p for p in parameters if id(p) in features])

    if plan.training.accumulators == "task":
        return {task: optimizers(network.parts_of(task).values()) for task in plan.tasks}
    return dict.fromkeys(plan.tasks, optimizers([network]))


def make_optimizers(
    parameters: Iterable[nn.Parameter],
    sparse: Iterable[tuple[nn.Parameter, float]],
    settings: Training,
    *,
    features: Iterable[nn.Parameter] = (),
) -> list[Optimizer]:
    """The optimizers of a set of parameters.

    ``sparse`` holds the word embeddings, whose gradients are rows, each with its share of the learning rate.
    ``features`` holds the weights of features. They move by plain gradients, which need no accumulators for so many.
    """
    torch.sparse.check_sparse_tensor_invariants.disable()  # type: ignore[no-untyped-call]  # torch warns until one decides
    dense, rows, plain = list(parameters), list(sparse), list(features)
    tables, shares = [table for table, _ in rows], [share for _, share in rows]
    rate, epsilon = settings.learning_rate, settings.epsilon
    of_dense, of_rows = (Adagrad, Adagrad) if settings.optimizer == "adagrad" else (Adam, SparseAdam)
    made: list[Optimizer] = [of_dense(dense, rate=rate, epsilon=epsilon)]
    made += [of_rows(tables, rate=rate, epsilon=epsilon, shares=shares)]
    made += [Sgd(plain, rate=rate, shares=[settings.feature_learning_rate / rate] * len(plain))]
    return [optimizer for optimizer in made if optimizer.parameters]


def set_learning_rate(optimizers: Iterable[Optimizer], settings: Training, progress: float) -> None:
    """Linear decay from ``learning_rate`` to ``final_learning_rate``; ``progress`` runs from 0 to 1.

    The rate of features starts from a value of its own and decays in the same proportion.
    """
    first = settings.learning_rate
    last = first if settings.final_learning_rate is None else settings.final_learning_rate
    for optimizer in optimizers:
        optimizer.rate = first + (last - first) * progress


def clip_gradients(parameters: Iterable[nn.Parameter], largest: float) -> float:
    """Scale all gradients, sparse ones too, down to a joint norm of at most ``largest``; returns the norm found."""
    values = []
    for parameter in parameters:
        if parameter.grad is not None:
            if parameter.grad.is_sparse:
                parameter.grad = parameter.grad.coalesce()
            values.append(parameter.grad._values() if parameter.grad.is_sparse else parameter.grad)
    norm = float(torch.stack([value.norm() for value in values]).norm()) if values else 0.0
    if norm > largest:
        for value in values:
            value.mul_(largest / norm)
    return norm


def flatten_state(optimizer: Optimizer) -> dict[str, Tensor]:
    """An optimizer's state as named tensors."""
    return {f"{number}.{name}": value for number, of in optimizer.memory.items() for name, value in of.items()}


def restore_state(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `flatten_state`; the values are copied, for loaded ones map the file."""
    optimizer.memory = {}
    for key, value in tensors.items():
        number, name = key.split(".")
        optimizer.remembered(int(number))[name].copy_(value)
