"""What only a process of its own shows: memory, full disks, closed pipes, interrupts, two at once."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import pytest

from polytag.cli import main
from tests.cli.conftest import ENVIRONMENT, contents, run, run_process

MIB = 1 << 20
FULL = Path("/dev/full")
ENDLESS = ["--set", "training.epochs=1000000", "--set", "training.patience=1000000"]

needs_dev_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@contextmanager
def limited(kind: int, size: int) -> Iterator[None]:
    """Lower a limit of this process for a while, in which no module is kept compiled: half of one would stay."""
    before, compiles_nothing = resource.getrlimit(kind), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    resource.setrlimit(kind, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)
        sys.dont_write_bytecode = compiles_nothing


def polytag(*words: object, python: str = sys.executable) -> "subprocess.Popen[bytes]":
    """The command line as a process of its own, with pipes on all sides."""
    command = [python, "-m", "polytag", *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=ENVIRONMENT)


@needs_dev_full
@pytest.mark.parametrize("command", ["tag {model} test.conll", "evaluate {model}", "show {model}", "--help"])
def test_a_full_disk_behind_stdout(command, trained, workplace, capsys):
    with FULL.open("w") as full, pytest.raises(SystemExit) as exit_, redirect_stdout(full):
        main(command.format(model=trained).split())
    assert exit_.value.code == 1
    assert capsys.readouterr().err == "polytag: standard output: No space left on device\n"


@needs_dev_full
def test_a_full_disk_behind_the_stdout_of_a_process(trained, workplace):
    done = run_process(["tag", trained, "test.conll"], stdout=FULL)
    assert (done.code, done.err) == (1, "polytag: standard output: No space left on device\n")


@needs_dev_full
def test_a_full_device_as_output(trained, workplace):
    done = run(["tag", trained, "test.conll", "-o", FULL])
    assert (done.code, done.sentence) == (1, "/dev/full: cannot be written: No space left on device")


# A limit on the size of files stands for a full disk: it needs no rights, and writing fails midway just so.
@pytest.mark.parametrize(("command", "file"), [
    ("tag {model} test.conll -o out", "out"),
    ("tag {model} test.conll -o before", "before"),
    ("data convert test.conll out.jsonl --tag ner=2", "out.jsonl"),
    ("data convert test.conll out.jsonl.gz --tag ner=2", "out.jsonl.gz"),
])  # fmt: skip
def test_no_room_for_a_file(command, file, trained, workplace):
    Path("before").write_text("before")
    before = contents(workplace)
    with limited(resource.RLIMIT_FSIZE, 100):
        done = run(command.format(model=trained))
    assert (done.code, done.sentence) == (1, f"{file}: cannot be written: {os.strerror(errno.EFBIG)}")
    assert contents(workplace) == before


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("size", [100, 2000])  # at 2000 the description fits, the weights do not
def test_no_room_for_a_model(workplace, size, exists):
    if exists:
        Path("out").mkdir()
        Path("out/mine").write_text("mine")
    before = contents(workplace)
    with limited(resource.RLIMIT_FSIZE, size):
        done = run("train plan.toml -o out")
    assert done.code == 1
    assert done.sentence.endswith(f": cannot be written: {os.strerror(errno.EFBIG)}")
    assert contents(workplace) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)]
    try:
        mounted = subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small file system needs the rights of root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_fills_up(small_disk, trained, workplace):
    text = workplace / "large.conll"
    text.write_text("Lima\tPROPN\tB-LOC\n\n" * 8000)
    kept = small_disk / "kept"
    kept.write_text("kept")
    for command in (f"tag {trained} {text} -o {kept}", f"data convert {text} {kept} --to conll --tag ner=2"):
        done = run(command)
        assert (done.code, done.sentence) == (1, f"{kept}: cannot be written: No space left on device")
        assert contents(small_disk) == {"kept": b"kept"}
    done = run(f"train plan.toml -o {small_disk / 'out'} --set words.english.hidden=64")
    assert done.code == 1
    assert done.sentence.endswith("cannot be written: No space left on device")
    assert contents(small_disk) == {"kept": b"kept"}


def test_a_closed_pipe_is_no_error(trained, workplace):
    Path("large.conll").write_text("Lima\tPROPN\tB-LOC\n\n" * 40_000)
    with polytag("tag", trained, "large.conll", "--task", "ner") as tagging:
        assert tagging.stdout is not None
        assert tagging.stderr is not None
        assert tagging.stdout.readline().startswith(b"Lima\tPROPN\tB-LOC\t")
        tagging.stdout.close()
        assert tagging.stderr.read() == b""
    assert tagging.returncode == 0


def test_an_interrupted_tagging_leaves_nothing(trained, workplace):
    before = contents(workplace)
    with polytag("tag", trained, "-o", "out") as tagging:
        wait_for(lambda: any(Path().glob(".out.*")))
        assert interrupted(tagging)[-1] == "polytag: interrupted"
    assert tagging.returncode == 130
    assert contents(workplace) == before


def test_a_training_keeps_others_out_and_can_be_interrupted_and_resumed(workplace, quick_python):
    with polytag("train", "plan.toml", "-o", "out", *ENDLESS, python=quick_python) as training:
        wait_for(lambda: Path("out/metrics.jsonl").exists())
        for command, sentence in {
            "train plan.toml -o out": "out: holds a training already",
            "train plan.toml -o out --resume": "out: another process is training into this directory",
        }.items():
            second = run(command)
            assert (second.code, sentence in second.sentence) == (1, True)
        lines = interrupted(training)
    assert training.returncode == 130
    assert lines[-1] == "polytag: interrupted; to go on: polytag train --resume out"
    assert "Traceback" not in "".join(lines)
    assert run(["tag", "out"], stdin="Lima\n").code == 0, "the model is whole"
    assert run("train --resume out --quiet --set training.epochs=1").code == 0


def interrupted(process: "subprocess.Popen[bytes]") -> list[str]:
    """Press Ctrl-C and give the lines on stderr."""
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    return process.stderr.read().decode().strip().splitlines()


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


# Tags one file after the other and tells the peak of resident memory so far (KiB on Linux).
_MEASURE = """
import json, resource, sys
from polytag.cli import main
peaks = []
for file in sys.argv[2:]:
    try:
        main(["tag", sys.argv[1], file, "-o", file + ".tagged"])
    except SystemExit as exit_:
        assert exit_.code == 0
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(json.dumps(peaks))
"""
LONG = {
    "one word": "Lima\n\n",
    "a word of 100,000 characters": "x" * 100_000 + "\n\n",
    "20,000 sentences": "Lima\nleft\n.\n\n" * 20_000,
    "a sentence of 50,000 words": "".join(f"w{n}\n" for n in range(50_000)) + "\n",
}


def test_a_long_word_and_a_long_sentence_in_bounded_memory(trained, workplace):
    for number, text in enumerate(LONG.values()):
        Path(f"{number}").write_text(text)
    command = [sys.executable, "-c", _MEASURE, str(trained), *map(str, range(len(LONG)))]
    done = subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT)
    told = done.stderr.decode().splitlines()
    assert all(line.startswith("3: ") and "unlike the text" in line for line in told)  # words that nobody has
    peaks = json.loads(done.stdout)
    assert all(peak < peaks[0] + 200 for peak in peaks), dict(zip(LONG, peaks, strict=True))
    for number, text in enumerate(LONG.values()):
        assert Path(f"{number}.tagged").read_text().count("\n") == text.count("\n")


def test_too_little_memory_is_one_sentence(workplace):
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    with limited(resource.RLIMIT_AS, in_use + 4096 * MIB):
        done = run("train plan.toml -o out --set words.english.hidden=100000")
    assert (done.code, done.sentence.partition(";")[0]) == (1, "out of memory")
    assert not Path("out").exists()


def test_closed_streams_are_empty_ones(workplace):
    for closing in ("<&-", ">&-", "2>&-"):
        shell = f'exec "$0" -m polytag data check test.conll {closing}'
        done = subprocess.run(["sh", "-c", shell, sys.executable], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")


def test_it_is_a_command_and_a_module():
    module = subprocess.run([sys.executable, "-m", "polytag", "--version"], capture_output=True, check=True)
    assert module.stdout.startswith(b"polytag, version ")
    script = Path(sys.executable).with_name("polytag")
    if not script.exists():
        pytest.skip("polytag is not installed beside this Python")
    assert subprocess.run([script, "--version"], capture_output=True, check=True).stdout == module.stdout
