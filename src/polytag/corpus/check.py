"""A look at a corpus before training on it: how much there is, in which scheme, and what is wrong where.

What is said is what reading says: this is the reader, its notes collected, for the words and for each column of tags.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

from polytag.corpus import schemes
from polytag.corpus.documents import files_of, format_of, read
from polytag.corpus.formats import FORMATS
from polytag.corpus.formats.column_shape import DOCSTART
from polytag.corpus.labels import Labels
from polytag.corpus.notes import Note, Notes
from polytag.corpus.sentence import Sentence
from polytag.corpus.tag_rules import parse_any
from polytag.corpus.text import Layout, Lines
from polytag.errors import CorpusError
from polytag.tag_schemes import SPAN_SCHEMES
from polytag.tokenisers import UNICODE

MOST_PROBLEMS = 20  # kept; all are counted
MOST_COLUMNS = 50  # looked at, each in a reading of its own
FIRST = 2_000  # lines that tell which tags a corpus has, where not all are looked at
MOST_TAGS = 10_000  # distinct tags counted in a column; one with more holds lemmas or the like


@dataclass
class Column:
    """One kind of tags: how often each occurs (``complete`` unless there were over MOST_TAGS), and their scheme.

    ``scheme`` is None where there is none that fits or too many tags to tell; ``note`` says what was seen.
    """

    name: str
    tags: Counter[str] = field(default_factory=Counter)
    complete: bool = True
    scheme: str | None = None
    note: str = ""


@dataclass
class Report:
    """What a corpus holds. ``tokens`` counts -DOCSTART- lines, as the paper does; ``documents`` counts these alone.

    ``problems`` has the line and text of the first MOST_PROBLEMS of ``problem_count``, ``notes`` what readers repair,
    leave out or find odd. ``longest_word`` is the word and its line, ``longest_sentence`` a number of words and the
    line where the sentence begins.
    """

    path: str
    format: str
    encoding: str = "ascii"
    sentences: int = 0
    tokens: int = 0
    documents: int = 0
    columns: list[Column] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    problem_count: int = 0
    notes: list[Note] = field(default_factory=list)
    longest_word: tuple[str, int] = ("", 0)
    longest_sentence: tuple[int, int] = (0, 0)
    has_capitals: bool = False

    def note(self, line: int, text: str) -> None:
        """Count a problem, and keep it if it is one of the first."""
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((line, text))


def check(
    path: str | PathLike[str],
    *,
    format: str = "auto",
    word: int | str = 0,
    encoding: str = "auto",
    outside: str = "O",
    tokeniser: str = UNICODE,
    marks: Collection[str] = (),
) -> Report:
    """Read a whole corpus, once for its words and once for each column of tags, and say what it holds.

    What reading refuses is reported, not raised; the tag ``outside`` is read as O, and ``tokeniser`` cuts text into
    words. ``marks`` are the types of spans that the corpus marks, as a task's: no others may stand in a column that has
    one of them. Columns are named as the format has them: by their number (conll), upos, xpos and deprel (conllu), pos
    (treebank), by the keys of "tags" and, for character spans, 'spans' (jsonl).

    Raises:
        CorpusError: there is no such file or format.
    """
    name = format_of(path, format)
    report = Report(str(path), name)
    survey = _Survey(path, report, outside, format=name, word=word, encoding=encoding, tokeniser=tokeniser)
    for sentence in survey.sentences({}):
        _count(sentence, report)
    keys = columns_of(path, format=name, word=word, encoding=encoding, lines=None)
    if len(keys) > MOST_COLUMNS:
        report.note(1, f"{len(keys):,} kinds of tags, expected at most {MOST_COLUMNS}; no more are looked at")
    for key in keys[:MOST_COLUMNS]:
        column = Column(key)
        _detect(column, survey, report)
        _check_marks(column, survey, report, marks)
        if column.tags:
            report.columns.append(column)
    if marks and not any(_types(column) & set(marks) for column in report.columns):
        report.note(0, f"no column has a span of {', '.join(marks)}, expected some")
    report.notes = [note for note in report.notes if note.count > 1 or not survey.was_refused(note)]
    return report


def columns_of(
    path: str | PathLike[str],
    *,
    format: str = "auto",
    word: int | str = 0,
    encoding: str = "auto",
    lines: int | None = FIRST,
) -> list[str]:
    """The names of the columns or keys of tags in the first lines of a corpus, or in all.

    Raises:
        CorpusError: there is no such file or format.
    """
    name = format_of(path, format)
    found = dict[str, None]()
    for file in files_of(path, name):
        notes = Notes(collects=True)
        try:
            first = islice(Lines(file, encoding=encoding), lines)
            layout = Layout(str(file), word, encoding=encoding, notes=notes)
            found |= dict.fromkeys(FORMATS[name].columns(first, layout))
        except CorpusError:  # told when it is read
            continue
    return list(found)


class _Survey:
    """Reads the same corpus again and again, and on past what is refused, which the report gets, each line once."""

    def __init__(self, path: str | PathLike[str], report: Report, outside: str, **options: Any) -> None:
        self.path, self.report, self.outside, self.options = path, report, outside, options
        self._told = set[tuple[str, int]]()
        self._of_words: int | None = None  # refusals while nothing but words was read: they come again with each column

    def sentences(self, tags: Mapping[str, str]) -> Iterator[Sentence]:
        """All that can be read with some tags; words alone come first."""
        notes = Notes(collects=True)
        labels = dict.fromkeys(tags, Labels(self.outside))
        try:
            yield from read(self.path, tags=tags, docstart=True, labels=labels, notes=notes, **self.options)
        except CorpusError as error:  # a first line that cannot be read
            notes.take(error)
        if self._of_words is None:
            self._of_words = notes.refusals
            self.report.problem_count += notes.refusals
            self.report.encoding = ", ".join(sorted(notes.encodings - {"ascii"})) or "ascii"
        else:
            self.report.problem_count += notes.refusals - self._of_words
        self.report.problems += [self._problem(error) for error in notes.refused if self._is_new(error)]
        del self.report.problems[MOST_PROBLEMS:]
        known = {(note.kind, note.path) for note in self.report.notes}
        self.report.notes += [note for note in notes if (note.kind, note.path) not in known]

    def again(self, tags: Mapping[str, str]) -> Iterator[Sentence]:
        """The same, when all has been told."""
        labels = dict.fromkeys(tags, Labels(self.outside))
        return read(self.path, tags=tags, labels=labels, notes=Notes(collects=True), **self.options)

    def was_refused(self, note: Note) -> bool:
        """Whether the line that a note is about was refused later on."""
        return (note.path, note.line) in self._told

    def _is_new(self, error: CorpusError) -> bool:
        place = error.path, error.line
        is_new = place not in self._told
        self._told.add(place)
        return is_new

    def _problem(self, error: CorpusError) -> tuple[int, str]:
        file = "" if error.path == str(self.path) else f"{Path(error.path).name}: "
        return error.line, file + error.message


def _count(sentence: Sentence, report: Report) -> None:
    is_document = sentence.words == (DOCSTART,)
    report.documents += is_document
    report.sentences += not is_document
    report.tokens += len(sentence)
    if is_document:
        return
    if len(sentence) > report.longest_sentence[0]:
        report.longest_sentence = (len(sentence), sentence.lines[0])
    for word, line in zip(sentence.words, sentence.lines, strict=True):
        if len(word) > len(report.longest_word[0]):
            report.longest_word = (word, line)
        report.has_capitals = report.has_capitals or word != word.lower()


def _detect(column: Column, survey: _Survey, report: Report) -> None:
    """Count the column's tags, and tell their scheme and where they depart from it."""
    try:
        found = schemes.detect(_counted(column, survey))
    except CorpusError as error:
        column.note = "in no tag scheme"  # why, is among the problems
        if column.complete:
            report.note(0, f"column {column.name}: {error.message}")
            return
    if not column.complete:
        column.note = f"over {MOST_TAGS:,} different tags"
        return
    column.scheme, column.note = found.scheme, found.note
    if found.odd:
        report.note(0, f"column {column.name}: {found.odd}")
    if not found.problems:
        return
    for sentence in survey.again({column.name: column.name}):
        for position, problem in schemes.problems(sentence.tags[column.name], found.scheme):
            report.note(sentence.lines[position], f"column {column.name}: {problem}; {schemes.REPAIRED}")


def _types(column: Column) -> set[str]:
    """The types of the spans of a column."""
    is_of_spans = column.scheme in SPAN_SCHEMES
    return {parse_any(tag).type for tag in column.tags} - {""} if is_of_spans else set()


def _check_marks(column: Column, survey: _Survey, report: Report, marks: Collection[str]) -> None:
    """Report what training refuses in a column of some of these types: spans of others."""
    found = _types(column)
    if not found & set(marks):
        return
    if missing := sorted(set(marks) - found):
        column.note += f"; no span of {', '.join(missing)}"
    if found <= set(marks):
        return
    for sentence in survey.again({column.name: column.name}):
        for line, tag in zip(sentence.lines, sentence.tags[column.name], strict=True):
            if parse_any(tag).type not in {"", *marks}:
                report.note(line, f"column {column.name}: found {tag} in a file that marks {', '.join(marks)} alone")


def _counted(column: Column, survey: _Survey) -> Iterator[Sequence[str]]:
    """The tags of all sentences; those of a column with too many that differ are looked at in part only."""
    for sentence in survey.sentences({column.name: column.name}):
        if sentence.words == (DOCSTART,):
            continue
        tags = sentence.tags[column.name]
        for tag in tags:
            if tag in column.tags or len(column.tags) < MOST_TAGS:
                column.tags[tag] += 1
            else:
                column.complete = False
        if column.complete:
            yield tags
