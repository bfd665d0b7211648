"""Training speed of the whole step, against the same network built on torch.nn.GRU.

    python benchmarks/training_step.py [--data DIR] [--batch 32] [--json FILE]

Each contender is trained by `polytag.training.Trainer` on the same batches, one step of each in turn: whatever else the
machine does meets them all. They differ in the recurrent layers alone. torch.nn.GRU knows only the reset-after cell, so
that is the cell in which the two must first show the same loss and the same gradients; nothing is timed otherwise.
The bare matrix products of each step are timed in the same run: what no amount of care could beat.
"""

import argparse
import copy
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from polytag.corpus.sentence import Sentence
from polytag.plan import Plan
from polytag.plan_file import make_plan
from polytag.training import Prepared, Step, Trainer, prepare
from polytag.training.batch import Batch, Packing
from polytag.training.encoder import Encoder
from polytag.training.network import Network
from polytag.training.recurrent import RecurrentStack

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # this file is run as a script, too
from benchmarks.goals.machine import processor
from benchmarks.goals.products import Contender, products_of

NEWS = Path(__file__).parent.parent / "examples" / "news" / "en.train.conll"
SIZES = {"chars": {"dimension": 25, "hidden": 80}, "words": {"dimension": 50, "hidden": 300}}
TINY = {"chars": {"dimension": 3, "hidden": 4}, "words": {"dimension": 5, "hidden": 6}}
WARM_UP = 2  # steps of each contender that do not count
TOLERANCE = 1e-9  # of loss and gradients, in float64
BEFORE, AFTER, TORCH, PRODUCTS = "polytag, reset before", "polytag, reset after", "torch.nn.GRU", "matrix products"


@dataclass(frozen=True)
class Settings:
    """How much to run: sentences per step, steps per round, rounds; ``tiny`` makes layers of a few units."""

    batch: int = 32
    steps: int = 8
    rounds: int = 5
    tiny: bool = False


class TorchStack(nn.Module):
    """A `RecurrentStack` with the same weights, computed by torch.nn.GRU."""

    def __init__(self, stack: RecurrentStack) -> None:
        super().__init__()
        self.hidden, first = stack.hidden, stack.input_weight[0]
        layers, bias = len(stack.input_weight), len(stack.bias) > 0
        self.gru = nn.GRU(first.shape[1], self.hidden, num_layers=layers, bias=bias, bidirectional=True).to(first.dtype)
        lists = {"weight_ih": stack.input_weight, "weight_hh": stack.recurrent_weight, "bias_ih": stack.bias}
        with torch.no_grad():
            for parameter in self.gru.parameters():
                parameter.zero_()  # the recurrent side has a bias of its own, which ours has not
            for name, layer, direction in product(lists, range(layers), (0, 1)):
                if len(lists[name]):
                    parameter = getattr(self.gru, f"{name}_l{layer}{'_reverse' * direction}")
                    parameter.copy_(lists[name][layer][direction].movedim(0, -1))

    def forward(
        self, x: Tensor, packing: Packing, generator: torch.Generator | None = None, *, layers: int | None = None
    ) -> Tensor:
        del generator, layers  # none of the contenders has dropout, and all read the highest layer
        states: Tensor = self.gru(PackedSequence(x, torch.tensor(packing.batch_sizes)))[0].data
        return states


def on_torch(network: Network) -> Network:
    """Put torch.nn.GRU in the place of each recurrent stack; returns the same network."""
    for encoder in (*network.chars.values(), *network.words.values()):
        encoder.gru = TorchStack(encoder.gru)  # type: ignore[arg-type]
    return network


def largest_difference(plan: Plan) -> float:
    """Of the loss and the gradients of the two networks on the first sentences, in float64."""
    prepared = prepare(plan)
    ours = prepared.network.double()
    for name, parameter in ours.named_parameters():
        if ".bias." in name:
            nn.init.normal_(parameter)
    theirs = on_torch(copy.deepcopy(ours))
    batch = one_batch(prepared, prepared.sentences["ner"]["train"][: plan.training.batch_sentences])
    losses = [network.loss(batch, "ner", margin=plan.training.margin) for network in (ours, theirs)]
    torch.autograd.backward(losses)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.copy_(parameter.grad.to_dense())  # type: ignore[union-attr]
    expected = dict(on_torch(ours).named_parameters())  # our gradients, laid out as weights of theirs
    found = {name: p.grad.to_dense() for name, p in theirs.named_parameters() if "bias_hh" not in name}  # type: ignore[union-attr]
    pairs = [(losses[0], losses[1]), *((gradient, expected[name]) for name, gradient in found.items())]
    return max(float((a.detach() - b.detach()).abs().max()) for a, b in pairs)


def one_batch(prepared: Prepared, sentences: Sequence[Sentence]) -> Batch:
    encoder, tags = Encoder.of(prepared.plan, prepared.vocabularies, "ner"), prepared.vocabularies.tags["ner"]
    return encoder.batch(
        [encoder.forms(sentence.words) for sentence in sentences],
        tags=[np.array(tags.encode(sentence.tags["ner"]), dtype=np.int64) for sentence in sentences],
    )


def trainer_of(prepared: Prepared) -> Contender:
    """One whole training step at each call."""
    events = Trainer(prepared, Path()).events()  # writes nothing before the end of the epoch, which never comes

    def step() -> tuple[int, float]:
        began = time.perf_counter()
        event = next(events)
        seconds = time.perf_counter() - began
        assert isinstance(event, Step)
        return event.words, seconds

    return step


def plan_for(data: Path, settings: Settings, *, cell: str = "reset_before", bias: bool = False) -> Plan:
    """The paper's network for named entities (tags in the last column), without pretrained vectors."""
    sizes = {part: {**table, "cell": cell, "bias": bias} for part, table in (TINY if settings.tiny else SIZES).items()}
    return make_plan({
        "chars": {"c": sizes["chars"]}, "words": {"w": sizes["words"]}, "training": {"batch_sentences": settings.batch},
        "tasks": {"ner": {"chars": "c", "words": "w", "train": [str(data)]}},
    })  # fmt: skip


@contextmanager
def corpus(data: Path | None, settings: Settings) -> Iterator[tuple[Path, str]]:
    """The training file and its name: conll2003/eng.train under ``data``, or one made of examples/news."""
    name = "conll2003/eng.train"
    if data is not None:
        yield data / name, name
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "news.conll"
        yield path, write_news(path, sentences=settings.batch * (WARM_UP + settings.steps * settings.rounds + 1))


def write_news(path: Path, *, sentences: int) -> str:
    """Write the words of examples/news cut to lengths drawn like those of CoNLL-2003; returns a description."""
    lines = [line for line in NEWS.read_text(encoding="utf-8").splitlines() if line]
    lengths = np.random.default_rng(1).gamma(1.56, 9.3, sentences).round().clip(1, 113).astype(int)
    end = 0
    with path.open("w", encoding="utf-8") as file:
        for length in lengths.tolist():
            rows = [lines[i % len(lines)] for i in range(end, end + length)]
            rows[0] = rows[0].replace("\tI-", "\tB-")  # a cut inside a name
            file.write("\n".join(rows) + "\n\n")
            end += length
    return f"words of examples/news cut to lengths from gamma(1.56, 9.3), {lengths.mean():.1f} +- {lengths.std():.1f}"


class NetworksDifferError(Exception):
    """The contenders do not compute the same, so that no time would mean anything."""


def compare(data: Path, settings: Settings) -> tuple[float, dict[str, list[float]]]:
    """The largest difference between the networks, and what `measure` gives.

    Raises:
        NetworksDifferError: they differ by more than TOLERANCE; nothing was timed.
    """
    difference = largest_difference(plan_for(data, settings, cell="reset_after", bias=True))
    if not difference <= TOLERANCE:
        raise NetworksDifferError(
            f"the two networks differ by {difference:.1e}, expected at most {TOLERANCE:.0e}: nothing is timed"
        )
    return difference, measure(data, settings)


def measure(data: Path, settings: Settings) -> dict[str, list[float]]:
    """Words per second of each contender, round by round."""
    cells = ("reset_before", "reset_after", "reset_after")
    before, after, reference = (prepare(plan_for(data, settings, cell=cell)) for cell in cells)
    on_torch(reference.network)
    contenders = {BEFORE: trainer_of(before), AFTER: trainer_of(after), TORCH: trainer_of(reference)}
    contenders[PRODUCTS] = products_of(before.network)
    for step in [step for step in contenders.values() for _ in range(WARM_UP)]:
        step()
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(settings.rounds):
        seconds, words = dict.fromkeys(contenders, 0.0), dict.fromkeys(contenders, 0)
        for _ in range(settings.steps):
            for name, step in contenders.items():
                count, took = step()
                words[name] += count
                seconds[name] += took
        assert len({*words.values()}) == 1, "the contenders must see the same batches"
        for name in contenders:
            speeds[name].append(words[name] / seconds[name])
    return speeds


def summary(speeds: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Median, lowest and highest round of each contender, and its median ratio to torch.nn.GRU in the same round."""
    return {
        name: {
            "words_per_second": median(rounds), "lowest": min(rounds), "highest": max(rounds),
            "ratio": median(a / b for a, b in zip(rounds, speeds[TORCH], strict=True)),
            "share_of_products": median(a / b for a, b in zip(rounds, speeds[PRODUCTS], strict=True)),
        }
        for name, rounds in speeds.items()
    }  # fmt: skip


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, help="directory with conll2003/eng.train; without it, examples/news")
    parser.add_argument("--batch", type=int, default=32, help="sentences per step")
    parser.add_argument("--steps", type=int, default=8, help="steps per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tiny", action="store_true", help="layers of a few units, to see that the script works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    settings = Settings(options.batch, options.steps, options.rounds, options.tiny)
    with corpus(options.data, settings) as (path, text):
        try:
            difference, speeds = compare(path, settings)
        except NetworksDifferError as error:
            sys.exit(str(error))
    results = summary(speeds)
    command = " ".join(["python benchmarks/training_step.py", *(sys.argv[1:] if arguments is None else arguments)])
    about: dict[str, Any] = {
        "command": command, "machine": processor(), "torch": torch.__version__, "threads": options.threads,
        "batch": options.batch, "sentences": text, "largest_difference": difference,
    }  # fmt: skip
    print("\n".join(f"{key}: {value}" for key, value in about.items()))
    print_table(results)
    if options.json:
        options.json.write_text(json.dumps({**about, "results": results}, indent=2) + "\n", encoding="utf-8")


def print_table(results: Mapping[str, Mapping[str, float]]) -> None:
    print(f"\n{'':24}{'words/s':>8}{'lowest':>8}{'highest':>8}{'ratio':>7}{'of the products':>17}")
    for name, row in results.items():
        speed = "".join(f"{row[column]:8.0f}" for column in ("words_per_second", "lowest", "highest"))
        print(f"{name:24}{speed}{row['ratio']:7.2f}{row['share_of_products']:17.0%}")


if __name__ == "__main__":
    main()
