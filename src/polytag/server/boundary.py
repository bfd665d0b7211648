"""Around the app: memory that all requests share, headers that every reply has, replies in pieces."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from polytag.server.refusals import busy

PIECE_BYTES = 1 << 16  # the server waits before the next one until a slow client has read
HOLD = "polytag.hold"
FULL = "the server holds as much text as it takes, try again in a second"

# Nothing but the page's own files is loaded or run, whatever the text that is tagged may hold.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

# A proxy may believe the one and this server the other; then what one takes for a body is a request for the other.
TWO_LENGTHS = JSONResponse(
    {"error": "the request has both a Content-Length and a Transfer-Encoding, expected one of them"},
    HTTPStatus.BAD_REQUEST,
    {"connection": "close"},
)


class Budget:
    """Bytes of requests and answers that are in memory."""

    def __init__(self, limit: int) -> None:
        self.limit, self.held = limit, 0

    @contextmanager
    def hold(self) -> Iterator["Hold"]:
        """One request's share, given back at its end."""
        hold = Hold(self)
        try:
            yield hold
        finally:
            self.held -= hold.bytes


class Hold:
    """What one request has in memory."""

    def __init__(self, budget: Budget) -> None:
        self._budget, self.bytes = budget, 0

    def ask(self, size: int) -> None:
        """Take ``size`` bytes more.

        Raises:
            RefusedError: all requests together would hold too much.
        """
        if self._budget.held + size > self._budget.limit:
            raise busy(FULL)
        self.take(size)

    def give_back(self) -> None:
        """What was held is gone."""
        self.take(-self.bytes)

    def take(self, size: int) -> None:
        """Count bytes that are there already."""
        self.bytes += size
        self._budget.held += size


class Boundary:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp, *, budget: Budget, linger: float) -> None:
        """``linger`` is for how many seconds the rest of a body is read that nobody wants."""
        self.app, self.budget, self.linger = app, budget, linger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its `Hold` in the scope."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self.budget.hold() as hold:
            scope[HOLD] = hold
            body = _Body(receive)

            async def guarded(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message).update(HEADERS)
                elif not body.is_read and not message.get("more_body", False):
                    # Closing before a client has sent all would cut it off from the answer that says why.
                    await send({**message, "more_body": True})
                    hold.give_back()
                    await body.discard(self.linger)
                    message = {"type": "http.response.body", "body": b""}
                for part in _pieces(message):
                    await send(part)

            has_two_lengths = {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}
            await (TWO_LENGTHS if has_two_lengths else self.app)(scope, body.receive, guarded)


class _Body:
    """Knows whether a request's body has come to its end."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self.is_read = receive, False

    async def receive(self) -> Message:
        message = await self._receive()
        self.is_read = not message.get("more_body", False)  # also where the client is gone
        return message

    async def discard(self, seconds: float) -> None:
        """Read to the end, but no longer than so."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.is_read:
                    await self.receive()


def _pieces(message: Message) -> Iterator[Message]:
    body = message.get("body", b"")
    if len(body) <= PIECE_BYTES:
        yield message
        return
    for start in range(0, len(body), PIECE_BYTES):
        more = start + PIECE_BYTES < len(body) or message.get("more_body", False)
        yield {**message, "body": body[start : start + PIECE_BYTES], "more_body": more}
