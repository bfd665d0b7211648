"""Numbers for Prometheus at `GET /metrics`. Needs prometheus_client, the extra ``polytag[metrics]``."""

import time
from collections.abc import Collection
from http import HTTPStatus
from importlib.util import find_spec

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from polytag.server.refusals import RefusedError

MISSING = "prometheus_client is not installed, expected it for /metrics: pip install 'polytag[metrics]'"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds


class Metrics:
    """Counts requests, and says how busy the server is; nothing is counted where the library is not installed."""

    def __init__(self, paths: Collection[str]) -> None:
        """``paths`` are told apart; all others are one."""
        self._paths, self.is_there = frozenset(paths), find_spec("prometheus_client") is not None
        if not self.is_there:
            return
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = CollectorRegistry()
        self._requests = Counter("polytag_requests", "Requests.", ["path", "status"], registry=self._registry)
        self._seconds = Histogram(
            "polytag_request_seconds", "Until the last byte of the answer.", ["path"], buckets=BUCKETS,
            registry=self._registry,
        )  # fmt: skip
        self._reloads = Counter("polytag_reloads", "Models read anew.", ["model", "outcome"], registry=self._registry)
        self._trainings = Counter("polytag_trainings", "Of a live model.", ["outcome"], registry=self._registry)
        self.waiting = Gauge("polytag_waiting", "Requests in the queue.", registry=self._registry)
        self.running = Gauge("polytag_running", "Requests that are being tagged.", registry=self._registry)

    def text(self) -> tuple[bytes, str]:
        """All numbers, and their media type.

        Raises:
            RefusedError: prometheus_client is not installed.
        """
        if not self.is_there:
            raise RefusedError(HTTPStatus.NOT_IMPLEMENTED, MISSING)
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def reloaded(self, model: str, is_good: bool) -> None:
        """Count that a model was read anew, or could not be."""
        if self.is_there:
            self._reloads.labels(model, "read" if is_good else "failed").inc()

    def trained(self, is_good: bool) -> None:
        """Count that a live model was trained, or could not be."""
        if self.is_there:
            self._trainings.labels("answers" if is_good else "failed").inc()

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        path = path if path in self._paths else "other"
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)


class Counted:
    """A layer around the app that counts its requests."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or not self.metrics.is_there:
            await self.app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            self.metrics.answered(scope["path"], status, time.perf_counter() - began)
