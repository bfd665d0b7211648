"""What each optimisation brings: the program with all of them against the program without one, in turn.

    python benchmarks/ablations.py --data DIR --model DIR [--rounds 3] [--markdown FILE]

Every measurement is a process of its own, one thread, that switches one thing off and reports words per second of
processor time; the contenders take turns, so that whatever else the machine does meets them all. The ratio is the
median over the rounds. Without the data there is nothing to measure: what to train on is conll2003/eng.train, and the
model is one of CoNLL-2003 entities.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path(__file__).parent
ALL = "all of them"


def without_native_core() -> None:
    os.environ["POLYTAG_NATIVE"] = "0"  # before polytag looks


def forgetting_words() -> None:
    """After every chunk, as if no word were ever met again."""
    from polytag.tagger.words import WordTable

    def forgetful(table: WordTable, words: Sequence[str], look_up: Any = WordTable.look_up) -> Any:
        table._fresh()
        return look_up(table, words)

    WordTable.look_up = forgetful  # type: ignore[method-assign]


def smaller_batches() -> None:
    from polytag.tagger import engine

    (engine.by_length.__kwdefaults__ or {}).update(sentences=64)


def crf_loss_in_tensors() -> None:
    from polytag.training.ops.crf import native

    native.takes_loss = lambda *_: False


def instructions(*names: str) -> Callable[[], None]:
    """The best of these that there are here, and no better ones."""

    def switch() -> None:
        from polytag import native

        found = [name for name in native.instructions() if name in names]
        if not found or found[-1] == native.instructions()[-1]:
            sys.exit(3)  # this processor has none of them, or nothing better: no figure
        native.select(found[-1])

    return switch


AVX512 = ("AVX-512", "AVX-512 (VNNI)", "AVX-512 (VNNI, bfloat16)")


def large_products_in_bfloat16() -> None:
    """What PyTorch offers for training: bfloat16 products, float32 sums and weights. Not used, for it is slower."""
    import torch

    torch.set_float32_matmul_precision("medium")


def sentences_of_like_length_together() -> None:
    """Length buckets: the sentences of 50 batches, sorted by length, in as many batches. Not used."""

    def sorted_by_length(trainer: Any, steps: Sequence[Any]) -> Any:
        for at in range(0, len(steps), 50):
            pool = steps[at : at + 50]
            of_pool = (i for turn in pool for i in turn.sentences)
            ordered = iter(sorted(of_pool, key=lambda i: len(trainer.examples.encoded[pool[0].task][i][0])))
            buckets = [type(turn)(turn.task, [next(ordered) for _ in turn.sentences]) for turn in pool]
            random.Random(at).shuffle(buckets)
            yield from buckets

    change_turns(sorted_by_length)


def two_batches_in_one_step() -> None:
    """The most that batches of two tasks through one encoder at a time could bring; it would be another algorithm."""

    def in_pairs(_: Any, steps: Sequence[Any]) -> Any:
        for one, other in zip(steps[::2], steps[1::2], strict=False):
            yield type(one)(one.task, [*one.sentences, *other.sentences])

    change_turns(in_pairs)


def change_turns(change: Callable[[Any, Sequence[Any]], Any]) -> None:
    """What the training loop trains on, step by step, as ``change(trainer, steps)`` has it."""
    from polytag.training.loop import Trainer

    turns = Trainer._turns
    Trainer._turns = lambda trainer, epoch: list(change(trainer, turns(trainer, epoch)))  # type: ignore[method-assign]


def nothing() -> None:
    pass


def products_in_bfloat16() -> None:
    """``training.precision = "bfloat16"``, which is not the default."""
    from polytag.training.network import Network

    Network.train_in = lambda network, _, train_in=Network.train_in: train_in(network, "bfloat16")  # type: ignore[method-assign, misc]


TRAINING: Mapping[str, Callable[[], None]] = {
    ALL: nothing,
    "bfloat16 products": products_in_bfloat16,
    "without the native core": without_native_core,
    "the CRF's loss in tensors": crf_loss_in_tensors,
    "AVX2 instead of AVX-512": instructions("AVX2"),
    "sentences of like length together": sentences_of_like_length_together,
    "two batches in one step": two_batches_in_one_step,
    "large products in bfloat16 by oneDNN": large_products_in_bfloat16,
}
TAGGING: Mapping[str, tuple[str, Callable[[], None]]] = {
    ALL: ("float32", nothing),
    "bfloat16": ("bfloat16", nothing),
    "int8": ("int8", nothing),
    "float32 by numpy, without the native core": ("float32", without_native_core),
    "bfloat16 by AVX-512 instead of AMX": ("bfloat16", instructions(*AVX512)),
    "int8 by AVX-512 instead of AMX": ("int8", instructions(*AVX512)),
    "float32 by AVX2": ("float32", instructions("AVX2")),
    "words forgotten after every 16,384": ("float32", forgetting_words),
    "batches of 64 sentences, not 256": ("float32", smaller_batches),
}


def training_speed(data: Path, batch: int, seconds: float) -> float:
    """Words per second of processor time of whole training steps of the paper's network."""
    sys.path.insert(0, str(FOLDER))
    import training_step

    plan = training_step.plan_for(data / "conll2003" / "eng.train", training_step.Settings(batch=batch))
    step = training_step.trainer_of(training_step.prepare(plan))
    for _ in range(3):
        step()
    return rate(step, seconds)


def tagging_speed(data: Path, model: Path, precision: str) -> float:
    """Words per second of processor time from text to text, the words of the file new to the tagger."""
    from polytag.bulk import Assignment, cut
    from polytag.bulk.worker import Worker
    from polytag.errors import PolytagError

    try:
        worker = Worker(Assignment(model=str(model), precision=precision, threads=1))
    except PolytagError:
        sys.exit(3)  # this processor lacks the instructions: no figure
    text = (data / "conll2003" / "eng.testb").read_text(encoding="utf-8")
    words = 3 * sum(bool(line.strip()) for line in text.splitlines())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "text.conll"
        file.write_text(text * 3, encoding="utf-8")
        began = time.process_time()
        for piece in cut(file, format="conll"):
            worker.render(piece)
        return words / (time.process_time() - began)


def rate(step: Callable[[], tuple[int, float]], seconds: float) -> float:
    words, began = 0, time.process_time()
    while time.process_time() - began < seconds:
        words += step()[0]
    return words / (time.process_time() - began)


def one(kind: str, name: str, options: argparse.Namespace) -> None:
    """Switch something off and measure."""
    if kind == "tagging":
        precision, switch = TAGGING[name]
        switch()
        speed = tagging_speed(options.data, options.model, precision)
    else:
        switch = TRAINING[name]
        if switch is without_native_core:
            switch()  # before polytag looks
        import torch

        torch.set_num_threads(1)
        switch()
        speed = training_speed(options.data, int(kind), options.seconds)
    print(json.dumps(speed))


def measure(kind: str, names: Sequence[str], options: argparse.Namespace) -> dict[str, list[float]]:
    """Words per second of each contender, round by round; what this machine cannot do is left out."""
    speeds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            command = [sys.executable, __file__, "--data", options.data, "--model", options.model]
            command += ["--seconds", str(options.seconds), "--one", kind, name]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                speeds[name].append(json.loads(done.stdout.splitlines()[-1]))
            elif done.returncode != 3:
                sys.exit(f"{name}: {done.stderr.strip().splitlines()[-1]}")
    return {name: rounds for name, rounds in speeds.items() if rounds}


def table(title: str, speeds: Mapping[str, Sequence[float]]) -> str:
    rows = [f"| {title} | words/s | all of them is … times as fast |", "|---|---|---|"]
    for name, rounds in speeds.items():
        ratio = median(a / b for a, b in zip(speeds[ALL], rounds, strict=True))
        rows.append(f"| {name} | {median(rounds):,.0f} | {ratio:.2f} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="of processor time per training measurement")
    parser.add_argument("--markdown", type=Path, help="write the tables there too")
    parser.add_argument("--one", nargs=2, metavar=("KIND", "NAME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(*options.one, options)
        return
    parts = [
        table(f"training step, batches of {batch}", measure(batch, list(TRAINING), options)) for batch in ("10", "32")
    ]
    parts.append(table("tagging, bulk", measure("tagging", list(TAGGING), options)))
    text = "\n\n".join(parts)
    print(text)
    if options.markdown:
        about = f"`python benchmarks/ablations.py --data DATA --model MODEL --rounds {options.rounds}`, one thread"
        options.markdown.write_text(f"# What each optimisation brings\n\n{about}.\n\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
