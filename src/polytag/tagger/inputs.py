"""What a tagger is given from Python: words, sentences and names of tasks, checked before anything is made of them.

A word is a text of at least one character, as in a record of JSONL. It may hold blanks and line ends: some corpora
have such words, and the formats that part words by them refuse to write them.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError, nearest
from polytag.plan import Plan
from polytag.tagger.packing import Ints


def sentence_of(words: Sequence[str]) -> Sentence:
    """One sentence from its words, given one by one.

    Raises:
        PolytagError: it is one text, as such or as the only word, or no series of words; see also `checked`.
    """
    if isinstance(words, str | bytes) or not isinstance(words, Iterable):
        raise PolytagError(f"expected the words of a sentence one by one, found {_shown(words)}")
    sentence = Sentence(tuple(words))
    _check(sentence, 0)
    if len(sentence) == 1 and len(sentence.words[0].split(" ")) > 1 and sentence.words[0].strip(" "):
        raise PolytagError(
            f"expected the words of a sentence one by one, found one word with blanks in it: {sentence.words[0]!r:.60}"
        )
    return sentence


def checked(sentences: Iterable[Sentence]) -> Iterator[Sentence]:
    """The same stream.

    Raises:
        PolytagError: while iterating: an item is no `Sentence`, or a word is no text or is empty; says which sentence
            and which word, both counted from 0, and what was found.
    """
    for number, sentence in enumerate(sentences):
        _check(sentence, number)
        yield sentence


def lengths_of(words: Sequence[str], lengths: Sequence[int] | Ints) -> Ints:
    """How many words each sentence has, where those of all sentences stand one after the other.

    Raises:
        PolytagError: these are no lengths, or not of so many words; a word is no text or is empty.
    """
    found = np.asarray(lengths)
    if found.ndim != 1 or (found.size and (found.dtype.kind not in "iu" or found.min() < 0)):
        raise PolytagError(f"lengths are {lengths!r:.60}, expected the number of words of each sentence")
    if found.sum() != len(words):
        raise PolytagError(f"lengths of {found.sum():,} words together, expected those of {len(words):,}")
    _check_words(words, "all sentences")
    return found.astype(np.int64, copy=False)


def chosen_tasks(plan: Plan, tasks: Sequence[str] | None) -> list[str]:
    """The tasks to tag with; ``tasks`` may also be the name of one.

    Raises:
        PolytagError: as `polytag.tagger.tagging.Tagger.choose`.
    """
    tasks = [tasks] if isinstance(tasks, str) else list(tasks or ())
    for task in tasks:
        if task not in plan.tasks:
            raise PolytagError(f"the model has no task '{task!s:.60}'{nearest(str(task), plan.tasks)}")
    if tasks:
        return list(dict.fromkeys(tasks))
    languages: dict[str, list[str]] = {}
    for task, settings in plan.tasks.items():
        languages.setdefault(settings.words, []).append(task)
    if len(languages) > 1:
        listing = "; ".join(f"words.{words}: {', '.join(names)}" for words, names in languages.items())
        raise PolytagError(f"the model reads several languages, so name the tasks to tag with ({listing})")
    return list(plan.tasks)


def _check(sentence: object, number: int) -> None:
    if not isinstance(sentence, Sentence):
        raise PolytagError(f"sentence {number} is {_shown(sentence)}, expected a polytag.Sentence of its words")
    words: Sequence[object] = sentence.words  # as the annotation has it, unless the user did not look
    if isinstance(words, str):
        raise PolytagError(f"the words of sentence {number} are {_shown(words)}, expected them one by one")
    _check_words(words, f"sentence {number}")


def _check_words(words: Sequence[object], whose: str) -> None:
    if all(words) and set(map(type, words)) == {str}:  # as nearly always: word by word takes ten times as long
        return
    for place, word in enumerate(words):
        if not isinstance(word, str) or not word:
            found = "empty" if word == "" else _shown(word)
            raise PolytagError(f"word {place} of {whose} is {found}, expected a text of at least a character")


def _shown(value: object) -> str:
    """A value and what it is."""
    return f"one text: {value!r:.60}" if isinstance(value, str) else f"{value!r:.60} ({type(value).__name__})"
