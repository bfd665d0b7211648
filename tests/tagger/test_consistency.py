"""Consistent names: what the other mentions say counts, at every door, and nothing else changes."""

import io
import json
import re
from collections import Counter
from itertools import chain
from math import log
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag import evaluate
from polytag.bulk import Assignment, Piece, cut, pieces, tagging
from polytag.bulk.pieces import LARGE
from polytag.corpus.formats import FORMATS
from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError
from polytag.server.work import Worker
from polytag.tagger import batches
from polytag.tagger.batches import flat
from polytag.tagger.consistency import FLOOR, WEIGHT, Mentions, types_of
from polytag.tagger.operating import OperatingPoints
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger
from tests import tiny
from tests.cli.conftest import run

TEXTS = tiny.texts(80)
TAGS = ("O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "S-LOC")
NAMES = (
    "Lima",
    "LIMA",
    "İzmir",
    "Oslo",
    "北京",
    "ሀገር",
    "x-Ray",
    "ǅeko",
    "თბილისი",
    "القاهرة",
    "AT&T",
    "O'Neill",
    "\u00c1d",
    "A\u0301d",
)
OTHERS = ("lima", "7", "...", "oʻzbek", "maʼlum", "ß", "straße", "-", "x0y", "")
WORDS = (*NAMES, *OTHERS[:-1])


def of(tagger: Tagger, texts: list[Sentence], **wanted: Any) -> list[Sentence]:
    return list(tagger.tag_all(texts, Request(**wanted)))


def expected_scores(words: list[str], tags: list[int]) -> list[list[float]]:
    """The same mention by mention."""
    types = [tag[2:] for tag in TAGS]
    scores = [[0.0] * len(TAGS) for _ in words]
    for place, word in enumerate(words):
        form = normalize("NFC", word.casefold())
        others = [
            types[tags[other]]
            for other, same in enumerate(words)
            if other != place and {word, same} <= {*NAMES} and normalize("NFC", same.casefold()) == form
        ]
        votes = Counter(others)
        if others:
            scores[place] = [WEIGHT * log(votes[type_] / len(others) + FLOOR) for type_ in types]
    return scores


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, len(TAGS) - 1)), min_size=1, max_size=30), st.data())
def test_scores_are_those_of_each_mention_by_itself(drawn: list[tuple[str, int]], data: st.DataObject) -> None:
    words, tags = [word for word, _ in drawn], [tag for _, tag in drawn]
    places = np.array(data.draw(st.permutations(range(len(words)))))
    emissions = np.random.default_rng(1).normal(size=(len(words), len(TAGS))).astype(np.float32)
    found = Mentions(words).scores(np.array(tags, np.int32), types_of(TAGS)).added_to(emissions, places)
    expected = emissions + np.array(expected_scores(words, tags), np.float32)[places]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("word", WORDS)
def test_what_counts_as_a_name(word: str) -> None:
    assert len(Mentions([word]).places) == (word in NAMES)


def test_mentions_are_heard_whatever_their_case() -> None:
    words = ["Lima", "LIMA", "lima", "lima", "北京", "北京", "Oslo", "\u00c1d", "A\u0301d"]
    scores = Mentions(words).scores(np.array([4, 6, 0, 0, 6, 6, 4, 4, 4], np.int32), types_of(TAGS))
    found = scores.added_to(np.zeros((9, len(TAGS)), np.float32), np.arange(9))
    assert [bool(row.any()) for row in found] == [True, True, False, False, True, True, False, True, True]
    # Lima was a person, LIMA a place: each speaks for the other.
    assert TAGS[int(found[0].argmax())].endswith("LOC")
    assert TAGS[int(found[1].argmax())].endswith("PER")
    assert found[4].max() == pytest.approx(WEIGHT * log(1 + FLOOR))


@pytest.mark.parametrize("constrained", [False, True])
def test_tags_are_the_best_with_those_scores(tagger: Tagger, constrained: bool) -> None:
    words, lengths = flat(TEXTS)
    best, emissions = np.zeros(len(words), np.int32), {}
    starts = lengths.cumsum() - lengths
    for indices, lattice in tagger.lattices(TEXTS, "ner", constrained=constrained):
        paths = lattice.packing.unpack(lattice.best())
        for index, path, scores in zip(indices, paths, lattice.packing.unpack(lattice.emissions), strict=True):
            best[starts[index] : starts[index] + len(path)] = path
            emissions[index] = scores
    vocabulary = tagger.engine.part("ner").vocabulary
    scores = Mentions(words).scores(best, types_of(vocabulary.tags))
    moves, start = tagger.engine.part("ner").moves(constrained=constrained)
    found = of(tagger, TEXTS, tasks=["ner"], consistent=True, constrained=constrained)
    for index, sentence in enumerate(found):
        places = starts[index] + np.arange(lengths[index])
        summed = scores.added_to(emissions[index], places)
        total = start + summed[0]
        back = []
        for row in summed[1:]:
            each = total[:, None] + moves
            back.append(each.argmax(0))
            total = each.max(0) + row
        path = [int(total.argmax())]
        for step in reversed(back):
            path.append(int(step[path[-1]]))
        tags = [vocabulary.tags[tag] for tag in reversed(path)]
        assert tagger.engine.rewritings["ner"].tags_of(np.array(path[::-1])) == sentence.tags["ner"], tags


def test_mentions_are_heard_and_tasks_without_spans_are_not(tagger: Tagger) -> None:
    alone, together = of(tagger, TEXTS), of(tagger, TEXTS, consistent=True)
    assert [one.tags["ner"] for one in alone] != [one.tags["ner"] for one in together]
    assert [one.tags["pos"] for one in alone] == [one.tags["pos"] for one in together]
    once = [Sentence(("Ann", "saw", "Lima", "and", "the", "mayor", "of", "Oslo", "7", "7", "and", "the"))]
    assert of(tagger, once, consistent=True, confidence=True) == of(tagger, once, confidence=True)
    assert of(tagger, [Sentence(()), *once, Sentence(())], consistent=True)[1].tags == of(tagger, once)[0].tags


def test_every_door_and_any_number_of_threads_say_the_same(tagger: Tagger) -> None:
    texts = tiny.texts(500, seed=2)
    expected = [one.tags for one in of(tagger, texts, consistent=True)]
    shared = Tagger(tagger.model, threads=8)
    assert [one.tags for one in of(shared, texts, consistent=True)] == expected
    sure = of(tagger, texts, consistent=True, confidence=True, nbest=2)
    assert [one.tags for one in sure] == expected
    assert all(one.alternatives["ner"][0].tags == one.tags["ner"] for one in sure)
    words, lengths = flat(texts)
    columns = tagger.tag_columns(words, lengths, Request(consistent=True))
    assert columns["ner"] == [*chain.from_iterable(tags["ner"] for tags in expected)]


def test_a_stream_is_read_in_long_stretches(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [one.tags for one in of(tagger, TEXTS, consistent=True)]
    monkeypatch.setattr(batches, "AGREEING_WORDS", 50)
    found = [one.tags for one in of(tagger, TEXTS, consistent=True)]
    assert found != expected
    assert len(found) == len(expected)


def test_what_has_no_spans_cannot_be_consistent(tagger: Tagger) -> None:
    told = "consistent is True, but the tasks have no spans to be consistent"
    with pytest.raises(PolytagError, match=re.escape(told)):
        tagger.tag(["Ann"], tasks=["pos"], consistent=True)
    with pytest.raises(PolytagError, match="consistent is 'no', expected True or False"):
        Request(consistent="no")  # type: ignore[arg-type]
    assert len({Request(), Request(consistent=True)}) == 2


@pytest.fixture(scope="module")
def annotated(tagger: Tagger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose tags are those of consistent names."""
    path = tmp_path_factory.mktemp("consistent") / "gold.jsonl"
    found = of(tagger, TEXTS, consistent=True)
    path.write_text("".join(json.dumps({"words": s.words, "tags": {"ner": s.tags["ner"]}}) + "\n" for s in found))
    return path


def test_it_is_scored(tagger: Tagger, annotated: Path) -> None:
    chosen: dict[str, Any] = {"tasks": ["ner"], "data_file": annotated}
    assert evaluate(tagger, **chosen, consistent=True)["ner"].score == 100.0
    assert evaluate(tagger, **chosen)["ner"].score < 100.0
    gold = of(tagger, TEXTS, consistent=True)
    at_all = OperatingPoints.of(tagger, gold, "ner", consistent=True).at(0.0)
    assert at_all.precision == at_all.recall == 100.0


def test_from_the_command_line(tagger: Tagger, model: Path, annotated: Path, tmp_path: Path) -> None:
    done = run(["tag", model, annotated, "--task", "ner", "--consistent"])
    assert done.code == 0, done.err
    expected = [one.tags["ner"] for one in of(tagger, TEXTS, consistent=True)]
    assert [tuple(json.loads(line)["tags"]["ner"]) for line in done.out.splitlines()] == expected
    scored = ["evaluate", model, "--task", "ner", "--data-file", annotated, "--consistent"]
    assert "100.00" in run(scored).out.splitlines()[1]
    page = tmp_path / "page.html"
    assert run([*scored, "--html", page]).out == run(scored).out
    points = run([*scored, "--operating-points"]).out.splitlines()
    assert points[2].split() == ["0.00", "100.00%", "100.00%", "100.00%"]
    assert "consistent names" in page.read_text()
    scored[scored.index("ner")] = "pos"
    annotated.with_name("pos.jsonl").write_text(annotated.read_text().replace('"ner"', '"pos"'))
    scored[scored.index(annotated)] = annotated.with_name("pos.jsonl")
    for command in (
        ["tag", model, annotated, "--task", "pos", "--consistent"], scored, [*scored, "--html", page],
        [*scored, "--operating-points"],
    ):  # fmt: skip
        assert "the tasks have no spans to be consistent" in run(command).sentence


@pytest.fixture
def pieces_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, list[Piece]]:
    """A text in more pieces than one, each longer than a stretch."""
    source = tmp_path / "text.txt"
    source.write_text("".join(" ".join(text.words) + "\n" for text in tiny.texts(3_000, seed=3)))
    monkeypatch.setattr(pieces, "LARGE", source.stat().st_size // 4)
    monkeypatch.setattr(batches, "AGREEING_WORDS", 50)
    found = [piece for piece in cut(source, format="tokenised", consistent=True) if isinstance(piece, Piece)]
    assert len(found) > 3
    return source, found


def test_each_piece_is_read_as_a_whole(tagger: Tagger, model: Path, pieces_of: tuple[Path, list[Piece]]) -> None:
    for confidence in (False, True):  # at once, and block by block
        request = Request(["ner"], consistent=True, confidence=confidence)
        with tagging(Assignment(model=str(model), request=request)) as render:
            for piece, text in zip(pieces_of[1], render(pieces_of[1]), strict=True):
                words = [line.split() for line in piece.text.splitlines()]
                lengths = [len(line) for line in words]
                expected = tagger.tag_columns([*chain.from_iterable(words)], lengths, Request(["ner"], consistent=True))
                assert [line.split()[1] for line in text.decode().splitlines() if line] == expected["ner"]


def test_workers_say_what_one_says(model: Path, pieces_of: tuple[Path, list[Piece]]) -> None:
    assignment = Assignment(model=str(model), request=Request(["ner"], consistent=True))
    with tagging(assignment) as one, tagging(assignment, workers=2) as two:
        assert [*one(pieces_of[1])] == [*two(pieces_of[1])]


@pytest.mark.parametrize("format_", [name for name, row in FORMATS.items() if row.cut and not row.is_table])
def test_pieces_are_of_a_megabyte_or_two(format_: str) -> None:
    line = "Ann\tLima\n" if format_ != "jsonl" else '{"text": "Ann saw Lima"}\n'
    text = line * (3 * LARGE // len(line))
    sizes = [piece.size for piece in cut(io.StringIO(text), format=format_, consistent=True)]
    assert sum(sizes) == len(text)
    if format_ not in ("conll", "conllu", "csv", "ontonotes"):  # without a blank line these are one sentence
        assert all(LARGE <= size <= 2 * LARGE + len(line) for size in sizes[:-1])
        assert len(sizes) > 1


def test_a_server_keeps_those_apart_who_ask_at_once(tagger: Tagger) -> None:
    from polytag.server import Limits
    from polytag.server.schemas import TagRequest

    worker = Worker(tagger, Limits())
    halves = [TEXTS[:40], TEXTS[40:]]
    bodies = [TagRequest(words=[list(s.words) for s in half], tasks=["ner"], consistent=True) for half in halves]
    answers = worker([worker.job(body) for body in bodies])
    for half, answer in zip(halves, answers, strict=True):
        assert isinstance(answer, bytes)
        found = [tuple(sentence["tags"]["ner"]) for sentence in json.loads(answer)["sentences"]]
        assert found == [one.tags["ner"] for one in of(tagger, half, consistent=True)]
