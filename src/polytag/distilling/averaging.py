"""Several models as one: what each word's tags are, by marginal probabilities averaged over the models."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
import numpy.typing as npt

from polytag.corpus.schemes import UNKNOWN
from polytag.corpus.sentence import Sentence
from polytag.corpus.tag_rules import parse_any
from polytag.distilling.student import labelled_tasks
from polytag.errors import PolytagError
from polytag.tagger.batches import chunks
from polytag.tagger.predicting import lattices_of
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger, load
from polytag.vocabulary.vocabularies import TagVocabulary

Probabilities = npt.NDArray[np.float64]  # T K

# Of two tags that cannot stand side by side one has a probability of at most a half: what is above it is well-formed.
FLOOR = 0.5


@dataclass(frozen=True, eq=False)
class Teachers:
    """Models that have the same tasks, with the same tags."""

    names: Sequence[str]
    taggers: Sequence[Tagger]
    tasks: Sequence[str]

    @classmethod
    def load(
        cls, paths: Sequence[str | PathLike[str]], tasks: Sequence[str], *, precision: str | None, threads: int | None
    ) -> "Teachers":
        """Read models; ``tasks`` are all of the first unless given, but for what it learnt from tagged text.

        Raises:
            ModelError: one cannot be read.
            PolytagError: there is none, or one has no such task, or other tags than the first, or a task learnt from
                text that another one's model tagged.
        """
        if not paths:
            raise PolytagError("found no model, expected one or several to tag with")
        taggers = [load(path, precision=precision, threads=threads) for path in paths]
        chosen = taggers[0].choose(tasks)
        labelled = labelled_tasks(chosen)
        if tasks and (twice := sorted(set(chosen) - set(labelled))):
            raise PolytagError(f"{paths[0]}: '{twice[0]}' learnt from text that a model tagged, expected it left out")
        found = cls(list(map(str, paths)), taggers, labelled)
        for name, tagger in zip(found.names[1:], taggers[1:], strict=True):
            found._check_alike(name, tagger)
        return found

    @property
    def vocabularies(self) -> dict[str, TagVocabulary]:
        """The tags of each task, as the first model has them."""
        return {task: self.taggers[0].engine.part(task).vocabulary for task in self.tasks}

    def tokeniser(self) -> str:
        """What cuts text into words for all of them.

        Raises:
            PolytagError: not the same for each.
        """
        each = dict.fromkeys(tagger.tokeniser(self.tasks) for tagger in self.taggers)
        if len(each) > 1:
            found = " and ".join(f"'{one}'" for one in each)
            raise PolytagError(
                f"{', '.join(self.names)}: found the tokenisers {found}, expected one, or to be told one"
            )
        return next(iter(each))

    def tag(self, sentences: Iterable[Sentence], request: Request) -> Iterator[Sentence]:
        """Sentences with the most probable tag of each word, or ``?`` where it is less probable than it has to be.

        Raises:
            PolytagError: as `Tagger.tag_all`.
        """
        tags = {task: of.tags for task, of in self.vocabularies.items()}
        least = {task: _least(request, of) for task, of in self.vocabularies.items()}
        for chunk in chunks(sentences, consistent=request.consistent):
            averaged = self.marginals(chunk, consistent=request.consistent)
            for number, sentence in enumerate(chunk):
                found = {task: _decided(averaged[task][number], tags[task], least[task]) for task in self.tasks}
                yield Sentence(sentence.words, found)

    def marginals(self, chunk: Sequence[Sentence], *, consistent: bool = False) -> dict[str, list[Probabilities]]:
        """How probable each tag of each word is, [T, K] of each sentence, in the order of the first model's tags.

        Sequences that are not well-formed have no share in it. Names are ``consistent`` for each model by itself.
        """
        sums = {
            task: [np.zeros((len(sentence), len(of))) for sentence in chunk] for task, of in self.vocabularies.items()
        }
        for tagger in self.taggers:
            places = {task: self._places(tagger, task) for task in self.tasks}
            found = lattices_of(tagger.engine, chunk, self.tasks, constrained=True, consistent=consistent)
            for task, batch, lattice in found:
                for number, shares in zip(batch.indices.tolist(), lattice.marginals(), strict=True):
                    sums[task][number] += shares[:, places[task]] / len(self.taggers)
        return sums

    def _places(self, tagger: Tagger, task: str) -> list[int]:
        """Where another model has the tags of the first."""
        return list(map(tagger.engine.part(task).vocabulary.tags.index, self.vocabularies[task].tags))

    def _check_alike(self, name: str, tagger: Tagger) -> None:
        for task, tags in self.vocabularies.items():
            if task not in tagger.plan.tasks:
                raise PolytagError(f"{name}: has no task '{task}', expected it as in {self.names[0]}")
            other = tagger.engine.part(task).vocabulary
            if set(tags.tags) != set(other.tags):
                found, expected = (f"{', '.join(sorted(of.types))} ({of.scheme})" for of in (other, tags))
                raise PolytagError(f"{name}: '{task}' has {found}, expected {expected} as in {self.names[0]}")


def _least(request: Request, vocabulary: TagVocabulary) -> npt.NDArray[np.float64]:
    """How probable each tag has to be, [K]: as its type says, or the tag itself where it has none."""
    types = vocabulary.tags if vocabulary.plain else [parse_any(tag).type or tag for tag in vocabulary.tags]
    return np.array(list(map(request.least, types)))


def _decided(probabilities: Probabilities, tags: Sequence[str], least: npt.NDArray[np.float64]) -> tuple[str, ...]:
    best = probabilities.argmax(1)
    sure = probabilities[np.arange(len(best)), best]
    known = (sure >= least[best]) & (sure > FLOOR)
    return tuple([tags[tag] if told else UNKNOWN for tag, told in zip(best.tolist(), known.tolist(), strict=True)])
