"""Training: the recurrent layers alone, forward and backward, against the products they are made of."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from benchmarks import training_step
from benchmarks.goals.goals import Figure
from benchmarks.goals.products import all_of, operations, rate_of_large_product, stack_products
from benchmarks.goals.setting import Setting
from benchmarks.goals.training import BATCHES, data_of, settings_of
from benchmarks.training_step import Settings, one_batch, plan_for
from polytag.training import Prepared, Trainer, prepare
from polytag.training.batch import Packing
from polytag.training.recurrent import CharEncoder, RecurrentStack, WordEncoder

STACKS = ("words", "characters")


@dataclass
class Pass:
    """One stack and one batch of real lengths."""

    stack: RecurrentStack
    packing: Packing

    def layers(self) -> float:
        """Seconds for forward and backward."""
        rows = sum(self.packing.batch_sizes)
        x = torch.randn(rows, self.stack.input_weight[0].shape[1], requires_grad=True)
        gradient = torch.randn(rows, 2 * self.stack.hidden)
        self.stack.zero_grad(set_to_none=True)
        return _seconds(lambda: self.stack(x, self.packing).backward(gradient))

    def products(self) -> float:
        """Seconds for the bare products."""
        return _seconds(all_of(stack_products(self.stack, self.packing.batch_sizes)))

    def operations(self) -> int:
        """Floating-point operations of the products."""
        pairs = zip(self.stack.input_weight, self.stack.recurrent_weight, strict=True)
        return sum(operations(w, u, self.packing.batch_sizes) for w, u in pairs)


def layers(setting: Setting) -> dict[str, Figure]:
    """Each batch size, on one thread."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    return {f"layers-{batch}": _share(setting, settings_of(setting, batch=batch)) for batch in BATCHES}


def _share(setting: Setting, settings: Settings) -> Figure:
    with training_step.corpus(data_of(setting), settings) as (path, _):
        prepared = prepare(plan_for(path, settings))
        Trainer(prepared, Path())  # it has memory handled as in a training, and writes nothing
        passes = _passes(prepared, settings)
    for one in (one for of in passes.values() for one in of[:1]):  # nothing is timed the first time
        one.layers(), one.products()
    rounds = [_round(passes) for _ in range(settings.rounds)]
    rate = max(rate_of_large_product() for _ in range(1 if settings.tiny else 5))
    amount = sum(one.operations() for of in passes.values() for one in of)
    share = 100 * median(_sum(r, "products") / _sum(r, "layers") for r in rounds)
    by_rate = 100 * median(amount / rate / _sum(r, "layers") for r in rounds)
    apart = {name: 100 * median(r[name]["products"] / r[name]["layers"] for r in rounds) for name in STACKS}
    achieved = median(amount / _sum(r, "layers") for r in rounds) / 1e9
    return Figure(
        share,
        f"words {apart['words']:.0f} %, characters {apart['characters']:.0f} %; {achieved:.1f} GFLOP/s, which is "
        f"{by_rate:.0f} % of the rate of one large product, {rate / 1e9:.1f}",
        {"apart": apart, "gflops": achieved, "share_of_large_product": by_rate, "large_product_gflops": rate / 1e9},
    )


def _passes(prepared: Prepared, settings: Settings) -> dict[str, list[Pass]]:
    """The first batches of the training file, as each stack meets them."""
    sentences, size = prepared.sentences["ner"]["train"], settings.batch
    batches = [one_batch(prepared, sentences[i * size : (i + 1) * size]) for i in range(settings.steps)]
    words, chars = prepared.network.words["w"], prepared.network.chars["c"]
    assert isinstance(words, WordEncoder)
    assert isinstance(chars, CharEncoder)
    return {
        "words": [Pass(words.stack, batch.packing) for batch in batches],
        "characters": [
            Pass(chars.stack, batch.characters.packing) for batch in batches if batch.characters is not None
        ],
    }


def _round(passes: Mapping[str, list[Pass]]) -> dict[str, dict[str, float]]:
    """Seconds of all batches, a batch of each contender in turn."""
    totals = {name: {"layers": 0.0, "products": 0.0} for name in passes}
    for name, of in passes.items():
        for one in of:
            totals[name]["layers"] += one.layers()
            totals[name]["products"] += one.products()
    return totals


def _sum(one_round: Mapping[str, Mapping[str, float]], contender: str) -> float:
    return sum(of[contender] for of in one_round.values())


def _seconds(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began
