"""``polytag tag`` of Parquet and Arrow: the tags of the same sentences in lines, beside all that a row holds."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polytag.corpus import read
from polytag.corpus.formats.parquet import ARROW, PARQUET, ROWS, STREAM, batches, kind_of
from polytag.model import save_model
from tests import tiny
from tests.cli.conftest import run
from tests.corpus.formats.test_parquet import as_arrow, as_parquet, as_stream

pa = pytest.importorskip("pyarrow")

SENTENCES = [list(sentence.words) for sentence in tiny.texts(ROWS + 40, seed=3)]
SHORT = {"id": [1, 2], "tokens": SENTENCES[:2]}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tables") / "model"
    save_model(tiny.tagger({"ner": "iob2", "pos": "plain"}).model, directory)
    return directory


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(path: str) -> Any:
    return pa.Table.from_batches(batches(Path(path)))


def test_names_are_consistent_over_more_rows_than_are_read_at_once(place: Path, model: Path) -> None:
    as_parquet(pa.table({"tokens": SENTENCES}), Path("a.parquet"))
    Path("a.jsonl").write_text("".join(json.dumps({"tokens": words}) + "\n" for words in SENTENCES))
    for name in ("a.parquet", "a.jsonl"):
        assert run(["tag", model, name, "--task", "ner", "--consistent", "-o", f"out.{name}"]).code == 0
    records = list(map(json.loads, Path("out.a.jsonl").read_text().splitlines()))
    assert rows("out.a.parquet").column("ner").to_pylist() == [record["tags"]["ner"] for record in records]
    assert run(["tag", model, "a.jsonl", "--task", "ner"]).out != Path("out.a.jsonl").read_text()


@pytest.mark.parametrize(("key", "workers"), [("tokens", 1), ("text", 1), ("text", 2)])
def test_words_and_texts_get_the_tags_and_spans_of_records(place: Path, model: Path, key: str, workers: int) -> None:
    values = SENTENCES if key == "tokens" else [" ".join(words) for words in SENTENCES]
    numbers = list(range(len(SENTENCES)))
    as_parquet(pa.table({"id": numbers, key: values, "more": [{"a": [n]} for n in numbers]}), Path("a.parquet"))
    Path("a.jsonl").write_text("".join(json.dumps({key: value}) + "\n" for value in values))
    for name in ("a.parquet", "a.jsonl"):
        done = run(["tag", model, name, "-o", f"out.{name}", "--confidence", "--nbest", 2, "--workers", workers])
        assert (done.code, done.err) == (0, "")
    tagged, records = rows("out.a.parquet"), list(map(json.loads, Path("out.a.jsonl").read_text().splitlines()))
    own = ["words", "offsets"] if key == "text" else []
    assert tagged.column_names[: 3 + len(own)] == ["id", key, "more", *own]
    assert tagged.select(["id", key, "more"]) == rows("a.parquet")
    for name in own:
        assert tagged.column(name).to_pylist() == [record[name] for record in records]
    for task in ("ner", "pos"):
        assert tagged.column(task).to_pylist() == [record["tags"][task] for record in records]
        for more in ("confidence", "alternatives"):
            found = [record[more][task] for record in records]
            assert json.dumps(tagged.column(f"{task}.{more}").to_pylist()) == json.dumps(found)
    spans = [[(s["type"], s["start"], s["end"]) for s in of] for of in tagged.column("ner.predicted_spans").to_pylist()]
    expected = [record["predicted_spans"]["ner"] for record in records]
    assert spans == [[(s["type"], s["start"], s["end"]) for s in of] for of in expected]
    assert any(spans)


def test_what_was_tagged_is_read_as_annotation(place: Path, model: Path) -> None:
    as_parquet(pa.table(SHORT), Path("a.parquet"))
    assert run(["tag", model, "a.parquet", "-o", "b.parquet"]).code == 0
    found = list(read("b.parquet", tags={"ner": "ner"}))
    assert [list(sentence.words) for sentence in found] == SHORT["tokens"]
    assert [list(sentence.tags["ner"]) for sentence in found] == rows("b.parquet").column("ner").to_pylist()


@pytest.mark.parametrize(("write", "kind"), [(as_parquet, PARQUET), (as_arrow, ARROW), (as_stream, STREAM)])
def test_the_format_is_that_of_the_suffix_else_of_the_input(
    place: Path, model: Path, write: Callable[..., Path], kind: str
) -> None:
    source = write(pa.table(SHORT), Path("a.parquet"))
    names = {"b.parquet": PARQUET, "b.feather": ARROW, "b": kind, "b.arrow": STREAM if kind == STREAM else ARROW}
    for name, expected in names.items():
        done = run(["tag", model, source, "-o", name, "--familiarity"])
        assert (done.code, f"{source}: ner: unknown words " in done.err) == (0, True)
        assert kind_of(Path(name)) == expected
        assert rows(name).column_names == ["id", "tokens", "ner", "ner.predicted_spans", "pos"]


def test_tables_of_the_same_columns_become_one(place: Path, model: Path) -> None:
    for name, table in {"a": pa.table(SHORT), "b": pa.table(SHORT), "c": pa.table({"tokens": SENTENCES[:1]})}.items():
        as_parquet(table, Path(f"{name}.parquet"))
    assert run(["tag", model, "a.parquet", "b.parquet", "-o", "out.parquet"]).code == 0
    assert rows("out.parquet").column("id").to_pylist() == [1, 2, 1, 2]
    done = run(["tag", model, "a.parquet", "c.parquet", "-o", "other.parquet"])
    assert "tables with other columns: found tokens (list<" in done.sentence
    assert not Path("other.parquet").exists()


def test_rows_without_words_and_columns_that_give_way_are_told(place: Path, model: Path) -> None:
    table = {"words": [["Ann"], None, [], None], "ner": [["B-PER"], None, None, None]}
    as_parquet(pa.table(table), Path("a.parquet"))
    done = run(["tag", model, "a.parquet", "-o", "b.parquet", "--task", "ner"])
    assert done.err.splitlines() == [
        "a.parquet: column ner gives way to what the model says",
        "a.parquet:2: nothing in column words, so there are no words to tag (and 1 more like this)",
    ]
    assert rows("b.parquet").column("words").to_pylist() == table["words"]
    assert [len(tags) for tags in rows("b.parquet").column("ner").to_pylist()] == [1, 0, 0, 0]


def test_a_table_without_rows_keeps_its_columns(place: Path, model: Path) -> None:
    as_parquet(pa.table({"text": pa.array([], pa.string())}), Path("a.parquet"))
    assert run(["tag", model, "a.parquet", "-o", "b.parquet", "--task", "ner"]).code == 0
    assert rows("b.parquet").column_names == ["text", "words", "offsets", "ner", "ner.predicted_spans"]


@pytest.mark.parametrize(
    ("columns", "options", "sentence"),
    [
        ({"text": ["Lima ."]}, ["--word", "test"], "a.parquet: no column test; did you mean 'text'"),
        ({"sentence": ["Lima ."]}, [], "a.parquet: no column words, tokens, text; known are sentence"),
        ({"id": [1]}, ["--word", "id"], "a.parquet:1: column id holds 1: words are not a list of texts"),
        ({"words": [["a"], ["b", None]]}, [], "a.parquet:2: column words holds ['b', None]: words are not"),
    ],
)
def test_a_column_without_words_is_refused(
    place: Path, model: Path, columns: dict[str, Any], options: list[str], sentence: str
) -> None:
    as_parquet(pa.table(columns), Path("a.parquet"))
    done = run(["tag", model, "a.parquet", "-o", "b.parquet", *options])
    assert (done.code, sentence in done.sentence, Path("b.parquet").exists()) == (1, True, False)


@pytest.mark.parametrize("write", [as_parquet, as_arrow, as_stream])
def test_a_file_that_is_cut_leaves_nothing(place: Path, model: Path, write: Callable[..., Path]) -> None:
    source = write(pa.table({"tokens": SENTENCES}), Path("a.parquet"))
    whole = source.read_bytes()
    Path("b.parquet").write_text("as it was")
    for size in (0, len(whole) // 2):
        source.write_bytes(whole[:size])
        done = run(["tag", model, source, "-o", "b.parquet"])
        assert (done.code, "no Parquet or Arrow that can be read" in done.sentence) == (1, True)
    assert Path("b.parquet").read_text() == "as it was"


def test_tables_are_named_and_want_pyarrow(place: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_parquet(pa.table(SHORT), Path("a.parquet"))
    Path("a.conll").write_text("Ann\n")
    for words in ("a.parquet", "a.parquet a.conll -o b", "--from parquet -o b", "- --from parquet -o b"):
        done = run(["tag", model, *words.split()])
        assert (done.code, "tables are read from FILES and written to one" in done.sentence) == (2, True)
    assert run(["tag", model, "none.parquet", "-o", "b"]).sentence == "none.parquet: no such file, expected a corpus"
    assert "parquet is tagged by polytag tag alone" in run(["suggest", model, "a.parquet", "--to", "jsonl"]).sentence
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "polytag.bulk.tables", raising=False)
    done = run(["tag", model, "a.parquet", "-o", "b"])
    assert (done.code, "pip install 'polytag[tables]'" in done.sentence) == (1, True)
