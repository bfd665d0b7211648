"""A sentence with its spans marked: in brackets for terminals, in colours for notebooks.

The type stands beside each span, so that nothing is told by colour alone; the colours are Okabe and Ito's, which
colour-blind people tell apart, and are thin enough for black and for white letters.
"""

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import NamedTuple
from zlib import crc32

from polytag.corpus.sentence import Sentence, Span
from polytag.corpus.tag_rules import UNKNOWN, parse

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442")
_SALT = "2672"  # with it the usual types (PER, LOC, ORG, MISC; NP, VP, PP; ...) have colours that differ
_MARK = "border:1.5px solid {0};background:{0}40;border-radius:3px;padding:0 3px"


class Piece(NamedTuple):
    """Words in a row: a span, or a word by itself, with its type or tag where it has one."""

    text: str
    label: str


def pieces(sentence: Sentence, task: str) -> Iterator[Piece]:
    """A sentence from left to right: of a task of spans its spans and the words between, of others word and tag."""
    if not marks_spans(sentence, task):
        yield from map(Piece, sentence.words, sentence.tags[task])
        return
    done = 0
    for span in known_spans(sentence, task):
        yield from (Piece(word, "") for word in sentence.words[done : span.start])
        yield Piece(" ".join(sentence.words[span.start : span.end]), span.type)
        done = span.end
    yield from (Piece(word, "") for word in sentence.words[done:])


def marks_spans(sentence: Sentence, task: str) -> bool:
    """Whether the tags of a task are of spans, as far as they show."""
    return task in sentence.predicted_spans or all(parse(tag) or tag == UNKNOWN for tag in sentence.tags[task])


def known_spans(sentence: Sentence, task: str) -> list[Span]:
    """As `Sentence.spans`; words that nobody has decided about are in none."""
    tags = tuple("O" if tag == UNKNOWN else tag for tag in sentence.tags[task])
    return replace(sentence, tags={task: tags}).spans(task)


def as_text(sentence: Sentence) -> str:
    """A line for each task, ``ner: [Ann Lee]PER saw [Lima]LOC .``; the words alone where there is none."""
    if not sentence.tags:
        return " ".join(sentence.words)
    return "\n".join(
        f"{task}: {' '.join(f'[{one.text}]{one.label}' if one.label else one.text for one in pieces(sentence, task))}"
        for task in sentence.tags
    )


def as_html(sentence: Sentence) -> str:
    """A paragraph for each task, its spans in colours, each type in the same one everywhere."""
    if not sentence.tags:
        return f"<p>{escape(' '.join(sentence.words))}</p>"
    return "".join(
        f"<p><small>{escape(task)}</small> {' '.join(map(_marked, pieces(sentence, task)))}</p>"
        for task in sentence.tags
    )


def _marked(piece: Piece) -> str:
    text = escape(piece.text)
    if not piece.label:
        return text
    style = _MARK.format(COLOURS[crc32(f"{_SALT}{piece.label}".encode()) % len(COLOURS)])
    return f'<span style="{style}">{text} <small><b>{escape(piece.label)}</b></small></span>'
