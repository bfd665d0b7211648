"""What is in somebody's files: sentences, columns, and which of them are most likely meant."""

import re
from dataclasses import dataclass
from pathlib import Path

from polytag.corpus import FORMATS, Column, Report, check
from polytag.errors import CorpusError, counted

# Types of spans that tell which task it is; labels of single words are taken for parts of speech.
_CHUNKS = {"NP", "VP", "PP", "ADJP", "ADVP"}
ENTITIES = "ner"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a training file holds, and which of its columns (conll: numbers) may hold the tags."""

    path: Path
    report: Report
    word: int | str = 0

    @property
    def columns(self) -> list[str]:
        return [column.name for column in self.report.columns]

    @property
    def tag(self) -> str:
        """The column that is most likely meant."""
        usual = FORMATS[self.report.format].usual_tag
        return usual if usual in self.columns else self.columns[-1]

    def column(self, name: str) -> Column | None:
        """A column by its name or, counted from the end, its negative number; None for one that was not looked at."""
        named = {column.name: column for column in self.report.columns}
        width = len(named) + 1
        return named.get(str(int(name) + width)) if name.startswith("-") and name[1:].isdecimal() else named.get(name)

    def lines(self) -> list[str]:
        """What was seen, for people."""
        report = self.report
        sizes = f"{counted(report.sentences, 'sentence')}, {counted(report.tokens, 'token')}"
        found = [f"{self.path}: {report.format}, {sizes}"]
        for column in report.columns:
            common = ", ".join(tag for tag, _ in column.tags.most_common(5))
            found.append(f"  column {column.name}: {common}  ({column.note})")
        if report.problem_count:
            line, problem = report.problems[0]
            place = f" in line {line}" if line else ""
            found.append(f"  {counted(report.problem_count, 'problem')}, the first{place}: {problem}")
        return found


def look(path: Path, *, format: str = "auto", word: int | str = 0) -> Seen:
    """Read a training file.

    Raises:
        CorpusError: it cannot be read, or has no tags beside the words.
    """
    report = check(path, format=format, word=word)
    if not report.columns:
        nothing = (0, "no column but the words, expected words with tags")
        line, problem = report.problems[0] if report.problems else nothing
        raise CorpusError(problem, path=path, line=line)
    return Seen(path, report, word)


def guessed_name(seen: Seen, tag: str) -> str:
    """A name for the task of a column: pos, chunk or ner; for a key of CoNLL-U's MISC the key."""
    column = seen.column(tag)
    key = tag.rpartition(".")[2]
    if column is None and is_name(key) and not key.isdecimal():
        return key
    return kind_of(column)


def kind_of(column: Column | None) -> str:
    """What the tags of a column look like: pos, chunk or ner."""
    if column is None or column.scheme == "plain":
        return "pos"
    types = {name.partition("-")[2] for name in column.tags}
    return "chunk" if types & _CHUNKS else ENTITIES


def is_name(text: str) -> bool:
    """Whether a task may be called so."""
    return re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]*", text) is not None
