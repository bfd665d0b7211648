"""Pickles: Polyglot's, as Python 2 wrote them, are read; hostile ones are refused and run nothing."""

import contextlib
import os
import pickle
import pickletools
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.errors import VectorsError
from polytag.vocabulary.vectors import load_vectors
from polytag.vocabulary.vectors.restricted_pickle import restricted_load

MATRIX = np.array([[1.5, -2.0, 0.25], [3.0, 1e-3, -7.0]], dtype="<f4")
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"  # protocol 2


def text(word: str) -> bytes:
    return b"X" + struct.pack("<I", len(word.encode())) + word.encode()


def byte_string(data: bytes) -> bytes:
    return (b"U" + bytes([len(data)]) if len(data) < 256 else b"T" + struct.pack("<I", len(data))) + data


def array(matrix: np.ndarray, *, kind: str = "f4", order: str = "<", fortran: bool = False) -> bytes:
    """An array as Python 2's cPickle writes it in protocol 2: str for the type, the byte order and the buffer."""
    shape = b"".join(b"J" + struct.pack("<i", n) for n in matrix.shape) + b"\x86"
    dtype = b"cnumpy\ndtype\n" + byte_string(kind.encode()) + b"K\x00K\x01\x87R"
    dtype += b"(K\x03" + byte_string(order.encode()) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    data = matrix.astype(order + kind).tobytes("F" if fortran else "C")
    return RECONSTRUCT + b"(K\x01" + shape + dtype + (b"\x88" if fortran else b"\x89") + byte_string(data) + b"tb"


def polyglot(words: list[str | bytes], matrix: bytes) -> bytes:
    items = b"".join(text(w) if isinstance(w, str) else byte_string(w) for w in words)
    return b"\x80\x02(" + items + b"t" + matrix + b"\x86."


# What Python 2's pickle module writes in protocol 0: all of it text, the buffer a quoted string.
PROTOCOL_0 = (
    b"((VParis\np0\nVS\\u00e3o\np1\ntp2\ncnumpy.core.multiarray\n_reconstruct\np3\n(cnumpy\nndarray\np4\n(I0\ntp5\n"
    b"S'b'\np6\ntp7\nRp8\n(I1\n(I2\nI3\ntp9\ncnumpy\ndtype\np10\n(S'f4'\np11\nI0\nI1\ntp12\nRp13\n"
    b"(I3\nS'<'\np14\nNNNI-1\nI-1\nI0\ntp15\nbI00\nS" + repr(MATRIX.tobytes())[1:].encode() + b"\np16\ntp17\nbtp18\n."
)


def load(data: bytes, directory: Path) -> tuple[list[str], np.ndarray]:
    path = directory / "polyglot-es.pkl"
    path.write_bytes(data)
    vectors = load_vectors(path)
    assert vectors.format == "polyglot"
    assert vectors.matrix.dtype == np.float32
    return vectors.words, vectors.matrix


def test_pickles_of_python_2(tmp_path: Path) -> None:
    words, matrix = load(polyglot(["<UNK>", "São"], array(MATRIX)), tmp_path)
    assert words == ["<UNK>", "São"]
    np.testing.assert_array_equal(matrix, MATRIX)


def test_what_python_2_wrote_as_text_is_read_where_pickletools_can_or_named(tmp_path: Path) -> None:
    try:
        list(pickletools.genops(PROTOCOL_0))
    except UnicodeDecodeError:
        with pytest.raises(VectorsError, match="of Python 2's protocol 0, expected protocol 2 or newer"):
            load(PROTOCOL_0, tmp_path)
    else:
        words, matrix = load(PROTOCOL_0, tmp_path)
        assert words == ["Paris", "São"]
        np.testing.assert_array_equal(matrix, MATRIX)


def test_byte_strings_are_utf8_and_unicode_is_left_alone(tmp_path: Path) -> None:
    # Decoded as Latin-1 both would read "Ã©", and one of them would be wrong.
    assert load(polyglot(["é".encode(), "Ã©"], array(MATRIX)), tmp_path)[0] == ["é", "Ã©"]


@pytest.mark.parametrize("options", [{"kind": "f8"}, {"order": ">"}, {"order": "="}, {"fortran": True}, {"kind": "f2"}])
def test_float_arrays_of_other_layouts(tmp_path: Path, options: dict[str, str]) -> None:
    matrix = np.array([[1.5, -2.0, 0.25], [3.0, 0.5, -7.0]], dtype=np.float32)
    np.testing.assert_array_equal(load(polyglot(["a", "b"], array(matrix, **options)), tmp_path)[1], matrix)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", [tuple, list])
def test_pickles_of_python_3(tmp_path: Path, protocol: int, kind: type) -> None:
    words, matrix = load(pickle.dumps((kind(["é", "b"]), MATRIX), protocol=protocol), tmp_path)
    assert words == ["é", "b"]
    np.testing.assert_array_equal(matrix, MATRIX)


def test_large_buffers(tmp_path: Path) -> None:
    matrix = np.random.default_rng(0).normal(size=(500, 64)).astype("<f4")
    words = [f"w{k}" for k in range(500)]
    data = polyglot(list(words), array(matrix))
    found = load(data, tmp_path)
    assert found[0] == words
    np.testing.assert_array_equal(found[1], matrix)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (polyglot(["a"], array(MATRIX)), r"1 words, but a matrix of shape \(2, 3\): expected one row per word"),
        (polyglot(["a", "b"], array(MATRIX * np.float32(np.nan))), r"the vector of 'a' \(row 1\) is not finite"),
        (polyglot(["a", b"\xff"], array(MATRIX)), r"word 2 \(b'\\xff'\) is not UTF-8"),
        (pickle.dumps((["a", 3], MATRIX)), r"word 2 is of type int, expected a string"),
        (
            pickle.dumps((["a", "b"], [1.0, 2.0])),
            r"holds list and list, expected a tuple or list of words and an array",
        ),
        (pickle.dumps((["a"], MATRIX, 3)), r"holds no pair"),
        (pickle.dumps(3), r"holds no pair"),
        (polyglot(["a", "b"], array(MATRIX))[:-9], r"damaged or truncated"),
        (polyglot(["a", "b"], RECONSTRUCT), r"an unfinished array"),
    ],
)
def test_damaged_polyglot(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(VectorsError, match=message):
        load(data, tmp_path)


class Bomb:
    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> object:
        return self.call


def refused(data: bytes, message: str | None = None) -> None:
    with pytest.raises(VectorsError, match=message):
        restricted_load(data)


def test_nothing_is_run(tmp_path: Path) -> None:
    """The same bytes do run under plain pickle, so that the test would notice."""
    marker = tmp_path / "ran"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for nested in (
            Bomb(os.system, f"touch {marker}"),
            [("a",), {"k": [Bomb(eval, f"open({str(marker)!r}, 'w')")]}],
        ):
            data = pickle.dumps((nested, MATRIX), protocol=protocol)
            refused(data)
            assert not marker.exists()
    pickle.loads(pickle.dumps(Bomb(os.system, f"touch {marker}")))
    assert marker.exists()


GLOBALS = [
    ("os", "system"),
    ("posix", "system"),
    ("builtins", "eval"),
    ("__builtin__", "eval"),
    ("builtins", "getattr"),
    ("subprocess", "Popen"),
    ("numpy", "load"),
    ("numpy", "fromfile"),
    ("numpy", "memmap"),
    ("numpy.testing._private.utils", "runstring"),
    ("numpy", "core.multiarray._reconstruct"),
    ("numpy.core.multiarray", "_reconstruct.__globals__"),
    ("numpy.core.multiarray", "scalar"),
    ("_codecs", "decode"),
    ("copyreg", "_reconstructor"),
    ("polytag.vocabulary.vectors.restricted_pickle", "ALLOWED"),
]


@pytest.mark.parametrize(("module", "name"), GLOBALS)
def test_forbidden_globals_are_named(module: str, name: str) -> None:
    message = f"the pickle holds the global {module}.{name}, expected only words and one numpy array"
    refused(f"c{module}\n{name}\n(S'echo'\ntR.".encode(), message)
    refused(b"\x80\x04" + text(module) + text(name) + b"\x93" + text("echo") + b"\x85R.", message)


INSTRUCTIONS = {
    "INST": b"(S'true'\nios\nsystem\n.",
    "OBJ": b"(cnumpy\nndarray\nK\x01o.",
    "NEWOBJ": b"\x80\x02cnumpy\nndarray\n)\x81.",
    "NEWOBJ_EX": b"\x80\x04cnumpy\nndarray\n)N\x92.",
    "PERSID": b"Pabc\n.",
    "BINPERSID": b"K\x01Q.",
    "EXT1": b"\x80\x02\x82\x01.",
    "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
    "EMPTY_DICT": b"}.",
    "DICT": b"(K\x01K\x02d.",
    "EMPTY_SET": b"\x80\x04\x8f.",
    "FROZENSET": b"\x80\x04(K\x01\x91.",
    "NEXT_BUFFER": b"\x80\x05\x97.",
    "DUP": b"K\x012.",
    "POP": b"K\x010.",
}


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_forbidden_instructions_are_named(name: str) -> None:
    list(pickletools.genops(INSTRUCTIONS[name]))  # well-formed, so that it is refused for what it asks
    refused(INSTRUCTIONS[name], f"the pickle holds the pickle instruction {name}, expected only words")


DTYPE = b"cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R"
STATE = b"(K\x01K\x01K\x01\x86"
ARRAYS = {
    "object array": b"cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R.",
    "object array of Python 3": pickle.dumps(np.array([print, None], dtype=object)),
    "structured array": pickle.dumps(np.zeros(2, dtype=[("a", "f4"), ("b", "O")])),
    "strings": pickle.dumps(np.array(["a", "b"])),
    "integers": pickle.dumps(np.array([1, 2])),
    "ndarray called": b"cnumpy\nndarray\n(K\x01\x85" + DTYPE + b"tR.",
    "list as the buffer": RECONSTRUCT + STATE + DTYPE + b"\x89](K\x01etb.",
    "type is a string": RECONSTRUCT + STATE + b"U\x01O\x89U\x04abcdtb.",
    "shape too large": RECONSTRUCT + b"(K\x01\x8a\x08" + b"\xff" * 7 + b"\x7fK\x40\x86" + DTYPE + b"\x89U\x04abcdtb.",
    "negative shape": RECONSTRUCT + b"(K\x01J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86" + DTYPE + b"\x89U\x04abcdtb.",
    "shape too small": RECONSTRUCT + STATE + DTYPE + b"\x89U\x08abcdefghtb.",
    "state of a function": b"cnumpy.core.multiarray\n_reconstruct\nNU\x01a\x86b.",
    "state of a class": b"cnumpy\nndarray\n(K\x01U\x01atb.",
    "attributes of an array": RECONSTRUCT + b"NU\x01a\x86b.",
    "attributes of a type": DTYPE + b"NU\x01a\x86b.",
    "attributes of a tuple": b")NU\x01a\x86b.",
    "a function as the result": b"cnumpy\nndarray\n.",
    "a function in the result": b"cnumpy\nndarray\n\x85.",
    "calling a string": text("eval") + text("1") + b"\x85R.",
    "calling an array": RECONSTRUCT + b")R.",
    "encoding with another codec": b"\x80\x02c_codecs\nencode\n" + text("a") + text("rot13") + b"\x86R.",
    "unset memo": b"h\x05.",
    "memo of a function under a word": b"cnumpy\nndarray\nq\x00X\x01\x00\x00\x00aq\x01h\x00)R.",
    "no end": b"K\x01",
    "nothing": b"",
    "too many pops": b"\x85\x85\x85.",
    "future protocol": b"\x80\xff.",
}


@pytest.mark.parametrize("data", ARRAYS.values(), ids=ARRAYS)
def test_dishonest_arrays_are_refused(data: bytes) -> None:
    refused(data)


def encoded_again(times: int) -> bytes:
    word = text("x" * 100_000)
    return b"\x80\x02c_codecs\nencode\nq\x00" + word + b"q\x01" + b"h\x00h\x01\x85R" * times + b"."


CLAIMS = {
    "BINBYTES8": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"abc.",
    "BINUNICODE8": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"abc.",
    "BYTEARRAY8": b"\x80\x05\x96" + struct.pack("<Q", 1 << 34) + b"abc.",
    "BINSTRING": b"T" + struct.pack("<i", (1 << 31) - 1) + b"abc.",
    "FRAME": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"N",
    "LONG4": b"\x80\x02\x8b" + struct.pack("<i", (1 << 31) - 1) + b"\1",
    "array": ARRAYS["shape too large"],
    "memo": b"N" + b"r\xff\xff\xff\x7f" + b"j\xfe\xff\xff\x7f.",
    "encode": encoded_again(200),
}


@pytest.mark.parametrize("data", CLAIMS.values(), ids=CLAIMS)
def test_claims_allocate_nothing(data: bytes) -> None:
    tracemalloc.start()
    try:
        refused(data)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_refusals_say_what_was_asked() -> None:
    refused(ARRAYS["object array"], r"holds an array of type 'O8' \(allowed are f2, f4, f8\), expected only words")
    refused(ARRAYS["shape too small"], r"holds an array of shape \(1, 1\) with 8 bytes of data")


def test_shared_nesting_costs_nothing() -> None:
    data = b"]" + b"q\x00h\x00h\x00\x86" * 200 + b"."  # 2 to the 200 leaves
    assert isinstance(restricted_load(data), tuple)


HONEST = polyglot(["a", b"b"], array(MATRIX))


@given(st.binary(max_size=60) | st.lists(st.tuples(st.integers(0, len(HONEST) - 1), st.integers(0, 255)), max_size=4))
@settings(max_examples=300)
def test_any_bytes_are_read_or_refused(change: bytes | list[tuple[int, int]]) -> None:
    data = bytearray(HONEST)
    if isinstance(change, bytes):
        data = bytearray(change)
    else:
        for place, value in change:
            data[place] = value
    with contextlib.suppress(VectorsError):
        restricted_load(bytes(data))
