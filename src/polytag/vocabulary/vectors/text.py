"""Vectors as text, one word per line: word2vec's and fastText's (with a header) and GloVe's (without)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path

import numpy as np
from pydantic_core import from_json

from polytag.corpus.notes import Notes
from polytag.errors import VectorsError
from polytag.vocabulary.vectors.rows import Matrix, Rows, Vectors
from polytag.vocabulary.vectors.source import HEAD_BYTES, HEADER, lines_of, opened, read_head

BLOCK_VALUES = 1 << 19  # one call into numpy for so many values: enough to be quick, few enough to be nothing
MAX_DIMENSION = 1 << 16

Row = tuple[int, bytes, bytes]  # line number, word, values separated by spaces


def read_word2vec(path: Path, notes: Notes) -> Vectors:
    """word2vec's text format, which is also fastText's: a header ``words dimensions``, then ``word value ...``.

    Where the header and the rows disagree, the rows are right and a note says so.

    Raises:
        VectorsError: at the line where the file is not so.
    """
    promised, claimed = read_header(path)
    dimension = _dimension(path, claimed=claimed) or claimed
    if dimension != claimed:
        message = f"the header promises {claimed:,} dimensions, but the rows have {dimension:,}"
        notes.tell("dimension", message, path=str(path), line=1)
    layout = TextLayout(path=path, dimension=dimension, notes=notes, first_line=2, promised=promised)
    with opened(path) as stream:
        rows = layout.read(islice(lines_of(stream, path), 1, None))
        return rows.finish(source=str(path), format="word2vec", notes=notes)


def read_glove(path: Path, notes: Notes) -> Vectors:
    """GloVe's text format: ``word value ...`` and no header.

    The dimension is what most of the first lines agree on.

    Raises:
        VectorsError: at the line where the file is not so.
    """
    dimension = _dimension(path)
    if not dimension:
        raise VectorsError("no values after the word, expected numbers separated by spaces or tabs", path=path, line=1)
    layout = TextLayout(path=path, dimension=dimension, notes=notes)
    with opened(path) as stream:
        return layout.read(lines_of(stream, path)).finish(source=str(path), format="glove", notes=notes)


def read_header(path: Path) -> tuple[int, int]:
    """The numbers of words and dimensions that the first line of ``path`` promises.

    Raises:
        VectorsError: the first line is not such a header, or promises what no file of vectors holds.
    """
    header = HEADER.match(read_head(path))
    if not header:
        raise VectorsError("expected a header with the numbers of words and dimensions", path=path, line=1)
    words, dimension = header[1].decode()[:24], header[2].decode()[:24]
    if not 1 <= int(dimension) <= MAX_DIMENSION:
        message = f"the header promises {words} words of {dimension} dimensions, expected 1 to {MAX_DIMENSION:,}"
        raise VectorsError(message, path=path, line=1)
    return int(words), int(dimension)


def block_rows(dimension: int) -> int:
    """How many rows are read at a time."""
    return max(1, BLOCK_VALUES // dimension)


def fields_of(line: bytes) -> list[bytes]:
    """What spaces and tabs part; all else, U+00A0 and the like too, may belong to words."""
    return [field for field in line.replace(b"\t", b" ").split(b" ") if field]


@dataclass(frozen=True, kw_only=True)
class TextLayout:
    """How the lines ``word value ...`` of one file stand.

    Lines are split from the right: the last ``dimension`` fields are the values, and what is before them is the word,
    which may hold spaces. Blank lines count for nothing. ``promised`` is the number of rows in the header, None where
    there is no header.
    """

    path: Path
    dimension: int
    notes: Notes
    first_line: int = 1
    promised: int | None = None

    def read(self, lines: Iterable[bytes]) -> Rows:
        """Gather the rows of ``lines``, the first of which is line ``first_line``."""
        gathered = Rows(self.dimension, promised=self.promised)
        rows = self._checked(lines)
        while block := list(islice(rows, block_rows(self.dimension))):
            gathered.extend(self._words(block), self._matrix(block))
        return gathered

    def _checked(self, lines: Iterable[bytes]) -> Iterator[Row]:
        """The rows, their number compared with the header."""
        count, last = 0, b""
        for number, line in enumerate(lines, start=self.first_line):
            text = line.rstrip(b" \t\r\n")
            if not text:
                continue
            count, last = count + 1, line
            if row := self._split(text, number):
                yield (number, *row)
        self._compare(count, is_whole=last.endswith(b"\n"))

    def _compare(self, count: int, *, is_whole: bool) -> None:
        if not count:
            raise VectorsError("no row in it, expected word vectors", path=self.path)
        if self.promised is None or count == self.promised:
            return
        message = f"{count:,} rows, but the header promises {self.promised:,}"
        if count < self.promised and not is_whole:
            raise VectorsError(f"{message}, and the last has no line end: the file is truncated", path=self.path)
        self._tell("rows", message, 1)

    def _split(self, line: bytes, number: int) -> tuple[bytes, bytes] | None:
        """Word and values of a line, or None where there is no word."""
        if line.count(b" ") == self.dimension and b"\t" not in line and b"  " not in line and line[:1] != b" ":
            word, _, values = line.partition(b" ")
            return word, values
        fields = fields_of(line)
        is_wordless = line[:1] in (b" ", b"\t") and len(fields) == self.dimension
        if len(fields) <= self.dimension and not is_wordless:
            raise self._error(f"{len(fields) - 1:,} values, expected {self.dimension:,}", number)
        pieces, values = fields[: -self.dimension], b" ".join(fields[-self.dimension :])
        word = b" ".join(pieces)
        if is_wordless:
            self._tell("wordless", "values without a word are left out", number)
            return None
        if any(map(_is_number, pieces[1:])) and len(fields_of(line.partition(b"\t")[2])) != self.dimension:
            shown = word[:40].decode(errors="replace")
            message = f"{len(fields) - 1:,} values, expected {self.dimension:,}: read as the vector of {shown!r}"
            self._tell("values", message, number)
        return word, values

    def _words(self, rows: list[Row]) -> list[str]:
        try:
            return b"\n".join([word for _, word, _ in rows]).decode().split("\n")
        except UnicodeDecodeError:
            for number, word, _ in rows:
                self._require_utf8(word, number)
            raise

    def _require_utf8(self, word: bytes, number: int) -> None:
        try:
            word.decode()
        except UnicodeDecodeError as error:
            raise self._error(f"the word {word[:40]!r} is not UTF-8, expected a file in UTF-8", number) from error

    def _matrix(self, rows: list[Row]) -> Matrix:
        try:
            with np.errstate(over="ignore"):  # what overflows becomes infinite and is refused below
                flat = _floats(b" ".join([values for _, _, values in rows]))
        except ValueError:
            raise self._bad_value(rows) from None
        if not np.isfinite(flat).all():
            raise self._bad_value(rows)
        return flat.reshape(-1, self.dimension)

    def _bad_value(self, rows: list[Row]) -> VectorsError:
        bad = ((number, value) for number, _, values in rows for value in values.split(b" ") if not _is_finite(value))
        number, value = next(bad)
        return self._error(f"the value {value[:40].decode(errors='replace')!r} is not a finite number", number)

    def _error(self, message: str, line: int) -> VectorsError:
        return VectorsError(message, path=self.path, line=line)

    def _tell(self, kind: str, message: str, line: int) -> None:
        self.notes.tell(kind, message, path=str(self.path), line=line)


def _floats(values: bytes) -> Matrix:
    """The numbers of ``values``, one space between two, float32.

    Raises:
        ValueError: one of them is not a number.
    """
    # JSON has commas, quotation marks and ``true`` too, and no sign of a whole zero.
    if not values.translate(None, b"+-.0123456789Ee ") and b"-0 " not in values and not values.endswith(b"-0"):
        try:  # three times as fast as float() on each, itself twice as fast as numpy's own reading of bytes
            return np.array(from_json(b"[%b]" % values.replace(b" ", b",")), dtype=np.float32)
        except (ValueError, OverflowError):
            pass  # not JSON, as ``.5`` and ``+1`` are not, or no number at all
    fields = values.split(b" ")
    return np.fromiter(map(float, fields), dtype=np.float32, count=len(fields))


def _dimension(path: Path, *, claimed: int | None = None) -> int:
    """How many numbers most of the first rows end in; what a header claims, if as many rows agree with it."""
    with opened(path) as stream:
        rows = islice(lines_of(stream, path), 1 if claimed else 0, None)
        found = Counter(_values(fields) for line in _first(rows) if (fields := fields_of(line.rstrip(b"\r\n"))))
    if not found:
        return 0
    common, times = found.most_common(1)[0]
    dimension = claimed if claimed and found[claimed] == times else common
    if dimension > MAX_DIMENSION:
        raise VectorsError(f"rows of {dimension:,} values, expected up to {MAX_DIMENSION:,}", path=path)
    return dimension


def _values(fields: list[bytes]) -> int:
    return min(sum(1 for _ in takewhile(_is_number, reversed(fields))), len(fields) - 1)


def _first(lines: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for line in lines:
        yield line
        size += len(line)
        if size > HEAD_BYTES:
            return


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_finite(text: bytes) -> bool:
    with np.errstate(over="ignore"):
        return _is_number(text) and bool(np.isfinite(np.float32(float(text))))
