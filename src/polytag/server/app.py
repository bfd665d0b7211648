"""The ASGI app: routes, errors as one sentence, and the way of a request to the batcher and back."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from polytag.errors import PolytagError, nearest
from polytag.server.batcher import Batcher
from polytag.server.boundary import HOLD, Boundary, Budget
from polytag.server.limits import Limits
from polytag.server.metrics import Counted, Metrics
from polytag.server.models import Models, Source
from polytag.server.refusals import RefusedError, of_validation, too_large, unusable
from polytag.server.schemas import ErrorReply, HealthReply, ModelReply, TagReply, TagRequest
from polytag.server.work import Job, answer
from polytag.tagger.tagging import Tagger

PAGE = Path(__file__).parent / "page"
FILES = {  # all that the page is made of
    "/": ("index.html", "text/html"),
    "/page.js": ("page.js", "text/javascript"),
    "/page.css": ("page.css", "text/css"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
PATHS = (*FILES, "/tag", "/model", "/models", "/health", "/metrics", "/openapi.json")
CLIENT_GONE = 499
ABOUT = (
    "Tags text with a trained model. Offsets of characters count Unicode code points, as Python does; JavaScript "
    'counts UTF-16 units, in which an emoji is two. Every error is `{"error": "one sentence"}`.'
)
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorReply, "description": "The body is not JSON."},
    408: {"model": ErrorReply, "description": "The body did not come in time."},
    413: {"model": ErrorReply, "description": "The body, a sentence or all words are too many."},
    415: {"model": ErrorReply, "description": "The content type is not JSON's."},
    422: {"model": ErrorReply, "description": "The request names what is not there, or lacks something."},
    503: {"model": ErrorReply, "description": "The server is busy; Retry-After says when to come back."},
    504: {"model": ErrorReply, "description": "The answer took too long."},
}


class Server:
    """Models, their queue and what they say of themselves: the state of one app."""

    def __init__(self, models: Models, limits: Limits) -> None:
        self.models, self.limits, self.metrics = models, limits, Metrics(PATHS)
        models.on_reload = self.metrics.reloaded
        self.batcher = Batcher[Job](
            answer,
            size=lambda job: min(job.size, limits.words),
            batch=limits.batch_words,
            queue=limits.queue,
            yields=limits.seconds / 2 / limits.words,
        )

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """Answer while the app runs."""
        tasks = [asyncio.create_task(work) for work in (self.batcher.run(), self.models.watch())]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self.batcher.close()

    async def tag(self, request: Request) -> Response:
        """Split the text into sentences and words, unless it comes as words, and tag it."""
        _check_type(request.headers.get("content-type", ""))
        try:
            asked = TagRequest.model_validate_json(await self._body(request))
        except ValidationError as error:
            raise of_validation(error) from None
        answer = await self._answer(self.models[asked.model].worker.job(asked), request)
        request.scope[HOLD].take(len(answer))
        return Response(answer, media_type="application/json")

    async def show(self, name: str | None = None) -> ModelReply:
        """Tasks, languages, tags, sizes and limits of a model; of the first unless one is named."""
        return self.models[name].reply

    async def show_all(self) -> list[ModelReply]:
        """The same of all models."""
        return self.models.replies()

    async def measured(self) -> Response:
        """Numbers for Prometheus."""
        if self.metrics.is_there:
            self.metrics.waiting.set(self.batcher.waiting)
            self.metrics.running.set(self.batcher.running)
        content, kind = self.metrics.text()
        return Response(content, media_type=kind)

    async def health(self) -> HealthReply:
        """Whether the server is alive, and how busy it is."""
        batcher = self.batcher
        return HealthReply(status="ok", waiting=batcher.waiting, running=batcher.running, answered=batcher.answered)

    async def _body(self, request: Request) -> bytes:
        """The body, as far as it may be read."""
        limit, body = self.limits.body, bytearray()
        too_long = too_large(f"the body has more than {limit:,} bytes, which is the most that is read")
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:  # refused before it is sent
            raise too_long
        try:
            async with asyncio.timeout(self.limits.read_seconds):
                async for piece in request.stream():
                    if len(body) + len(piece) > limit:
                        raise too_long
                    request.scope[HOLD].ask(len(piece))
                    body += piece
        except TimeoutError:
            sentence = f"the body took longer than {self.limits.read_seconds:g} seconds to come"
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, sentence) from None
        return bytes(body)

    async def _answer(self, job: Job, request: Request) -> bytes:
        """What the batcher makes of a job, unless it takes too long or the client is gone before."""
        answer = self.batcher.submit(job)
        gone = asyncio.create_task(_gone(request))
        try:
            pending: list[asyncio.Future[Any]] = [answer, gone]
            await asyncio.wait(pending, timeout=self.limits.seconds, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            if gone.done():
                raise ClientDisconnect
            sentence = f"the answer took longer than {self.limits.seconds:g} seconds"
            raise RefusedError(HTTPStatus.GATEWAY_TIMEOUT, sentence)
        finally:
            gone.cancel()
            answer.cancel()


def create_app(
    tagger: Tagger | Mapping[str, Tagger],
    limits: Limits | None = None,
    *,
    name: str = "model",
    sources: Mapping[str, Source] = {},
    hosts: Sequence[str] = ("*",),
) -> FastAPI:
    """An ASGI app that tags with ``tagger``.

    Args:
        tagger: what tags; or several by their names, the first for requests that name none.
        limits: the defaults of `Limits` unless given.
        name: by which one model is shown.
        sources: of models that are read anew when they are replaced, by their names.
        hosts: names that clients may call the server by (the Host of their requests), as `TrustedHostMiddleware` takes
            them; else a web page elsewhere may get at a server that only this machine can reach.
    """
    limits = limits or Limits()
    server = Server(Models({name: tagger} if isinstance(tagger, Tagger) else tagger, limits, sources), limits)
    app = FastAPI(
        title="polytag",
        version=version("polytag"),
        description=ABOUT,
        lifespan=server.lifespan,
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere
        redoc_url=None,
    )
    app.add_api_route(
        "/tag", server.tag, methods=["POST"], openapi_extra=_body_schema(),
        responses={200: {"model": TagReply}, **ERRORS}, response_class=JSONResponse,
    )  # fmt: skip
    app.add_api_route("/model", server.show)
    app.add_api_route("/models", server.show_all)
    app.add_api_route("/metrics", server.measured, response_class=PlainTextResponse)
    app.add_api_route("/health", server.health)
    for path, (file, kind) in FILES.items():
        app.add_route(path, _file(file, kind), include_in_schema=False)
    _handle_errors(app)
    app.state.server = server
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    app.add_middleware(_counted, metrics=server.metrics)
    app.add_middleware(_boundary, budget=Budget(limits.held), linger=limits.linger_seconds)
    return app


def _boundary(app: ASGIApp, *, budget: Budget, linger: float) -> ASGIApp:
    return Boundary(app, budget=budget, linger=linger)


def _counted(app: ASGIApp, *, metrics: Metrics) -> ASGIApp:
    return Counted(app, metrics=metrics)


def _body_schema() -> dict[str, Any]:
    schema = TagRequest.model_json_schema()
    examples = {
        "text": {"value": {"text": "Angela Merkel visited Lima.", "confidence": True}},
        "words": {"value": {"words": [["Angela", "Merkel", "visited", "Lima", "."]]}},
    }
    return {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "examples": examples}}}
    }


def _file(name: str, kind: str) -> Any:
    content = (PAGE / name).read_bytes()

    async def get(_: Request) -> Response:
        return Response(content, media_type=kind)

    return get


def _check_type(given: str) -> None:
    """A browser lets any page send other types to any server without asking it.

    Raises:
        RefusedError: it is not JSON.
    """
    if given.partition(";")[0].strip().lower() != "application/json":
        sentence = f"the content type is {given[:60]!r}, expected 'application/json'"
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, sentence)


async def _gone(request: Request) -> None:
    """Return when the client has closed the connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _handle_errors(app: FastAPI) -> None:
    async def refused(_: Request, error: Exception) -> Response:
        refusal = error if isinstance(error, RefusedError) else unusable(str(error))
        return _error(refusal.status, str(refusal), refusal.headers)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        method, path, headers = request.method, request.url.path[:60], dict(error.headers or {})
        sentences = {
            404: f"there is nothing at '{path}'{nearest(path, PATHS)}",
            405: f"{method} is not allowed at '{path}', expected {headers.get('Allow', 'another method')}",
        }
        return _error(error.status_code, sentences.get(error.status_code, str(error.detail)), headers)

    async def gone(_: Request, __: Exception) -> Response:
        return Response(status_code=CLIENT_GONE)

    async def failed(_: Request, __: Exception) -> Response:
        return _error(500, "the server failed at this request, its log says why")

    for kind, handler in (
        (PolytagError, refused),
        (HTTPException, http),
        (ClientDisconnect, gone),
        (Exception, failed),
    ):
        app.add_exception_handler(kind, handler)


def _error(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": " ".join(sentence.split())}, status, headers)
