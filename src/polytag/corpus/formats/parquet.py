"""Parquet and Arrow: tables with a record in each row, such as Hugging Face's datasets. Needs pyarrow.

A row holds what a record of JSON Lines holds: words and a column of tags for each, or a text and spans. The names of
numbered tags are those that the table has in it.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from polytag.corpus.formats.class_names import names_in
from polytag.corpus.formats.format import Format
from polytag.corpus.formats.records import Placed, columns_among, refusing, sentences_of
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Layout, Line
from polytag.errors import CorpusError

ROWS = 512  # of a batch
PARQUET, ARROW, STREAM = "Parquet", "Arrow", "an Arrow stream"  # Arrow's two: of files, or of datasets kept on disk
MISSING = "tables are read by pyarrow, which is not installed: pip install 'polytag[tables]'"


def kind_of(path: Path) -> str:
    """How a table is written, by its first bytes; raises OSError."""
    with path.open("rb") as file:
        magic = file.read(6)
    return PARQUET if magic.startswith(b"PAR1") else ARROW if magic == b"ARROW1" else STREAM


def batches(path: Path, *, name: str = "") -> Iterator[Any]:
    """The rows of a table as record batches of pyarrow's, after one without rows; ``name`` is for errors.

    Raises:
        CorpusError: pyarrow is not installed, or it is no table that can be read.
    """
    name = name or str(path)
    try:
        import pyarrow as pa
    except ImportError as error:
        raise CorpusError(MISSING, path=name) from error
    try:
        kind = kind_of(path)
        for batch in _of_parquet(path) if kind == PARQUET else _of_arrow(path, is_stream=kind == STREAM):
            batch.validate(full=True)  # pyarrow believes what a file says, and crashes where that is wrong
            yield batch
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"no Parquet or Arrow that can be read ({error})", path=name) from error


def _of_parquet(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        promised, found = file.metadata.num_rows, 0
        yield pa.RecordBatch.from_pylist([], schema=file.schema_arrow)
        for batch in file.iter_batches(ROWS):
            yield batch
            found += batch.num_rows
        if found != promised:
            raise pa.ArrowInvalid(f"found {found:,} rows, expected the {promised:,} that it promises")


def _of_arrow(path: Path, *, is_stream: bool) -> Iterator[Any]:
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        reader = pa.ipc.open_stream(file) if is_stream else pa.ipc.open_file(file)
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)
        for whole in reader if is_stream else map(reader.get_batch, range(reader.num_record_batches)):
            yield from (whole.slice(row, ROWS) for row in range(0, whole.num_rows, ROWS))


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:  # noqa: ARG001
    """The sentences of the rows, as those of records of JSON Lines.

    Raises:
        CorpusError: while reading, it is no table, or a row is no such record.
    """
    names = dict[str, tuple[str, ...]]()
    return sentences_of(_records(layout, names), layout, class_names=names)


def columns(lines: Iterable[Line], layout: Layout) -> list[str]:  # noqa: ARG001
    """The columns with a tag for each word, and 'spans' for spans of characters."""
    return columns_among(_records(layout, {}))


def _records(layout: Layout, names: dict[str, tuple[str, ...]]) -> Iterator[Placed]:
    """The rows, numbered from 1; ``names`` takes those of the classes of columns."""
    done = 0
    for batch in batches(Path(layout.source)):
        if not done:
            with refusing(layout, Placed(0, {})):
                names.update(_class_names(batch.schema))
        for row, record in enumerate(batch.to_pylist(), done + 1):
            yield Placed(row, {key: value for key, value in record.items() if value is not None})
        done += batch.num_rows


def _class_names(schema: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names that a table has of the classes of its columns."""
    known = json.loads((schema.metadata or {}).get(b"huggingface", b"null"))
    for column in schema.names:
        if found := names_in(known, column):
            yield column, found


FORMAT = Format("parquet", sentences, suffixes=(".parquet", ".arrow", ".feather"), columns=columns, is_table=True)
