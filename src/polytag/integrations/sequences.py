"""What an estimator is given: lists of words and of tags, checked, and the corpus that training reads them from."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polytag.corpus.schemes import rewritten_alone
from polytag.corpus.sentence import Sentence
from polytag.errors import CorpusError, PolytagError
from polytag.files import atomic_write
from polytag.vocabulary.vocabularies import TagVocabulary

TASK = "y"  # the one task of an estimator's plan


class SequencesError(PolytagError, ValueError):
    """What an estimator was given is no list of sequences; a ValueError too, as scikit-learn has it."""


def words_of(sequences: Iterable[Sequence[str]]) -> list[Sentence]:
    """Sentences of lists of words.

    Raises:
        SequencesError: names the place and what was found there.
    """
    return [Sentence(_strings(words, f"X[{i}]", "words")) for i, words in enumerate(_outer(sequences, "X"))]


def tagged(sequences: Iterable[Sequence[str]], tags: Iterable[Sequence[str]] | None) -> list[Sentence]:
    """Sentences of lists of words and lists of tags.

    Raises:
        SequencesError: names the place and what was found there.
    """
    if tags is None:
        raise SequencesError("y is missing, expected a list of tags for each sequence")
    words = words_of(sequences)
    given = [_strings(of, f"y[{i}]", "tags") for i, of in enumerate(_outer(tags, "y"))]
    if len(words) != len(given):
        raise SequencesError(f"X has {len(words):,} sequences and y has {len(given):,}, expected as many")
    for i, (sentence, of) in enumerate(zip(words, given, strict=True)):
        if len(sentence) != len(of):
            raise SequencesError(f"X[{i}] has {len(sentence)} words and y[{i}] has {len(of)} tags, expected as many")
    return [Sentence(sentence.words, {TASK: of}) for sentence, of in zip(words, given, strict=True)]


def write(sentences: Iterable[Sentence], path: Path) -> None:
    """A corpus in JSON Lines, which keeps words whatever they hold; sequences without words teach nothing."""
    with atomic_write(path) as file:
        for sentence in sentences:
            if sentence.words:
                file.write(json.dumps({"words": sentence.words, "tags": {TASK: sentence.tags[TASK]}}) + "\n")


@contextmanager
def located_in(sentences: Sequence[Sentence]) -> Iterator[None]:
    """What is wrong at a line of the written corpus is told by the sequence that stands there."""
    try:
        yield
    except CorpusError as error:
        rows = [i for i, sentence in enumerate(sentences) if sentence.words]
        place = f"y[{rows[error.line - 1]}]: " if error.line else ""
        raise SequencesError(f"{place}{error.message}") from error


def written_tags(vocabulary: TagVocabulary, scheme: str) -> list[str]:
    """Each tag of the network as the user's data writes it, word by word, so that several may be one."""
    return [rewritten_alone(tag, vocabulary.scheme, scheme) for tag in vocabulary.tags]


def _outer(value: Any, name: str) -> Iterable[Any]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise SequencesError(f"{name} is of {type(value).__name__}, expected a list of sequences")
    return value


def _strings(value: Any, place: str, what: str) -> tuple[str, ...]:
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise SequencesError(f"{place} is {value!r:.60}, expected a list of {what}")
    found = tuple(value)
    for position, item in enumerate(found):
        if not isinstance(item, str) or not item or not _encodable(item):
            raise SequencesError(f"{place}[{position}] is {item!r:.60}, expected a text of at least a character")
    return found


def _encodable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
