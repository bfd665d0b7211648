"""A look at a corpus before training on it: how much there is, in which scheme, and what is wrong where."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike
from pathlib import Path

from polytag.corpus import schemes
from polytag.corpus.documents import files_of, format_of
from polytag.corpus.formats import FORMATS, conll, conllu, conllu_columns
from polytag.corpus.formats.record import SPANS, parse
from polytag.corpus.formats.treebank import POS
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import BLANKS, Layout, Line, Lines, paragraphs
from polytag.errors import CorpusError

MOST_PROBLEMS = 20  # kept; all are counted
FIRST = 100  # sentences that tell which tags a corpus has
MOST_TAGS = 10_000  # distinct tags counted in a column; one with more holds lemmas or the like

# Characters that look like nothing or like a blank, yet make another word of a word.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028\u2029\u2060\ufeff\ufffd]")

Note = Callable[[int, str], None]


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

    ``problems`` has the line and text of the first MOST_PROBLEMS of ``problem_count``. ``longest_word`` is the word
    and its line, ``longest_sentence`` a number of words and the line where the sentence begins.
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
    longest_word: tuple[str, int] = ("", 0)
    longest_sentence: tuple[int, int] = (0, 0)

    def note(self, line: int, text: str) -> None:
        """Count a problem, and keep it if it is one of the first."""
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((line, text))


def check(path: str | PathLike[str], *, format: str = "auto", word: int = 0, encoding: str = "auto") -> Report:
    """Read a whole corpus, some times over, and say what it holds; what is wrong in it is reported, not raised.

    Columns are named by their number (conll), upos, xpos and deprel (conllu), pos (treebank), or by the keys of
    "tags" and, for character spans, 'spans' (jsonl).

    Raises:
        CorpusError: there is no such file or format.
    """
    name = format_of(path, format)
    survey = _Survey(files_of(path, name), name, word, encoding)
    report = Report(str(path), name)
    columns: dict[str, Column] = {}
    for sentence in survey.sentences(report.note):
        _count(sentence, report)
        for key, tags in sentence.tags.items():
            _add(columns.setdefault(key, Column(key)), tags)
    if not report.sentences and not report.problem_count:
        report.note(1, "no sentence in it, expected at least one")
    report.encoding = survey.encoding
    # A column of _ only is how CoNLL-U says that there is none.
    report.columns = [column for column in columns.values() if set(column.tags) != {"_"}]
    for column in report.columns:
        _detect(column, survey, report)
    return report


def layers(path: str | PathLike[str], *, format: str = "auto", word: int = 0, encoding: str = "auto") -> list[str]:
    """The columns or keys of tags in the first sentences of a corpus, named as in ``check``.

    Raises:
        CorpusError: there is no such file or format.
    """
    name = format_of(path, format)
    if not FORMATS[name].has_tags:
        return []
    survey = _Survey(files_of(path, name), name, word, encoding)
    found: dict[str, set[str]] = {}
    for sentence in islice(survey.sentences(lambda *_: None), FIRST):
        for key, tags in sentence.tags.items():
            found.setdefault(key, set()).update(tags)
    return [key for key, tags in found.items() if tags != {"_"}]


class _Survey:
    """Reads the same corpus again and again: sentences with the tags of all columns, and on past problems."""

    def __init__(self, files: list[Path], format: str, word: int, encoding: str) -> None:
        self.files, self.format, self.word, self.declared, self.encoding = files, format, word, encoding, "ascii"

    def sentences(self, note: Note) -> Iterator[Sentence]:
        for file in self.files:
            lines = Lines(file, encoding=self.declared)
            try:
                yield from _SURVEYS.get(self.format, _simple)(lines, Layout(str(file), self.word), note, self.format)
            except CorpusError as error:
                note(error.line, f"{file.name}: {error.message}" if len(self.files) > 1 else error.message)
            self.encoding = self.encoding if lines.encoding == "ascii" else lines.encoding


def _conll(lines: Iterable[Line], layout: Layout, note: Note, _: str) -> Iterator[Sentence]:
    """All columns under their numbers; lines with another number of columns than the first are problems."""
    width = 0
    for run in paragraphs(lines, alone=conll.is_docstart):
        rows = [conll.split(line.text) for line in run]
        if not rows[0]:
            continue
        is_document = conll.is_docstart(run[0].text)
        width = width or (0 if is_document else len(rows[0]))
        for line, row in zip(run, rows, strict=True):
            if len(row) != width and not is_document:
                note(line.number, f"{counted(len(row), 'column')}, expected {width} as in the first sentence")
        word = _word_column(layout, width, run[0]) if not is_document else 0
        others = [number for number in range(width) if number != word] if not is_document else []
        words = tuple(row[word] if word < len(row) else row[0] for row in rows)
        tags = {str(number): tuple(row[number] if number < len(row) else "O" for row in rows) for number in others}
        yield Sentence(words, tags, tuple(line.number for line in run), layout.source)


def _word_column(layout: Layout, width: int, line: Line) -> int:
    if not -width <= layout.word < width:
        message = f"{counted(width, 'column')}, expected the words in column {layout.word}"
        raise CorpusError(message, path=layout.source, line=line.number)
    return layout.word % width


def _conllu(lines: Iterable[Line], layout: Layout, note: Note, _: str) -> Iterator[Sentence]:
    for run in paragraphs(lines):
        try:
            words = conllu.rows(run, layout)
        except CorpusError as error:
            note(error.line, error.message)
            continue
        found = conllu.sentence(words, layout, {})
        if found is not None:
            places = {name: conllu_columns.COLUMNS.index(name) for name in ("upos", "xpos", "deprel")}
            tags = {name: tuple(columns[index] for _, columns in words) for name, index in places.items()}
            yield Sentence(found.words, tags, found.lines, found.source)


def _jsonl(lines: Iterable[Line], layout: Layout, note: Note, format: str) -> Iterator[Sentence]:
    for line in lines:
        if not line.text.strip(BLANKS):
            continue
        try:
            tags = _keys(parse(line))
            yield from FORMATS[format].sentences([line], Layout(layout.source, tags=tags))
        except CorpusError as error:
            note(error.line, error.message)
        except ValueError as error:
            note(line.number, str(error))


def _simple(lines: Iterable[Line], layout: Layout, _: Note, format: str) -> Iterator[Sentence]:
    tags = {POS: POS} if format == "treebank" else {}
    return FORMATS[format].sentences(lines, Layout(layout.source, tags=tags))


_SURVEYS = {"conll": _conll, "conllu": _conllu, "jsonl": _jsonl}


def _keys(record: object) -> Mapping[str, str]:
    """The kinds of tags that one JSON record holds."""
    fields = record[1] if isinstance(record, list) else record if isinstance(record, dict) else {}
    has_spans = any(isinstance(fields.get(key), list) for key in ("spans", "label", "labels", "entities"))
    return {**{key: key for key in fields.get("tags", {})}, **({SPANS: SPANS} if has_spans else {})}


def _count(sentence: Sentence, report: Report) -> None:
    is_document = sentence.words == (conll.DOCSTART,)
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
        if not word.isascii() or not word.isprintable():
            for character in sorted(set(_UNSEEN.findall(word))):
                report.note(line, f"word {word!a:.60} holds the unseen character U+{ord(character):04X}")


def _add(column: Column, tags: Sequence[str]) -> None:
    for tag in tags:
        if tag in column.tags or len(column.tags) < MOST_TAGS:
            column.tags[tag] += 1
        else:
            column.complete = False


def _detect(column: Column, survey: _Survey, report: Report) -> None:
    """Tell the column's scheme from all its sentences, and where its tags depart from it."""
    if not column.complete:
        column.note = f"over {MOST_TAGS:,} different tags"
        return
    try:
        found = schemes.detect(_sequences(column, survey))
    except CorpusError as error:
        column.note = "in no tag scheme"  # why, is among the problems
        report.note(0, f"column {column.name}: {error.message}")
        return
    column.scheme, column.note = found.scheme, found.note
    if not found.problems:
        return
    for sentence in survey.sentences(lambda *_: None):
        for position, problem in schemes.problems(sentence.tags.get(column.name, ()), found.scheme):
            report.note(sentence.lines[position], f"column {column.name}: {problem}")


def _sequences(column: Column, survey: _Survey) -> Iterator[Sequence[str]]:
    return (s.tags[column.name] for s in survey.sentences(lambda *_: None) if column.name in s.tags)


def counted(count: int, noun: str) -> str:
    """A number and what it counts: 1 sentence, 2,000 sentences."""
    return f"{count:,} {noun}{'s' if count != 1 else ''}"
