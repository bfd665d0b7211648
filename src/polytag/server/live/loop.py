"""The loop: annotations come in, a model is trained on them in the background, and takes the place of the last one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from polytag.errors import PolytagError
from polytag.server.live.annotations import Annotations
from polytag.server.live.training import ANNOTATIONS, Plan, TrainingError, Versions
from polytag.server.models import Models, Source
from polytag.server.schemas import LiveReply
from polytag.tagger.tagging import Tagger

WITHOUT_PYTORCH = "PyTorch is not installed, so annotations are kept but not trained on: pip install 'polytag[train]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What the user says of a live model.

    Attributes:
        home: the directory of annotations and versions.
        plan: what to train; the model's own unless given.
        task: that people annotate; the only one that marks spans unless given.
        every: sentences that are annotated anew until a training.
        say: takes what happens, a sentence at a time.
    """

    home: Path
    plan: Path | None = None
    task: str | None = None
    every: int = 50
    say: Callable[[str], None] = lambda _: None


class Live:
    """A model that learns from what people annotate while it answers them."""

    def __init__(self, name: str, source: Source, options: LiveOptions) -> None:
        """Open the directory, whose newest version is to be served, if it has one.

        Args:
            name: of the model.
            source: the model to begin with.
            options: what the user says.

        Raises:
            PolytagError: a model, the plan or the annotations cannot be read, or no task can be annotated.
        """
        self.name, self.options, self.say = name, options, options.say
        self.versions = Versions(options.home)
        self.number = self.versions.newest
        self._first, self.source = source, self._source(self.number, source)
        self.tagger = self.source.load()
        self.task = _task(self.tagger, options.task)
        tokeniser = self.tagger.tokeniser([self.task])
        self.annotations = Annotations(options.home / ANNOTATIONS, tokeniser=tokeniser, say=self.say)
        self._plan = Plan(options.plan or source.path / "plan.toml", self.task)
        self._tried = self._read(self.number)  # what was trained on last, or was to be
        self.failure: str | None = None
        self.is_training, self._due = False, asyncio.Event()
        self.on_trained: Callable[[bool], None] = lambda _is_good: None
        if find_spec("torch") is None:
            self.say(WITHOUT_PYTORCH)

    @property
    def version(self) -> str:
        """The name of the model's version that answers now."""
        return f"{self.name}-{self.number}"

    @property
    def pending(self) -> int:
        """Sentences that were annotated, or annotated otherwise, since a training began."""
        return self.annotations.changed_since(self._tried)

    @property
    def reply(self) -> LiveReply:
        """What the server says of it."""
        return LiveReply(
            version=self.version, task=self.task, annotated=len(self.annotations), pending=self.pending,
            every=self.options.every, training=self.is_training, failure=self.failure,
        )  # fmt: skip

    def look(self, *, now: bool = False) -> None:
        """Train if enough was annotated, or ``now`` if anything was."""
        if self.pending >= (1 if now else self.options.every):
            self._due.set()

    async def run(self, models: Models) -> None:
        """Train when there is reason to, until cancelled; what was learnt answers from then on."""
        self.look()
        while True:
            await self._due.wait()
            self._due.clear()
            self.is_training = True
            try:
                await self._train(models)
                self.failure = None
            except PolytagError as error:
                self.failure = f"training failed, and {self.version} goes on answering: {error}"
                self.say(self.failure)
            finally:
                self.is_training = False
            self.on_trained(self.failure is None)
            self.look()

    async def _train(self, models: Models) -> None:
        self._tried = self.annotations.state()
        count = len(self.annotations)
        if not count:
            raise TrainingError("nothing is annotated any more")
        number = await self.versions.train(self._plan, self.source.path, self._tried)
        source = self._source(number, self._first)
        try:
            tagger = await asyncio.to_thread(source.load)
        except PolytagError as error:
            raise TrainingError(str(error)) from None
        models.replace(self.name, tagger)
        self.number, self.source, self.tagger = number, source, tagger
        self.say(f"{self.version} answers now; it was trained on {count} annotated tasks")

    def _source(self, number: int, first: Source) -> Source:
        path = self.versions.path(number) if number else first.path
        return Source(path, None if number else first.best_for, first.precision, first.threads)

    def _read(self, number: int) -> dict[str, str]:
        """What a version was trained on, as the annotations have it."""
        if not number:
            return {}
        path = self.versions.path(number, ANNOTATIONS)
        return Annotations(path, tokeniser=self.tagger.tokeniser([self.task]), say=self.say).state()


def _task(tagger: Tagger, named: str | None) -> str:
    """The task that is annotated.

    Raises:
        PolytagError: there is no such task, it marks no spans, or there are several and none is named.
    """
    spanning = tagger.span_tasks()
    if named is not None:
        (name,) = tagger.choose([named])
        if name not in spanning:
            raise PolytagError(
                f"task {name} marks no spans, expected one that does ({', '.join(spanning) or 'none here'})"
            )
        return name
    if len(spanning) != 1:
        found = (
            f"{len(spanning)} tasks that mark spans ({', '.join(spanning)})" if spanning else "no task that marks spans"
        )
        raise PolytagError(f"the model has {found}, expected one, or --task to name it")
    return spanning[0]
