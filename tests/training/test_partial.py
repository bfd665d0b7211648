"""Partly annotated sentences: what a known tag may be beside an unknown one, what reads and refuses ``?``, learning."""

import random
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
import torch

from polytag.corpus import check, schemes
from polytag.corpus.sentence import Sentence
from polytag.errors import CorpusError
from polytag.scoring import SpanCounts, TagCounts
from polytag.splits import split_sentences
from polytag.tag_schemes import SCHEMES
from polytag.tagger.evaluation import evaluate
from polytag.training import Evaluation, Note, Trainer, prepare, train_events
from polytag.vocabulary.vocabularies import build_tags
from tests.training import toy

SPAN_SCHEMES = [name for name in SCHEMES if name != "plain"]
TARGETS = ["bioes", "iob2", "iob1"]


def well_formed(length: int, scheme: str) -> list[tuple[str, ...]]:
    """All tag sequences over two types that a scheme writes."""
    tags = ["O", *(f"{letter}-{type_}" for type_ in "XY" for letter in dict.fromkeys(SCHEMES[scheme].letters[1:]))]
    return [tags_ for tags_ in product(tags, repeat=length) if not schemes.problems(tags_, scheme)]


def hidden(tags: tuple[str, ...], mask: int) -> tuple[str, ...]:
    return tuple("?" if mask >> at & 1 else tag for at, tag in enumerate(tags))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("scheme", SPAN_SCHEMES)
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_the_forms_of_known_tags_are_those_of_all_completions(length: int, scheme: str, target: str) -> None:
    """The oracle fills every unknown tag in every way that the scheme writes."""
    forms: dict[tuple[str, ...], list[set[str]]] = {}
    complete = well_formed(length, scheme)
    for tags in complete if length < 4 else random.Random(0).sample(complete, min(60, len(complete))):
        for mask in range(2**length):
            forms.setdefault(hidden(tags, mask), [set() for _ in tags])
    for tags in complete:
        for mask in range(2**length):
            for of, form in zip(forms.get(hidden(tags, mask), ()), schemes.convert_tags(tags, target), strict=False):
                of.add(form)
    for tags, expected in forms.items():
        found = schemes.convert_partial(tags, target, scheme=scheme)
        assert found == [None if tag == "?" else of for tag, of in zip(tags, expected, strict=True)], tags


def test_known_tags_keep_their_one_form() -> None:
    tags = ("I-X", "B-X", "O", "I-Y", "I-Y")
    single = [frozenset({tag}) for tag in schemes.convert_tags(tags, "bioes")]
    assert schemes.convert_partial(tags, "bioes", scheme="iob1") == single


def test_ill_formed_tags_beside_unknown_ones_still_have_a_form() -> None:
    found = schemes.convert_partial(("O", "I-X", "?", "b-X"), "bioes", scheme="bioes")
    assert all(found[at] for at in (0, 1, 3))


def test_what_each_tag_may_be_as_rows_of_the_vocabulary() -> None:
    vocabulary = build_tags([("B-X", "?", "O")], scheme="bioes")
    assert vocabulary.tags == ("O", "B-X", "I-X", "E-X", "S-X")
    allowed = vocabulary.encode_partial(("B-X", "?", "O"), scheme="iob2").tolist()
    assert allowed == [[False, True, False, False, True], [True] * 5, [True, False, False, False, False]]
    plain = build_tags([("NOUN", "?", "DET")], scheme="plain")
    assert plain.tags == ("DET", "NOUN")
    assert plain.encode_partial(("NOUN", "?"), scheme="plain").tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize("scheme", SPAN_SCHEMES)
def test_a_scheme_shows_where_half_of_the_tags_are_hidden(scheme: str) -> None:
    source = random.Random(3)
    spans = [schemes.spans(tags) for tags in well_formed(4, "iob2")]
    sequences = [schemes.write(found, 4, scheme=scheme) for found in spans]
    partly = [tuple("?" if source.random() < 0.5 else tag for tag in tags) for tags in sequences]
    found = schemes.detect(partly)
    assert found.scheme == ("iob1" if scheme == "io" else scheme)  # which the table has first
    assert not found.problems
    assert "unknown (?): " in found.note


def test_a_scheme_that_cannot_show_is_the_default_and_no_error() -> None:
    assert schemes.detect([("B-X", "?", "?"), ("?", "O", "?")]).scheme == "iob2"
    assert schemes.detect([("NOUN", "?"), ("?", "DET")]).scheme == "plain"


def test_only_what_no_neighbour_could_mend_is_ill_formed() -> None:
    assert schemes.problems(("?", "I-X", "?"), "iob2") == []
    assert [at for at, _ in schemes.problems(("?", "E-X", "?", "O"), "iob2")] == [1]
    assert schemes.problems(("?", "E-X", "?", "B-X", "?"), "bioes") == []


def test_unknown_words_are_left_out_of_accuracy() -> None:
    counts, fewer = TagCounts(), TagCounts()
    counts.add(["N", "?", "V"], ["N", "N", "N"], known=[True, True, False])
    fewer.add(["N", "V"], ["N", "N"], known=[True, False])
    assert counts == fewer


def test_spans_with_unknown_tags_are_not_counted() -> None:
    with pytest.raises(CorpusError, match="unknown"):
        SpanCounts().add(["B-X", "?"], ["B-X", "O"])


def write(path: Path, sentences: list[Sentence]) -> Path:
    rows = ("".join(f"{w} {p} {n}\n" for w, p, n in zip(s.words, s.tags["pos"], s.tags["ner"], strict=True))
            for s in sentences)  # fmt: skip
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def partly(sentences: list[Sentence], share: float, seed: int = 0) -> list[Sentence]:
    """The same with a share of the tags hidden."""
    source = random.Random(seed)

    def hide(tags: tuple[str, ...]) -> tuple[str, ...]:
        return tuple("?" if source.random() < share else tag for tag in tags)

    return [Sentence(s.words, {task: hide(tags) for task, tags in s.tags.items()}) for s in sentences]


def plan_of(directory: Path, *tasks: str, **training: Any) -> Any:
    return toy.plan(directory, *tasks, features=True, **training)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """200 training sentences with half of the tags hidden."""
    write(tmp_path / "en.train", partly(list(toy.sentences(200, seed=1)), 0.5))
    toy.write(tmp_path / "en.dev", 60, seed=2)
    toy.write(tmp_path / "en.test", 8, seed=3)
    return tmp_path


def test_the_corpus_check_says_how_many_tags_are_unknown(corpus: Path) -> None:
    report = check(corpus / "en.train")
    assert report.problem_count == 0
    assert [column.scheme for column in report.columns] == ["plain", "iob2"]
    assert all("unknown (?): " in column.note for column in report.columns)


def test_the_unknown_tag_is_no_tag(corpus: Path) -> None:
    prepared = prepare(plan_of(corpus, "ner", "pos"))
    vocabularies = prepared.vocabularies.tags
    assert vocabularies["pos"].tags == ("NAME", "WORD")
    assert vocabularies["ner"].tags[0] == "O"
    assert len(vocabularies["ner"].tags) == 9
    notes = [note for note in prepared.notes if "unknown, and summed over" in note]
    assert len(notes) == 2


def test_a_sentence_without_a_known_tag_is_left_out(corpus: Path) -> None:
    prepared = prepare(plan_of(corpus, "ner"))
    assert all(set(s.tags["ner"]) != {"?"} for s in prepared.sentences["ner"]["train"])
    assert any("sentences without any other tag are left out" in note for note in prepared.notes)


def test_a_file_without_a_known_tag_is_refused(corpus: Path) -> None:
    write(corpus / "en.train", partly(list(toy.sentences(5)), 1.0))
    with pytest.raises(CorpusError, match=r"en\.train: every tag of 'ner' is \?"):
        prepare(plan_of(corpus, "ner"))


@pytest.mark.parametrize("task", ["ner", "pos"])
@pytest.mark.parametrize("split", ["dev", "test"])
def test_files_that_scores_are_from_must_be_known(corpus: Path, task: str, split: str) -> None:
    if (task, split) == ("pos", "test"):
        pytest.skip("the toy task has no test file")
    write(corpus / f"en.{split}", partly(list(toy.sentences(5)), 0.9))
    with pytest.raises(CorpusError, match=rf"en\.{split}:\d+: the tag of '{task}' is \?, unknown"):
        prepare(plan_of(corpus, task))


def test_a_held_out_sentence_has_every_tag(corpus: Path) -> None:
    full = list(toy.sentences(10))
    write(corpus / "en.train", [*partly(full, 0.9), *full, *partly(full, 0.9, seed=1)])
    tables = toy.tables("ner", search=corpus)
    del tables["tasks"]["ner"]["dev"]
    tables["tasks"]["ner"]["holdout"] = 0.5
    plan = toy.make_plan(tables)
    dev, train = (list(split_sentences(plan, "ner", split)) for split in ("dev", "train"))
    assert len(dev) == 5
    assert len(train) == 25
    assert not any("?" in s.tags["ner"] for s in dev)
    write(corpus / "en.train", partly(full, 0.9))
    with pytest.raises(CorpusError, match="without unknown tags"):
        list(split_sentences(plan, "ner", "train"))


def test_evaluation_leaves_unknown_words_out_or_refuses(corpus: Path) -> None:
    for _ in train_events(plan_of(corpus, "ner", "pos", epochs=1), output=corpus / "model"):
        pass
    words = check(corpus / "en.train").columns[0].tags
    counts = evaluate(corpus / "model", tasks=["pos"], data_file=corpus / "en.train")["pos"]
    assert counts.tokens["all"].gold == words.total() - words["?"]
    with pytest.raises(CorpusError, match=r"en\.train:\d+: tag '\?' says that the tag is unknown"):
        evaluate(corpus / "model", tasks=["ner"], data_file=corpus / "en.train")


def test_a_batch_in_which_all_is_known_stays_as_it_was(corpus: Path) -> None:
    trainer = Trainer(prepare(plan_of(corpus, "ner", batch_sentences=1)), corpus / "model")
    batches = [trainer.examples.batch(turn) for turn in trainer._turns(0)]
    assert {(batch.tags is None, batch.allowed is None) for batch in batches} == {(True, False), (False, True)}


def test_one_known_tag_in_every_row_is_the_known_loss(corpora: Path, tmp_path: Path) -> None:
    trainer = Trainer(prepare(toy.plan(corpora, "ner")), tmp_path)
    batch = trainer.examples.batch(trainer._turns(0)[0])
    assert batch.tags is not None
    network = trainer.network.eval()
    crf, emissions = network._crf("ner"), network.emissions(network.context(batch, "ner"), batch, "ner")
    known = crf.loss(emissions, batch, "ner", margin=5.0)
    allowed = torch.nn.functional.one_hot(batch.tags, emissions.shape[1]).bool()
    partial = replace(batch, tags=None, allowed=allowed)
    torch.testing.assert_close(crf.loss(emissions, partial, "ner", margin=5.0), known)


def best_score(directory: Path, name: str, sentences: list[Sentence]) -> float:
    write(directory / "en.train", sentences)
    plan = plan_of(directory, "ner", epochs=8, learning_rate=0.1)
    events = train_events(plan, output=directory / name)
    return max(event.dev["ner"] for event in events if isinstance(event, Evaluation))


@pytest.mark.slow
def test_half_of_the_tags_teach_nearly_as_much_as_all_of_them(corpus: Path) -> None:
    full = list(toy.sentences(200, seed=1))
    half = partly(full, 0.5)
    whole = [s for s in half if "?" not in s.tags["ner"]]
    assert len(whole) > 20
    scores = [best_score(corpus, name, s) for name, s in (("full", full), ("half", half), ("whole", whole))]
    assert scores[1] > scores[0] - 5
    assert scores[1] > scores[2]


def test_notes_and_scores_of_a_joint_training(corpus: Path) -> None:
    events = list(train_events(plan_of(corpus, "ner", "pos"), output=corpus / "model"))
    assert sum("summed over" in event.text for event in events if isinstance(event, Note)) == 2
    losses = [event.loss["ner"] for event in events if isinstance(event, Evaluation)]
    assert all(after < before for before, after in pairwise(losses))
