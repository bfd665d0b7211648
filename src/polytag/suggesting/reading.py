"""What could be suggested: sentences with the text that they stand in, read as `polytag tag` reads them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike

from polytag.corpus.documents import blocks
from polytag.corpus.formats.jsonl import JsonlBlock
from polytag.corpus.formats.record import fields_of, text_of
from polytag.corpus.notes import Notes
from polytag.corpus.offsets import Offsets, located
from polytag.corpus.raw_lines import Source
from polytag.corpus.recognition import recognised
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block
from polytag.tokenisers import UNICODE


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence, its text, and where each word stands in it: ``text[start:end]``."""

    sentence: Sentence
    text: str
    offsets: tuple[Offsets, ...]


def candidates(
    source: Source,
    *,
    format: str = "auto",
    word: int | str = 0,
    tokeniser: str = UNICODE,
    name: str = "<stdin>",
    notes: Notes | None = None,
) -> Iterator[Candidate]:
    """The sentences of a file or stream, as they are asked for.

    Args:
        source: a path, or a stream that ``name`` stands for in errors.
        format: as for `polytag.corpus.blocks`, but that "auto" is what `recognised` says.
        word: the column of the words (conll).
        tokeniser: what cuts text into words.
        notes: as for `polytag.corpus.blocks`.

    Raises:
        CorpusError: at once, where the format cannot be tagged; while reading, where the input is not in it.
        PolytagError: there is no such tokeniser here.
    """
    source, chosen = recognised(source, format=format, name=name, notes=notes)
    name = str(source) if isinstance(source, str | PathLike) else name
    return _candidates(
        blocks(source, format=chosen, word=word, source=name, tokeniser=tokeniser, records=True, notes=notes)
    )


def _candidates(found: Iterable[Block]) -> Iterator[Candidate]:
    for block in found:
        if block.sentence is not None and len(block.sentence):
            yield _placed(block.sentence, block)


def _placed(sentence: Sentence, block: Block) -> Candidate:
    """A sentence in its text, or in one made of its words where there is none or it has other words."""
    if isinstance(block, JsonlBlock) and block.record is not None and sentence.offsets:
        text = text_of(fields_of(block.record))
        places = tuple(Offsets(start - block.start, end - block.start) for start, end in sentence.offsets)
        if tuple(text[start:end] for start, end in places) == sentence.words:
            return Candidate(sentence, text, places)
    return candidate(sentence)


def candidate(sentence: Sentence) -> Candidate:
    """A sentence in a text that is made of its words, with blanks between them."""
    made = " ".join(sentence.words)
    return Candidate(sentence, made, tuple(located(made, sentence.words)))
