"""Fetching one file from a server with the faults that servers have."""

import hashlib
import os
import random
import re
import socket
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from polytag.downloads import Fetcher
from polytag.downloads.fetch import Expected
from polytag.errors import PolytagError
from tests.downloads.server import Site

URL = "https://example.org/files/corpus.bin"
PATH = "/files/corpus.bin"
CONTENT = random.Random(7).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
RIGHT = Expected(size=len(CONTENT), md5=hashlib.md5(CONTENT).hexdigest())
UNKNOWN = Expected()


@pytest.fixture
def target(tmp_path: Path, site: Site) -> Path:
    site.files[PATH] = CONTENT
    return tmp_path / "work" / "corpus.bin"


def fetched(fetcher: Fetcher, target: Path, expected: Expected = UNKNOWN) -> None:
    """Fetch, and check that nothing but the file is left."""
    assert fetcher.file(URL, target, expected=expected) == SHA256
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_file_comes_whole(fetcher: Fetcher, target: Path, site: Site) -> None:
    fetched(fetcher, target, RIGHT)
    assert site.requests == [(PATH, "")]


def test_progress_is_told(fetcher: Fetcher, target: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    fetched(replace(fetcher, progress=lambda *now: seen.append(now)), target)
    assert (seen[0], seen[-1]) == (("corpus.bin", 0, len(CONTENT)), ("corpus.bin", len(CONTENT), len(CONTENT)))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_a_redirect_is_followed(fetcher: Fetcher, target: Path, site: Site) -> None:
    site.redirects[PATH] = "/elsewhere"
    site.files["/elsewhere"] = CONTENT
    fetched(fetcher, target)


@pytest.mark.parametrize("expected", [UNKNOWN, RIGHT], ids=["no checksum", "checksum"])
def test_a_broken_connection_is_taken_up_where_it_broke(
    fetcher: Fetcher, target: Path, site: Site, expected: Expected
) -> None:
    site.cuts[PATH] = [100_000, 50_000]
    fetched(fetcher, target, expected)
    assert site.sent[PATH] == len(CONTENT)
    assert [asked for _, asked in site.requests] == ["", "bytes=100000-", "bytes=150000-"]


@pytest.mark.parametrize("fault", ["no ranges", "no validator"])
def test_where_a_rest_cannot_be_had_all_of_it_is_fetched_again(
    fetcher: Fetcher, target: Path, site: Site, fault: str
) -> None:
    site.ranges, site.etags = fault != "no ranges", fault != "no validator"
    site.cuts[PATH] = [100_000]
    fetched(fetcher, target)
    assert site.sent[PATH] == 100_000 + len(CONTENT)


def test_a_checksum_will_do_where_there_is_no_validator(fetcher: Fetcher, target: Path, site: Site) -> None:
    site.etags = False
    site.cuts[PATH] = [100_000]
    fetched(fetcher, target, RIGHT)
    assert site.sent[PATH] == len(CONTENT)


def interrupted(fetcher: Fetcher, target: Path, site: Site, at: int = 100_000) -> None:
    """Leave a part of the file behind, as a kill would."""
    site.cuts[PATH] = [at]
    with pytest.raises(PolytagError, match=r"the connection broke"):
        replace(fetcher, attempts=1).file(URL, target, expected=UNKNOWN)
    assert target.with_name("corpus.bin.part").stat().st_size == at
    site.sent = defaultdict(int)


def test_a_later_run_goes_on(fetcher: Fetcher, target: Path, site: Site) -> None:
    interrupted(fetcher, target, site)
    fetched(fetcher, target)
    assert site.sent[PATH] == len(CONTENT) - 100_000


def test_a_file_that_has_changed_is_fetched_anew(fetcher: Fetcher, target: Path, site: Site) -> None:
    site.files[PATH] = b"x" * 200_000
    interrupted(fetcher, target, site)
    site.files[PATH] = CONTENT
    fetched(fetcher, target)
    assert site.sent[PATH] == len(CONTENT)


def test_a_file_that_has_changed_unnoticed_is_fetched_anew_where_the_checksum_tells(
    fetcher: Fetcher, target: Path, site: Site
) -> None:
    site.etags = False
    site.files[PATH] = b"x" * 200_000
    interrupted(fetcher, target, site)
    site.files[PATH] = CONTENT
    fetched(fetcher, target, RIGHT)


def test_a_kill_after_the_last_byte_costs_nothing(fetcher: Fetcher, target: Path, site: Site) -> None:
    interrupted(fetcher, target, site, at=len(CONTENT) - 1)
    with target.with_name("corpus.bin.part").open("ab") as part:
        part.write(CONTENT[-1:])
    fetched(fetcher, target)
    assert site.sent[PATH] == 0


def test_more_than_there_is_is_begun_anew(fetcher: Fetcher, target: Path, site: Site) -> None:
    interrupted(fetcher, target, site)
    target.with_name("corpus.bin.part").write_bytes(CONTENT + b"more")
    fetched(fetcher, target)


def test_notes_that_are_damaged_are_no_notes(fetcher: Fetcher, target: Path, site: Site) -> None:
    interrupted(fetcher, target, site)
    target.with_name("corpus.bin.part.json").write_text("{")
    fetched(fetcher, target)
    assert site.sent[PATH] == len(CONTENT)


@pytest.mark.parametrize("status", [503, 429, 500])
def test_a_busy_server_is_asked_again(fetcher: Fetcher, target: Path, site: Site, status: int) -> None:
    site.replies[PATH] = [status, status]
    fetched(fetcher, target)
    assert len(site.requests) == 3


def test_pauses_grow(fetcher: Fetcher, target: Path, site: Site) -> None:
    site.replies[PATH] = [503] * 9
    with mock.patch("time.sleep") as sleep, pytest.raises(PolytagError, match=r"HTTP 503 .*tried 4 times"):
        replace(fetcher, attempts=4, pause=0.5).file(URL, target, expected=UNKNOWN)
    assert [call.args[0] for call in sleep.call_args_list] == [0.5, 1.0, 2.0]


def test_an_optional_file_that_is_missing_is_none(fetcher: Fetcher, target: Path, site: Site) -> None:
    site.files.clear()
    assert fetcher.file(URL, target, expected=UNKNOWN) is None
    assert fetcher.text(URL) is None


@pytest.mark.parametrize(("status", "message"), [(403, "HTTP 403 Forbidden"), (204, "HTTP 204")])
def test_a_refusal_is_told(fetcher: Fetcher, target: Path, site: Site, status: int, message: str) -> None:
    site.replies[PATH] = [status]
    with pytest.raises(PolytagError, match=f"{message}.*, expected the file"):
        fetcher.file(URL, target, expected=UNKNOWN)
    assert len(site.requests) == 1


def test_a_wrong_checksum_leaves_nothing(fetcher: Fetcher, target: Path) -> None:
    with pytest.raises(PolytagError, match=r"its MD5 is .*, expected 00; what was fetched is removed"):
        fetcher.file(URL, target, expected=Expected(md5="00"))
    assert list(target.parent.iterdir()) == []


def test_a_wrong_size_is_told_before_it_is_fetched(fetcher: Fetcher, target: Path, site: Site) -> None:
    with pytest.raises(PolytagError, match=r"300,000 bytes, expected 5: it is not the file"):
        fetcher.file(URL, target, expected=Expected(size=5))


def test_a_file_that_comes_packed_is_refused(fetcher: Fetcher, target: Path, site: Site) -> None:
    site.headers["Content-Encoding"] = "gzip"
    with pytest.raises(PolytagError, match=r"came packed as gzip"):
        fetcher.file(URL, target, expected=UNKNOWN)


def test_a_server_that_falls_silent_is_told(fetcher: Fetcher, target: Path, site: Site) -> None:
    site.slow = 1.0
    with pytest.raises(PolytagError, match=r"the server fell silent.*; tried 1 times"):
        replace(fetcher, attempts=1, timeout=0.2).file(URL, target, expected=UNKNOWN)


def test_a_refused_connection_is_told(fetcher: Fetcher, target: Path) -> None:
    with socket.socket() as held:  # bound, and not listening
        held.bind(("127.0.0.1", 0))
        mirror = f"http://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(PolytagError, match=f"{re.escape(mirror + PATH)}: no connection: .*refused.*tried 3 times"):
            replace(fetcher, mirror=mirror).file(URL, target, expected=UNKNOWN)


def test_a_proxy_that_is_not_there_is_told(
    fetcher: Fetcher, target: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(PolytagError, match=r"no connection"):
        fetcher.file(URL, target, expected=UNKNOWN)
    monkeypatch.setenv("HTTP_PROXY", "nonsense://127.0.0.1:9")
    with pytest.raises(PolytagError, match=r"the proxy that the environment names cannot be used"):
        fetcher.file(URL, target, expected=UNKNOWN)


def test_redirects_without_end_are_told(fetcher: Fetcher, target: Path, site: Site) -> None:
    site.redirects[PATH] = PATH
    with pytest.raises(PolytagError, match=r"redirects"):
        fetcher.file(URL, target, expected=UNKNOWN)


def test_a_disk_without_space_is_told_before(fetcher: Fetcher, target: Path, site: Site) -> None:
    usage = mock.Mock(free=1000)
    with (
        mock.patch("shutil.disk_usage", return_value=usage),
        pytest.raises(PolytagError, match=r"1,000 bytes are free, expected 300,000 for corpus.bin"),
    ):
        fetcher.file(URL, target, expected=UNKNOWN)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_a_disk_that_fills_is_told(fetcher: Fetcher, target: Path) -> None:
    full = lambda self, start, headers: Path("/dev/full").open("wb", buffering=0)  # noqa: E731, SIM115
    with (
        mock.patch("polytag.downloads.part.Part.open", full),
        pytest.raises(PolytagError, match=r"corpus.bin.part: cannot be written: No space left on device"),
    ):
        fetcher.file(URL, target, expected=UNKNOWN)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_directory_that_is_read_only_is_told(fetcher: Fetcher, target: Path) -> None:
    target.parent.mkdir()
    target.parent.chmod(0o500)
    with pytest.raises(PolytagError, match=r"cannot be written: Permission denied"):
        fetcher.file(URL, target, expected=UNKNOWN)


def test_a_mirror_keeps_its_path_and_the_query() -> None:
    assert Fetcher(mirror="http://m:1/a/").address("https://x.org/b/c?d=e") == "http://m:1/a/b/c?d=e"
    assert Fetcher().address("https://x.org/b") == "https://x.org/b"


@pytest.mark.parametrize("mirror", ["localhost:8000", "ftp://x", "http://"])
def test_a_mirror_that_is_no_url_is_told(mirror: str) -> None:
    with pytest.raises(PolytagError, match=f"--mirror {mirror}: expected a URL"):
        Fetcher(mirror=mirror).address(URL)


def test_a_licence_is_short(fetcher: Fetcher, site: Site) -> None:
    site.files[PATH] = b"CC BY"
    assert fetcher.text(URL) == "CC BY"
    site.files[PATH] = b"x" * (1 << 21)
    with pytest.raises(PolytagError, match=r"expected a licence"):
        fetcher.text(URL)


def test_without_httpx_the_extra_is_named(target: Path) -> None:
    with (
        mock.patch.dict("sys.modules", {"httpx": None}),
        pytest.raises(PolytagError, match=r"httpx is not installed.*polytag\[download\]"),
    ):
        Fetcher().file(URL, target, expected=UNKNOWN)
