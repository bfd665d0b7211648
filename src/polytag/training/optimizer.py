"""Optimizers that move only what a task used: parts that it does not use have no gradient and stay, bit for bit."""

from collections.abc import Iterable, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from polytag.plan import Plan
from polytag.plan.training import Training
from polytag.training.network import Network
from polytag.training.recurrent import WordEncoder

Optimizer = torch.optim.Optimizer
_SCALE = "scale"  # of a group's learning rate, in terms of the plan's


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

    AdaGrad's epsilon stands inside the square root, as in the authors' code, so it is the accumulators' first value.
    ``features`` holds the weights of features. They move by plain gradients, which need no accumulators for so many.
    """
    torch.sparse.check_sparse_tensor_invariants.disable()  # type: ignore[no-untyped-call]  # torch warns until one decides
    dense, rate = list(parameters), settings.learning_rate
    rows = [{"params": [table], _SCALE: share} for table, share in sparse]
    plain = [{"params": group, _SCALE: settings.feature_learning_rate / rate} for group in [list(features)] if group]
    of_features: list[Optimizer] = [torch.optim.SGD(plain, lr=settings.feature_learning_rate)] if plain else []
    if settings.optimizer == "adagrad":
        adagrad = partial(torch.optim.Adagrad, lr=rate, initial_accumulator_value=settings.epsilon, eps=0.0)
        # The fused step takes less than half the time, but no sparse gradients; not every PyTorch has it on a GPU.
        on_cpu = all(parameter.device.type == "cpu" for parameter in dense)
        groups = ((dense, on_cpu), (rows, False))
        return [*(adagrad(group, fused=fused) for group, fused in groups if group), *of_features]
    optimizers: list[Optimizer] = [torch.optim.Adam(dense, lr=rate, eps=settings.epsilon, fused=True)]
    if rows:
        optimizers.append(torch.optim.SparseAdam(rows, lr=rate, eps=settings.epsilon))
    return optimizers + of_features


def set_learning_rate(optimizers: Iterable[Optimizer], settings: Training, progress: float) -> None:
    """Linear decay from ``learning_rate`` to ``final_learning_rate``; ``progress`` runs from 0 to 1.

    The rate of features starts from a value of its own and decays in the same proportion.
    """
    first = settings.learning_rate
    last = first if settings.final_learning_rate is None else settings.final_learning_rate
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = (first + (last - first) * progress) * group.get(_SCALE, 1.0)


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
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value) for index, values in state.items() for name, value in values.items()
    }


def restore_state(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `flatten_state`."""
    state: dict[int, dict[str, Tensor | int]] = {}
    for key, value in tensors.items():
        index, name = key.split(".")
        # SparseAdam counts its steps in a plain integer.
        plain = name == "step" and isinstance(optimizer, torch.optim.SparseAdam)
        state.setdefault(int(index), {})[name] = int(value) if plain else value.clone()  # loaded ones map the file
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
