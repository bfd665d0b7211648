"""What would help most, by tables of what was measured."""

from collections.abc import Mapping, Sequence

import pytest

from polytag.scoring import Counts, SpanCounts, TagCounts, Tally
from polytag.scoring.advice import Epochs, Scored, next_steps
from polytag.scoring.familiarity import Familiarity

Triple = tuple[int, int, int]  # correct, predicted, gold
DEV = Familiarity(10_000, 600, 50_000, 0, 0.98)


def spans(known: Triple, unknown: Triple = (0, 0, 0), types: Mapping[str, Triple] = {}) -> SpanCounts:
    counts = SpanCounts()
    for name, triple in {"known": known, "unknown": unknown}.items():
        for group in (name, "all"):
            correct, predicted, gold = triple
            counts.spans[group].add(correct, predicted=predicted, gold=gold)
    counts.by_type.update({name: Tally(*triple) for name, triple in types.items()})
    return counts


def tags(known: tuple[int, int], unknown: tuple[int, int]) -> TagCounts:
    counts = TagCounts()
    for name, (correct, words) in {"known": known, "unknown": unknown}.items():
        for group in (name, "all"):
            counts.tokens[group].add(correct, predicted=words, gold=words)
    return counts


FACTS: list[tuple[str, Counts, Mapping[str, object], list[str]]] = [
    ("all is well", spans((95, 100, 100), (95, 100, 100)), {}, []),
    ("too little to tell", spans((1, 10, 50), (0, 9, 49)), {}, []),
    ("unknown words", spans((180, 200, 200), (100, 200, 200)), {},
     ["ner: 83 % of 120 missed spans hold words that training has not (50 % of such are right, 90 % of others)"]),
    ("unknown words, with vectors", spans((180, 200, 200), (100, 200, 200)), {"vectors": True}, ["or a gazetteer"]),
    ("unknown words of plain tags", tags((950, 1000), (50, 100)), {}, ["ner: 50 % of 100 wrong tags are of words"]),
    ("few examples", spans((170, 200, 200), types={"LAW": (1, 4, 20), "PER": (169, 196, 180)}),
     {"examples": {"LAW": 12, "PER": 3000}},
     ["ner: LAW 12 (F1 8): few examples in training, and F1 85 over all: annotate more of these"]),
    ("as badly found with many examples", spans((170, 200, 200), types={"LAW": (1, 4, 20), "PER": (169, 196, 180)}),
     {"examples": {"LAW": 1200, "PER": 3000}}, []),
    ("no examples at all", spans((170, 200, 200), types={"LAW": (0, 0, 20)}), {"examples": {"PER": 9}},
     ["ner: LAW 0 (F1 0)"]),
    ("missed", spans((140, 150, 200), types={"LOC": (60, 70, 70), "PER": (80, 80, 130)}), {},
     ["ner: precision 93.3, recall 70.0: 60 spans are missed: see to it that training files mark them all"]),
    ("wrong", spans((180, 300, 200)), {},
     ["ner: precision 60.0, recall 90.0: 120 of 300 spans found are wrong: --min-probability leaves out"]),
    ("another text", spans((95, 100, 100)), {"text": Familiarity(10_000, 2_200, 50_000, 90, 0.97), "dev": DEV},
     ["ner: this text is unlike dev: train on sentences of this text too"]),
    ("consistent names", spans((160, 200, 200)), {"consistent": spans((170, 200, 200))},
     ["ner: F1 80.0 becomes 85.0 where a name's other mentions count: 'polytag tag --consistent' for whole texts"]),
    ("no better", spans((160, 200, 200)), {"consistent": spans((160, 200, 200))}, []),
    ("the same text", spans((95, 100, 100)), {"text": Familiarity(10_000, 900, 50_000, 9, 0.97), "dev": DEV}, []),
]  # fmt: skip


@pytest.mark.parametrize(("counts", "facts", "expected"), [row[1:] for row in FACTS], ids=[row[0] for row in FACTS])
def test_what_is_said_of_a_task(counts: Counts, facts: Mapping[str, object], expected: Sequence[str]) -> None:
    found = next_steps([Scored("ner", counts, **facts)])  # type: ignore[arg-type]
    assert len(found) == len(expected)
    assert all(part in sentence for part, sentence in zip(expected, found, strict=True)), found


LONGER = "train longer, such as training.epochs ="


@pytest.mark.parametrize(
    ("scores", "planned", "expected"),
    [
        (
            [70, 75, 78, 79, 80.0],
            5,
            "dev still rose by 1.0 in the last epoch of 5: train longer, such as training.epochs = 10",
        ),
        ([70, 79.8, 79.9, 79.9, 80.0], 5, ""),
        ([70, 75, 78, 79, 80.0], 9, ""),  # patience, or somebody, ended it
        ([70, 80, 79, 79, 78.0], 5, "dev was best after epoch 2 of 5: training.epochs = 4 takes 80 % of the time"),
        ([70, 80, 79.0], 3, ""),
        ([], 5, "no development data chose the epoch: name dev files, or set holdout = 0.1"),
    ],
)
def test_what_is_said_of_epochs(scores: list[float], planned: int, expected: str) -> None:
    assert next_steps([], Epochs(scores, planned)) == ([expected] if expected else [])


def test_three_at_most_and_those_that_promise_most_first() -> None:
    bad = spans((180, 200, 400), (10, 20, 200), {"LAW": (1, 4, 300), "PER": (189, 216, 300)})
    found = next_steps([Scored(name, bad, {"LAW": 3}) for name in ("a", "b")], Epochs([], 3))
    assert len(found) == 3
    assert [sentence[:10] for sentence in found] == ["a: LAW 3 (", "b: LAW 3 (", "a: precisi"]
