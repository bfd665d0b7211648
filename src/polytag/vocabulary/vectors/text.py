"""Vectors as text, one word per line: word2vec's and fastText's (with a header) and GloVe's (without)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import compress, islice
from pathlib import Path

import numpy as np

from polytag.errors import VectorsError
from polytag.vocabulary.vectors.rows import Matrix, Rows, Selection, Vectors
from polytag.vocabulary.vectors.source import HEAD_BYTES, HEADER, opened, read_head

BLOCK_ROWS = 2000  # one call into numpy for so many rows: large enough to be quick, small enough to be nothing
MAX_DIMENSION = 1 << 16

Row = tuple[int, bytes, bytes]  # line number, word, values separated by spaces


def read_word2vec(path: Path, select: Selection) -> Vectors:
    """word2vec's text format, which is also fastText's: a header ``words dimensions``, then ``word value ...``.

    Raises:
        VectorsError: at the line where the file is not so, or where its header disagrees with it.
    """
    promised, dimension = read_header(path)
    layout = TextLayout(path=path, dimension=dimension, first_line=2, promised=promised)
    with opened(path) as stream:
        return layout.read(islice(stream, 1, None), select).finish(source=str(path), format="word2vec")


def read_glove(path: Path, select: Selection) -> Vectors:
    """GloVe's text format: ``word value ...`` and no header; a word may hold spaces (glove.840B has such).

    The dimension is what most of the first lines agree on.

    Raises:
        VectorsError: at the line where the file is not so.
    """
    head = read_head(path)
    lines = head.split(b"\n")
    whole = lines[:-1] if len(head) == HEAD_BYTES and len(lines) > 1 else lines
    values = Counter(line.rstrip(b" \r").count(b" ") for line in whole if line.strip())
    dimension = values.most_common(1)[0][0]
    if not dimension:
        raise VectorsError("no values after the word, expected numbers separated by spaces", path=path, line=1)
    layout = TextLayout(path=path, dimension=dimension, spaces_in_words=True)
    with opened(path) as stream:
        return layout.read(stream, select).finish(source=str(path), format="glove")


def read_header(path: Path) -> tuple[int, int]:
    """The numbers of words and dimensions that the first line of ``path`` promises.

    Raises:
        VectorsError: the first line is not such a header, or promises what no file of vectors holds.
    """
    header = HEADER.match(read_head(path))
    if not header:
        raise VectorsError("expected a header with the numbers of words and dimensions", path=path, line=1)
    words, dimension = header[1].decode()[:24], header[2].decode()[:24]
    if int(words) < 1 or not 1 <= int(dimension) <= MAX_DIMENSION:
        message = f"the header promises {words} words of {dimension} dimensions"
        raise VectorsError(f"{message}, expected at least 1 word of 1 to {MAX_DIMENSION:,}", path=path, line=1)
    return int(words), int(dimension)


@dataclass(frozen=True, kw_only=True)
class TextLayout:
    """How the lines ``word value ...`` of one file stand.

    Only the ASCII space separates, so that words may hold U+00A0 and the like. Blank lines count for nothing.
    ``promised`` is the number of rows in the header, None where there is no header.
    """

    path: Path
    dimension: int
    first_line: int = 1
    promised: int | None = None
    spaces_in_words: bool = False

    def read(self, lines: Iterable[bytes], select: Selection) -> Rows:
        """Gather the rows of ``lines``, the first of which is line ``first_line``."""
        gathered = Rows(self.dimension, promised=self.promised)
        rows = self._checked(lines, limit=select.limit)
        while block := list(islice(rows, BLOCK_ROWS)):
            words = self._words(block)
            mask = select.mask(words)
            gathered.extend(list(compress(words, mask)), self._matrix(list(compress(block, mask))))
        return gathered

    def _checked(self, lines: Iterable[bytes], *, limit: int | None) -> Iterator[Row]:
        """The rows, their number compared with the header unless ``limit`` stops the reading first."""
        count = 0
        for number, line in enumerate(lines, start=self.first_line):
            line = line.rstrip(b" \r\n")
            if not line:
                continue
            if count == limit:
                return
            if count == self.promised:
                raise self._error(f"more rows than the {self.promised:,} that the header promises", number)
            count += 1
            yield (number, *self._split(line, number))
        if count < (self.promised or 0) and count != limit:
            message = f"{count:,} rows, but the header promises {self.promised:,}: the file is truncated"
            raise VectorsError(message, path=self.path)

    def _split(self, line: bytes, number: int) -> tuple[bytes, bytes]:
        found = line.count(b" ")
        if found > self.dimension and self.spaces_in_words:
            parts = line.rsplit(b" ", self.dimension)
            if not _is_number(parts[0].rpartition(b" ")[2]):
                return parts[0], b" ".join(parts[1:])
        if found != self.dimension:
            raise self._error(f"{found:,} values, expected {self.dimension:,}", number)
        word, _, values = line.partition(b" ")
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
        if not rows:
            return np.empty((0, self.dimension), dtype=np.float32)
        fields = b" ".join([values for _, _, values in rows]).split(b" ")
        try:
            with np.errstate(over="ignore"):  # what overflows becomes infinite and is refused below
                # float() on each is the quickest strict way: twice as fast as numpy's own reading of bytes.
                flat = np.fromiter(map(float, fields), dtype=np.float32, count=len(fields))
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


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_finite(text: bytes) -> bool:
    with np.errstate(over="ignore"):
        return _is_number(text) and bool(np.isfinite(np.float32(float(text))))
