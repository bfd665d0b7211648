"""Tables of Parquet and Arrow: words as lists, or texts, in one column; tags become further columns. Needs pyarrow."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from polytag.bulk.pieces import TablePiece
from polytag.corpus.asjson import as_json
from polytag.corpus.formats.parquet import ARROW, MISSING, PARQUET, STREAM, batches, kind_of
from polytag.corpus.formats.record import Cutter, words_of
from polytag.corpus.schemes import write_outside
from polytag.corpus.sentence import Sentence
from polytag.corpus.tokenising import tokeniser
from polytag.errors import CorpusError, nearest

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise CorpusError(MISSING) from error

if TYPE_CHECKING:
    from polytag.bulk.worker import Worker

COLUMNS = ("words", "tokens", "text")  # where words are looked for, as in records of JSONL
PIECES = 16  # that are written as one group of rows


def cut(path: Path, *, column: str | None = None, name: str = "", least: int = 0) -> Iterator[TablePiece]:
    """All rows in pieces, after one without rows: a table that has none has columns. ``name`` is for errors.

    Each but the last has at ``least`` so many bytes.

    Raises:
        CorpusError: it is no table, or has no such column.
    """
    name, row, words = name or str(path), 0, ""
    for table in _gathered(batches(path, name=name), least):
        words = words or _column(table.column_names, column, name)
        yield TablePiece(name, words, row, _packed(table))
        row += table.num_rows if row else 1


def _gathered(batches: Iterable[Any], least: int) -> Iterator[Any]:
    found: list[Any] = []
    for batch in batches:
        found.append(batch)
        if not batch.num_rows or sum(one.nbytes for one in found) >= least:
            yield pa.Table.from_batches(found)
            found = []
    if found:
        yield pa.Table.from_batches(found)


def _column(names: list[str], wanted: str | None, source: str) -> str:
    found = [name for name in ([wanted] if wanted else COLUMNS) if name in names]
    if not found:
        known = nearest(wanted, names) if wanted else f"; known are {', '.join(names)}"
        raise CorpusError(f"no column {wanted or ', '.join(COLUMNS)}{known}", path=source)
    return found[0]


def tagged(worker: "Worker", piece: TablePiece) -> bytes:
    """The rows with columns of what `as_json` says: words and offsets where a text was given, the rest by task.

    Raises:
        CorpusError: a row holds neither words nor a text.
    """
    table = _unpacked(piece.rows)
    words = table.column(piece.column)
    cutter = tokeniser(worker.tokeniser).words
    sentences = [_sentence(worker, piece, row, value, cutter) for row, value in enumerate(words.to_pylist(), piece.row)]
    if piece.row == 1:
        worker.tell_unlike(piece.source, sentences)
    spanning = worker.tagger.span_tasks()
    found = worker.tagger.tag_all(sentences, worker.request)
    answers = [as_json(write_outside(one, worker.tagger.outside), span_tasks=spanning) for one in found]
    for name, kind, values in _columns(worker, answers, of_text=not pa.types.is_nested(words.type)):
        column = pa.field(name, kind), pa.array(values, kind)
        if name in table.column_names:
            if not piece.row:
                text = f"column {name} gives way to what the model says"
                worker.notes.tell(f"column {name}", text, path=piece.source)
            table = table.set_column(table.column_names.index(name), *column)
        else:
            table = table.append_column(*column)
    return _packed(table)


def _columns(worker: "Worker", answers: list[dict[str, Any]], *, of_text: bool) -> Iterator[tuple[str, Any, list[Any]]]:
    """Name, type and values of each new column.

    What there is goes by the request, not by the rows: all pieces of a table have one schema.
    """
    number, place, strings = pa.float64(), pa.int32(), pa.list_(pa.string())
    if of_text:
        yield "words", strings, [answer["words"] for answer in answers]
        yield "offsets", pa.list_(pa.list_(place)), [answer.get("offsets", []) for answer in answers]
    alternative = pa.struct({"tags": strings, "probability": number})
    span = {"type": pa.string(), "start": place, "end": place, "characters": pa.list_(place), "probability": number}
    further = {
        "confidence": (worker.request.confidence, number),
        "alternatives": (worker.request.nbest, alternative),
        "predicted_spans": (True, pa.struct(span)),
    }
    for task in worker.request.tasks:
        yield task, strings, [answer["tags"][task] for answer in answers]
        for key, (is_asked, kind) in further.items():
            if is_asked and (key != "predicted_spans" or task in worker.tagger.span_tasks()):
                yield f"{task}.{key}", pa.list_(kind), [answer[key][task] for answer in answers]


def _sentence(worker: "Worker", piece: TablePiece, row: int, value: Any, cutter: Cutter) -> Sentence:
    if value is None:
        text = f"nothing in column {piece.column}, so there are no words to tag"
        worker.notes.tell("null", text, path=piece.source, line=row)
        return Sentence(())
    try:
        words, places = words_of({"text" if isinstance(value, str) else "tokens": value}, cutter)
    except ValueError as error:
        message = f"column {piece.column} holds {value!r:.60}: {error}"
        raise CorpusError(message, path=piece.source, line=row) from error
    return Sentence(words, offsets=tuple(places))


def write(pieces: Iterable[bytes], target: IO[bytes], *, name: str, like: Path) -> None:
    """Write tagged pieces as one table, in the format that the suffix of ``name`` says, else in that of ``like``.

    Raises:
        CorpusError: a piece has other columns than the first, or some that the format cannot hold.
    """
    tables = _of_one_schema(map(_unpacked, pieces), name)
    first = next(tables)
    kind = kind_of(like)
    told = {".parquet": PARQUET, ".arrow": STREAM if kind == STREAM else ARROW, ".feather": ARROW}
    kind = told.get(Path(name).suffix, kind)
    try:
        with _writer(target, first.schema, kind) as writer:
            group = [first, *islice(tables, PIECES - 1)]
            while group:
                writer.write_table(pa.concat_tables(group))
                group = list(islice(tables, PIECES))
    except pa.ArrowException as error:
        raise CorpusError(f"cannot be written as {kind} ({error})", path=name) from error


def _of_one_schema(tables: Iterable[Any], name: str) -> Iterator[Any]:
    first = None
    for table in tables:
        first = first or table.schema
        if table.schema != first:
            found, expected = (
                ", ".join(f"{one.name} ({one.type})" for one in schema) for schema in (table.schema, first)
            )
            raise CorpusError(f"tables with other columns: found {found}, expected {expected}", path=name)
        yield table


def _writer(target: IO[bytes], schema: Any, kind: str) -> Any:
    if kind == PARQUET:
        return pq.ParquetWriter(target, schema)
    return (pa.ipc.new_file if kind == ARROW else pa.ipc.new_stream)(target, schema)


def _packed(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _unpacked(rows: bytes) -> Any:
    return pa.ipc.open_stream(rows).read_all()
