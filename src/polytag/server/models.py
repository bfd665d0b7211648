"""The models of a server: by name, and read anew when what is on disk is replaced.

Taggers do not change, so a replaced model is another one in its place: what was asked before is answered by the one
that it was checked against, and what comes later by the new one.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from polytag.errors import nearest
from polytag.model.checkpoint import weights_file
from polytag.model.temperatures import CALIBRATION
from polytag.server.description import describe
from polytag.server.limits import Limits
from polytag.server.refusals import unusable
from polytag.server.schemas import ModelReply
from polytag.server.work import Worker
from polytag.tagger.tagging import Tagger

Stamp = tuple[tuple[int, int, int] | None, ...]  # of each file its number, time and size; None where there is none
_LOG = logging.getLogger("uvicorn.error")


@dataclass(slots=True)
class Source:
    """Where a model is read from, and how; ``seen`` is what was there when it was read last."""

    path: Path
    best_for: str | None = None
    precision: str | None = None
    threads: int | None = None
    seen: Stamp = ()

    def load(self) -> Tagger:
        """Read it; errors are those of `polytag.load`."""
        self.seen = self.stamp()  # before, so that what changes meanwhile is seen the next time
        return Tagger.load(self.path, best_for=self.best_for, precision=self.precision, threads=self.threads)

    def stamp(self) -> Stamp:
        """Changes when the model on disk does: its file, or the weights and temperatures of its directory."""
        names = ("", weights_file(self.best_for), CALIBRATION) if self.path.is_dir() else ("",)
        return tuple(_stamp(self.path / name if name else self.path, whole=not name) for name in names)


def _stamp(path: Path, *, whole: bool) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    is_directory = whole and path.is_dir()  # whose times change with any file in it
    return (found.st_ino, 0 if is_directory else found.st_mtime_ns, 0 if is_directory else found.st_size)


@dataclass(frozen=True, slots=True)
class Served:
    """A model as it answers now, and what the server says of it."""

    worker: Worker
    reply: ModelReply


class Models:
    """Models by name; the first is that of requests that name none."""

    def __init__(self, taggers: Mapping[str, Tagger], limits: Limits, sources: Mapping[str, Source]) -> None:
        self._limits, self._sources = limits, sources
        self._served = {name: self._of(name, tagger) for name, tagger in taggers.items()}
        self.on_reload: Callable[[str, bool], None] = lambda _name, _is_good: None

    def __getitem__(self, name: str | None) -> Served:
        if name is None:
            return next(iter(self._served.values()))
        if name not in self._served:
            raise unusable(f"there is no model '{name:.60}'{nearest(name[:60], self._served)}")
        return self._served[name]

    def replies(self) -> list[ModelReply]:
        """What is said of each."""
        return [served.reply for served in self._served.values()]

    def replace(self, name: str, tagger: Tagger) -> None:
        """Take a tagger in the place of a model: what was asked before is answered by the old one."""
        self._served[name] = self._of(name, tagger)

    async def watch(self) -> None:
        """Read models anew that are replaced on disk, until cancelled; one that cannot be read leaves the old one."""
        while self._sources:
            await asyncio.sleep(self._limits.reload_seconds)
            for name, source in self._sources.items():
                if await asyncio.to_thread(source.stamp) != source.seen:
                    await self._reload(name, source)

    async def _reload(self, name: str, source: Source) -> None:
        """A model that changes while it is read, as one does whose files are copied, is left for the next time."""
        found: Tagger | Exception
        try:
            found = await asyncio.to_thread(source.load)
        except Exception as error:  # whatever is wrong with it, the old one can still answer
            found = error
        if await asyncio.to_thread(source.stamp) != source.seen:
            return
        if isinstance(found, Tagger):
            self.replace(name, found)
            _LOG.warning("%s: was replaced, and the new one answers", source.path)
        else:
            _LOG.error("%s: was replaced by what cannot be read, so the old one stays: %s", source.path, found)
        self.on_reload(name, isinstance(found, Tagger))

    def _of(self, name: str, tagger: Tagger) -> Served:
        return Served(Worker(tagger, self._limits), describe(tagger, name=name, limits=self._limits))
