"""Connections of uvicorn that do not wait for ever: not for a request's head, not for a client that does not read."""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from polytag.server.limits import Limits

HEAD = (
    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{more}connection: close\r\n\r\n"
)


class Connection(H11Protocol):
    """An HTTP/1.1 connection with deadlines; what is no HTTP gets an error in JSON too."""

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for the head of a request, unless there are connections enough."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            sentence = f"the server has as many connections as it takes ({self.limits.connections:,})"
            self._refuse("503 Service Unavailable", sentence, "retry-after: 1\r\n")
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to read the answer."""
        super().on_response_complete()
        self._watch_end()

    def shutdown(self) -> None:
        """The server comes to its end."""
        super().shutdown()
        self._watch_end()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came for a while."""
        super().timeout_keep_alive_handler()
        self._watch_end()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._stalled = _cancelled(self._stalled)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self._head, self._stalled = _cancelled(self._head), _cancelled(self._stalled)
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn says it in two words
        """Answer what is no HTTP."""
        self._refuse("400 Bad Request", "the request is not HTTP/1.1 as this server reads it")

    def _refuse(self, status: str, sentence: str, more: str = "") -> None:
        body = json.dumps({"error": sentence})
        self.transport.write((HEAD.format(status=status, length=len(body), more=more) + body).encode())
        self.transport.close()
        self._watch_end()

    def _watch(self) -> None:
        """A deadline from the first byte of a head, or of what is left of a refused body, to its last."""
        waiting = self.cycle is None or self.cycle.response_complete
        if not waiting or self.transport.is_closing():
            self._head = _cancelled(self._head)
        elif self._head is None:
            self._head = self.loop.call_later(self.limits.head_seconds, self.transport.abort)

    def _watch_end(self) -> None:
        if self.transport.is_closing():
            self._watch_reader()

    def _watch_reader(self) -> None:
        if self._stalled is None:
            self._stalled = self.loop.call_later(self.limits.read_seconds, self.transport.abort)


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    if timer is not None:
        timer.cancel()
    return None
