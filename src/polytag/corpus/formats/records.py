"""Records to sentences, whatever they stand in: JSON Lines, Label Studio's lists, brat's pairs of files, tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from polytag.corpus.formats.class_names import FILES, UNLABELLED, named, names_beside
from polytag.corpus.formats.record import Record, columns_of, is_spans, tag_list, text_of, words_of
from polytag.corpus.formats.spans import apart, marked
from polytag.corpus.formats.units import Spanned, counted
from polytag.corpus.offsets import misfit_note, tagged
from polytag.corpus.sentence import CharSpan, Sentence
from polytag.corpus.tag_rules import UNKNOWN
from polytag.corpus.text import Layout

ANSWERS = ("reject", "ignore")  # Prodigy's, of what is no annotation
ANNOTATORS = ("annotator", "_annotator_id", "_session_id")  # who made a record: Label Studio; Prodigy


class Placed(NamedTuple):
    """A record and the line (of a table: the row) at which it stands."""

    line: int
    fields: Record


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
            sentence = reader.sentence(one)
            if sentence is not None:
                yield sentence


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
    for line, fields in records:
        who = next((fields[key] for key in ANNOTATORS if fields.get(key) is not None), None)
        if (answer := fields.get("answer")) in ANSWERS:
            text = f'a record with the answer "{answer}" is left out'
            layout.notes.tell(f"answer {answer}", text, path=layout.source, line=line)
        elif who is not None and (first := annotators.setdefault(hash(_content(fields)), who)) != who:
            text = f"a text by annotator {who!r:.40} is left out, as it is here by {first!r:.40} already"
            layout.notes.tell("annotators", text, path=layout.source, line=line)
        else:
            yield Placed(line, fields)


def _content(fields: Record) -> str:
    """What was annotated."""
    return str(fields.get("text", fields.get("words")))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the records of one file; ``names`` holds the names of classes by column, once they have been sought."""

    layout: Layout
    names: dict[str, tuple[str, ...]]

    def spanned(self, records: Iterable[Placed]) -> Iterator[Spanned[Found]]:
        """The records with the spans of all tasks."""
        layers = {task: str(key).partition(".")[2] for task, key in self.layout.tags.items() if is_spans(key)}
        for record in records:
            with refusing(self.layout, record.line):
                found = [(task, span) for task, layer in layers.items() for span in marked(record.fields, layer)]
                text = text_of(record.fields) if layers else ""
                yield Spanned(Found(record, [task for task, _ in found]), text, [span for _, span in found])

    def sentence(self, one: Spanned[Found]) -> Sentence | None:
        """The sentence of a record; none where it holds no word."""
        line, fields = one.content.record
        spanning = [task for task, key in self.layout.tags.items() if is_spans(key)]
        words, places = words_of(fields, self.layout.cut, placed=bool(spanning))
        columns = {task: str(key) for task, key in self.layout.tags.items() if not is_spans(key)}
        lists = {task: self._tags(fields, key, words, line) for task, key in columns.items()}
        misfits = dict[str, tuple[CharSpan, ...]]()
        for task, spans in self._spans(one, spanning).items():
            lists[task], unfitting = tagged(places, spans)
            misfits |= {task: unfitting} if unfitting else {}
            for span in unfitting:
                self._tell(line, "misfit", misfit_note(span, one.text, places))
        return made(words, lists, line, self.layout, places, misfits)

    def _spans(self, one: Spanned[Found], tasks: Sequence[str]) -> dict[str, list[CharSpan]]:
        """The spans of each task, in characters and apart."""
        line, spans = one.content.record.line, one.in_characters()
        for before, span in zip(one.spans, spans, strict=True):
            if before != span:
                here = one.text[span.start : span.end]
                self._tell(line, "unit", f"offsets count {one.unit} and are read so: span {before} is {here!r:.60}")
                break
        found = dict[str, list[CharSpan]]()
        for task in tasks:
            own = [span for of, span in zip(one.content.tasks, spans, strict=True) if of == task]
            found[task] = apart(own, one.text, overlaps=self.layout.overlaps, tell=partial(self._tell, line))
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


def made(
    words: tuple[str, ...],
    tags: Mapping[str, tuple[str, ...]],
    line: int,
    layout: Layout,
    places: Sequence[tuple[int, int]] = (),
    misfits: Mapping[str, tuple[CharSpan, ...]] = {},
) -> Sentence | None:
    """A sentence whose words all stand in one line; None where there are none."""
    ordered = {task: tags[task] for task in layout.tags if task in tags}
    numbers = (line,) * len(words)
    return Sentence(words, ordered, numbers, layout.source, offsets=tuple(places), misfits=misfits) if words else None
