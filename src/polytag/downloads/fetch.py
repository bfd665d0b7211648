"""One file over HTTP: resumed where it broke off, tried again where the network fails, checked when it is whole."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit, urlunsplit

from polytag.downloads.catalogue import NONE
from polytag.downloads.part import Part, digest_of
from polytag.downloads.replies import AbsentError, AgainError, bytes_in_all, reason, require_file
from polytag.errors import PolytagError

if TYPE_CHECKING:
    import ssl

    import httpx

T = TypeVar("T")
Progress = Callable[[str, int, int | None], None]  # the file's name, bytes so far, bytes in all where known

MISSING = "httpx is not installed, expected it for downloads: pip install 'polytag[download]'"
LONGEST_PAUSE = 60.0  # seconds, also where a server asks for more
LICENCE_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What a file must be: bytes and checksums, as far as they are known; ``note`` says where they are from."""

    size: int | None = None
    md5: str = NONE
    sha256: str = NONE
    note: str = ""

    @property
    def is_checked(self) -> bool:
        """Whether a wrong file would be noticed."""
        return {self.md5, self.sha256} != {NONE}

    def wrong(self, path: Path) -> str:
        """How a file differs, as the end of a sentence; empty if it does not."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f"{size:,} bytes, expected {self.size:,}"
        for algorithm, name, wanted in (("sha256", "SHA-256", self.sha256), ("md5", "MD5", self.md5)):
            if wanted != NONE and (found := digest_of(path, algorithm)) != wanted:
                return f"its {name} is {found}, expected {wanted}"
        return ""


@dataclass(frozen=True, kw_only=True)
class Fetcher:
    """How files are fetched.

    Args:
        mirror: takes the place of scheme and host of every URL, "http://localhost:8000/copies".
        attempts: failures in a row without a byte of progress after which it gives up.
        pause: seconds after the first failure; each further one doubles it.
        timeout: seconds without a byte after which a connection counts as broken.
        progress: is told of every chunk.
    """

    mirror: str = ""
    attempts: int = 5
    pause: float = 1.0
    timeout: float = 60.0
    progress: Progress | None = None

    def address(self, url: str) -> str:
        """Where ``url`` is asked for.

        Raises:
            PolytagError: the mirror is no http or https URL.
        """
        if not self.mirror:
            return url
        mirror, real = urlsplit(self.mirror), urlsplit(url)
        if mirror.scheme not in ("http", "https") or not mirror.netloc:
            raise PolytagError(f"--mirror {self.mirror}: expected a URL such as http://localhost:8000")
        return urlunsplit((mirror.scheme, mirror.netloc, mirror.path.rstrip("/") + real.path, real.query, ""))

    def text(self, url: str) -> str | None:
        """A short text, such as a licence; None where the server has none.

        Raises:
            PolytagError: it cannot be fetched, or is longer than 1 MiB.
        """
        address = self.address(url)
        try:
            with _client(self.timeout) as client:
                return self._insist(lambda: _read(client, address), progressed=lambda: 0, address=address)
        except AbsentError:
            return None

    def file(self, url: str, target: Path, *, expected: Expected) -> str | None:
        """Bring ``url`` to ``target``, whole and checked, and return its SHA-256; None where the server has none.

        What is there of it in ``target.part`` is not fetched again, unless the file has changed since.

        Raises:
            PolytagError: it cannot be fetched or written, or is not what was expected.
        """
        part, address = Part(target, url), self.address(url)
        try:
            with _client(self.timeout) as client, _told(part.path):
                doubtful = part.size() > 0  # what is there of it may be of another file
                while True:
                    self._insist(
                        lambda: self._continue(client, address, part, expected), progressed=part.size, address=address
                    )
                    wrong = expected.wrong(part.path)
                    if not wrong:
                        sha256 = digest_of(part.path, "sha256")
                        part.finish()
                        return sha256
                    part.forget()
                    if not doubtful:
                        raise PolytagError(f"{address}: {wrong}{expected.note}; what was fetched is removed")
                    doubtful = False
        except AbsentError:
            return None

    def _insist(self, action: Callable[[], T], *, progressed: Callable[[], int], address: str) -> T:
        """Try until it works, with longer and longer pauses."""
        import httpx

        failures, tries, before = 0, 0, progressed()
        while True:
            try:
                return action()
            except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                raise PolytagError(f"{address}: {error}") from error
            except (httpx.TransportError, AgainError) as error:
                now, tries = progressed(), tries + 1
                failures = 1 if now > before else failures + 1
                before = now
                if failures >= self.attempts or tries >= 10 * self.attempts:
                    raise PolytagError(f"{address}: {reason(error)}; tried {tries} times") from error
                asked = error.pause if isinstance(error, AgainError) else 0.0
                time.sleep(min(max(asked, self.pause * 2 ** (failures - 1)), LONGEST_PAUSE))
            except httpx.HTTPError as error:
                raise PolytagError(f"{address}: {error}") from error

    def _continue(self, client: "httpx.Client", address: str, part: Part, expected: Expected) -> None:
        """One request: for the rest of what is there, or for all of it."""
        have = part.resumable(checked=expected.is_checked)
        if have and have == expected.size:
            return
        with client.stream("GET", address, headers=part.conditions(have)) as response:
            if have and response.status_code == 416:
                if response.headers.get("Content-Range") == f"bytes */{have}":
                    return  # all of it came before the connection broke
                part.forget()
                raise AgainError("the server has less of the file than was fetched")
            require_file(response, address)
            start = have if response.status_code == 206 else 0
            total = bytes_in_all(response, start=start, address=address)
            if expected.size is not None and total is not None and total != expected.size:
                sizes = f"{total:,} bytes, expected {expected.size:,}"
                raise PolytagError(f"{address}: {sizes}: it is not the file that the catalogue knows")
            _require_space(part.path, (total or 0) - start)
            self._receive(response, part, start=start, total=total)

    def _receive(self, response: "httpx.Response", part: Part, *, start: int, total: int | None) -> None:
        with part.open(start, response.headers) as file:
            done = start
            self._tell(part, done, total)
            for chunk in response.iter_raw():  # as it comes: what waits to fill a chunk is lost with the connection
                file.write(chunk)
                done += len(chunk)
                self._tell(part, done, total)
            os.fsync(file.fileno())
        if total is not None and done != total:
            raise AgainError(f"{done:,} bytes came, {total:,} were promised")

    def _tell(self, part: Part, done: int, total: int | None) -> None:
        if self.progress:
            self.progress(part.target.name, done, total)


def check_httpx() -> None:
    """See to it that something can be fetched.

    Raises:
        PolytagError: httpx is not installed.
    """
    try:
        import httpx  # noqa: F401
    except ImportError as error:
        raise PolytagError(MISSING) from error


@contextmanager
def _client(timeout: float) -> Iterator["httpx.Client"]:
    check_httpx()
    import httpx

    limits = httpx.Timeout(timeout, connect=min(timeout, 20.0))
    headers = {"Accept-Encoding": "identity", "User-Agent": "polytag"}  # the bytes as they lie on the server
    try:
        client = httpx.Client(follow_redirects=True, timeout=limits, headers=headers, verify=_certificates())
    except (ValueError, ImportError) as error:  # of a proxy that is no URL, or needs a package more
        raise PolytagError(f"the proxy that the environment names cannot be used: {error}") from error
    with client:
        yield client


@cache
def _certificates() -> "ssl.SSLContext":
    """Who is trusted: read once, for it takes longer than fetching a small file."""
    import httpx

    return httpx.create_ssl_context()


def _read(client: "httpx.Client", address: str) -> str:
    with client.stream("GET", address) as response:
        require_file(response, address)
        found = b""
        for chunk in response.iter_raw():
            found += chunk
            if len(found) > LICENCE_BYTES:
                raise PolytagError(f"{address}: more than {LICENCE_BYTES:,} bytes, expected a licence")
        return found.decode("utf-8", errors="replace")


def _require_space(path: Path, needed: int) -> None:
    free = shutil.disk_usage(next(parent for parent in path.parents if parent.exists())).free
    if needed > free:
        raise PolytagError(f"{path.parent}: {free:,} bytes are free, expected {needed:,} for {path.stem}")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """A full disk or a directory that is read-only, in one sentence."""
    try:
        yield
    except OSError as error:
        raise PolytagError(f"{path}: cannot be written: {error.strerror or error}") from error
