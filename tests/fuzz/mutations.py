"""Good examples made bad, by a seeded source of chance: bytes, lines, columns, and values in JSON and TOML."""

import gzip
import io
import json
import lzma
import random
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

Mutation = Callable[[random.Random, bytes], bytes]

MOST_BYTES = 1 << 18  # of a case; what is larger is cut
MOST_UNPACKED = 4 * MOST_BYTES  # of one that is gzip or xz, which may hold a thousand times as much as its bytes
BYTES = (
    b"\0", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3", b"\x80", b"\r", b"\r\r\n", b"\n\n\n",
    b"\t", b"  ", b"\xc2\xa0", b"\xe2\x80\xa8", b"\x1f\x8b", b"\\ud800", b"\\udc80", b'"', b"{", b"[", b"]", b"}",
    b"(", b")", b"#", b"-", b"1e999", b"-1", b"NaN", b"Infinity", b"9" * 400, b"9" * 5_000, b"0x" + b"f" * 5_000,
    b"_", b"=", b"|", b"B-", b"-DOCSTART-", b"I-", b"\xf0\x9f\x8f\x86", b"null", b"true",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**70), 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf"),
    "", " ", "O", "?", "B-", "I-LOC", "\ud800", "a\udc80b", "\0", "\n", "🏆", "none", "x" * 3_000, [], [[]], {}, [None],
    [0, 1], [1, 0, "X"], ["", ""], {"start": 0}, {"a": {"a": {"a": None}}},
)  # fmt: skip
DEPTHS = (50, 900, 5_000, 100_000)


def mutated(source: random.Random, example: bytes) -> bytes:
    """The example after one to four mutations, most of the time few."""
    for _ in range(source.choice((1, 1, 1, 2, 2, 3, 4))):
        changed = source.choice(MUTATIONS)(source, example)[:MOST_BYTES]
        example = changed if _unpacked_bytes(changed) <= MOST_UNPACKED else example
    return example


def _unpacked_bytes(content: bytes) -> int:
    """How large it is, or becomes as gzip or xz; as far as it is whole, and no further than too much."""
    size = 0
    with suppress(OSError, EOFError, zlib.error, lzma.LZMAError):
        if content.startswith(b"\xfd7zXZ"):
            return len(lzma.LZMADecompressor(memlimit=1 << 27).decompress(content, MOST_UNPACKED + 1))
        if not content.startswith(b"\x1f\x8b"):
            return len(content)
        file = gzip.GzipFile(fileobj=io.BytesIO(content))
        while size <= MOST_UNPACKED and (part := file.read1(MOST_BYTES)):
            size += len(part)
    return size


def asking_for(packed: bytes, size: int) -> bytes:
    """An xz file that asks for a dictionary of 2 to the power of ``size`` bytes, with checksums that are right."""
    head = bytearray(packed[12 : 12 + 4 * packed[12]])  # of its block, after that of the file
    head[4] = 2 * (size - 12)
    end = 12 + len(head)
    return packed[:12] + head + zlib.crc32(head).to_bytes(4, "little") + packed[end + 4 :]


def _cut(source: random.Random, example: bytes) -> bytes:
    place = source.randint(0, len(example))
    return example[:place] if source.random() < 0.7 else example[place:]


def _flip(source: random.Random, example: bytes) -> bytes:
    changed = bytearray(example)
    for _ in range(source.choice((1, 1, 3, 20)) if example else 0):
        changed[source.randrange(len(changed))] ^= 1 << source.randrange(8)
    return bytes(changed)


def _insert(source: random.Random, example: bytes) -> bytes:
    place, end = source.randint(0, len(example)), source.choice((0, 0, 0, 1, 5))
    return example[:place] + source.choice(BYTES) + example[place + end :]


def _lines(source: random.Random, example: bytes) -> bytes:
    """Swap, double, drop or join lines."""
    lines = example.splitlines(keepends=True)
    if len(lines) < 2:
        return example
    one, other = source.randrange(len(lines)), source.randrange(len(lines))
    kind = source.randrange(4)
    if kind == 0:
        lines[one], lines[other] = lines[other], lines[one]
    elif kind == 1:
        lines.insert(one, lines[other])
    elif kind == 2:
        del lines[one : one + source.choice((1, 1, 5))]
    else:
        lines[one] = lines[one].rstrip(b"\r\n")
    return b"".join(lines)


def _columns(source: random.Random, example: bytes) -> bytes:
    """Drop, double, empty or move a column of a line, or of all."""
    separator = b"\t" if b"\t" in example else b" "
    lines = example.split(b"\n")
    kind, column = source.randrange(4), source.randrange(12)
    chosen = range(len(lines)) if source.random() < 0.3 else [source.randrange(len(lines))]
    for number in chosen:
        cells = lines[number].split(separator)
        place = column % len(cells)
        if kind == 0:
            del cells[place]
        elif kind == 1:
            cells.insert(place, cells[place])
        elif kind == 2:
            cells[place] = b""
        else:
            cells.append(cells.pop(place))
        lines[number] = separator.join(cells)
    return b"\n".join(lines)


def _deep(source: random.Random, example: bytes) -> bytes:
    """Brackets in brackets, closed or not."""
    opening, closing = source.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"(", b")"), (b"{a=", b"}")))
    depth, place = source.choice(DEPTHS), source.randint(0, len(example))
    end = closing * depth if source.random() < 0.5 else b""
    return example[:place] + opening * depth + b"1" + end + example[place:]


def _long(source: random.Random, example: bytes) -> bytes:
    """One stretch many times: a word, a line or a file without end."""
    begin = source.randint(0, len(example))
    stretch = example[begin : begin + source.choice((1, 5, 40, 400))]
    times = source.choice((100, 10_000)) if stretch else 0
    return example[:begin] + (stretch * times)[:MOST_BYTES] + example[begin:]


def _packed(source: random.Random, example: bytes) -> bytes:
    """Gzip or xz, whole, damaged, cut, or asking for much memory."""
    is_gzip, kind = source.random() < 0.5, source.random()
    packed = gzip.compress(example, 1, mtime=0) if is_gzip else lzma.compress(example, preset=0)
    if kind < 0.3:
        return packed
    if kind < 0.5 and not is_gzip and example:
        return asking_for(packed, source.choice((12, 26, 27, 32)))
    return _flip(source, packed) if kind < 0.75 else _cut(source, packed)


def _value(source: random.Random, example: bytes) -> bytes:
    """Another value in one of the records of a file of JSON, or in all of it."""
    if (whole := _loaded(example)) is not None:
        return _dumped(with_another_value(source, whole))
    lines = example.splitlines()
    places = [number for number, line in enumerate(lines) if line.lstrip()[:1] in (b"{", b"[")]
    if not places:
        return _insert(source, example)
    number = source.choice(places)
    if (record := _loaded(lines[number])) is not None:
        lines[number] = _dumped(with_another_value(source, record))
    return b"\n".join(lines) + b"\n"


def with_another_value(source: random.Random, value: Any) -> Any:
    """Tables and lists with one value or key in them replaced, dropped, doubled or added."""
    if isinstance(value, dict) and value and source.random() < 0.85:
        key = source.choice(list(value))
        kind = source.random()
        if kind < 0.1:
            return {other: inner for other, inner in value.items() if other != key}
        if kind < 0.2:
            return {**value, source.choice(("", "x", "text", "spans", "tags", "tokens", key + "s")): value[key]}
        return {**value, key: with_another_value(source, value[key])}
    if isinstance(value, list) and value and source.random() < 0.8:
        place = source.randrange(len(value))
        kind = source.random()
        if kind < 0.1:
            return value[:place] + value[place + 1 :]
        if kind < 0.2:
            return [*value, value[place]]
        return [*value[:place], with_another_value(source, value[place]), *value[place + 1 :]]
    return source.choice(VALUES)


def _loaded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


MUTATIONS: Sequence[Mutation] = (
    _cut, _flip, _insert, _insert, _lines, _lines, _columns, _columns, _value, _value, _value, _deep, _long, _packed,
)  # fmt: skip
