"""What an estimator is given: lists of words and of tags, checked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.corpus.schemes import rewritten_alone
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import is_encodable
from polytag.errors import CorpusError, PolytagError
from polytag.vocabulary.vocabularies import TagVocabulary

TASK = "y"  # the one task of an estimator's plan


class Sequences(list[list[str]]):
    """A list of sequences that numpy takes as one object each: `cross_val_predict` joins the folds' with numpy."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[np.object_]:
        """Their array, of objects, whatever ``dtype`` is asked for."""
        del dtype, copy
        return np.fromiter(self, dtype=object, count=len(self))


class SequencesError(PolytagError, ValueError):
    """What an estimator was given is no list of sequences; a ValueError too, as scikit-learn has it."""


def words_of(sequences: Iterable[Sequence[str]]) -> list[Sentence]:
    """Sentences of lists of words.

    Raises:
        SequencesError: names the place and what was found there.
    """
    return [Sentence(_strings(words, f"X[{i}]", "words")) for i, words in enumerate(_outer(sequences, "X"))]


def tagged(sequences: Iterable[Sequence[str]], tags: Iterable[Sequence[str]] | None) -> list[Sentence]:
    """Sentences of lists of words and lists of tags; the source of each is the place of its tags.

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
    pairs = enumerate(zip(words, given, strict=True))
    return [Sentence(sentence.words, {TASK: of}, source=f"y[{i}]") for i, (sentence, of) in pairs]


@contextmanager
def told_of_sequences() -> Iterator[None]:
    """What is wrong with a sequence is an error of its own."""
    try:
        yield
    except CorpusError as error:
        raise SequencesError(str(error)) from error


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
        if not isinstance(item, str) or not item or not is_encodable(item):
            raise SequencesError(f"{place}[{position}] is {item!r:.60}, expected a text of at least a character")
    return found
