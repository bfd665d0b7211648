"""Scores of a model directory: of the files that its plan names, of the sentences held out, of any other file."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import polytag
from polytag.corpus.notes import Notes
from polytag.errors import ModelError, PlanError, PolytagError
from polytag.plan import Plan
from polytag.plan_file import make_plan
from polytag.scoring import as_dict
from polytag.splits import split_sentences
from polytag.training import prepare
from tests.oracles_spans import conlleval

NAMES = {"Ann": "PER", "Lee": "PER", "Lima": "LOC", "Oslo": "LOC"}
OTHERS = ("saw", "the", "7", "in", ".")


def write(path: Path, sentences: int, *, seed: int, new: str = "") -> None:
    """Words, parts of speech and IOB1 entities of a language that a tiny network can learn."""
    source = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(sentences):
            for word in source.choices([*NAMES, *OTHERS, *([new] if new else [])], k=source.randint(2, 6)):
                file.write(
                    f"{word} {'NAME' if word in NAMES else 'WORD'} {f'I-{NAMES[word]}' if word in NAMES else 'O'}\n"
                )
            file.write("\n")


def plan(directory: Path) -> Plan:
    common = {"chars": "all", "words": "en", "train": "train"}
    return make_plan({
        "chars": {"all": {"dimension": 4, "hidden": 4, "layers": 1}},
        "words": {"en": {"dimension": 4, "hidden": 6, "layers": 1}},
        "tasks": {
            "ner": {**common, "test": "test", "columns": {"tag": 2}, "holdout": 0.25},
            "pos": {**common, "dev": "dev", "columns": {"tag": 1}, "rate": 0.5},
        },
        "training": {"epochs": 3, "batch_sentences": 4, "threads": 1, "learning_rate": 0.1},
        "search": [str(directory)],
    })  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("files")
    write(directory / "train", 40, seed=1)
    write(directory / "dev", 12, seed=2)
    write(directory / "test", 12, seed=3, new="Quito")
    return directory


@pytest.fixture(scope="module")
def model(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path, threads = tmp_path_factory.mktemp("models") / "model", torch.get_num_threads()
    polytag.train(plan(files), output=path)
    yield path
    torch.set_num_threads(threads)  # the plan asks for one


def test_the_test_split_unless_told_otherwise(model: Path) -> None:
    counts = polytag.evaluate(model)
    assert list(counts) == ["ner"]
    report = json.loads((model / "report.json").read_text(encoding="utf-8"))["scores"]
    assert as_dict(counts["ner"]) == report["ner"]["test"]


def test_the_held_out_sentences_are_those_of_the_training(files: Path, model: Path) -> None:
    """Of a holdout and of dev files alike; the model's own plan finds them again."""
    counts = polytag.evaluate(model, split="dev")
    report = json.loads((model / "report.json").read_text(encoding="utf-8"))["scores"]
    assert {task: as_dict(found) for task, found in counts.items()} == {task: report[task]["dev"] for task in report}
    assert counts["ner"].sentences == 10
    trained = prepare(plan(files)).sentences
    again = polytag.load(model).plan
    for task in ("ner", "pos"):
        for split in ("train", "dev"):
            assert [s.lines for s in split_sentences(again, task, split)] == [s.lines for s in trained[task][split]]
    used = {s.lines for s in trained["ner"]["train"]}
    assert not used & {s.lines for s in trained["ner"]["dev"]}
    assert (len(used), len(trained["pos"]["train"])) == (30, 20)


def test_the_counts_are_those_of_conlleval_on_the_tagged_file(files: Path, model: Path) -> None:
    tagger = polytag.load(model)
    gold = list(split_sentences(tagger.plan, "ner", "test"))
    tagged = tagger.tag_all(gold, tasks=["ner"])
    expected = conlleval((a.tags["ner"], b.tags["ner"]) for a, b in zip(gold, tagged, strict=True))
    types = polytag.evaluate(model)["ner"].types
    for key in ("correct", "predicted", "gold"):
        assert {t: getattr(tally, key) for t, tally in types.items() if getattr(tally, key)} == dict(expected[key])
    assert sum(expected["correct"].values()) > 0


def test_unknown_words_are_those_that_no_training_file_holds(model: Path, files: Path) -> None:
    counts = polytag.evaluate(model)["ner"]
    assert counts.tokens["unknown"].gold == (files / "test").read_text(encoding="utf-8").count("Quito") > 0


def test_another_file_is_read_as_the_files_of_the_task(model: Path, files: Path) -> None:
    assert polytag.evaluate(model, tasks=["ner"], data_file=files / "test") == polytag.evaluate(model)
    assert polytag.evaluate(model, tasks=["pos"], data_file=files / "dev")["pos"].metric == "accuracy"


def test_moved_files_are_found_where_told(model: Path, files: Path, tmp_path: Path) -> None:
    expected = polytag.evaluate(model)
    moved = files.rename(tmp_path / "moved")
    try:
        with pytest.raises(PlanError, match=r"tasks\.ner\.test: there is no 'test'"):
            polytag.evaluate(model)
        assert polytag.evaluate(model, data=moved) == expected
    finally:
        moved.rename(files)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"data_file": "test"}, PlanError, "name it: ner, pos"),
        ({"tasks": ["pos"]}, PlanError, "no test files for pos"),
        ({"tasks": ["neer"]}, PolytagError, "no task 'neer'; did you mean 'ner'"),
        ({"best_for": "ner"}, ModelError, r"best\.ner\.safetensors is missing"),
        ({"split": "tests"}, PlanError, "no split 'tests'; did you mean 'test'"),
    ],
)
def test_what_cannot_be_scored(model: Path, arguments: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        polytag.evaluate(model, **arguments)  # type: ignore[arg-type]


def test_a_tagger_stands_for_its_model_in_whatever_takes_one(model: Path, files: Path) -> None:
    tagger = polytag.load(model)
    assert repr(tagger) == "Tagger(ner: 2 types, pos: 2 tags; float32)"
    on = {"data_file": files / "test", "tasks": ["ner"]}
    assert polytag.evaluate(tagger, **on)["ner"].scores == polytag.evaluate(model, **on)["ner"].scores
    assert polytag.compare(tagger, model, data_file=files / "test", task="ner").differences == []
    with pytest.raises(PlanError, match="one task is compared, expected task, such as task='ner'"):
        polytag.compare(tagger, model, **on)
    found = [polytag.suggest(of, files / "test", count=2, tasks=["ner"]) for of in (tagger, model)]
    assert found[0].suggestions == found[1].suggestions
    assert repr(found[0]) == "Suggested(2 of 12 sentences, tasks=['ner'])"
    with pytest.raises(PolytagError, match="threads = 2: a Tagger has its own"):
        polytag.evaluate(tagger, threads=2, **on)
    with pytest.raises(PolytagError, match=r"found 'a.conll', expected a polytag.Sentence, or one file"):
        polytag.suggest(tagger, ["a.conll"])  # type: ignore[list-item]


def test_a_file_that_the_model_was_trained_on_is_told(model: Path, files: Path) -> None:
    notes = {name: Notes() for name in ("train", "test")}
    for name, told in notes.items():
        polytag.evaluate(model, tasks=["ner"], data_file=files / name, notes=told)
    assert [*map(str, notes["train"])] == [
        f"{files / 'train'}: the model was trained on it, so scores on it say little of other text"
    ]
    assert not [*notes["test"]]
