"""A library that is not the one that these files are for is refused with a sentence, and never called."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from polytag import native
from polytag.errors import PolytagError, PolytagWarning
from polytag.native import loader

COMPILER = shutil.which("cc") or shutil.which("gcc")
ADVICE = "expected the native core of this polytag: install polytag again, or set POLYTAG_NATIVE=0"


def library(folder: Path, code: str) -> Path:
    """A shared library of some C code."""
    if COMPILER is None:
        pytest.skip("there is no C compiler")
    (folder / "fake.c").write_text(code, encoding="utf-8")
    subprocess.run([COMPILER, "-shared", "-fPIC", "fake.c", "-o", "core.so"], cwd=folder, check=True)
    return folder / "core.so"


def refusal(file: Path) -> str:
    with pytest.raises(PolytagError) as caught:
        loader.load(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert message.endswith(ADVICE)
    return message


@pytest.mark.skipif(not native.available(), reason="there is no core here")
def test_that_numpy_computes_an_lstm_is_told_once() -> None:
    native._tell_once.cache_clear()
    weights = (np.zeros((2, 3, 8), np.float32), np.zeros((2, 2, 8), np.float32), None)
    with pytest.warns(PolytagWarning, match="core has no LSTM: numpy computes it in float32"):
        native.lstm_layer(*weights)
    native.lstm_layer(*weights)  # a second warning would be an error


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a file themselves")
@pytest.mark.skipif(not native.available(), reason="there is no core here")
def test_a_library_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    """As a copy is that was killed; loading it would end the process with SIGBUS."""
    whole = Path(native.core()._name).read_bytes()
    for size in (64, 5_000, len(whole) // 2, len(whole) - 1):
        (tmp_path / "core.so").write_bytes(whole[:size])
        assert "is cut short" in refusal(tmp_path / "core.so")


@pytest.mark.parametrize("content", [b"", b"no library\n"], ids=["empty", "text"])
def test_what_is_no_library(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "core.so"
    file.write_bytes(content)
    assert "cannot be loaded" in refusal(file)


def test_a_foreign_library(tmp_path: Path) -> None:
    assert "is another library" in refusal(library(tmp_path, "int polytag_usable() { return 1; }"))


def test_another_version(tmp_path: Path) -> None:
    file = library(tmp_path, "long long polytag_abi() { return 99; }")
    assert f"has version 99 of its functions, not {loader.ABI}" in refusal(file)


def test_structures_of_other_sizes(tmp_path: Path) -> None:
    code = (
        f"long long polytag_abi() {{ return {loader.ABI}; }} long long polytag_struct_size(long long i) {{ return 8; }}"
    )
    assert "has 8 bytes for Scan, not" in refusal(library(tmp_path, code))


def test_only_what_is_called_core_is_loaded(tmp_path: Path) -> None:
    for name in ("other.so", "core.txt", "core.cpp", "core.cpython-311-x86_64-linux-gnu.so", "core.so"):
        (tmp_path / name).touch()
    assert [file.name for file in loader._files(tmp_path)] == ["core.so", "core.cpython-311-x86_64-linux-gnu.so"]


def said_with(native: str) -> str:
    """What a new process says of its core."""
    code = "from polytag import native; print(native.available(), native.supports('float32'), native.description())"
    environment = {**os.environ, "POLYTAG_NATIVE": native}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_it_can_be_switched_off() -> None:
    assert said_with("0") == "False False no native core: numpy"


@pytest.mark.skipif(not native.available(), reason="the native core was not built")
def test_it_says_what_it_uses() -> None:
    best = native.instructions()[-1]
    assert native.description() == f"native core, {best}"
    assert said_with("1") == f"True True native core, {best}"
    native.select("plain C++")
    assert native.description() == "native core, plain C++"
    assert not native.supports("int8")
    with pytest.raises(ValueError, match="instructions 'AVX-1024', expected one of plain C\\+\\+"):
        native.select("AVX-1024")
    native.select(best)


def test_nothing_of_it_needs_torch() -> None:
    code = "import sys, polytag.native, polytag.native.training; raise SystemExit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
