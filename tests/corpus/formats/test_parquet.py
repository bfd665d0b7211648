"""Tables: Parquet and both kinds of Arrow file, with words and tags or texts and spans, as datasets keep them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polytag.corpus import read
from polytag.corpus.formats.parquet import ROWS, batches
from polytag.errors import CorpusError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

CLASSES = {"info": {"features": {"ner_tags": {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}}}}}
WORDS = [{"id": "0", "tokens": ["Olga", "left"], "ner_tags": [1, 0]}, {"id": "1", "tokens": ["Rain"], "ner_tags": [0]}]
SPAN = {"start": 0, "end": 4, "label": "PER"}


def as_parquet(table: Any, path: Path) -> Path:
    pq.write_table(table, path)
    return path


def as_arrow(table: Any, path: Path) -> Path:
    path = path.with_suffix(".arrow")
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return path


def as_stream(table: Any, path: Path) -> Path:
    path = path.with_suffix(".arrow")
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return path


@pytest.mark.parametrize("write", [as_parquet, as_arrow, as_stream])
def test_words_with_tags_that_the_table_names(write: Callable[..., Path], tmp_path: Path) -> None:
    table = pa.Table.from_pylist(WORDS).replace_schema_metadata({"huggingface": json.dumps(CLASSES)})
    path = write(table, tmp_path / "train.parquet")
    found = list(read(path, tags={"ner": "ner_tags"}))
    assert [(s.words, s.tags["ner"], list(s.lines)) for s in found] == [
        (("Olga", "left"), ("B-PER", "O"), [1, 1]),
        (("Rain",), ("O",), [2]),
    ]


def test_texts_with_spans_and_rows_that_lack_them(tmp_path: Path) -> None:
    rows = [{"text": "Olga left", "spans": [SPAN]}, {"text": "Rain fell", "spans": []}, {"text": "Sun", "spans": None}]
    path = as_parquet(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    found = read(path, tags={"ner": "spans"})
    assert [next(found).tags["ner"], next(found).tags["ner"]] == [("B-PER", "O"), ("O", "O")]
    with pytest.raises(CorpusError, match=r"a\.parquet:3: no spans, expected one of the keys"):
        next(found)


def test_a_table_longer_than_a_batch_is_read_whole(tmp_path: Path) -> None:
    rows = [{"words": [str(number)], "pos": ["N"]} for number in range(2 * ROWS + 1)]
    for write in (as_parquet, as_stream):
        path = write(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
        assert [s.words[0] for s in read(path, tags={"pos": "pos"})] == [str(number) for number in range(2 * ROWS + 1)]
        assert max(batch.num_rows for batch in batches(path)) == ROWS


def test_what_is_no_table_has_no_rows_or_wants_pyarrow_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = as_parquet(pa.Table.from_pylist([], schema=pa.schema({"text": pa.string()})), tmp_path / "empty.parquet")
    with pytest.raises(CorpusError, match="no sentence in it"):
        list(read(empty))
    for content in (b"PAR1 but no more", b"ARROW1 but no more", b"", b"\x00\x01"):
        (tmp_path / "bad.parquet").write_bytes(content)
        with pytest.raises(CorpusError, match=r"bad\.parquet: no Parquet or Arrow that can be read"):
            list(read(tmp_path / "bad.parquet"))
    lost = as_parquet(pa.Table.from_pylist(WORDS), tmp_path / "lost.parquet")
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lambda *_: iter(()))
    with pytest.raises(CorpusError, match="found 0 rows, expected the 2 that it promises"):
        list(read(lost))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CorpusError, match=r"pip install 'polytag\[tables\]'"):
        list(read(empty))
