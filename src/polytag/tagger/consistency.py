"""Mentions agree: what the others of a word's mentions were found to be speaks for a type of span.

A name has mostly one meaning in one text (Gale, Church and Yarowsky 1992, One sense per discourse), and one of its
sentences often tells what it is where the others do not. So all is decoded twice, the second time with the votes of the
first (as by Krishnan and Manning 2006, An effective two-stage model for exploiting non-local dependencies).
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from polytag.corpus.schemes import parse_or_refuse
from polytag.tagger.batches import Batch
from polytag.tagger.chain import Floats
from polytag.tagger.engine import Engine
from polytag.tagger.lattice import Lattice
from polytag.tagger.packing import Ints

# Chosen on dev files of English and Dutch, 300 to 14,000 sentences, recipe `best`; 0.5 to 1 differ by little.
WEIGHT = 0.8
FLOOR = 0.02  # of a share, so that a type that none of the others has is unlikely and not impossible


def agreeing(engine: Engine, tasks: Iterable[str]) -> list[str]:
    """The tasks that have spans, and so names."""
    vocabularies = {task: engine.part(task).vocabulary for task in tasks}
    return [task for task, of in vocabularies.items() if of.types and not of.plain]


class Agreement:
    """Lattices of all batches of some sentences, kept until all are there: then each has what the others say."""

    def __init__(self, engine: Engine, tasks: Iterable[str]) -> None:
        """``tasks`` whose names are to agree; those without spans have none."""
        self._types = {task: types_of(engine.part(task).vocabulary.tags) for task in agreeing(engine, tasks)}
        self._kept: dict[str, list[tuple[Batch, Lattice]]] = {task: [] for task in self._types}

    def keeps(self, task: str, batch: Batch, lattice: Lattice) -> bool:
        """Whether the lattice is kept; any thread may ask."""
        if task in self._kept:
            self._kept[task].append((batch, lattice))
        return task in self._kept

    def reached(self, words: Sequence[str]) -> Iterator[tuple[str, Batch, Lattice]]:
        """What was kept, by task, with what other mentions say; ``words`` are those of all sentences."""
        mentions = Mentions(words if self._kept else ())
        for task, kept in self._kept.items():
            tags = np.zeros(len(words), np.int32)
            for batch, lattice in kept:
                tags[batch.places] = lattice.best()
            scores = mentions.scores(tags, self._types[task])
            for batch, lattice in kept:
                yield task, batch, replace(lattice, emissions=scores.added_to(lattice.emissions, batch.places))


class Mentions:
    """The names among the words of some sentences: what has a capital letter, or is of a script that has none."""

    def __init__(self, words: Iterable[str]) -> None:
        names = np.fromiter(map(_Names().__getitem__, words), np.int64)
        (self.places,) = np.nonzero(names >= 0)  # M, of each mention among all words
        self.names: Ints = names[self.places]  # M

    def scores(self, tags: npt.NDArray[np.int32], types: Ints) -> "Scores":
        """What speaks for each type at each mention, ``tags`` [W] being found; ``types`` [K] has the type of each tag.

        It is `WEIGHT` times the logarithm of the share of the type among the other mentions of the name, in which the
        words may stand anywhere in spans: "Clinton" alone speaks for "Bill Clinton". Alone in the text, a mention has
        no scores.
        """
        found, count = types[tags[self.places]], int(types.max()) + 1
        cells = self.names * count + found
        votes = np.bincount(cells, minlength=(int(self.names.max(initial=-1)) + 1) * count).reshape(-1, count)
        others = votes[self.names]
        others[np.arange(len(found)), found] -= 1
        voters = others.sum(1)
        heard = voters > 0
        shares = others[heard] / voters[heard, None]
        return Scores(len(tags), self.places[heard], WEIGHT * np.log(shares + FLOOR)[:, types])


class Scores:
    """Scores of tags at some of the words."""

    def __init__(self, words: int, places: Ints, scores: Floats) -> None:
        """``places`` [M] among so many words, ``scores`` [M, K]."""
        self._rows = np.full(words, -1)
        self._rows[places] = np.arange(len(places))
        self._scores = scores

    def added_to(self, emissions: npt.NDArray[np.float32], places: Ints) -> npt.NDArray[np.float32]:
        """Emissions [N, K] of words at ``places`` [N], with these scores."""
        rows = self._rows[places]
        summed = emissions.copy()
        summed[rows >= 0] += self._scores[rows[rows >= 0]]
        return summed


def types_of(tags: Sequence[str]) -> Ints:
    """Numbers of the types of tags, [K]; outside is one of them."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(parse_or_refuse(tag).type, len(numbers)) for tag in tags])


class _Names(dict[str, int]):
    """Words and the numbers of the names that they are, whatever their case: headlines shout. -1: it is no name."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __missing__(self, word: str) -> int:
        name = unicodedata.normalize("NFC", word.casefold())
        self[word] = number = self._numbers.setdefault(name, len(self._numbers)) if _is_name(word) else -1
        return number


def _is_name(word: str) -> bool:
    """Whether a word has a capital, or letters of which none can begin a name in another form.

    Georgian has capitals for headlines alone, which its names do not begin with.
    """
    has_capital = any(letter.isupper() or letter.istitle() for letter in word)
    return has_capital or (any(map(str.isalpha, word)) and all(letter.title() == letter for letter in word))
