"""Parquet, a table of texts: words as lists, or texts, in one column; tags become further columns. Needs pyarrow."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from polytag.bulk.worker import Worker
from polytag.corpus.asjson import as_json
from polytag.corpus.formats.parquet import batches
from polytag.corpus.formats.record import Cutter
from polytag.corpus.schemes import write_outside
from polytag.corpus.sentence import Sentence
from polytag.corpus.tokenising import tokeniser
from polytag.errors import CorpusError, nearest

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
    name, row, words = name or str(path), 1, ""
    for batch in batches(path, name=name):
        words = words or _column(batch.schema, column, name)
        yield TablePiece(name, words, row, pa.Table.from_batches([batch]))
        row += batch.num_rows


def tagged(worker: Worker, piece: TablePiece) -> pa.Table:
    """The rows with columns of what `as_json` says: words and offsets where a text was given, the rest by task.

    Raises:
        CorpusError: a row holds no words.
    """
    values = piece.table.column(piece.column).to_pylist()
    cut = tokeniser(worker.tokeniser).words
    sentences = [_sentence(value, piece, row, cut) for row, value in enumerate(values, piece.row)]
    found = list(worker.tagger.tag_all(sentences, worker.request))
    table, strings = piece.table, pa.list_(pa.string())
    if _is_text(table.schema.field(piece.column).type):
        table = _with(table, "words", [s.words for s in sentences], strings)
        if "offsets" not in table.column_names:
            table = _with(table, "offsets", [s.offsets for s in sentences], pa.list_(pa.list_(pa.int32())))
    spanning = worker.tagger.span_tasks()
    answers = [as_json(write_outside(sentence, worker.tagger.outside), span_tasks=spanning) for sentence in found]
    for task in worker.request.tasks:
        table = _with(table, task, [answer["tags"][task] for answer in answers], strings)
        for key, kind in _further(worker, spans=task in spanning):
            table = _with(table, f"{task}.{key}", [answer[key][task] for answer in answers], kind)
    return table


def _further(worker: Worker, *, spans: bool) -> Iterator[tuple[str, Any]]:
    """What there is beside the tags of a task: its key in `as_json` and the type of its column.

    It goes by the request, not by the rows: all pieces of a table have one schema.
    """
    number, place = pa.float64(), pa.int32()
    if worker.request.confidence:
        yield "confidence", pa.list_(number)
    if worker.request.nbest:
        alternative = pa.struct({"tags": pa.list_(pa.string()), "probability": number})
        yield "alternatives", pa.list_(alternative)
    if spans:
        span = {"type": pa.string(), "start": place, "end": place, "characters": pa.list_(place), "probability": number}
        yield "predicted_spans", pa.list_(pa.struct(span))


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


def _sentence(value: Any, piece: TablePiece, row: int, cut: Cutter) -> Sentence:
    if isinstance(value, str):
        places = cut(value)
        return Sentence(tuple(value[start:end] for start, end in places), offsets=places)
    if value is not None and not all(value):
        message = f"row {row:,} of {piece.column} holds {value!r:.60}, expected words of at least a character each"
        raise CorpusError(message, path=piece.source)
    return Sentence(tuple(value or ()))


def _with(table: pa.Table, name: str, values: list[Any], kind: Any) -> pa.Table:
    """The table with a column at its end, or in the place of the one that has this name."""
    column = pa.array(values, kind)
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), pa.field(name, kind), column)
    return table.append_column(pa.field(name, kind), column)
