"""What annotation tools ask a server, and what it answers: Label Studio at its root, INCEpTION below /inception."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from polytag.errors import PolytagError
from polytag.server.live import inception, label_studio
from polytag.server.live.annotations import Change
from polytag.server.live.inception import Annotated
from polytag.server.live.label_studio import Control, Event, SetupRequest
from polytag.server.live.loop import Live
from polytag.server.schemas import TagRequest
from polytag.server.work import Job, Worker

B = TypeVar("B", bound=BaseModel)

PATHS = ("/setup", "/predict", "/versions", "/webhook", "/inception/predict", "/inception/train")


class Server(Protocol):
    """What the app does for routes."""

    async def read(self, request: Request, kind: type[B], *, limit: int) -> B:
        """The body of a request."""
        ...

    async def answers(self, jobs: Sequence[Job], request: Request) -> list[bytes | BaseException]:
        """What the queue makes of jobs."""
        ...


class LiveRoutes:
    """The requests of annotation tools, as `Live` answers them."""

    def __init__(self, server: Server, live: Live, worker: Callable[[], Worker], limit: int) -> None:
        """``worker`` is the one of the version that answers now; ``limit`` is the bytes of a request at most."""
        self._server, self._live, self._worker, self._limit = server, live, worker, limit

    def router(self) -> APIRouter:
        """All of them; their bodies are the tools' own and stand in no description."""
        router = APIRouter()
        routes: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("/setup", "POST", self.setup),
            ("/predict", "POST", self.predict),
            ("/versions", "GET", self.versions),
            ("/webhook", "POST", self.webhook),
            ("/inception/predict", "POST", self.predict_cas),
            ("/inception/train", "POST", self.train_cas),
        ]
        for path, method, route in routes:
            router.add_api_route(path, route, methods=[method], response_class=JSONResponse)
        return router

    async def setup(self, request: Request) -> Response:
        """Label Studio shows its labelling configuration, and asks for the model's version."""
        asked = await self._server.read(request, SetupRequest, limit=self._limit)
        labels = Control.of(asked.config).labels
        types = self._live.tagger.vocabularies.tags[self._live.tagger.plan.tasks[self._live.task].tags].types
        if labels and (unknown := ", ".join(sorted(types - labels))):
            self._live.say(
                f"label_config: no label is called {unknown}, so these types of {self._live.task} are left out"
            )
        if new := ", ".join(sorted(labels - types)):
            self._live.say(f"label_config: {self._live.task} has no type {new} yet, and learns it once it is annotated")
        return JSONResponse({"model_version": self._live.version})

    async def versions(self, _: Request) -> Response:
        """All versions, the oldest first."""
        return JSONResponse({"versions": [f"{self._live.name}-{number}" for number in range(self._live.number + 1)]})

    async def predict(self, request: Request) -> Response:
        """Label Studio asks what the model says of tasks."""
        asked = await self._server.read(request, label_studio.PredictRequest, limit=self._limit)
        control, version, worker = Control.of(asked.label_config), self._live.version, self._worker()
        texts = [self._text(task, control) for task in asked.tasks]
        jobs = [worker.job(self._asking(text=text)) for text in texts if text]
        answers = iter(await self._server.answers(jobs, request))
        results = [
            label_studio.said_of(
                self._sentences(next(answers), task) if text else [], text, self._live.task, control, version
            )
            for task, text in zip(asked.tasks, texts, strict=True)
        ]
        return JSONResponse({"results": results, "model_version": version})

    async def webhook(self, request: Request) -> Response:
        """Label Studio tells what was done in a project."""
        event = await self._server.read(request, Event, limit=self._limit)
        await self._kept(lambda: label_studio.change(event, self._live.annotations))
        self._live.look(now=event.action == label_studio.TRAIN)
        return JSONResponse({"action": event.action, "pending": self._live.pending})

    async def predict_cas(self, request: Request) -> Response:
        """INCEpTION asks what the model says of a document."""
        asked = await self._server.read(request, inception.PredictRequest, limit=self._limit)
        document = await asyncio.to_thread(Annotated.of, asked.document, asked.metadata, asked.type_system)
        tokens, text, worker = document.sentences(), document.text, self._worker()
        words = [[text[start:end] for start, end in sentence] for sentence in tokens]
        job = worker.job(self._asking(words=words) if words else self._asking(text=text))
        (answer,) = await self._server.answers([job], request)
        sentences = self._sentences(answer)
        places = tokens or [sentence["offsets"] for sentence in sentences]
        spans = [
            (of[span["start"]][0], of[span["end"] - 1][1], span["type"], span["probability"])
            for of, sentence in zip(places, sentences, strict=True)
            for span in sentence["predicted_spans"][self._live.task]
        ]
        xmi = await asyncio.to_thread(document.with_predictions, spans)
        return Response(inception.PredictReply(document=xmi).model_dump_json(), media_type="application/json")

    async def train_cas(self, request: Request) -> Response:
        """INCEpTION sends all documents of a user that have annotations."""
        asked = await self._server.read(request, inception.TrainRequest, limit=self._limit)
        found = [
            await asyncio.to_thread(Annotated.of, document, asked.metadata, asked.type_system)
            for document in asked.documents
        ]
        await self._kept(lambda: inception.change(found, self._live.annotations, self._live.say))
        self._live.look()
        return Response(status_code=204)

    async def _kept(self, decide: Callable[[], Change]) -> None:
        """Change the annotations; what is refused is told here too, as tools tell nobody."""
        try:
            await self._live.annotations.change(decide)
        except PolytagError as error:
            self._live.say(f"an annotation was not taken: {error}")
            raise

    def _text(self, task: dict[str, Any], control: Control) -> str:
        """The text of a task of Label Studio's; empty, which is told, where it has none."""
        data = task.get("data")
        text = data.get(control.key) if isinstance(data, dict) else None
        if not isinstance(text, str) or not text.strip():
            self._live.say(f"task {task.get('id')}: no text under '{control.key:.40}', so nothing is predicted")
            return ""
        return text

    def _asking(self, **what: Any) -> TagRequest:
        return TagRequest(tasks=[self._live.task], confidence=True, **what)

    def _sentences(self, answer: bytes | BaseException, task: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """The sentences of an answer; none, which is told, where one task among others cannot be tagged."""
        if isinstance(answer, bytes):
            found: list[dict[str, Any]] = json.loads(answer)["sentences"]
            return found
        if task is None or not isinstance(answer, PolytagError):
            raise answer
        self._live.say(f"task {task.get('id')}: nothing is predicted: {answer}")
        return []
