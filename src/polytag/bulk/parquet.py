"""Parquet, a table of texts: words as lists, or texts, in one column; tags become further columns. Needs pyarrow."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from polytag.bulk.worker import Worker
from polytag.corpus import offsets
from polytag.corpus.answers import fields
from polytag.corpus.sentence import Sentence
from polytag.errors import CorpusError, nearest

PIECE_ROWS = 512
COLUMNS = ("words", "tokens", "text")  # where words are looked for, as in records of JSONL


@dataclass(frozen=True, slots=True)
class TablePiece:
    """Some rows of a table; ``row`` is the number of the first, from 1."""

    source: str
    column: str
    row: int
    table: pa.Table


def cut(path: Path, *, column: str | None = None, name: str = "") -> Iterator[TablePiece]:
    """All rows in pieces; at least one piece, for a table without rows has columns. ``name`` is for errors.

    Raises:
        CorpusError: it is no Parquet, or has no such column, or one of another type.
    """
    name = name or str(path)
    try:
        with pq.ParquetFile(path) as file:
            words = _column(file.schema_arrow, column, name)
            row = 1
            for batch in file.iter_batches(PIECE_ROWS):
                yield TablePiece(name, words, row, pa.Table.from_batches([batch]))
                row += batch.num_rows
            if row == 1:
                yield TablePiece(name, words, row, file.schema_arrow.empty_table())
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(f"no Parquet that can be read ({error})", path=name) from error


def tagged(worker: Worker, piece: TablePiece) -> pa.Table:
    """The rows with a column of tags for each task, of words where only a text was given, and of probabilities.

    Raises:
        CorpusError: a row holds no words.
    """
    values = piece.table.column(piece.column).to_pylist()
    sentences = [Sentence(_words(value, piece, row)) for row, value in enumerate(values, piece.row)]
    request = worker.request
    found = list(
        worker.tagger.tag_all(
            sentences,
            tasks=worker.tasks,
            confidence=request.confidence,
            nbest=request.nbest,
            constrained=request.constrained,
        )
    )
    table, strings = piece.table, pa.list_(pa.string())
    if _is_text(table.schema.field(piece.column).type):
        table = _with(table, "words", [s.words for s in sentences], strings)
    for task in worker.tasks:
        table = _with(table, task, [s.tags[task] for s in found], strings)
        for name, values, kind in _probabilities(found, task, worker):
            table = _with(table, f"{task}.{name}", values, kind)
    return table


def _probabilities(found: list[Sentence], task: str, worker: Worker) -> Iterator[tuple[str, list[Any], Any]]:
    """The columns of what was asked for beside the tags: name, values and type of each.

    They go by the request, not by the rows: all pieces of a table have one schema.
    """
    number, place = pa.float64(), pa.int32()
    alternative = pa.struct({"tags": pa.list_(pa.string()), "probability": number})
    span = pa.struct({"type": pa.string(), "start": place, "end": place, "probability": number})
    tagger = worker.tagger
    if worker.request.confidence:
        yield "confidence", [sentence.confidence[task] for sentence in found], pa.list_(number)
    if worker.request.confidence and not tagger.vocabularies.tags[tagger.plan.tasks[task].tags].plain:
        yield "predicted_spans", [fields(sentence)["predicted_spans"][task] for sentence in found], pa.list_(span)
    if worker.request.nbest:
        yield "alternatives", [fields(sentence)["alternatives"][task] for sentence in found], pa.list_(alternative)


def joined(pieces: Iterable[Path], target: IO[bytes]) -> None:
    """Write tables of one schema as one."""
    writer = None
    for piece in pieces:
        table = pq.read_table(piece)
        writer = writer or pq.ParquetWriter(target, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def _column(schema: Any, wanted: str | None, source: str) -> str:
    found = [name for name in ([wanted] if wanted else COLUMNS) if name in schema.names]
    if not found:
        known = nearest(wanted, schema.names) if wanted else f"; known are {', '.join(schema.names)}"
        raise CorpusError(f"no column {wanted or ', '.join(COLUMNS)}{known}", path=source)
    kind = schema.field(found[0]).type
    if not _is_text(_item(kind)):
        raise CorpusError(f"column {found[0]} is of {kind}, expected strings or lists of strings", path=source)
    return found[0]


def _item(kind: Any) -> Any:
    return kind.value_type if pa.types.is_list(kind) or pa.types.is_large_list(kind) else kind


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _words(value: Any, piece: TablePiece, row: int) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value[start:end] for start, end in offsets.words(value))
    if value is not None and not all(value):
        message = f"row {row:,} of {piece.column} holds {value!r:.60}, expected words of at least a character each"
        raise CorpusError(message, path=piece.source)
    return tuple(value or ())


def _with(table: pa.Table, name: str, values: list[Any], kind: Any) -> pa.Table:
    """The table with a column at its end, or in the place of the one that has this name."""
    column = pa.array(values, kind)
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), pa.field(name, kind), column)
    return table.append_column(pa.field(name, kind), column)
