"""A server process: its socket, its signals, its end."""

import logging
import math
import os
import signal
import socket
from asyncio import CancelledError
from collections.abc import Callable
from functools import partial
from types import FrameType

import uvicorn
from fastapi import FastAPI

from polytag.errors import PolytagError
from polytag.server.limits import Limits


class _Server(uvicorn.Server):
    """uvicorn's, which says when it is ready and ends in peace when told to, not by the signal."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], seconds_left: Callable[[], float]) -> None:
        """``seconds_left`` says for how long requests may be answered from now on, once the server is told to stop."""
        super().__init__(config)
        self._ready, self._seconds_left = ready, seconds_left

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.timeout_graceful_shutdown = math.ceil(self._seconds_left())
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler
        self.force_exit = self.should_exit and sig == signal.SIGINT  # the second Ctrl+C
        self.should_exit = True


def bind(host: str, port: int) -> socket.socket:
    """Take a port, 0 for any that is free, before a model is loaded for nothing.

    Raises:
        PolytagError: it is in use, not ours to take, or the host is not of this machine.
    """
    found = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        if os.name == "posix":
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(1)  # else a second server could take it too; connections wait until the model is loaded
    except OSError as error:
        if found is not None:
            found.close()
        raise PolytagError(f"cannot serve at {host}:{port}: {(error.strerror or str(error)).lower()}") from None
    return found


def serve(
    app: FastAPI, *, at: socket.socket, limits: Limits | None = None, ready: Callable[[], None] = lambda: None
) -> None:
    """Serve an app until SIGTERM or SIGINT; then answer what was asked before and return.

    Clients that neither send nor read what they should are left for `Limits.grace_seconds`.

    Args:
        app: what `create_app` made.
        at: a bound socket; see `bind`.
        limits: those that the app was made with.
        ready: called when requests are answered.
    """
    limits = limits or Limits()
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: the system cuts off a client that does not read
        at.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, math.ceil(limits.read_seconds * 1_000))
    config = uvicorn.Config(
        app,
        http="h11",  # which bounds the head of a request
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.connections + 1,  # uvicorn refuses at it, not above
    )
    logging.getLogger("uvicorn.error").addFilter(_is_no_end)
    _Server(config, ready, partial(_seconds_left, app, limits)).run([at])


def _seconds_left(app: FastAPI, limits: Limits) -> float:
    """What is being answered has its time; where there is nothing, whoever is connected has had it."""
    is_idle: bool = app.state.server.batcher.is_idle
    return limits.grace_seconds + (0 if is_idle else max(limits.seconds, limits.read_seconds))


def _is_no_end(record: logging.LogRecord) -> bool:
    """Whether something is worth a line in the log: that a request is given up at the end is not."""
    return not record.exc_info or record.exc_info[0] is not CancelledError
