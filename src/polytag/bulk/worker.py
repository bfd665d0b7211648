"""What a worker does, wherever it runs: load the model once, then parse, tag and render piece after piece."""

from collections.abc import Sequence
from dataclasses import dataclass

from polytag.bulk.pieces import Piece
from polytag.corpus.formats import FORMATS
from polytag.corpus.notes import Notes
from polytag.corpus.rawtext import ANY_LANGUAGE
from polytag.corpus.text import Layout
from polytag.errors import PolytagError
from polytag.plan import Plan
from polytag.tagger.request import ANYTHING, Request
from polytag.tagger.tagging import Tagger


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A model, how texts are written, and what to say of them: all that a worker has to know besides a text.

    ``best_for``, ``precision`` and ``threads`` (of each worker) are as for `Tagger.load`; ``word`` is the column of the
    words (conll). For plain text: ``language``, whose rules split it (that of the plan unless given), and ``records``,
    which asks for JSONL instead of lines.
    """

    model: str
    request: Request = ANYTHING
    word: int = 0
    language: str | None = None
    records: bool = False
    best_for: str | None = None
    precision: str | None = None
    threads: int | None = None


class Worker:
    """A loaded model that does what it was assigned.

    Raises:
        ModelError: the model cannot be loaded.
        PolytagError: it has no such task, or none is named where it holds several languages.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.tagger = Tagger.load(
            assignment.model,
            best_for=assignment.best_for,
            precision=assignment.precision,
            threads=assignment.threads,
        )
        self.request = self.tagger.checked(assignment.request)
        self.notes = Notes()  # what the readers of its pieces said
        self._span_tasks = self.tagger.span_tasks()
        self._places = {task: str(self.tagger.plan.tasks[task].columns.tag) for task in self.request.tasks}

    def render(self, piece: Piece) -> bytes:
        """The piece with its tags, as UTF-8.

        Raises:
            CorpusError: a line is not in the format; holds the line's number in the whole text.
            PolytagError: raw text cannot be split, or there are rules of several languages to split it.
        """
        text = self._at_once(piece)
        return (self._by_blocks(piece) if text is None else text).encode("utf-8")

    def _at_once(self, piece: Piece) -> str | None:
        """The same by operations on whole lists, where tags alone are asked for and nothing in the text is unusual."""
        wanted = self.request
        if wanted.confidence or wanted.nbest:
            return None
        flat = FORMATS[piece.format].fast(piece.text, self._layout(piece))
        if flat is None:
            return None
        tags = self.tagger.tag_columns(flat.words, flat.lengths, wanted)
        try:
            return flat.render(tags, span_tasks=self._span_tasks)
        except ValueError:  # a tag that has no place in the format
            return None

    def _by_blocks(self, piece: Piece) -> str:
        """The same block by block, which tells what is wrong and where."""
        make = FORMATS[piece.format].blocks
        assert make is not None, "a piece is cut from texts that can be tagged only"
        return "".join(self.tagger.tag_blocks(make(piece.lines(), self._layout(piece)), self.request))

    def _layout(self, piece: Piece) -> Layout:
        given, tasks, format = self.assignment, self.request.tasks, FORMATS[piece.format]
        return Layout(
            piece.source,
            given.word,
            columns={task: place for task, place in self._places.items() if place in format.fills},
            language=given.language or language_of(self.tagger.plan, tasks) if format.is_raw else ANY_LANGUAGE,
            character=piece.character,
            head=piece.head,
            records=given.records,
            notes=self.notes,
        )


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
