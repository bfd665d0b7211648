"""The ASGI app: routes, errors as one sentence, and the way of a request to the batcher and back."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from polytag.errors import PolytagError, nearest
from polytag.server.batcher import Batcher
from polytag.server.boundary import HOLD, Boundary, Budget
from polytag.server.limits import Limits
from polytag.server.live.loop import Live
from polytag.server.live.routes import PATHS as LIVE_PATHS
from polytag.server.live.routes import LiveRoutes
from polytag.server.metrics import Counted, Metrics
from polytag.server.models import Models, Source
from polytag.server.refusals import RefusedError, of_validation, too_large, unusable
from polytag.server.schemas import ErrorReply, HealthReply, ModelReply, TagReply, TagRequest
from polytag.server.work import Job, Worker, answer
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
B = TypeVar("B", bound=BaseModel)
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

    def __init__(self, models: Models, limits: Limits, live: Live | None = None) -> None:
        self.models, self.limits, self.live = models, limits, live
        self.paths = PATHS if live is None else (*PATHS, *LIVE_PATHS)
        self.metrics = Metrics(self.paths)
        models.on_reload = self.metrics.reloaded
        if live is not None:
            live.on_trained = self.metrics.trained
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
        work = [self.batcher.run(), self.models.watch(), *([] if self.live is None else [self.live.run(self.models)])]
        tasks = [asyncio.create_task(one) for one in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self.batcher.close()

    async def tag(self, request: Request) -> Response:
        """Split the text into sentences and words, unless it comes as words, and tag it."""
        asked = await self.read(request, TagRequest, limit=self.limits.body)
        (answer,) = await self.answers([self.models[asked.model].worker.job(asked)], request)
        if isinstance(answer, BaseException):
            raise answer
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
        return HealthReply(
            status="ok", waiting=batcher.waiting, running=batcher.running, answered=batcher.answered,
            live=None if self.live is None else self.live.reply,
        )  # fmt: skip

    async def read(self, request: Request, kind: type[B], *, limit: int) -> B:
        """The body of a request, of at most ``limit`` bytes.

        Raises:
            RefusedError: it is too large, too slow, or not what is expected.
        """
        _check_type(request.headers.get("content-type", ""))
        try:
            return kind.model_validate_json(await self._body(request, limit))
        except ValidationError as error:
            raise of_validation(error) from None

    async def _body(self, request: Request, limit: int) -> bytes:
        """The body, as far as it may be read."""
        body = bytearray()
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

    async def answers(self, jobs: Sequence[Job], request: Request) -> list[bytes | BaseException]:
        """What the batcher makes of jobs, or what is wrong with each alone.

        Raises:
            RefusedError: they take too long, or there are too many.
            ClientDisconnect: the client is gone before.
        """
        if len(jobs) > self.limits.queue:
            raise too_large(f"the request has {len(jobs):,} tasks, expected at most {self.limits.queue:,} at a time")
        futures = list[asyncio.Future[bytes]]()
        gone = asyncio.create_task(_gone(request))
        try:
            futures += (self.batcher.submit(job) for job in jobs)
            answers = asyncio.gather(*futures, return_exceptions=True)
            pending: list[asyncio.Future[Any]] = [answers, gone]
            await asyncio.wait(pending, timeout=self.limits.seconds, return_when=asyncio.FIRST_COMPLETED)
            if answers.done():
                return answers.result()
            if gone.done():
                raise ClientDisconnect
            sentence = f"the answer took longer than {self.limits.seconds:g} seconds"
            raise RefusedError(HTTPStatus.GATEWAY_TIMEOUT, sentence)
        finally:
            gone.cancel()
            for future in futures:
                future.cancel()


def create_app(
    tagger: Tagger | Mapping[str, Tagger],
    limits: Limits | None = None,
    *,
    name: str = "model",
    sources: Mapping[str, Source] = {},
    hosts: Sequence[str] = ("*",),
    live: Live | None = None,
) -> FastAPI:
    """An ASGI app that tags with ``tagger``.

    Args:
        tagger: what tags; or several by their names, the first for requests that name none.
        limits: the defaults of `Limits` unless given.
        name: by which one model is shown.
        sources: of models that are read anew when they are replaced, by their names.
        hosts: names that clients may call the server by (the Host of their requests), as `TrustedHostMiddleware` takes
            them; else a web page elsewhere may get at a server that only this machine can reach.
        live: the model of its name learns from what people annotate, and annotation tools are answered.
    """
    limits = limits or Limits()
    server = Server(Models({name: tagger} if isinstance(tagger, Tagger) else tagger, limits, sources), limits, live)
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
    app.add_api_route("/health", server.health, response_model_exclude_none=True)
    if live is not None:
        worker = partial(_worker, server.models, live.name)
        app.include_router(LiveRoutes(server, live, worker, limits.live_body).router(), include_in_schema=False)
    for path, (file, kind) in FILES.items():
        app.add_route(path, _file(file, kind), include_in_schema=False)
    _handle_errors(app, server.paths)
    app.state.server = server
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    app.add_middleware(_counted, metrics=server.metrics)
    app.add_middleware(_boundary, budget=Budget(limits.held), linger=limits.linger_seconds)
    return app


def _boundary(app: ASGIApp, *, budget: Budget, linger: float) -> ASGIApp:
    return Boundary(app, budget=budget, linger=linger)


def _worker(models: Models, name: str) -> Worker:
    return models[name].worker


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


def _handle_errors(app: FastAPI, paths: Sequence[str]) -> None:
    async def refused(_: Request, error: Exception) -> Response:
        refusal = error if isinstance(error, RefusedError) else unusable(str(error))
        return _error(refusal.status, str(refusal), refusal.headers)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        method, path, headers = request.method, request.url.path[:60], dict(error.headers or {})
        sentences = {
            404: f"there is nothing at '{path}'{nearest(path, paths)}",
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
