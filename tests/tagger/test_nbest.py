"""Alternatives: the most probable tag sequences as enumeration gives them, and how each format is told them."""

import importlib.util
import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from polytag.bulk import Assignment, Piece
from polytag.bulk.worker import Worker
from polytag.corpus import blocks
from polytag.corpus.schemes import convert_tags
from polytag.corpus.sentence import Alternative, Sentence, Span
from polytag.errors import PolytagError
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger
from tests import tiny
from tests.cli.conftest import run
from tests.tagger.test_tagging import CONLL, CONLLU, JSONL, document, enumerated, set_sizes

K = 4


class TestLattice:
    @pytest.mark.parametrize("constrained", [False, True])
    def test_doubt_and_margin_are_those_of_enumeration(self, constrained: bool) -> None:
        tagger, sentences = tiny.tagger(labels=["B-PER"]), tiny.texts(12, longest=4)
        for indices, lattice in tagger.lattices(sentences, "ner", constrained=constrained):
            for index, entropy, margin in zip(indices, lattice.entropy(), lattice.margin(), strict=True):
                _, shares = enumerated(tagger, sentences[index].words, constrained=constrained)
                best, second = shares.topk(2).values.tolist()
                assert entropy == pytest.approx(float(torch.special.entr(shares).sum()), abs=1e-5)
                assert margin == pytest.approx(best - second, abs=1e-5)

    def test_each_sentence_is_in_one_batch_and_those_without_words_in_none(self, monkeypatch, tagger) -> None:
        set_sizes(monkeypatch, (20, 256, 8))
        sentences = [*tiny.texts(30), Sentence(()), *tiny.texts(5, seed=1)]
        found: list[int] = []
        for indices, lattice in tagger.lattices(sentences, "pos"):
            lengths = np.empty(len(indices), dtype=int)
            lengths[lattice.packing.order] = lattice.packing.lengths
            assert lengths.tolist() == [len(sentences[index]) for index in indices]
            found += indices
        assert sorted(found) == [i for i in range(36) if i != 30]

    def test_a_temperature_scales_all_scores(self, tagger: Tagger) -> None:
        (batch,) = tagger.lattices(tiny.texts(6, longest=4), "ner")
        for temperature, more in ((1e6, math.log), (1e-6, lambda _: 0.0)):
            other = Tagger(replace(tagger.model, temperatures={"ner": temperature}))
            (tempered,) = other.lattices(tiny.texts(6, longest=4), "ner", constrained=False)
            lengths = np.empty(6, dtype=int)
            lengths[batch[1].packing.order] = batch[1].packing.lengths
            expected = [length * more(9) for length in lengths.tolist()]  # nine tags of two types
            assert tempered[1].entropy().tolist() == pytest.approx(expected, abs=1e-3)


class TestTagger:
    @pytest.mark.parametrize("constrained", [False, True])
    @pytest.mark.parametrize(("scheme", "labels"), [("bioes", ["B-PER"]), ("iob2", tiny.SPANS)])
    def test_alternatives_are_those_of_enumeration(self, scheme: str, labels: list[str], constrained: bool) -> None:
        tagger = tiny.tagger(scheme=scheme, labels=labels, seed=7)
        for found in tagger.tag_all(tiny.texts(12, longest=4), nbest=7, constrained=constrained):
            sequences, shares = enumerated(tagger, found.words, constrained=constrained)
            expected: dict[tuple[str, ...], float] = {}  # of several that are written alike the most probable
            for i in shares.argsort(descending=True).tolist():
                if shares[i] > 0:
                    expected.setdefault(convert_tags(sequences[i], "iob2"), float(shares[i]))
            own = found.alternatives["ner"]
            assert [one.tags for one in own] == list(expected)[:7]
            assert [one.probability for one in own] == pytest.approx(list(expected.values())[:7], abs=1e-5)

    def test_tags_and_probabilities_are_those_without_alternatives(self, tagger: Tagger) -> None:
        sentences = tiny.texts(40)
        alone = tagger.tag_all(sentences, confidence=True)
        for one, found in zip(alone, tagger.tag_all(sentences, confidence=True, nbest=3), strict=True):
            assert (one.tags, one.confidence, one.predicted_spans) == (
                found.tags,
                found.confidence,
                found.predicted_spans,
            )
            for task in ("ner", "pos"):
                own = found.alternatives[task]
                assert own[0].tags == found.tags[task]
                assert len({each.tags for each in own}) == len(own) == 3
                assert [each.probability for each in own] == sorted((each.probability for each in own), reverse=True)
            assert not one.alternatives

    def test_there_may_be_fewer_than_wanted(self, tagger: Tagger) -> None:
        found = tagger.tag(["Ann"], tasks=["pos"], nbest=1_000).alternatives["pos"]
        assert len(found) == 3
        assert sum(one.probability for one in found) == pytest.approx(1.0)
        assert tagger.tag([], nbest=5).alternatives["ner"] == (Alternative((), 1.0),)

    @pytest.mark.parametrize("number", [-1, 1_001])
    def test_an_impossible_number_is_refused_at_once(self, tagger: Tagger, number: int) -> None:
        with pytest.raises(PolytagError, match=f"nbest is {number}, expected a number from 1 to 1,000"):
            tagger.tag_all([], nbest=number)


class TestFormats:
    def test_lines_get_pairs_of_columns(self, tagger: Tagger) -> None:
        written = "".join(tagger.tag_blocks(document("conll"), tasks=["ner"], nbest=K))
        rows = [line.split() for line in written.replace("\r", "").split("\n")]
        for row, line in zip(rows, CONLL.split("\n"), strict=True):
            assert row[: len(line.split())] == line.split()
        found = tagger.tag(["the", "mayor"], nbest=K)
        for position, row in enumerate(rows[2:4]):
            pairs = [(one.tags[position], f"{one.probability:.4f}") for one in found.alternatives["ner"]]
            assert row[3:] == [found.tags["ner"][position], *(value for pair in pairs for value in pair)]
        assert rows[0][3:] == ["O"] * (1 + 2 * K)

    def test_missing_alternatives_are_filled_up(self, tagger: Tagger) -> None:
        block = blocks(io.BytesIO(b"Ann\n"), format="conll")
        (line,) = tagger.tag_blocks(block, tasks=["pos"], nbest=5)
        row = line.split()
        assert len(row) == 2 + 2 * 5
        assert row[-4:] == ["_", "0.0000", "_", "0.0000"]

    def test_words_of_conllu_get_keys(self, tagger: Tagger) -> None:
        written = "".join(tagger.tag_blocks(document("conllu"), tasks=["ner"], nbest=2))
        assert len(written.split("\n")) == len(CONLLU.split("\n"))
        for line in written.split("\n"):
            if line[:2] in ("1\t", "2\t"):
                keys = [entry.partition("=")[0] for entry in line.split("\t")[9].removeprefix("A=b|").split("|")]
                keys.remove("_") if "_" in keys else None
                assert keys == ["ner", "ner.1", "ner.1.probability", "ner.2", "ner.2.probability"]

    def test_records_hold_alternatives_and_spans_and_keep_those_of_others(self, tagger: Tagger) -> None:
        given = '{"words": ["Lima", "saw", "Ann"], "spans": [1], "alternatives": {"old": 1}}\n' + JSONL
        document = blocks(io.BytesIO(given.encode()), format="jsonl")
        first, *_ = "".join(tagger.tag_blocks(document, nbest=2, confidence=True)).split("\n")
        record, found = json.loads(first), tagger.tag(["Lima", "saw", "Ann"], nbest=2, confidence=True)
        assert record["spans"] == [1]
        assert record["alternatives"].pop("old") == 1
        for task in ("ner", "pos"):
            ranked = record["alternatives"][task]
            told = [(tuple(one["tags"]), pytest.approx(one["probability"], abs=1e-5)) for one in ranked]
            assert [(one.tags, one.probability) for one in found.alternatives[task]] == told
        spans = [
            Span(**{**one, "probability": pytest.approx(one["probability"], abs=1e-5)})
            for one in record["predicted_spans"]["ner"]
        ]
        assert found.spans("ner") == spans
        assert spans
        assert list(record["tags"]) == list(record["confidence"]) == ["ner", "pos"]
        for task in ("ner", "pos"):
            assert record["confidence"][task] == pytest.approx(found.confidence[task], abs=1e-5)

    def test_records_hold_nothing_more_unless_asked(self, tagger: Tagger) -> None:
        first, *_ = "".join(tagger.tag_blocks(document("jsonl"))).split("\n")
        assert set(json.loads(first)) == {"words", "tags", "id", "predicted_spans"}

    @pytest.mark.skipif(not importlib.util.find_spec("pyarrow"), reason="pyarrow is not installed")
    @pytest.mark.parametrize(("confidence", "nbest"), [(False, 0), (True, 0), (False, 3), (True, 3)])
    def test_tables_get_one_schema_whatever_is_in_them(self, model: Path, confidence: bool, nbest: int) -> None:
        import pyarrow as pa

        from polytag.bulk import TablePiece, tables

        worker = Worker(Assignment(model=str(model), request=Request(confidence=confidence, nbest=nbest)))
        whole = pa.table({"words": pa.array([["Ann", "saw"], [], None], pa.list_(pa.string()))})

        def tagged(column: str, table: Any) -> Any:
            piece = TablePiece("x", column, 1, tables._packed(table))
            return tables._unpacked(tables.tagged(worker, piece))

        parts = [tagged("words", part) for part in (whole, whole.slice(1), whole.slice(3))]
        assert len({table.schema for table in parts}) == 1
        more = {"confidence", "predicted_spans"} if confidence else {"predicted_spans"}
        more |= {"alternatives"} if nbest else set()
        own = {name.partition(".")[2] for name in parts[0].column_names if name.startswith("ner.")}
        assert own == more
        text = pa.table({"text": ["Ann  saw", "", None]})
        table = tagged("text", text)
        assert table.column("offsets").to_pylist() == [[[0, 3], [5, 8]], [], []]
        for row in table.column("ner.predicted_spans").to_pylist():
            assert all(s["characters"] == [5 * s["start"], 5 * s["end"] - 2] for s in row)
            assert all((s["probability"] is not None) == confidence for s in row)
        if nbest:
            (row, *_) = parts[0].column("ner.alternatives").to_pylist()
            assert [one["tags"] for one in row] == [
                list(one.tags) for one in worker.tagger.tag(["Ann", "saw"], nbest=nbest).alternatives["ner"]
            ]


class TestCommand:
    def test_it_says_what_the_library_says(self, model: Path, tagger: Tagger) -> None:
        done = run(["tag", model, "--nbest", "3", "--task", "ner"], stdin=CONLL)
        assert done.code == 0
        assignment = Assignment(model=str(model), request=Request(["ner"], nbest=3))
        assert done.out == Worker(assignment).render(Piece("<stdin>", "conll", 1, CONLL)).decode()

    @pytest.mark.parametrize("number", ["0", "1001", "x"])
    def test_an_impossible_number_is_wrong_usage(self, model: Path, number: str) -> None:
        assert run(["tag", model, "--nbest", number]).code == 2
