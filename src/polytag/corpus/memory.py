"""Sentences that a program holds, in place of files: whatever people have them as, checked and made into Sentences.

A fault is told by the Python expression that leads to it: ``corpora['ner']['train'][3]``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

from polytag.corpus.formats.class_names import named
from polytag.corpus.labels import Labels, read_labels
from polytag.corpus.notes import Notes
from polytag.corpus.sentence import Sentence
from polytag.corpus.tag_rules import UNKNOWN
from polytag.corpus.text import is_encodable
from polytag.errors import CorpusError

WORDS = ("words", "tokens")  # the field that has them
PAIR = "expected a Sentence, a pair of words and tags, or a mapping with 'words' or 'tokens' and the tags"


def sentences_of(
    rows: Any,
    *,
    task: str,
    place: str,
    column: int | str,
    names: Sequence[str] = (),
    labels: Labels | None = None,
    notes: Notes,
) -> list[Sentence]:
    """The sentences of one split, each with its tags under the task's name; those without words are left out and told.

    Args:
        rows: an iterable of sentences, pairs of words and tags, or mappings; a ``DataFrame`` or a ``Dataset`` with one
            row for each sentence.
        task: whose tags they are: those under its name, under ``TASK_tags`` or ``tags``.
        place: what to call ``rows`` in errors.
        column: the name of the tags' field, where it is a name.
        names: what tags that are integers stand for; those of a Dataset's features unless given.
        labels: how the task reads its tags.
        notes: takes what was left out.

    Raises:
        CorpusError: a row is no sentence with tags; its ``path`` is the place with the row's index from 0.
    """
    fields = [column] if isinstance(column, str) else [task, f"{task}_tags", "tags"]
    reader = _Reader(task, fields, names, _class_names(rows))
    found = []
    for index, row in enumerate(_rows(rows, place)):
        sentence = reader.sentence(row, f"{place}[{index}]")
        if sentence.words:
            found.append(sentence)
        else:
            notes.tell("no words", f"sentence {index} has no words and is left out", path=place)
    if not found:
        raise CorpusError("no sentence in it, expected at least one", path=place)
    return list(read_labels(found, {task: labels or Labels()}, path=place, notes=notes))


@dataclass(frozen=True)
class _Reader:
    """How the rows of one corpus are read; ``classes`` holds what integers stand for in some fields.

    ``names``, where it is given, takes its place.
    """

    task: str
    fields: Sequence[str]
    names: Sequence[str]
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def sentence(self, row: Any, place: str) -> Sentence:
        words, tags, names = self._parts(row, place)
        words = _texts(words, place, "word")
        tags = _texts(_named(tags, names, self.task, place), place, "tag")
        if len(words) != len(tags):
            raise CorpusError(f"{len(words)} words and {len(tags)} tags of '{self.task}', expected as many", path=place)
        if isinstance(row, Sentence):
            return replace(row, words=words, tags={self.task: tags}, source=row.source or place)
        return Sentence(words, {self.task: tags}, source=place)

    def _parts(self, row: Any, place: str) -> tuple[Any, Any, Sequence[str]]:
        """Words, tags, and what these stand for where they are integers."""
        if isinstance(row, Sentence):
            return row.words, self._tags(row.tags, place)[1], self.names
        if isinstance(row, Mapping):
            words = next((row[name] for name in WORDS if name in row), None)
            if words is None:
                raise CorpusError(f"neither 'words' nor 'tokens' among {_listed(row)}", path=place)
            name, tags = self._tags(row, place)
            return words, tags, self.names or self.classes.get(name, ())
        if not isinstance(row, list | tuple) or len(row) != 2 or _is_pairs(row):
            hint = ": words and tags as a list each" if isinstance(row, list | tuple) and _is_pairs(row) else ""
            raise CorpusError(f"{_shown(row)}, {PAIR}{hint}", path=place)
        return row[0], row[1], self.names

    def _tags(self, row: Mapping[str, Any], place: str) -> tuple[str, Any]:
        name = next((name for name in self.fields if name in row), None)
        if name is None:
            expected = " or ".join(f"'{name}'" for name in self.fields)
            message = (
                f"no tags of '{self.task}' among {_listed(row)}, expected {expected}, or tasks.{self.task}.columns"
            )
            raise CorpusError(f"{message} = {{ tag = NAME }} in the plan", path=place)
        tags = row[name]
        return self._tags(tags, place) if isinstance(tags, Mapping) else (name, tags)


def _rows(rows: Any, place: str) -> Iterable[Any]:
    if hasattr(rows, "to_dict") and hasattr(rows, "itertuples"):  # a DataFrame; pandas is not imported for it
        found: Iterable[Any] = rows.to_dict("records")
        return found
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise CorpusError(f"{_shown(rows)}, expected a list of sentences", path=place)
    return rows


def _class_names(rows: Any) -> dict[str, Sequence[str]]:
    """What the integers of a Dataset's fields stand for, as far as its features say it."""
    features = getattr(rows, "features", None)
    if not isinstance(features, Mapping):
        return {}
    names = {name: getattr(getattr(feature, "feature", feature), "names", None) for name, feature in features.items()}
    return {name: of for name, of in names.items() if isinstance(of, list)}


def _named(tags: Any, names: Sequence[str], task: str, place: str) -> Any:
    """Tags by name; anything that is no list of integers is left for who checks it."""
    if isinstance(tags, str | bytes | Mapping) or not isinstance(tags, Iterable):
        return tags
    tags = list(tags)
    if not tags or not all(isinstance(tag, Integral) for tag in tags):
        return tags
    if not names:
        message = f"tags are numbers ({tags[0]}, ...) and nothing names them, expected tasks.{task}.columns.names"
        raise CorpusError(f"{message} in the plan", path=place)
    try:
        return named(list(map(int, tags)), names, task, UNKNOWN)
    except ValueError as error:
        raise CorpusError(str(error), path=place) from None


def _texts(value: Any, place: str, what: str) -> tuple[str, ...]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise CorpusError(f"the {what}s are {_shown(value)}, expected a list of texts", path=place)
    texts = tuple(value)
    for number, text in enumerate(texts):
        if not isinstance(text, str) or not text or not is_encodable(text):
            message = f"{what} {number} is {_shown(text)}, expected a text of at least a character"
            raise CorpusError(message, path=place)
    return tuple(map(str, texts))  # no numpy.str_


def _is_pairs(row: Sequence[Any]) -> bool:
    """Whether a row is a list of pairs of a word and a tag, which for two words looks as words and tags do."""
    return isinstance(row, list) and bool(row) and all(isinstance(item, tuple) and len(item) == 2 for item in row)


def _listed(row: Mapping[str, Any]) -> str:
    return ", ".join(f"'{name}'" for name in row) or "nothing"


def _shown(value: object) -> str:
    return f"{value!r:.60} ({type(value).__name__})"
