"""Records to sentences, whatever they stand in: JSON Lines, Label Studio's lists, brat's pairs of files, tables."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from polytag.corpus.formats.class_names import FILES, UNLABELLED, named, names_beside
from polytag.corpus.formats.record import SPANS, Record, columns_of, is_spans, tag_list, text_of, words_of
from polytag.corpus.formats.spans import apart, marked
from polytag.corpus.formats.units import Spanned, counted
from polytag.corpus.offsets import misfit_note, tagged
from polytag.corpus.sentence import CharSpan, Sentence
from polytag.corpus.tag_rules import UNKNOWN
from polytag.corpus.text import Layout
from polytag.corpus.tokenising import tokeniser
from polytag.errors import CorpusError

_LINE_END = re.compile("\r{0,2}\n|\r")

ANSWERS = ("reject", "ignore")  # Prodigy's, of what is no annotation
ANNOTATORS = ("annotator", "_annotator_id", "_session_id")  # who made a record: Label Studio; Prodigy


class Document(NamedTuple):
    """Where a text of several sentences stands, and whether it is all of a file, whose lines have numbers."""

    source: str
    has_lines: bool = False


class Placed(NamedTuple):
    """A record and the line (of a table: the row) at which it stands; its text is one sentence or a document."""

    line: int
    fields: Record
    document: Document | None = None


class TaskSpans(NamedTuple):
    """The spans of a task in a text: those that stand apart, in order; those that fit no words whatever these are.

    ``going_on`` are those that began before: their words are unknown here too, and they are missed there.
    """

    apart: Sequence[CharSpan]
    unfit: Sequence[CharSpan]
    going_on: Sequence[CharSpan] = ()

    def within(self, start: int, end: int) -> "TaskSpans":
        """Those of a sentence, the characters ``text[start:end]``; over its end, none fits."""
        first, last = (bisect_left(self.apart, place, key=itemgetter(0)) for place in (start, end))
        begun = self.apart[first:last]
        over = [span for span in begun if span.end > end]
        unfit = [span for span in self.unfit if start <= span.start < end]
        before = [*self.apart[max(first - 1, 0) : first], *self.unfit]
        going_on = [span for span in before if span.start < start < span.end]
        return TaskSpans([span for span in begun if span.end <= end], [*over, *unfit], going_on)


class Found(NamedTuple):
    """A record, and of which task each of its spans is."""

    record: Placed
    tasks: Sequence[str]


def sentences_of(
    records: Iterable[Placed], layout: Layout, *, class_names: dict[str, tuple[str, ...]] | None = None
) -> Iterator[Sentence]:
    """Sentences with the lists of tags under the keys of the layout, or with IOB2 tags for spans.

    ``class_names`` are those of columns of numbered classes, where the file itself has them; there may be more of them
    once the first record is there.

    Raises:
        CorpusError: while reading, a record has no words or no such tags, or its spans are impossible.
    """
    reader = _Reader(layout, {} if class_names is None else class_names)
    for one in counted(reader.spanned(_chosen(records, layout))):
        with refusing(layout, one.content.record.line):
            yield from reader.sentences(one)


def spans_alone(layout: Layout) -> Layout:
    """The layout of a file that has spans of characters and no other tags: what names no tags means these.

    Raises:
        CorpusError: it names others.
    """
    for task, key in layout.tags.items():
        if not is_spans(key) and key != -1:
            message = f"tags of '{task}' are '{key}', expected {SPANS}, or {SPANS}.LAYER for those of a layer or a type"
            raise CorpusError(message, path=layout.source)
    return replace(layout, tags={task: SPANS if key == -1 else key for task, key in layout.tags.items()})


def columns_among(records: Iterable[Placed]) -> list[str]:
    """The kinds of tags that records hold."""
    return list(dict.fromkeys(key for record in records for key in columns_of(record.fields)))


@contextmanager
def refusing(layout: Layout, line: int) -> Iterator[None]:
    """What is wrong with a value, refused with its place."""
    try:
        yield
    except ValueError as error:
        layout.notes.refuse(str(error), path=layout.source, line=line, cause=error)


def _chosen(records: Iterable[Placed], layout: Layout) -> Iterator[Placed]:
    """The records that are annotation, each text by one annotator; what is left out is told."""
    annotators = dict[int, object]()
    for record in records:
        line, fields, _ = record
        who = next((fields[key] for key in ANNOTATORS if fields.get(key) is not None), None)
        if (answer := fields.get("answer")) in ANSWERS:
            text = f'a record with the answer "{answer}" is left out'
            layout.notes.tell(f"answer {answer}", text, path=layout.source, line=line)
        elif who is not None and (first := annotators.setdefault(hash(_content(fields)), who)) != who:
            text = f"a text by annotator {who!r:.40} is left out, as it is here by {first!r:.40} already"
            layout.notes.tell("annotators", text, path=layout.source, line=line)
        else:
            if answer not in (None, "accept"):
                said, known = f"{answer!r:.40}", ", ".join(("accept", *ANSWERS))
                text = f"a record with the answer {said}, expected one of {known}; it is read as annotation"
                layout.notes.tell("answer", text, path=layout.source, line=line)
            yield record


def _content(fields: Record) -> str:
    """What was annotated."""
    return str(next((fields[key] for key in ("text", "words", "tokens") if key in fields), None))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the records of one file; ``names`` holds the names of classes by column, once they have been sought."""

    layout: Layout
    names: dict[str, tuple[str, ...]]

    def spanned(self, records: Iterable[Placed]) -> Iterator[Spanned[Found]]:
        """The records with the spans of all tasks; a layer that no span is of is told at the end."""
        layers = {task: str(key).partition(".")[2] for task, key in self.layout.tags.items() if is_spans(key)}
        empty = {task: layer for task, layer in layers.items() if layer}
        for record in records:
            with refusing(self.layout, record.line):
                found = [(task, span) for task, layer in layers.items() for span in marked(record.fields, layer)]
                text = text_of(record.fields) if layers or record.document else ""
                for task, _ in found:
                    empty.pop(task, None)
                yield Spanned(Found(record, [task for task, _ in found]), text, [span for _, span in found])
        for task, layer in empty.items():
            self._tell(0, f"layer {layer}", f"no span of the layer or type '{layer}', so '{task}' has no span in it")

    def sentences(self, one: Spanned[Found]) -> Iterator[Sentence]:
        """The sentences of a record: one, none where it holds no word, or all of a document."""
        record = one.content.record
        spans = self._spans(one)
        if record.document:
            yield from self._document(record, one.text, record.document, spans)
            return
        words, places = words_of(record.fields, self.layout.cut, placed=bool(spans))
        columns = {task: str(key) for task, key in self.layout.tags.items() if task not in spans}
        lists = {task: self._tags(record.fields, key, words, record.line) for task, key in columns.items()}
        found = Sentence(words, lists, (record.line,) * len(words), self.layout.source, offsets=tuple(places))
        if words:
            yield self._tagged(found, spans, one.text, record.line) if spans else found

    def _document(
        self, record: Placed, text: str, document: Document, spans: Mapping[str, TaskSpans]
    ) -> Iterator[Sentence]:
        """The sentences of a text, each with the spans that begin in it."""
        ends = [end.end() for end in _LINE_END.finditer(text)]
        for found in tokeniser(self.layout.tokeniser).sentences(text):
            starts = [start for start, _ in found.offsets]
            lines = [bisect_right(ends, start) + 1 for start in starts] if document.has_lines else []
            placed = replace(found, lines=lines or (record.line,) * len(found), source=document.source)
            own = {task: of.within(starts[0], found.offsets[-1][1]) for task, of in spans.items()}
            yield self._tagged(placed, own, text, record.line)

    def _tagged(self, found: Sentence, spans: Mapping[str, TaskSpans], text: str, line: int) -> Sentence:
        """A sentence with the tags of the tasks that mark spans, and the spans that do not fit its words."""
        lists, misfits = dict(found.tags), dict[str, tuple[CharSpan, ...]]()
        for task, of in spans.items():
            unfit = [*of.unfit, *of.going_on]
            lists[task], unfitting = tagged(found.offsets, of.apart, unfit=unfit)
            for span in unfitting[len(unfit) :]:
                self._tell(line, "misfit", misfit_note(span, text, found.offsets))
            for span in of.unfit:
                if span.end > found.offsets[-1][1]:
                    said = f"span {list(span)}, {text[span.start : span.end]!r:.60}, goes over the end of a sentence"
                    self._tell(line, "span over sentences", f"{said} and counts as missed where taggers are scored")
            if unfitting:
                misfits[task] = (*of.unfit, *unfitting[len(unfit) :])
        return replace(found, tags={task: lists[task] for task in self.layout.tags}, misfits=misfits)

    def _spans(self, one: Spanned[Found]) -> dict[str, TaskSpans]:
        """The spans of each task that marks some, in characters."""
        line, spans = one.content.record.line, one.in_characters()
        for before, span in zip(one.spans, spans, strict=True):
            if before != span:
                here = one.text[span.start : span.end]
                self._tell(line, "unit", f"offsets count {one.unit} and are read so: span {before} is {here!r:.60}")
                break
        found = dict[str, TaskSpans]()
        for task in [task for task, key in self.layout.tags.items() if is_spans(key)]:
            own = [span for of, span in zip(one.content.tasks, spans, strict=True) if of == task]
            found[task] = TaskSpans(
                *apart(own, one.text, overlaps=self.layout.overlaps, tell=partial(self._tell, line))
            )
        return found

    def _tags(self, fields: Record, key: str, words: Sequence[str], line: int) -> tuple[str, ...]:
        """The tags under a key, with the names of their classes where they are numbers."""
        values = tag_list(fields, key, words)
        if not values or isinstance(values[0], str):
            return tuple(map(str, values))
        if self.layout.names or key not in self.names:
            self.names[key] = tuple(self.layout.names) or names_beside(self.layout.source, key)
        if not self.names[key]:
            raise ValueError(
                f"numbers under '{key}' and nothing that names them, expected columns.names in the plan, "
                f"or beside the file what datasets say of themselves ({', '.join(FILES)})"
            )
        if unlabelled := [value for value in values if value in UNLABELLED]:
            self._tell(
                line, "unlabelled", f"class {unlabelled[0]} of '{key}' is no tag and is read as unknown ({UNKNOWN})"
            )
        return tuple(named(values, self.names[key], key, UNKNOWN))

    def _tell(self, line: int, kind: str, text: str) -> None:
        self.layout.notes.tell(kind, text, path=self.layout.source, line=line)
