"""Tagger: streams in order and in constant memory, formats untouched, probabilities as enumeration gives them."""

import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch

from polytag.corpus import FORMATS as READERS
from polytag.corpus import blocks
from polytag.corpus.schemes import convert_tags, problems, spans
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block, Layout, Lines
from polytag.errors import PolytagError
from polytag.scoring import SpanCounts
from polytag.tagger import batches, engine, words
from polytag.tagger.batches import Batch, Scratch
from polytag.tagger.engine import Engine
from polytag.tagger.tagging import Tagger
from polytag.vocabulary.gazetteer import Gazetteer
from tests import tiny
from tests.oracles import Chain, packing
from tests.oracles_spans import conlleval, random_tags

SIZES = ((1, 1, 1), (7, 2, 5), (40, 3, 10_000), (10_000, 64, 4))  # words read ahead, sentences and words of a batch

CONLL = (
    "-DOCSTART- -X- O\n\nthe DT  I-X\nmayor\tNN O \n\n\n  \nLima NNP B-Y\r\n\n-DOCSTART-\nAnn NNP O\nsaw VB O\nx9y NN O"
)
CONLLU = """# text = vámonos al mar
# with | bars
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
1\tvamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\t_\tPRON\t_\t_\t1\tobj\t_\tA=b
2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_

# alone

1\tLima\t_\tPROPN\t_\t_\t0\troot\t_\t_
"""
JSONL = """{"words": ["Ann", "saw", "Lima"], "tags": {"pos": ["A", "B", "C"]}, "id": 7}

{"text": "Lima  café", "meta": {"é": 1}}
{"words": []}
"""
TEXT = "Ann saw Lima .\n\n  the  mayor\n7 hills"
DOCUMENTS = {"conll": CONLL, "conllu": CONLLU, "jsonl": JSONL, "tokenised": TEXT, "text": TEXT}
FORMATS = pytest.mark.parametrize("format", DOCUMENTS)


def set_sizes(monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int, int]) -> None:
    monkeypatch.setattr(batches, "CHUNK_WORDS", sizes[0])
    by_length = partial(engine.by_length, sentences=sizes[1], words=sizes[2])
    monkeypatch.setattr(engine, "by_length", by_length)


def set_memory(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """So many words are remembered."""
    monkeypatch.setattr(words, "MEMORY", 0)
    monkeypatch.setattr(words, "FEWEST", most)


def document(format: str) -> Iterator[Block]:
    return blocks(io.BytesIO(DOCUMENTS[format].encode()), format=format)


def words_in(format: str) -> list[Sentence]:
    return [block.sentence for block in document(format) if block.sentence is not None]


class TestStreams:
    @pytest.mark.parametrize("sizes", SIZES, ids=str)
    def test_bulk_in_any_pieces_is_one_by_one(
        self, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int, int]
    ) -> None:
        tagger, sentences = tiny.tagger({"ner": "iob2", "pos": "plain"}), tiny.texts(60)
        alone = [tagger.tag(sentence.words, confidence=True) for sentence in sentences]
        set_sizes(monkeypatch, sizes)
        together = list(tagger.tag_all(sentences, confidence=True))
        assert len({sentence.tags["ner"] for sentence in alone}) > 20
        for one, other in zip(alone, together, strict=True):
            assert (one.words, one.tags) == (other.words, other.tags)
            for task in ("ner", "pos"):
                assert one.confidence[task] == pytest.approx(other.confidence[task], abs=1e-4)
            for mine, theirs in zip(one.spans("ner"), other.spans("ner"), strict=True):
                assert (mine.type, mine.start, mine.end) == (theirs.type, theirs.start, theirs.end)
                assert mine.probability == pytest.approx(theirs.probability, abs=1e-4)

    @FORMATS
    @pytest.mark.parametrize("sizes", SIZES, ids=str)
    def test_documents_in_any_pieces(
        self, monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int, int], format: str
    ) -> None:
        tagger = tiny.tagger()
        whole = "".join(tagger.tag_blocks(document(format)))
        set_sizes(monkeypatch, sizes)
        assert "".join(tagger.tag_blocks(document(format))) == whole

    def test_tags_that_sentences_carry_are_replaced_and_all_else_is_kept(self) -> None:
        given = Sentence(("Ann", "saw"), {"ner": ("O", "O"), "old": ("X", "Y")}, (3, 4), "here", {"old": (1.0, 1.0)})
        found = next(tiny.tagger().tag_all([given]))
        assert (found.words, found.lines, found.source) == (given.words, given.lines, given.source)
        assert list(found.tags) == ["ner"]
        assert not found.confidence

    def test_the_first_answer_comes_before_the_last_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_sizes(monkeypatch, (30, 4, 100))
        read = 0

        def counted() -> Iterator[Sentence]:
            nonlocal read
            for sentence in tiny.endless():
                read += 1
                yield sentence

        answers = tiny.tagger().tag_all(counted())
        assert read == 0
        for number, answer in enumerate(islice(answers, 25)):
            assert len(answer.tags["ner"]) == 3
            assert number < read <= number + 10

    def test_an_endless_input_fills_no_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        set_sizes(monkeypatch, (300, 64, 1000))
        set_memory(monkeypatch, 500)
        tagger = tiny.tagger()
        for number, answer in enumerate(tagger.tag_all(tiny.endless())):
            assert len(tagger.engine.language("ner").table) <= 500
            assert answer.words[2] == "."
            if number == 2_000:
                break

    def test_two_streams_do_not_disturb_each_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sentences = tiny.texts(30)
        expected = [s.tags for s in tiny.tagger().tag_all(sentences)]
        set_sizes(monkeypatch, (5, 64, 1000))
        set_memory(monkeypatch, 3)
        tagger = tiny.tagger()
        pairs = list(zip(tagger.tag_all(sentences), tagger.tag_all(reversed(sentences)), strict=True))
        assert [s.tags for s, _ in pairs] == expected
        assert [s.tags for _, s in pairs] == expected[::-1]

    def test_endless_blank_lines_go_through(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(batches, "CHUNK_WORDS", 10)
        blank = next(blocks(io.BytesIO(b"\n"), format="conll"))
        assert list(islice(tiny.tagger().tag_blocks(iter(lambda: blank, None)), 25)) == ["\n"] * 25
        nothing = tiny.tagger().tag_all(iter(lambda: Sentence(()), None))
        assert [len(s) for s in islice(nothing, 25)] == [0] * 25

    def test_a_very_long_sentence_is_tagged_whole(self) -> None:
        words = [tiny.WORDS[i * i % 13] for i in range(6_000)]
        found = next(tiny.tagger().tag_all([Sentence(tuple(words))], confidence=True))
        assert len(found.tags["ner"]) == len(found.confidence["ner"]) == 6_000
        assert all(0 < p <= 1 for p in found.confidence["ner"])

    def test_sentences_without_words_and_words_of_blanks(self) -> None:
        tagger = tiny.tagger({"ner": "iob2", "pos": "plain"})
        sentences = [Sentence(()), Sentence(("Ann",)), Sentence(()), Sentence((" ", "Lima"))]
        found = list(tagger.tag_all(sentences, confidence=True, constrained=True))
        assert [len(s.tags["ner"]) for s in found] == [0, 1, 0, 2]
        assert [len(s.confidence["pos"]) for s in found] == [0, 1, 0, 2]
        assert found[0].spans("ner") == []
        assert found[1].tags == next(tagger.tag_all([Sentence(("Ann",))], constrained=True)).tags
        assert tagger.tag([]).tags == {"ner": (), "pos": ()}
        assert list(tagger.tag_all([])) == []


def no_words(given: object) -> Callable[[Tagger], object]:
    return lambda tagger: tagger.tag(given)  # type: ignore[arg-type]


def columns(words: list[Any], lengths: list[Any]) -> Callable[[Tagger], object]:
    return lambda tagger: tagger.tag_columns(words, lengths)


def no_sentences(*given: object) -> Callable[[Tagger], object]:
    return lambda tagger: list(tagger.tag_all(given))  # type: ignore[arg-type]


BAD_INPUT = {
    "a text": (no_words("Ann saw Lima"), "expected the words of a sentence one by one, found one text: 'Ann saw Lima'"),
    "a text as the only word": (no_words(["Lima is big"]), "found one word with blanks in it: 'Lima is big'"),
    "nothing": (no_words(None), "found None (NoneType)"),
    "bytes": (no_words(b"Ann"), "found b'Ann' (bytes)"),
    "a sentence": (no_words(Sentence(("Ann",))), "(Sentence)"),
    "a list of lists": (no_words([["Ann", "saw"]]), "word 0 of sentence 0 is ['Ann', 'saw'] (list), expected a text"),
    "no text among words": (no_words(["Ann", 5]), "word 1 of sentence 0 is 5 (int), expected a text of at least"),
    "none among words": (no_words(["Ann", None]), "word 1 of sentence 0 is None (NoneType)"),
    "an empty word": (no_words(["Ann", "", "left"]), "word 1 of sentence 0 is empty"),
    "texts": (
        no_sentences(Sentence(("Ann",)), "Lima is big"),
        "sentence 1 is one text: 'Lima is big', expected a poly",
    ),
    "lists": (no_sentences(["Lima", "won"]), "sentence 0 is ['Lima', 'won'] (list), expected a polytag.Sentence"),
    "one text for words": (no_sentences(Sentence("Lima won")), "words of sentence 0 are one text: 'Lima won'"),  # type: ignore[arg-type]
    "a later word": (no_sentences(Sentence(()), Sentence(("Ann", ""))), "word 1 of sentence 1 is empty"),
    "too many words": (columns(["Ann", "won"], [1]), "lengths of 1 words together, expected those of 2"),
    "too few words": (columns(["Ann"], [2]), "lengths of 2 words together, expected those of 1"),
    "a negative length": (columns(["Ann", "won"], [3, -1]), "lengths are [3, -1], expected the number of words"),
    "a broken length": (columns(["Ann", "won"], [1.5, 0.5]), "lengths are [1.5, 0.5], expected the number of words"),
    "an empty word of all": (columns(["Ann", ""], [2]), "word 1 of all sentences is empty"),
    "a number among all": (columns(["Ann", 5], [1, 1]), "word 1 of all sentences is 5 (int)"),
    "threads by name": (lambda tagger: Tagger(tagger.model, threads="2"), "'2' threads, expected 1 or more"),  # type: ignore[arg-type]
    "half a thread": (lambda tagger: Tagger(tagger.model, threads=2.5), "2.5 threads, expected 1 or more"),  # type: ignore[arg-type]
    "a precision that is no name": (lambda tagger: Tagger(tagger.model, precision=5), "unknown precision '5'"),  # type: ignore[arg-type]
}


class TestInput:
    @pytest.mark.parametrize(("call", "expected"), list(BAD_INPUT.values()), ids=list(BAD_INPUT))
    def test_what_is_no_sentence_is_told_in_one(self, call: Callable[[Tagger], object], expected: str) -> None:
        with pytest.raises(PolytagError) as caught:
            call(tiny.tagger())
        assert expected in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_all_that_takes_sentences_looks_at_them(self) -> None:
        tagger, bad = tiny.tagger(), [Sentence(("Ann", 5), {"ner": ("O", "O")})]  # type: ignore[arg-type]
        for call in (tagger.tag_all(bad), tagger.lattices(bad, "ner"), tagger.views(bad)):
            with pytest.raises(PolytagError, match="word 1 of sentence 0 is 5"):
                next(iter(call))
        with pytest.raises(PolytagError, match="word 1 of sentence 0 is 5"):
            tagger.evaluate(bad, "ner")

    @pytest.mark.parametrize(
        "words", [("New York", "won"), ("a\nb",), (" ",), ("10\u00a0000",), ("\u2028", "😀")], ids=ascii
    )
    def test_words_that_a_record_can_hold_are_tagged(self, words: tuple[str, ...]) -> None:
        tagger = tiny.tagger()
        (found,) = tagger.tag_all([Sentence(words)])
        (written,) = tagger.tag_blocks(blocks(io.StringIO(json.dumps({"words": words}) + "\n"), format="jsonl"))
        assert json.loads(written)["tags"]["ner"] == list(found.tags["ner"]) == list(tagger.tag(words).tags["ner"])

    def test_one_task_may_be_named_without_a_list(self) -> None:
        tagger = tiny.tagger({"ner": "iob2", "pos": "plain"})
        assert list(tagger.tag(["Ann"], tasks="pos").tags) == ["pos"]
        assert [list(s.tags) for s in tagger.tag_all(tiny.texts(2), tasks="ner")] == [["ner"]] * 2
        assert tagger.choose("pos") == ["pos"]
        for name in ("nerr", ""):
            with pytest.raises(PolytagError, match=f"the model has no task '{name}'"):
                tagger.tag(["Ann"], tasks=name)
        with pytest.raises(PolytagError, match="the model has no task '7'"):
            tagger.choose([7])  # type: ignore[list-item]


class TestDocuments:
    @FORMATS
    def test_tags_are_those_of_the_sentences(self, format: str) -> None:
        """What was written reads back as what the tagger says of the words alone."""
        tagger = tiny.tagger()
        written = "".join(tagger.tag_blocks(document(format)))
        places = {"conll": -1, "conllu": "misc.ner", "jsonl": "ner", "tokenised": -1, "text": -1}
        row = READERS["conll" if format in ("text", "tokenised") else format]
        lines = Lines(io.BytesIO(written.encode()))
        found = list(row.sentences(lines, Layout("x", 0, {"ner": places[format]})))
        assert [(s.words, s.tags["ner"]) for s in found if s.words] == [
            (s.words, tagger.tag(s.words).tags["ner"]) for s in words_in(format)
        ]

    def test_conll_lines_get_a_column_and_nothing_else_changes(self) -> None:
        written = "".join(tiny.tagger().tag_blocks(document("conll")))
        ours, theirs = written.split("\n"), CONLL.split("\n")
        assert len(ours) == len(theirs)
        for new, old in zip(ours, theirs, strict=True):
            if old.strip():
                assert new.startswith(old.rstrip())
                assert len(new.split()) == len(old.split()) + 1
                assert new.endswith("\r") == old.endswith("\r")
            else:
                assert new == old
        assert ours[0].split()[-1] == "O"

    def test_conllu_comments_ranges_and_empty_nodes_stay(self) -> None:
        written = "".join(tiny.tagger().tag_blocks(document("conllu")))
        for new, old in zip(written.split("\n"), CONLLU.split("\n"), strict=True):
            if old[:2] in ("1\t", "2\t"):
                assert new.split("\t")[:9] == old.split("\t")[:9]
                assert new.split("\t")[9].removeprefix("A=b|").startswith("ner=")
            else:
                assert new == old

    def test_jsonl_keys_and_blank_lines_stay(self) -> None:
        first, blank, second, empty, end = "".join(tiny.tagger().tag_blocks(document("jsonl"))).split("\n")
        record = json.loads(first)
        assert (blank, end) == ("", "")
        assert list(record["tags"]) == ["pos", "ner"]
        assert record["id"] == 7
        assert set(record) == {"words", "tags", "id", "predicted_spans"}
        assert json.loads(second)["meta"] == {"é": 1}
        assert json.loads(empty)["words"] == []

    def test_each_task_is_followed_by_its_probabilities(self) -> None:
        tagger = tiny.tagger({"ner": "iob2", "pos": "plain"})
        written = "".join(tagger.tag_blocks(document("conll"), confidence=True, tasks=["pos", "ner"]))
        rows = [line.split() for line in written.replace("\r", "").split("\n") if line.strip()]
        assert rows[0][3:] == ["O"] * 4
        row = next(row for row in rows if row[0] == "Lima")
        found = tagger.tag(["Lima"], confidence=True)
        for tag, probability, task in ((row[3], row[4], "pos"), (row[5], row[6], "ner")):
            assert tag == found.tags[task][0]
            assert float(probability) == pytest.approx(found.confidence[task][0], abs=1e-4)


class TestTasks:
    def calls(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The tasks for which the encoder is run."""
        calls: list[str] = []
        contexts = Engine.contexts

        def spy(engine: Engine, batch: Batch, tasks: Sequence[str], scratch: Scratch) -> list[words.Floats]:
            calls.append(tasks[0])
            return contexts(engine, batch, tasks, scratch)

        monkeypatch.setattr(Engine, "contexts", spy)
        return calls

    def test_what_is_no_name_is_refused(self) -> None:
        with pytest.raises(PolytagError, match="tasks is 5, expected names of tasks"):
            tiny.tagger().tag(["Ann"], tasks=5)
        with pytest.raises(PolytagError, match="the model has no task '5'"):
            tiny.tagger().tag(["Ann"], tasks=[5])

    def test_all_tasks_of_one_language_take_one_encoder_pass(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tagger = tiny.tagger({"ner": "iob2", "pos": "plain", "chunk": "iob1"})
        calls = self.calls(monkeypatch)
        found = list(tagger.tag_all(tiny.texts(10)))
        assert len(calls) == 1
        assert all(list(sentence.tags) == ["ner", "pos", "chunk"] for sentence in found)

    def test_a_pass_for_each_language_and_tags_in_the_order_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        tagger = tiny.tagger({"a": "iob2", "b": "iob2", "c": "plain"}, languages={"b": "es"})
        calls = self.calls(monkeypatch)
        found = list(tagger.tag_all(tiny.texts(10), tasks=["c", "b", "a", "c"]))
        assert calls == ["c", "b"]
        assert all(list(sentence.tags) == ["c", "b", "a"] for sentence in found)
        for sentence in found:
            for task in "abc":
                assert tagger.tag(sentence.words, tasks=[task]).tags[task] == sentence.tags[task]

    def test_several_languages_need_names_and_say_so_at_once(self) -> None:
        tagger = tiny.tagger({"a": "iob2", "b": "iob2"}, languages={"b": "es"})
        for verb in (tagger.tag_all, tagger.tag_blocks):
            with pytest.raises(PolytagError, match=r"words\.en: a; words\.es: b"):
                verb([])
        assert list(tagger.tag(["Ann"], tasks=["b"]).tags) == ["b"]

    def test_an_unknown_task_gets_the_nearest_name(self) -> None:
        with pytest.raises(PolytagError, match="no task 'nerr'; did you mean 'ner'"):
            tiny.tagger().tag_all([], tasks=["nerr"])


def enumerated(
    tagger: Tagger, words: Sequence[str], *, constrained: bool
) -> tuple[list[tuple[str, ...]], torch.Tensor]:
    """All tag sequences that are allowed, in the network's scheme, and their probabilities, from the scores alone."""
    ((_, lattice),) = tagger.lattices([Sentence(tuple(words))], "ner", constrained=False)
    given = (torch.from_numpy(of).double() for of in (lattice.emissions, lattice.transitions, lattice.start))
    ((paths, scores),) = Chain(packing([len(words)]), *given).paths()
    vocabulary = tagger.vocabularies.tags["ner"]
    sequences = [tuple(vocabulary.tags[i] for i in path) for path in paths.tolist()]
    if constrained:
        valid = torch.tensor([not problems(sequence, vocabulary.scheme) for sequence in sequences])
        scores = scores.masked_fill(~valid, -torch.inf)
    return sequences, scores.softmax(0)


def agreeing(sequences: Sequence[Sequence[str]], best: Sequence[str], stretch: slice) -> torch.Tensor:
    """1 for each sequence with the best one's tags in a stretch, 0 for the others."""
    return torch.tensor([sequence[stretch] == best[stretch] for sequence in sequences], dtype=torch.float64)


class TestProbabilities:
    @pytest.mark.parametrize("constrained", [False, True])
    @pytest.mark.parametrize(("scheme", "labels"), [("bioes", ["B-PER"]), ("iob2", tiny.SPANS), ("iob1", tiny.SPANS)])
    def test_tags_marginals_and_spans_are_those_of_enumeration(
        self, scheme: str, labels: list[str], constrained: bool
    ) -> None:
        tagger = tiny.tagger(scheme=scheme, labels=labels, seed=3)
        sentences = tiny.texts(60, longest=4)
        spans_seen = 0
        for found in tagger.tag_all(sentences, confidence=True, constrained=constrained):
            sequences, probabilities = enumerated(tagger, found.words, constrained=constrained)
            best = sequences[int(probabilities.argmax())]
            assert found.tags["ner"] == convert_tags(best, "iob2")

            words = [slice(i, i + 1) for i in range(len(best))]
            expected = [agreeing(sequences, best, word) @ probabilities for word in words]
            assert found.confidence["ner"] == pytest.approx(torch.stack(expected).tolist(), abs=1e-5)
            for span in found.spans("ner"):
                stretch = agreeing(sequences, best, slice(span.start, span.end)) @ probabilities
                assert span.probability == pytest.approx(float(stretch), abs=1e-5)
                spans_seen += span.end - span.start > 1
            assert [(s.type, s.start, s.end) for s in found.spans("ner")] == [
                (s.type, s.start, s.end) for s in spans(found.tags["ner"])
            ]
        assert spans_seen

    @pytest.mark.parametrize("scheme", ["bioes", "iob2", "iob1"])
    def test_constrained_decoding_gives_valid_sequences_only(self, scheme: str) -> None:
        """In the network's own scheme, before ill-formed tags are mended on the way to the data's."""
        tagger = tiny.tagger(scheme=scheme, seed=1)
        vocabulary = tagger.vocabularies.tags["ner"]
        ill_formed = {False: 0, True: 0}
        for constrained in (False, True):
            for _, lattice in tagger.lattices(tiny.texts(300), "ner", constrained=constrained):
                paths = [[vocabulary.tags[i] for i in path] for path in lattice.packing.unpack(lattice.best())]
                ill_formed[constrained] += sum(bool(problems(path, scheme)) for path in paths)
        assert ill_formed[True] == 0
        assert ill_formed[False] > 20

    def test_the_plan_says_whether_decoding_is_constrained(self) -> None:
        by_plan, by_argument = tiny.tagger(seed=1, constrained=True), tiny.tagger(seed=1)
        sentences = tiny.texts(50)
        expected = [s.tags for s in by_argument.tag_all(sentences, constrained=True)]
        assert [s.tags for s in by_plan.tag_all(sentences)] == expected
        assert [s.tags for s in by_argument.tag_all(sentences)] != expected
        free = [s.tags for s in by_plan.tag_all(sentences, constrained=False)]
        assert free == [s.tags for s in by_argument.tag_all(sentences)]

    def test_long_sentences_keep_their_precision(self) -> None:
        words = [tiny.WORDS[i * i % 13] for i in range(1_500)]
        tagger = tiny.tagger(seed=2)
        ((_, lattice),) = tagger.lattices([Sentence(tuple(words))], "ner")
        sums = sum(lattice.confidence(np.full(1_500, tag)).of_tags() for tag in range(lattice.start.shape[0]))
        assert sums == pytest.approx(1.0, abs=1e-9)


def test_the_gazetteer_reaches_the_emissions() -> None:
    """With weights that trust the gazetteer alone, the tags are its matches."""
    gazetteer = Gazetteer.from_entries([("PER", ("Ann", "Lee")), ("PER", ("Ann",)), ("LOC", ("Lima",))])
    model = tiny.model({"ner": "iob2", "other": "iob1"}, gazetteer=gazetteer)
    vocabulary = model.vocabularies.tags["ner"]
    trusted = [[1_000.0 * (tag == name) for name in vocabulary.tags] for tag in gazetteer.tags]
    arrays = {**model.arrays, "tags.ner.gazetteer": np.array(trusted, np.float32)}
    tagger = Tagger(replace(model, arrays=arrays))
    sentences = [*tiny.texts(40), Sentence(("Ann", "Lee", "Ann", "Lima", "Lee"))]
    for found in tagger.tag_all(sentences):
        matches = [gazetteer.tags[column] for column in gazetteer.match(found.words)]
        assert found.tags["ner"] == convert_tags(matches, "iob2")
    assert found.tags["ner"] == ("B-PER", "I-PER", "B-PER", "B-LOC", "O")


class TestEvaluate:
    @pytest.mark.parametrize("data_scheme", ["iob1", "iob2", "bioes", "bilou"])
    def test_spans_are_counted_as_conlleval_counts_the_tagged_output(self, data_scheme: str) -> None:
        source, tagger = random.Random(data_scheme), tiny.tagger({"ner": data_scheme})
        gold = [
            Sentence(s.words, {"ner": tuple(random_tags(source, data_scheme, len(s)))}) for s in tiny.texts(80, seed=5)
        ]
        counts = tagger.evaluate(iter(gold), "ner")
        assert isinstance(counts, SpanCounts)
        tagged = [s.tags["ner"] for s in tagger.tag_all(gold)]
        expected = conlleval((s.tags["ner"], found) for s, found in zip(gold, tagged, strict=True))
        found = {
            key: {type_: getattr(tally, key) for type_, tally in counts.types.items() if getattr(tally, key)}
            for key in ("correct", "predicted", "gold")
        }
        assert found == {key: dict(counter) for key, counter in expected.items()}
        assert sum(found["correct"].values()) > 0
        assert counts.sentences == 80

    def test_plain_tags_are_scored_by_accuracy(self) -> None:
        tagger = tiny.tagger({"pos": "plain"})
        gold = [Sentence(s.words, {"pos": ("NOUN",) * len(s)}) for s in tiny.texts(50)]
        counts = tagger.evaluate(gold, "pos")
        tags = [tag for sentence in tagger.tag_all(gold) for tag in sentence.tags["pos"]]
        assert counts.metric == "accuracy"
        assert counts.score == pytest.approx(100 * tags.count("NOUN") / len(tags))
        assert 0 < counts.score < 100

    def test_unknown_words_are_those_of_no_training_file(self) -> None:
        gold = [Sentence(s.words, {"ner": ("O",) * len(s)}) for s in tiny.texts(50)]
        counts = tiny.tagger().evaluate(gold, "ner")
        known = {word.lower().translate(str.maketrans("123456789", "0" * 9)) for word in tiny.WORDS}
        unknown = [
            w for s in gold for w in s.words if w.lower().translate(str.maketrans("123456789", "0" * 9)) not in known
        ]
        assert counts.tokens["unknown"].gold == len(unknown) > 0
        assert counts.tokens["known"].gold == sum(map(len, gold)) - len(unknown)

    def test_in_any_pieces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        gold = [Sentence(s.words, {"ner": ("B-PER",) * len(s)}) for s in tiny.texts(50)]
        whole = tiny.tagger().evaluate(gold, "ner")
        set_sizes(monkeypatch, (7, 2, 5))
        assert tiny.tagger().evaluate(gold, "ner") == whole
