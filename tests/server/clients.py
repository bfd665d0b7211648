"""Clients, good and bad, on bare sockets: an HTTP library would not send what hostile clients send."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, NamedTuple

import httpx
from fastapi import FastAPI


class Local:
    """Talks to an app in this process, without sockets; the app lives while the context is open."""

    def __init__(self, app: FastAPI) -> None:
        self._loop = asyncio.new_event_loop()
        self._life = app.router.lifespan_context(app)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://test")

    def __enter__(self) -> "Local":
        self._loop.run_until_complete(self._life.__aenter__())
        return self

    def __exit__(self, *error: Any) -> None:
        self._loop.run_until_complete(self._http.aclose())
        self._loop.run_until_complete(self._life.__aexit__(*error))
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Let the app live while something is done."""
        return self._loop.run_until_complete(work)

    async def ask(self, path: str, body: Any) -> httpx.Response:
        """Send JSON, among others that are sent at the same time."""
        return await self._http.post(path, json=body)

    def get(self, path: str) -> httpx.Response:
        return self._loop.run_until_complete(self._http.get(path))

    def post(self, path: str, **content: Any) -> httpx.Response:
        content.setdefault("headers", {"content-type": "application/json"})
        return self._loop.run_until_complete(self._http.post(path, **content))


class Reply(NamedTuple):
    """A status, headers and a body of JSON."""

    status: int
    headers: dict[str, str]
    body: Any


def head(size: int | None, *, path: str = "/tag", method: str = "POST") -> bytes:
    length = "transfer-encoding: chunked" if size is None else f"content-length: {size}"
    lines = [
        f"{method} {path} HTTP/1.1",
        "host: localhost",
        "connection: close",
        "content-type: application/json",
        length,
    ]
    return "\r\n".join([*lines, "\r\n"]).encode()


async def read(reader: asyncio.StreamReader) -> Reply:
    """A reply of known length."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    body = await reader.readexactly(int(headers["content-length"]))
    return Reply(int(lines[0].split()[1]), headers, json.loads(body) if "json" in headers["content-type"] else body)


async def send(port: int, *parts: bytes) -> Reply:
    """Send bytes as they are and read one reply."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(read(reader), 60)
    finally:
        writer.close()


async def post(port: int, content: Any) -> Reply:
    """Ask for tags; ``content`` is JSON, or the bytes of a body."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return await send(port, head(len(body)), body)


async def get(port: int, path: str) -> Reply:
    return await send(port, head(0, path=path, method="GET"))


async def ends(reader: asyncio.StreamReader, seconds: float) -> bytes:
    """All that the server sends until it closes the connection, which it does within ``seconds``."""
    try:
        return await asyncio.wait_for(reader.read(), seconds)
    except ConnectionError:
        return b""
