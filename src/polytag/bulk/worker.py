"""What a worker does, wherever it runs: load the model once, then parse, tag and render piece after piece."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from polytag.bulk.pieces import Piece
from polytag.corpus.formats import FORMATS
from polytag.corpus.formats.conllu_columns import REPLACED
from polytag.corpus.rawtext import ANY_LANGUAGE
from polytag.corpus.text import Layout
from polytag.errors import PolytagError
from polytag.plan import Plan

OBJECTS = 100_000  # new ones, after which Python looks for garbage


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A model and what to say with it: all that a worker has to know besides the text.

    ``threads`` of PyTorch are those of each worker; the other fields are the arguments of `Tagger.load` and
    `Tagger.tag_blocks`, the column of the words (conll), and for plain text: ``language``, whose rules split it (that
    of the plan unless given), and ``records``, which asks for JSONL instead of lines.
    """

    model: str
    tasks: Sequence[str] = ()
    word: int = 0
    language: str | None = None
    records: bool = False
    confidence: bool = False
    nbest: int = 0
    constrained: bool | None = None
    best_for: str | None = None
    precision: str = "auto"
    device: str = "cpu"
    threads: int | None = None


class Worker:
    """A loaded model that answers one request.

    Raises:
        ModelError: the model cannot be loaded.
        PolytagError: it has no such task, or none is named where it holds several languages.
    """

    def __init__(self, request: Request) -> None:
        import torch

        from polytag.tagging import Tagger

        if request.threads:
            torch.set_num_threads(request.threads)
        self.request = request
        self.tagger = Tagger.load(
            request.model, best_for=request.best_for, precision=request.precision, device=request.device
        )
        self.tasks = self.tagger.choose(request.tasks)
        self.columns = _columns(self.tagger.plan.tasks, self.tasks)

    def render(self, piece: Piece) -> bytes:
        """The piece with its tags, as UTF-8.

        Raises:
            CorpusError: a line is not in the format; holds the line's number in the whole text.
            PolytagError: raw text cannot be split, or there are rules of several languages to split it.
        """
        make = FORMATS[piece.format].blocks
        assert make is not None, "a piece is cut from texts that can be tagged only"
        blocks = make(piece.lines(), self._layout(piece))
        request = self.request
        tagged = self.tagger.tag_blocks(
            blocks,
            tasks=self.tasks,
            confidence=request.confidence,
            nbest=request.nbest,
            constrained=request.constrained,
        )
        with _rare_collections():
            return "".join(tagged).encode("utf-8")

    def _layout(self, piece: Piece) -> Layout:
        request = self.request
        is_raw = piece.format == "text"
        return Layout(
            piece.source,
            request.word,
            columns=self.columns,
            language=request.language or language_of(self.tagger.plan, self.tasks) if is_raw else ANY_LANGUAGE,
            character=piece.character,
            records=request.records,
        )


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for garbage rarely: tagging makes many objects but no cycles, and looking for some took a tenth of it."""
    usual = gc.get_threshold()
    gc.set_threshold(OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def language_of(plan: Plan, tasks: Sequence[str]) -> str:
    """The language whose rules split the raw text that tasks read: that of their words, else rules for any.

    Raises:
        PolytagError: their words are of several languages.
    """
    found = {task: plan.words[plan.tasks[task].words].language or ANY_LANGUAGE for task in tasks}
    if len(set(found.values())) > 1:
        listing = ", ".join(f"{task}: {language}" for task, language in found.items())
        raise PolytagError(f"the tasks read several languages ({listing}), so name one to split the text with")
    return next(iter(found.values()), ANY_LANGUAGE)


def _columns(settings: Mapping[str, Any], tasks: Sequence[str]) -> dict[str, str]:
    """The columns of CoNLL-U that tasks fill because they were trained on them."""
    places = {task: settings[task].columns.tag for task in tasks}
    return {task: place for task, place in places.items() if place in REPLACED}
