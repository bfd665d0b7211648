"""Whether joint training gains more than chance would give: approximate randomisation over the test sentences."""

import csv
import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from experiments.catalogue import AT, Row, Table
from experiments.training import Place, Run, directory, trained_seeds
from polytag.files import atomic_write
from polytag.scoring import approximate_randomisation, sentence_counts
from polytag.scoring.significance import Triple

FILE = "significance.csv"
COUNTS = "counts.{task}.json"  # kept in the model directory


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two rows by the runs of the same seeds, each with the weights that the development split chose."""

    row: str  # both with @variant
    against: str
    task: str
    seeds: str  # one, or all that both rows have, separated by blanks: their counts are added up sentence by sentence
    difference: float  # of the test scores, in points
    probability: float  # of one at least as large by chance


def comparisons(table: Table, place: Place) -> list[Comparison]:
    """All that can be compared: computed where both models are there, else as significance.csv has it.

    A variant of a row is compared with the same variant of the other row.
    """
    path = place.catalogue.root / table.folder / FILE
    known = {(c.row, c.against, c.task, c.seeds): c for c in _read(path)}
    for comparison in _computed(table, place):
        known[comparison.row, comparison.against, comparison.task, comparison.seeds] = comparison
    found = sorted(_newest(known.values()), key=lambda c: (_position(table, c.row), c.row, len(c.seeds), c.seeds))
    if found:
        _write(path, found)
    return found


def counts(run: Run, task: str, place: Place) -> list[Triple]:
    """Correct, predicted and gold spans (words, for plain tags) of each test sentence; kept beside the model."""
    model = directory(run, place)
    path = model / COUNTS.format(task=task)
    if path.exists():
        return [tuple(triple) for triple in json.loads(path.read_text(encoding="utf-8"))]
    found = _count(model, task)
    with atomic_write(path) as file:
        json.dump(found, file)
    return found


def _computed(table: Table, place: Place) -> Iterator[Comparison]:
    for row in table.rows:
        if (rival := place.catalogue.rival(row, table)) is None:
            continue
        homes = table.home(row), rival
        for variant in ("", *place.catalogue.variants):
            seeds = sorted(set.intersection(*(trained_seeds(home, variant, place) for home in homes)))
            for chosen in [[seed] for seed in seeds] + ([seeds] if len(seeds) > 1 else []):
                yield _compare(row, homes, chosen, variant, place)


def _newest(known: Collection[Comparison]) -> Iterator[Comparison]:
    """Those of one seed, and of several together the one of most."""
    most: Counter[tuple[str, str]] = Counter()
    for c in known:
        most[c.row, c.task] = max(most[c.row, c.task], len(c.seeds.split()))
    yield from (c for c in known if len(c.seeds.split()) in (1, most[c.row, c.task]))


def _compare(row: Row, homes: tuple[str, str], seeds: Sequence[int], variant: str, place: Place) -> Comparison:
    a, b = (_added([counts(Run(home, seed, variant), row.task, place) for seed in seeds]) for home in homes)
    difference = 100 * (_score(a) - _score(b))
    probability = approximate_randomisation(a, b, trials=10_000, seed=13)
    name, against = (name + (AT + variant if variant else "") for name in (row.name, row.against or ""))
    used = " ".join(map(str, seeds))
    return Comparison(name, against, row.task, used, round(difference, 2), round(probability, 4))


def _added(found: Sequence[Sequence[Triple]]) -> list[Triple]:
    """The counts of several runs, sentence by sentence: a swap then exchanges all that was said of a sentence."""
    totals = np.sum([np.array(counted) for counted in found], axis=0)
    return [(correct, predicted, gold) for correct, predicted, gold in totals.tolist()]


def _count(model: Path, task: str) -> list[Triple]:
    from polytag.splits import split_sentences
    from polytag.tagger.tagging import Tagger

    best_for = task if (model / f"best.{task}.safetensors").exists() else None
    tagger = Tagger.load(model, best_for=best_for, precision="float32")  # what the scores of results.csv come from
    gold = list(split_sentences(tagger.plan, task, "test"))
    vocabulary = tagger.vocabularies.tags[tagger.plan.tasks[task].tags]
    found: list[Triple] = []
    for sentence, tagged in zip(gold, tagger.tag_all(gold, tasks=[task]), strict=True):
        expected, said = sentence.tags[task], tagged.tags[task]
        if vocabulary.plain:
            right = sum(one == other for one, other in zip(expected, said, strict=True))
            found.append((right, len(said), len(expected)))
        else:
            found.append(sentence_counts(expected, said))
    return found


def _score(found: list[Triple]) -> float:
    correct, predicted, gold = (sum(triple[i] for triple in found) for i in range(3))
    return 2 * correct / max(1, predicted + gold)


def _position(table: Table, row: str) -> int:
    names, name = [row.name for row in table.rows], row.partition(AT)[0]
    return names.index(name) if name in names else len(names)


def _read(path: Path) -> list[Comparison]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Comparison(
                line["row"], line["against"], line["task"], line["seeds"], float(line["difference"]),
                float(line["probability"]),
            )
            for line in csv.DictReader(file)
        ]  # fmt: skip


def _write(path: Path, found: list[Comparison]) -> None:
    with atomic_write(path) as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Comparison)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(comparison) for comparison in found)
