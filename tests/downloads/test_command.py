"""``polytag data get`` as its user sees it: licences, prompts, paths, a kill, two at once, a training at the end."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from polytag.cli import main
from polytag.cli.data_get import get
from polytag.downloads import lookup
from polytag.files import locked
from tests.downloads import archives
from tests.downloads.server import Site

ENVIRONMENT = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "NO_PROXY": "*"}
VECTORS = "fasttext-wiki:sw"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """A command in this process: exit code, stdout, stderr."""
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return int(str(exit_.value.code or 0)), out, err


@pytest.fixture
def offered(site: Site, catalogue: None, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Everything that the tests fetch, from the mirror that the environment names."""
    for name in ("conll2000", "conll2002", "ud:UD_Galician-TreeGal", VECTORS):
        site.files |= archives.published(lookup(name))
    monkeypatch.setenv("POLYTAG_MIRROR", site.url)
    return site


def test_from_nothing_to_a_trained_model(offered: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "data", "get", "conll2000", "--data", tmp_path, "--accept-licence")
    assert code == 0, err
    *paths, train = out.splitlines()
    assert all(Path(path).is_file() for path in paths)
    assert "licence: none stated. " in err
    assert "has SHA-256" in err
    assert train == f"polytag train {tmp_path / 'conll2000.toml'} --output conll2000"
    small = ["words.english.hidden=8", "chars.latin.hidden=4", "training.epochs=1", "training.threads=1"]
    settings = [word for setting in small for word in ("--set", setting)]
    code, _, err = run(capsys, *train.split()[1:4], tmp_path / "model", *settings, "--quiet")
    assert code == 0, err
    assert (tmp_path / "model/report.json").exists()


def test_a_second_time_it_says_so_and_asks_nothing(
    offered: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run(capsys, "data", "get", "conll2002", "--data", tmp_path, "--accept-license")
    offered.requests.clear()
    code, out, err = run(capsys, "data", "get", "conll2002", "--data", tmp_path)
    assert (code, err) == (0, "conll2002: already there, complete and unchanged\n")
    assert sorted(out.splitlines()) == sorted(first[1].splitlines())
    assert not offered.requests


def test_without_a_terminal_the_licence_must_be_accepted_by_option(
    offered: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, out, err = run(capsys, "data", "get", "ud:UD_Galician-TreeGal", "--data", tmp_path)
    assert (code, out) == (1, "")
    assert "This work is licensed under CC BY-SA 4.0." in err  # the treebank's own, fetched to be shown
    assert err.splitlines()[-1].endswith("read it and give --accept-licence")
    assert len(offered.requests) == 1


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_in_a_terminal_it_asks(
    answer: str, code: int, offered: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True)
    done = CliRunner().invoke(get, ["conll2000", "--data", str(tmp_path)], input=answer)
    assert "Do you accept it? [y/N]" in done.stderr
    assert done.exit_code == code
    assert bool(offered.requests) == (tmp_path / "conll2000").exists() == (code == 0)
    if code:
        assert str(done.exception) == "conll2000: the licence was not accepted, nothing is downloaded"


def test_vectors_say_how_to_use_them(offered: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "data", "get", VECTORS, "--data", tmp_path, "--accept-licence")
    path = tmp_path / "vectors/wiki.sw.vec"
    assert code == 0
    assert out.splitlines() == [
        str(path),
        f"polytag train PLAN.toml --output MODEL --set words.NAME.vectors={path.resolve()}",
    ]


def test_the_list_holds_every_name(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "data", "get", "--list")
    assert code == 0
    for name in ("conll2000", "conll2002", "ud:", "masakhaner:", "senna", "polyglot:", "fasttext:"):
        assert f"\n{name}" in f"\n{out}"
    assert out.count("licence: ") == len(out.split("\n")) // 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "name what to download"),
        (["conll200"], 1, "there is nothing to download named 'conll200'; did you mean 'conll2002'?"),
        (["conll2000", "--mirror", "localhost"], 1, "--mirror localhost: expected a URL such as http://localhost:8000"),
        (["conll2000", "--mirror", "http://127.0.0.1:9"], 1, "no connection"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(
    arguments: list[str], code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    found, out, err = run(capsys, "data", "get", *arguments, "--data", tmp_path, "--accept-licence")
    assert (found, out) == (code, "")
    assert message in err.splitlines()[-1]


def test_without_a_data_directory(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLYTAG_DATA", raising=False)
    code, _, err = run(capsys, "data", "get", "conll2000")
    assert code == 2
    assert err.startswith("polytag: no data directory: name one with --data or POLYTAG_DATA")


def test_in_a_terminal_there_is_a_bar(
    offered: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    code, _, err = run(capsys, "data", "get", "conll2000", "--data", tmp_path, "--accept-licence")
    assert code == 0
    assert "conll2000.zip: 100%" in err


def started(site: Site, data: Path) -> "subprocess.Popen[str]":
    """The command in a process of its own."""
    line = ["data", "get", VECTORS, "--data", str(data), "--accept-licence", "--mirror", site.url]
    return subprocess.Popen(
        [sys.executable, "-m", "polytag", *line],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


@pytest.fixture
def large(offered: Site) -> str:
    """The path of a file of half a megabyte, sent slowly."""
    (path,) = archives.published(lookup(VECTORS))
    offered.files[path] = b"9000 12\n" + b"".join(b"w%05d %s\n" % (n, b"0.1 " * 11 + b"0.1") for n in range(9000))
    offered.slow = 0.02
    return path


def wait_for(part: Path, size: int) -> None:
    for _ in range(2000):
        if part.exists() and part.stat().st_size >= size:
            return
        time.sleep(0.01)
    raise AssertionError("nothing came")


def test_killed_in_the_middle_only_the_rest_is_fetched(offered: Site, large: str, tmp_path: Path) -> None:
    part = tmp_path / ".downloads/fasttext-wiki-sw/wiki.sw.vec.part"
    with started(offered, tmp_path) as first:
        wait_for(part, 100_000)
        first.send_signal(signal.SIGKILL)
    kept = part.stat().st_size
    assert not (tmp_path / "vectors").exists()
    offered.slow, offered.requests, offered.sent = 0.0, [], defaultdict(int)
    with started(offered, tmp_path) as second:
        _, err = second.communicate()
    assert second.returncode == 0, err
    assert offered.requests == [(large, f"bytes={kept}-")]
    assert offered.sent[large] == len(offered.files[large]) - kept
    assert (tmp_path / "vectors/wiki.sw.vec").read_bytes() == offered.files[large]


def test_two_at_once_fetch_once(offered: Site, large: str, tmp_path: Path) -> None:
    part = tmp_path / ".downloads/fasttext-wiki-sw/wiki.sw.vec.part"
    with started(offered, tmp_path) as first:
        wait_for(part, 1)
        offered.slow = 1.0
        with started(offered, tmp_path) as second:
            assert second.stderr is not None
            waited = ""
            for line in second.stderr:
                waited += line
                if "another polytag is downloading into it; waiting" in line:
                    offered.slow = 0.0  # only now can the first one end
        _, err = first.communicate()
    assert (first.returncode, second.returncode) == (0, 0), err + waited
    assert "waiting" in waited
    assert "already there, complete and unchanged" in waited
    assert len(offered.requests) == 1


def test_a_failed_connection_leaves_nothing(
    offered: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    mirror = ["--mirror", "http://127.0.0.1:9", "--accept-licence"]
    for data in (tmp_path / "new", tmp_path):
        code, _, err = run(capsys, "data", "get", "conll2000", "--data", data, *mirror)
        assert (code, "no connection" in err) == (1, True)
        assert not list(tmp_path.iterdir())


LOCK = ".downloads/lock"


def test_a_process_that_waits_goes_on_where_another_has_failed(tmp_path: Path) -> None:
    data, order = tmp_path / "data", list[str]()
    held, told = threading.Event(), threading.Event()

    def fail() -> None:
        with suppress(RuntimeError), locked(data, doing="", lock=LOCK, waiting=lambda: None):
            held.set()
            told.wait(10)
            raise RuntimeError

    def waiting() -> None:
        order.append("waits")
        told.set()

    first = threading.Thread(target=fail)
    first.start()
    assert held.wait(10)
    with locked(data, doing="", lock=LOCK, waiting=waiting):
        order.append("has it")
        assert (data / LOCK).exists()
    first.join()
    assert order == ["waits", "has it"]


def test_without_httpx_nobody_is_asked(
    offered: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    code, out, err = run(capsys, "data", "get", "conll2000", "--data", tmp_path, "--accept-licence")
    assert (code, out) == (1, "")
    assert err == "polytag: httpx is not installed, expected it for downloads: pip install 'polytag[download]'\n"
    assert not list(tmp_path.iterdir())
