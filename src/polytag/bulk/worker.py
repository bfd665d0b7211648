"""What a worker does, wherever it runs: load the model once, then parse, tag and render piece after piece."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from polytag.bulk.pieces import AnyPiece, Piece, TablePiece
from polytag.corpus.formats import FORMATS
from polytag.corpus.notes import Notes
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Layout
from polytag.errors import PolytagError
from polytag.tagger.request import ANYTHING, Request
from polytag.tagger.tagging import Tagger

LOOKED_AT = 5_000  # words of a text, which tell whether it is unlike what the model was judged on


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A model, how texts are written, and what to say of them: all that a worker has to know besides a text.

    ``best_for``, ``precision`` and ``threads`` (of each worker) are as for `Tagger.load`; ``word`` is the column of the
    words (conll); ``tokeniser`` cuts text into words (that of the plan unless given); for plain text, ``records`` asks
    for JSONL instead of lines. ``familiarity`` tells how well the model knows each text, and not only of those far off.
    """

    model: str
    request: Request = ANYTHING
    word: int | str = 0
    tokeniser: str | None = None
    records: bool = False
    familiarity: bool = False
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
        self.tokeniser = assignment.tokeniser or self.tagger.tokeniser(self.request.tasks)
        self._span_tasks = self.tagger.span_tasks()
        self._places = {task: str(self.tagger.plan.tasks[task].columns.tag) for task in self.request.tasks}

    def render(self, piece: AnyPiece) -> bytes:
        """The piece with its tags, as UTF-8; rows of a table as a stream of Arrow's.

        Raises:
            CorpusError: a line or row is not in the format; holds its number in the whole text.
            PolytagError: raw text cannot be cut into words; records are asked of what is no plain text.
        """
        is_text = isinstance(piece, Piece) and not FORMATS[piece.format].has_tags
        if self.assignment.records and not is_text:
            raise PolytagError(
                f"{piece.source}: is no plain text, so its form stays; --to is for text, raw or tokenised"
            )
        if isinstance(piece, TablePiece):
            from polytag.bulk.tables import tagged

            return tagged(self, piece)
        if piece.line == 1:
            self.tell_unlike(piece.source, self._sentences(piece))
        text = self._at_once(piece)
        return (self._by_blocks(piece) if text is None else text).encode("utf-8")

    def _at_once(self, piece: Piece) -> str | None:
        """The same by operations on whole lists, where tags alone are asked for and nothing in the text is unusual."""
        wanted = self.request
        if wanted.confidence or wanted.nbest or self.tagger.outside.keys() & set(wanted.tasks):
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

    def tell_unlike(self, source: str, sentences: Iterable[Sentence]) -> None:
        """Say of the sentences at a text's beginning if they are unlike dev, or how well the model knows them."""
        asked, texts = self.assignment.familiarity, self.tagger.model.texts
        first = _first(sentences) if asked or texts else []
        for task in self.request.tasks if first else ():
            found = self.tagger.familiarity(first, task, confidence=asked)
            told = found.told(texts[task]) if task in texts else ""
            if told or asked:
                text = f"{task}: {told or found.line(texts.get(task))}, in its first {found.words:,} words"
                self.notes.tell(f"familiarity of {task}", text, path=source)
            if told and not asked:
                return  # the other tasks have the same words

    def _sentences(self, piece: Piece) -> Iterator[Sentence]:
        """The sentences of a piece; what is wrong with it is told when it is tagged."""
        make = FORMATS[piece.format].blocks
        assert make is not None, "a piece is cut from texts that can be tagged only"
        with suppress(PolytagError):
            for block in make(piece.lines(), replace(self._layout(piece), notes=Notes(collects=True))):
                if block.sentence is not None:
                    yield block.sentence

    def _layout(self, piece: Piece) -> Layout:
        given = self.assignment
        return Layout(
            piece.source,
            given.word,
            columns={task: place for task, place in self._places.items() if place in FORMATS[piece.format].fills},
            tokeniser=self.tokeniser,
            character=piece.character,
            head=piece.head,
            records=given.records,
            notes=self.notes,
        )


def _first(sentences: Iterable[Sentence]) -> list[Sentence]:
    """Some with words in them."""
    found, words = list[Sentence](), 0
    for sentence in sentences:
        if sentence.words:
            found.append(sentence)
        words += len(sentence)
        if words > LOOKED_AT:
            break
    return found
