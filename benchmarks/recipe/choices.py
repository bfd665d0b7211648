"""What a recipe chooses: the size of the network, epochs, rates and averages, as tables of the rows that were run."""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.recipe.rows import EPOCHS, RATES, SIZED, SIZES, lasting, sized
from polytag import Tagger, pack
from polytag.model import Model, save
from polytag.splits import split_sentences

Run = Mapping[str, Any]


def measured(model: Model, task: str) -> dict[str, Any]:
    """Words per second of processor time on the test file, and the bytes of the packed model."""
    sentences = list(split_sentences(model.plan, task, "test"))
    tagger = Tagger(model, threads=1)
    began = time.process_time()
    tagged = sum(len(sentence) for sentence in tagger.tag_all(sentences, tasks=[task]))
    speed = tagged / (time.process_time() - began)
    with TemporaryDirectory() as folder:
        save(model, Path(folder) / "model")
        sizes = {precision: _packed(Path(folder), precision) for precision in ("float32", "int8")}
    return {"words_per_second": round(speed), "bytes": sizes}


def _packed(folder: Path, precision: str) -> int:
    pack(folder / "model", folder / precision, precision=precision)
    return (folder / precision).stat().st_size


def sizes(runs: Sequence[Run]) -> Iterator[str]:
    """Each size on each corpus: scores, minutes of training, speed and megabytes."""
    yield from _head("Sizes", "corpus", "size", "seeds", "dev", "test", "minutes", "words/s", "MB, float32 / int8")
    for corpus, task in SIZED.items():
        for size in SIZES:
            if of := _of(runs, sized(corpus, size)):
                known = [run for run in of if "bytes" in run]
                speed = f"{mean(run['words_per_second'] for run in known):,.0f}" if known else ""
                room = (
                    " / ".join(f"{known[0]['bytes'][kind] / 1e6:.1f}" for kind in ("float32", "int8")) if known else ""
                )
                minutes = f"{min(run['minutes'] for run in of):.1f}"
                yield _row(corpus, size, _seeds(of), *_scores(of, task or corpus), minutes, speed, room)
    yield from (
        "",
        "Minutes of the quickest seed; words/s of processor time, by one thread, while others were at work.",
    )


def epochs(runs: Sequence[Run]) -> Iterator[str]:
    """What `epochs = "auto"` trains, the best of them, and what twice as many bring."""
    yield from _head("Epochs", "sentences", "epochs", "seeds", "best, by dev", "dev", "test")
    for sentences in EPOCHS:
        for twice in (False, True):
            if of := _of(runs, lasting(sentences, twice=twice)):
                best = ", ".join(str(run["epoch"]) for run in of)
                yield _row(f"{sentences:,}", str(of[0]["epochs"]), _seeds(of), best, *_scores(of, "english"))


def rates(runs: Sequence[Run]) -> Iterator[str]:
    """Rates and averages, each alone, on 1,000 sentences."""
    yield from _head("Rates and averages", "english small, 1,000 sentences", "seeds", "dev", "test")
    for name in RATES:
        if of := _of(runs, f"english small, 1,000 sentences, {name}"):
            yield _row(name, _seeds(of), *_scores(of, "english"))


def figure(values: Sequence[float]) -> str:
    """Mean and standard deviation; nothing of none."""
    if not values:
        return ""
    spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    return f"{mean(values):.2f}{spread}"


def _of(runs: Sequence[Run], name: str) -> list[Run]:
    return [run for run in runs if run["row"] == name]


def _seeds(runs: Sequence[Run]) -> str:
    return ", ".join(str(run["seed"]) for run in runs)


def _scores(runs: Sequence[Run], task: str) -> tuple[str, str]:
    dev, test = (figure([run["scores"][task][split] for run in runs]) for split in ("dev", "test"))
    return dev, test


def _head(title: str, *columns: str) -> Iterator[str]:
    yield from ("", f"## {title}", "", _row(*columns), "|---" * len(columns) + "|")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
