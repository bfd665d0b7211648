"""Records to sentences, whatever they stand in: JSON Lines, Label Studio's lists, brat's pairs of files, tables."""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from polytag.corpus.formats.class_names import FILES, UNLABELLED, named, names_beside
from polytag.corpus.formats.record import SPANS, Record, columns_of, is_spans, tag_list, text_of, words_of
from polytag.corpus.formats.spans import apart, decided, marked
from polytag.corpus.formats.units import Spanned, counted
from polytag.corpus.offsets import misfit_note, tagged
from polytag.corpus.sentence import CharSpan, Sentence
from polytag.corpus.tag_rules import UNKNOWN
from polytag.corpus.text import Layout
from polytag.corpus.tokenising import tokeniser
from polytag.errors import CorpusError

_LINE_END = re.compile("\r{0,2}\n|\r")

ACCEPTED, ANSWERS = "accept", ("reject", "ignore")  # Prodigy's, of what is annotation and of what is none
ANNOTATORS = ("annotator", "_annotator_id", "_session_id")  # who made a record: Label Studio; Prodigy
TASK = "_task"  # under which a reader keeps the task that a record is an annotation of


class Document(NamedTuple):
    """Where a text of several sentences stands, and whether it is all of a file, whose lines have numbers.

    ``sentences`` says where the words of each stand, where that is known; else the text is cut as raw text is.
    """

    source: str
    has_lines: bool = False
    sentences: Sequence[Sequence[tuple[int, int]]] = ()


class Placed(NamedTuple):
    """A record and the line (of a table: the row) at which it stands; its text is one sentence or a document.

    ``name`` is what its tool calls it, "task 7"; those of one ``group``, if not 0, are annotations of the same text.
    """

    line: int
    fields: Record
    document: Document | None = None
    name: str = ""
    group: int = 0


class TaskSpans(NamedTuple):
    """The spans of a task in a text: those that stand apart, in order; those that fit no words whatever these are.

    The words of ``unknown`` ones are unknown, where no other span has them. ``going_on`` are those that began before:
    their words are unknown here too, and they are missed there.
    """

    apart: Sequence[CharSpan]
    unfit: Sequence[CharSpan]
    unknown: Sequence[CharSpan] = ()
    going_on: Sequence[CharSpan] = ()

    def within(self, start: int, end: int) -> "TaskSpans":
        """Those of a sentence, the characters ``text[start:end]``; over its end, none fits."""
        first, last = (bisect_left(self.apart, place, key=itemgetter(0)) for place in (start, end))
        begun = self.apart[first:last]
        over = [span for span in begun if span.end > end]
        unfit = [span for span in self.unfit if start <= span.start < end]
        before = [*self.apart[max(first - 1, 0) : first], *self.unfit]
        going_on = [span for span in before if span.start < start < span.end]
        unknown = [span for span in self.unknown if span.start < end and start < span.end]
        return TaskSpans([span for span in begun if span.end <= end], [*over, *unfit], unknown, going_on)


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
    for marks in _by_text(counted(reader.spanned(_chosen(records, layout)))):
        found = list[list[Sentence]]()
        for one in marks:
            with refusing(layout, one.content.record):
                found.append(list(reader.sentences(one)))
        with refusing(layout, marks[0].content.record):
            yield from reader.agreed(found, marks[0].content.record)


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
def refusing(layout: Layout, record: Placed) -> Iterator[None]:
    """What is wrong with a record, refused with its place."""
    try:
        yield
    except ValueError as error:
        said = f"{record.name}: {error}" if record.name else str(error)
        layout.notes.refuse(said, path=layout.source, line=record.line, cause=error)


def _chosen(records: Iterable[Placed], layout: Layout) -> Iterator[Placed]:
    """The records that are annotation, those of one text by several annotators side by side; others are told.

    Of a text that is there several times by each annotator, the first belong together, the second, and so on.
    """
    groups, counts = dict[tuple[int, int], list[Placed]](), Counter[tuple[int, int]]()
    for record in records:
        if _is_annotation(record, layout):
            who = next((record.fields[key] for key in ANNOTATORS if record.fields.get(key) is not None), None)
            if who is None:
                yield record
                continue
            text = hash(_content(record.fields))
            mark = text, hash(str(who))
            groups.setdefault((text, counts[mark]), []).append(record)
            counts[mark] += 1
    for group, of in enumerate(groups.values(), 1):
        yield from (record._replace(group=group) for record in of)


def _by_text(records: Iterable[Spanned[Found]]) -> Iterator[list[Spanned[Found]]]:
    """The records of each group, those of none at once."""
    held = list[Spanned[Found]]()
    for one in records:
        group = one.content.record.group
        if held and held[0].content.record.group != group:
            yield held
            held = []
        held.append(one)
        if not group:
            yield held
            held = []
    if held:
        yield held


def _is_annotation(record: Placed, layout: Layout) -> bool:
    """Whether nobody has rejected a record; what is odd about the answer is told."""
    answer = record.fields.get("answer")
    tell = partial(layout.notes.tell, path=layout.source, line=record.line, name=record.name)
    if answer in ANSWERS:
        tell(f"answer {answer}", f'a record with the answer "{answer}" is left out')
        return False
    if answer not in (None, ACCEPTED):
        said, known = f"{answer!r:.40}", ", ".join((ACCEPTED, *ANSWERS))
        tell("answer", f"a record with the answer {said}, expected one of {known}; it is read as annotation")
    return True


def _content(fields: Record) -> str:
    """What was annotated: the task of a tool, or a text."""
    return str(next((fields[key] for key in (TASK, "text", "words", "tokens") if key in fields), None))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the records of one file; ``names`` holds the names of classes by column, once they have been sought."""

    layout: Layout
    names: dict[str, tuple[str, ...]]

    def spanned(self, records: Iterable[Placed]) -> Iterator[Spanned[Found]]:
        """The records with the spans of all tasks; what is in none of them is told at the end."""
        layers = {task: str(key).partition(".")[2] for task, key in self.layout.tags.items() if is_spans(key)}
        empty = {task: layer for task, layer in layers.items() if layer}
        have_spans = have_scores = False
        for record in records:
            with refusing(self.layout, record):
                found = [(task, span) for task, layer in layers.items() for span in marked(record.fields, layer)]
                if record.fields.get("answer") == ACCEPTED:  # by a person, whatever a model thought of it
                    found = [(task, span._replace(score=None)) for task, span in found]
                text = text_of(record.fields) if layers or record.document else ""
                for task, _ in found:
                    empty.pop(task, None)
                if layers and not found and "Comments" in record.fields:
                    said = "has no span: doccano exports texts so that nobody annotated, unless those approved alone"
                    self._tell(record, "no span", f"{said}; it is read as a text without any")
                have_spans = have_spans or bool(found)
                have_scores = have_scores or any(span.score is not None for _, span in found)
                yield Spanned(Found(record, [task for task, _ in found]), text, [span for _, span in found])
        for task, layer in empty.items():
            text = f"no span of the layer or type '{layer}', so '{task}' has no span in it"
            self.layout.notes.tell(f"layer {layer}", text, path=self.layout.source)
        if self.layout.min_probability and have_spans and not have_scores:
            text = f"min_probability is {self.layout.min_probability}, and no span of it has a score: all count as sure"
            self.layout.notes.tell("scores", text, path=self.layout.source)

    def sentences(self, one: Spanned[Found]) -> Iterator[Sentence]:
        """The sentences of a record: one, none where it holds no word, or all of a document."""
        record = one.content.record
        spans = self._spans(one)
        if record.document:
            yield from self._document(record, one.text, record.document, spans)
            return
        words, places = words_of(record.fields, self.layout.cut, placed=bool(spans))
        columns = {task: str(key) for task, key in self.layout.tags.items() if task not in spans}
        lists = {task: self._tags(record, key, words) for task, key in columns.items()}
        found = Sentence(words, lists, (record.line,) * len(words), self.layout.source, offsets=tuple(places))
        if words:
            yield self._tagged(found, spans, one.text, record) if spans else found

    def agreed(self, annotations: Sequence[Sequence[Sentence]], record: Placed) -> Iterator[Sentence]:
        """The sentences of a text, each word with the tag that most annotations give it, or unknown without one.

        Raises:
            ValueError: they are of other words.
        """
        if len(annotations) < 2:
            yield from (sentence for one in annotations for sentence in one)
            return
        if len({tuple(sentence.words for sentence in one) for one in annotations}) > 1:
            raise ValueError(f"{len(annotations)} annotations of it have different words, expected the same")
        unlike = 0
        for marks in zip(*annotations, strict=True):
            of_words = {task: list(zip(*(one.tags[task] for one in marks), strict=True)) for task in marks[0].tags}
            differ = {task: sum(len(set(tags)) > 1 for tags in words) for task, words in of_words.items()}
            agreed = {task: tuple(map(_most, words)) for task, words in of_words.items()}
            misfits = {task: spans for task, spans in marks[0].misfits.items() if not differ[task]}
            yield replace(marks[0], tags=agreed, misfits=misfits)
            unlike += sum(differ.values())
        if unlike:
            said = f"{len(annotations)} annotations mark {unlike} of its words differently"
            self._tell(record, "annotators", f"{said}, which have the tag of more than half of them, else {UNKNOWN}")

    def _document(
        self, record: Placed, text: str, document: Document, spans: Mapping[str, TaskSpans]
    ) -> Iterator[Sentence]:
        """The sentences of a text, each with the spans that begin in it."""
        ends = [end.end() for end in _LINE_END.finditer(text)]
        cut = document.sentences or [found.offsets for found in tokeniser(self.layout.tokeniser).sentences(text)]
        for places in cut:
            starts = [start for start, _ in places]
            lines = [bisect_right(ends, start) + 1 for start in starts] if document.has_lines else []
            words = tuple(text[start:end] for start, end in places)
            found = Sentence(words, {}, lines or (record.line,) * len(words), document.source, offsets=places)
            own = {task: of.within(starts[0], places[-1][1]) for task, of in spans.items()}
            yield self._tagged(found, own, text, record)

    def _tagged(self, found: Sentence, spans: Mapping[str, TaskSpans], text: str, record: Placed) -> Sentence:
        """A sentence with the tags of the tasks that mark spans, and the spans that do not fit its words."""
        lists, misfits = dict(found.tags), dict[str, tuple[CharSpan, ...]]()
        for task, of in spans.items():
            unfit = [*of.unfit, *of.going_on]
            lists[task], unfitting = tagged(found.offsets, of.apart, unfit=unfit, unknown=of.unknown)
            for span in unfitting[len(unfit) :]:
                self._tell(record, "misfit", misfit_note(span, text, found.offsets))
            for span in of.unfit:
                if span.end > found.offsets[-1][1]:
                    said = f"span {list(span)}, {text[span.start : span.end]!r:.60}, goes over the end of a sentence"
                    self._tell(record, "span over sentences", f"{said} and counts as missed where taggers are scored")
            if unfitting and not of.unknown:  # of a sentence with unknown words no tagger is scored
                misfits[task] = (*of.unfit, *unfitting[len(unfit) :])
        return replace(found, tags={task: lists[task] for task in self.layout.tags}, misfits=misfits)

    def _spans(self, one: Spanned[Found]) -> dict[str, TaskSpans]:
        """The spans of each task that marks some, in characters."""
        record, spans = one.content.record, one.in_characters()
        for before, span in zip(one.spans, spans, strict=True):
            if before != span:
                here = one.text[span.start : span.end]
                self._tell(record, "unit", f"offsets count {one.unit} and are read so: span {before} is {here!r:.60}")
                break
        found = dict[str, TaskSpans]()
        for task in [task for task, key in self.layout.tags.items() if is_spans(key)]:
            own = [span for of, span in zip(one.content.tasks, spans, strict=True) if of == task]
            sure, unknown = decided(own, one.text, self.layout.min_probability)
            tell = partial(self._tell, record)
            found[task] = TaskSpans(*apart(sure, one.text, overlaps=self.layout.overlaps, tell=tell), unknown)
        return found

    def _tags(self, record: Placed, key: str, words: Sequence[str]) -> tuple[str, ...]:
        """The tags under a key, with the names of their classes where they are numbers."""
        values = tag_list(record.fields, key, words)
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
                record, "unlabelled", f"class {unlabelled[0]} of '{key}' is no tag and is read as unknown ({UNKNOWN})"
            )
        return tuple(named(values, self.names[key], key, UNKNOWN))

    def _tell(self, record: Placed, kind: str, text: str) -> None:
        self.layout.notes.tell(kind, text, path=self.layout.source, line=record.line, name=record.name)


def _most(tags: Sequence[str]) -> str:
    """The tag that more than half give, or unknown."""
    tag, count = Counter(tags).most_common(1)[0]
    return tag if 2 * count > len(tags) else UNKNOWN
