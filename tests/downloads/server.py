"""A server on the loopback with files in memory, and the faults that servers have."""

import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Site:
    """What is served under each path, how it misbehaves, and what was asked of it.

    ``replies`` are statuses given before the file, ``cuts`` bytes of a body after which the connection is closed,
    one per request; ``redirects`` lead from path to path; ``slow`` is seconds between chunks.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    replies: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    cuts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    redirects: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    etags: bool = True
    slow: float = 0.0
    requests: list[tuple[str, str]] = field(default_factory=list)  # path and Range
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # bytes of bodies


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        site, path = self.site, urlsplit(self.path).path
        self.sent = site.sent  # of this moment: what an old request still sends does not count once a test forgets
        site.requests.append((path, self.headers.get("Range", "")))
        if site.replies[path]:
            self._nothing(site.replies[path].pop(0))
        elif path in site.redirects:
            self._nothing(302, Location=site.redirects[path])
        elif path not in site.files:
            self._nothing(404)
        else:
            self._file(path, site.files[path])

    def _nothing(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _file(self, path: str, content: bytes) -> None:
        site, etag = self.site, f'"{hashlib.md5(content).hexdigest()}"'
        start = self._start(etag)
        if start is not None and start >= len(content):
            self._nothing(416, **{"Content-Range": f"bytes */{len(content)}"})
            return
        body = content[start or 0 :]
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if site.etags:
            self.send_header("ETag", etag)
        for name, value in {"Content-Length": str(len(body)), **site.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if site.cuts[path]:
            body = body[: site.cuts[path].pop(0)]
            self.close_connection = True
        self._send(path, body)

    def _start(self, etag: str) -> int | None:
        """The first byte of a range that is asked for and granted."""
        asked = self.headers.get("Range", "")
        if not self.site.ranges or not asked or self.headers.get("If-Range", etag) != etag:
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _send(self, path: str, body: bytes) -> None:
        step = 4096 if self.site.slow else len(body) or 1
        for start in range(0, len(body), step):
            chunk = body[start : start + step]
            self.sent[path] += len(chunk)  # before: the test may look as soon as the bytes are there
            try:
                self.wfile.write(chunk)
            except OSError:  # whoever asked is gone
                self.close_connection = True
                return
            if self.site.slow:
                time.sleep(self.site.slow)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked has hung up: that is what the tests are about."""


@contextmanager
def serving() -> Iterator[Site]:
    """A site and its server, which ends with the block."""
    site = Site()
    handler = type("SiteHandler", (Handler,), {"site": site})
    server = Server(("127.0.0.1", 0), handler)
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
