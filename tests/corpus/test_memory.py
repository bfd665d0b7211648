"""Sentences from a program: each way in which people have them, and faults told by the expression that leads there."""

from typing import Any

import numpy as np
import pytest

from polytag.corpus.memory import sentences_of
from polytag.corpus.notes import Notes
from polytag.corpus.sentence import Sentence
from polytag.errors import CorpusError, PlanError
from polytag.splits import given_splits

WORDS, TAGS = ("Ann", "saw", "Lima"), ("B-PER", "O", "B-LOC")
PLACE = "corpora['ner']['train']"


def read(rows: Any, *, column: int | str = -1, notes: Notes | None = None) -> list[Sentence]:
    return sentences_of(rows, task="ner", place=PLACE, column=column, notes=notes or Notes())


class ClassLabel:
    """As `datasets` has it."""

    names: list[str] = ["O", "B-PER", "B-LOC"]  # noqa: RUF012


class Listed:
    feature = ClassLabel()


class Dataset(list[dict[str, Any]]):
    """As `datasets` has it, as far as it matters here."""

    features: dict[str, Any] = {"tokens": object(), "ner_tags": Listed()}  # noqa: RUF012


def frame(**columns: list[Any]) -> Any:
    return pytest.importorskip("pandas").DataFrame(columns)


WAYS: dict[str, Any] = {
    "Sentence": lambda: [Sentence(WORDS, {"ner": TAGS, "pos": ("X", "X", "X")})],
    "pair": lambda: [(WORDS, TAGS)],
    "lists": lambda: [[list(WORDS), list(TAGS)]],
    "generator": lambda: ((words, tags) for words, tags in [(WORDS, TAGS)]),
    "arrays": lambda: [(np.array(WORDS), np.array(TAGS, dtype=object))],
    "words and tags": lambda: [{"words": WORDS, "tags": TAGS}],
    "tokens and task_tags": lambda: [{"tokens": WORDS, "ner_tags": TAGS, "pos_tags": ["X"]}],
    "the task's name": lambda: [{"words": WORDS, "ner": TAGS, "tags": ["no"]}],
    "a record of JSON Lines": lambda: [{"words": WORDS, "tags": {"ner": TAGS, "pos": ["X", "X", "X"]}}],
    "DataFrame": lambda: frame(tokens=[list(WORDS)], ner_tags=[np.array(TAGS)]),
    "Dataset": lambda: Dataset([{"tokens": list(WORDS), "ner_tags": [1, 0, 2]}]),
    "integers of numpy": lambda: Dataset([{"tokens": list(WORDS), "ner_tags": np.array([1, 0, 2])}]),
}


@pytest.mark.parametrize("rows", WAYS.values(), ids=WAYS)
def test_each_way_gives_the_same_sentence(rows: Any) -> None:
    (sentence,) = read(rows())
    assert (sentence.words, sentence.tags, sentence.source) == (WORDS, {"ner": TAGS}, f"{PLACE}[0]")
    assert {type(text) for text in (*sentence.words, *sentence.tags["ner"])} == {str}


def test_the_plan_may_name_the_field_of_the_tags() -> None:
    (sentence,) = read([{"words": WORDS, "labels": TAGS, "ner": ["no"]}], column="labels")
    assert sentence.tags == {"ner": TAGS}


def test_the_plan_may_name_the_classes() -> None:
    rows = [(["Ann", "ran"], [1, 0])]
    (sentence,) = sentences_of(rows, task="ner", place=PLACE, column=-1, names=("O", "B-PER"), notes=Notes())
    assert sentence.tags == {"ner": ("B-PER", "O")}


def test_numbers_that_stand_for_no_class_are_unknown_tags() -> None:
    (sentence,) = read(Dataset([{"tokens": WORDS, "ner_tags": [1, -100, 2]}]))
    assert sentence.tags == {"ner": ("B-PER", "?", "B-LOC")}


def test_a_sentence_of_a_file_keeps_its_place() -> None:
    (sentence,) = read([Sentence(WORDS, {"ner": TAGS}, lines=(4, 5, 6), source="a.conll")])
    assert (sentence.lines, sentence.source) == ((4, 5, 6), "a.conll")


def test_sentences_without_words_are_left_out_and_told() -> None:
    notes = Notes()
    assert [s.source for s in read([([], []), (WORDS, TAGS), ([], [])], notes=notes)] == [f"{PLACE}[1]"]
    assert list(map(str, notes)) == [f"{PLACE}: sentence 0 has no words and is left out (and 1 more like this)"]


FAULTS: dict[str, tuple[Any, str]] = {
    "fewer tags": ([(WORDS, TAGS), (WORDS, TAGS[:2])], "[1]: 3 words and 2 tags of 'ner', expected as many"),
    "a text": ([("Ann saw Lima", TAGS)], "[0]: the words are 'Ann saw Lima' (str), expected a list of texts"),
    "no word": ([(["Ann", None, "Lima"], TAGS)], "[0]: word 1 is None (NoneType), expected a text of at least a"),
    "empty word": ([(["Ann", "", "Lima"], TAGS)], "[0]: word 1 is '' (str), expected a text of at least a character"),
    "half a surrogate": ([(["\ud800"], ["O"])], "[0]: word 0 is '\\ud800' (str), expected"),
    "tag of nothing": ([(["Ann"], [float("nan")])], "[0]: tag 0 is nan (float), expected a text"),
    "numbers without names": (
        [{"tokens": WORDS, "ner_tags": [1, 0, 2]}],
        "[0]: tags are numbers (1, ...) and nothing names them, expec",
    ),
    "unknown number": (
        Dataset([{"tokens": ["a"], "ner_tags": [-2]}]),
        "[0]: class -2 of 'ner', expected 0 to 2 (O, B-PER, B-LOC)",
    ),
    "no words": ([{"text": "Ann"}], "[0]: neither 'words' nor 'tokens' among 'text'"),
    "no tags": (
        [{"words": WORDS, "pos_tags": TAGS}],
        "[0]: no tags of 'ner' among 'words', 'pos_tags', expected 'ner' or 'ner_tags' or 'tags', or tasks.ner.columns",
    ),
    "tags of others": ([Sentence(WORDS, {"pos": TAGS})], "[0]: no tags of 'ner' among 'pos', expected 'ner' or"),
    "pairs of word and tag": (
        [[("Ann", "O"), ("saw", "O")]],
        "[0]: [('Ann', 'O'), ('saw', 'O')] (list), expected a Sent",
    ),
    "no sentence": ([WORDS], "[0]: ('Ann', 'saw', 'Lima') (tuple), expected a Sentence, a pair of words and tags, or"),
    "nothing": ([], ": no sentence in it, expected at least one"),
    "nothing but empty ones": ([([], [])], ": no sentence in it, expected at least one"),
    "no list": (3, ": 3 (int), expected a list of sentences"),
}


@pytest.mark.parametrize(("rows", "message"), FAULTS.values(), ids=FAULTS)
def test_faults_name_task_split_and_sentence(rows: Any, message: str) -> None:
    with pytest.raises(CorpusError) as error:
        read(rows)
    assert str(error.value).startswith(PLACE + message)


def test_a_row_for_each_token_is_refused() -> None:
    with pytest.raises(CorpusError, match=r"\[0\]: the words are 'Ann' \(str\), expected a list of texts"):
        read(frame(words=list(WORDS), tags=list(TAGS)))


def test_splits_have_the_names_of_the_plan_or_of_datasets() -> None:
    assert given_splits({"ner": {"train": [], "validation": [], "test": []}}) == {
        "ner": {"train": "train", "dev": "validation", "test": "test"}
    }


@pytest.mark.parametrize(
    ("corpora", "message"),
    [
        ([], r"corpora is \[\] \(list\), expected a mapping of names of tasks, as in"),
        ({"ner": []}, r"corpora\['ner'\] is \[\] \(list\), expected a mapping of names of splits, as in"),
        ({"ner": {"tran": []}}, r"corpora\['ner'\]: there is no split 'tran'; did you mean 'train'"),
        ({"ner": {"dev": [], "validation": []}}, r"corpora\['ner'\]: 'validation' and 'dev' are the same split"),
    ],
)
def test_what_is_no_mapping_of_splits_is_refused(corpora: Any, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        given_splits(corpora)
