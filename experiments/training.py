"""One run: a row's plan, a seed, perhaps a variant and other vectors; where it lies, how it starts, what it yields."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from experiments.catalogue import AT, Catalogue, expand
from experiments.results import Result, append, latest, read_results, scores
from experiments.snapshots import snapshot
from polytag.errors import PlanError, nearest
from polytag.plan import Plan
from polytag.plan_file import load_plan
from polytag.runs import work

VECTORS = {  # what --vectors names -> plans' vectors that it replaces -> file in the directory given
    "senna": {"vectors/en.vec.gz": "."},
    "polyglot": {"vectors/es.vec.gz": "polyglot-es.pkl", "vectors/nl.vec.gz": "polyglot-nl.pkl"},
}
LAUNCHES = ".launches.jsonl"  # beside a model directory: each start, and with which code


@dataclass(frozen=True)
class Place:
    """Where everything lies."""

    catalogue: Catalogue
    runs: Path
    data: Path | None = None
    vectors: Mapping[str, Path] = field(default_factory=dict)  # "senna" -> directory
    committed: bool = False  # train with HEAD's code instead of the tree's

    def __post_init__(self) -> None:
        for name in self.vectors:
            if name not in VECTORS:
                raise PlanError(f"--vectors {name}: unknown vectors{nearest(name, VECTORS)}")


@dataclass(frozen=True)
class Run:
    """One training; equal runs are the same training."""

    home: str  # FOLDER/ROW
    seed: int
    variant: str = ""

    @property
    def row(self) -> str:
        """The row with its variant."""
        return self.home.partition("/")[2] + (AT + self.variant if self.variant else "")

    @property
    def folder(self) -> str:
        """The folder whose results.csv it is written to."""
        return self.home.partition("/")[0]

    def __str__(self) -> str:
        return f"{self.folder}/{self.row} seed {self.seed}"


def settings(run: Run, place: Place) -> list[str]:
    """Everything that is laid over the plan file: variant and other vectors."""
    path = place.catalogue.plan(run.home)
    chosen = expand(place.catalogue.variant(run.variant).set, path) if run.variant else []
    for name, file in _vector_files(path):
        for given, directory in place.vectors.items():
            if file in VECTORS[given]:
                chosen.append(f"words.{name}.vectors={directory.resolve() / VECTORS[given][file]}")
    return chosen


def vectors(run: Run, place: Place) -> str:
    """Whose vectors a run takes: as results.csv and the tables name them."""
    files = _vector_files(place.catalogue.plan(run.home))
    used = {next((name for name in place.vectors if file in VECTORS[name]), "ours") for _, file in files}
    return "+".join(sorted(used)) or "none"


def directory(run: Run, place: Place) -> Path:
    """The model directory."""
    whose = vectors(run, place)
    return place.runs / run.folder / (run.row + ("" if whose in ("ours", "none") else f"~{whose}")) / f"seed{run.seed}"


def is_recorded(run: Run, place: Place) -> bool:
    """Whether results.csv holds it."""
    key = (run.row, vectors(run, place), run.seed)
    return any(result.key == key for result in read_results(place.catalogue.root / run.folder))


def is_trained(run: Run, place: Place) -> bool:
    """Whether its training is complete, recorded or not."""
    return (directory(run, place) / "report.json").exists()


def trained_seeds(home: str, variant: str, place: Place) -> set[int]:
    """The seeds of a training whose models are here."""
    found = directory(Run(home, 0, variant), place).parent.glob("seed*/report.json")
    return {int(report.parent.name.removeprefix("seed")) for report in found}


def source(run: Run, place: Place) -> Run | None:
    """The run whose best epoch a run without development data takes, with the same seed and variant."""
    row = place.catalogue.find(run.home)[1]
    return Run(row.epochs_from, run.seed, run.variant) if row.epochs_from else None


def training(run: Run, place: Place) -> work.Run:
    """The training itself, with the code that it began with.

    Raises:
        PolytagError: the plan or the code cannot be used.
    """
    output = directory(run, place).resolve()
    output.parent.mkdir(parents=True, exist_ok=True)
    chosen = [*settings(run, place), f"training.seed={run.seed}"]
    environment = {"PYTHONPATH": str(_launch(run, place).resolve()), "OMP_NUM_THREADS": "1"}
    data = place.data.resolve() if place.data else None
    plan = place.catalogue.plan(run.home).resolve()
    return work.Run(str(run), plan, output, chosen, data=data, environment=environment)


def record(run: Run, place: Place) -> list[Result]:
    """Write a complete run's lines into its folder's results.csv, one per task, and return them."""
    output = directory(run, place)
    checked = load_plan(output / "plan.toml")  # as it was trained, whatever the plan file says by now
    launches = _read_launches(_launches(run, place))
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    common = {
        "row": run.row,
        "seed": run.seed,
        "vectors": vectors(run, place),
        "minutes": report["seconds"] / 60,
        "commit": " ".join(dict.fromkeys(launch["commit"] for launch in launches)),
        "plan": f"{run.home}.toml",
        "plan_checksum": launches[-1]["plan"],
        "machine": report["machine"]["processor"],
        "finished": datetime.now(UTC).strftime("%Y-%m-%d"),
        **_checksums(checked, report["data"]),
    }
    epoch = _epoch_of_source(run, place)
    results = [
        Result(task=task, **scores(output / "metrics.jsonl", task, epoch=epoch), **common) for task in checked.tasks
    ]
    append(place.catalogue.root / run.folder, results, lock=place.runs / f"{run.folder}.lock")
    return results


def forget(run: Run, place: Place) -> None:
    """Remove a run's directory, so that it starts anew; lines in results.csv stay."""
    shutil.rmtree(directory(run, place), ignore_errors=True)
    for suffix in (LAUNCHES, ".log"):
        directory(run, place).with_suffix(suffix).unlink(missing_ok=True)


@cache
def _vector_files(path: Path) -> list[tuple[str, str]]:
    """The word parts of a plan file that have vectors, and which; kept, for the queue asks at every turn."""
    return [(name, words.vectors) for name, words in load_plan(path).words.items() if words.vectors]


def _epoch_of_source(run: Run, place: Place) -> int | None:
    wanted = source(run, place)
    if wanted is None:
        return None
    for result in latest(read_results(place.catalogue.root / wanted.folder)):
        if result.key == (wanted.row, vectors(wanted, place), wanted.seed):
            return result.selected_epoch
    raise PlanError(f"{run}: no result yet of {wanted}, whose best epoch is to be taken")


def _launches(run: Run, place: Place) -> Path:
    return directory(run, place).with_suffix(LAUNCHES)


def _launch(run: Run, place: Place) -> Path:
    """The code of a run's first launch, if it is still there; else today's. Each launch is noted beside the run."""
    path = _launches(run, place)
    if not directory(run, place).exists():
        path.unlink(missing_ok=True)  # of a run that left nothing behind
    before = _read_launches(path)
    if before and Path(before[-1]["code"]).exists():
        made_by, code = before[-1]["commit"], Path(before[-1]["code"])
    else:
        made_by, code = snapshot(place.runs, committed=place.committed)
    launch = {"commit": made_by, "code": str(code), "time": datetime.now(UTC).isoformat(), "plan": _said(run, place)}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(launch) + "\n")
    return code


def _read_launches(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _said(run: Run, place: Place) -> str:
    """Checksum of the plan file and of the variant's settings, but not of where other vectors lie."""
    path = place.catalogue.plan(run.home)
    variant = expand(place.catalogue.variant(run.variant).set, path) if run.variant else []
    return _digest("\n".join([path.read_text(encoding="utf-8"), *variant]))


def _checksums(checked: Plan, data: Mapping[str, str]) -> dict[str, str]:
    """Of the vectors, in the order of the plan, and of all other files together."""
    files = [words.vectors for words in checked.words.values() if words.vectors]
    others: Sequence[str] = [f"{path} {value}" for path, value in sorted(data.items()) if path not in files]
    return {
        "vectors_checksum": " ".join(data[file] for file in files),
        "data_checksum": _digest("\n".join(others)),
    }


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
