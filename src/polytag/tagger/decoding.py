"""From the scores of a batch to what is said of each sentence: tags as the user's data writes them, and how sure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from polytag.corpus.rewriting import Rewriting
from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Alternative, Sentence, Span
from polytag.tagger.chain import Floats
from polytag.tagger.lattice import Candidates, Confidence, Lattice
from polytag.tagger.packing import Ints
from polytag.tagger.request import Request
from polytag.tagger.words import Rows
from polytag.vocabulary.vocabularies import TagVocabulary


@dataclass(frozen=True, slots=True)
class Prediction:
    """One task's answer for one sentence: tags in the scheme of the user's data, and how certain they are."""

    tags: tuple[str, ...]
    confidence: tuple[float, ...] | None = None
    spans: tuple[Span, ...] | None = None
    alternatives: tuple[Alternative, ...] | None = None


class Predictions:
    """One task's answers for some sentences, filled in batch by batch, in any order and by any thread."""

    def __init__(self, vocabulary: TagVocabulary, rewriting: Rewriting, lengths: Ints, request: Request) -> None:
        """``rewriting``: from the tags of the vocabulary to those of the task's files."""
        self._vocabulary, self._rewriting, self._request = vocabulary, rewriting, request
        self._lengths, self._ends = lengths, lengths.cumsum()
        words = int(lengths.sum())
        self._best: Rows = np.zeros(words, np.int32)
        self._confidence: Floats | None = np.empty(words) if request.confidence else None
        self._spans: list[tuple[Span, ...]] = [()] * len(lengths)
        self._alternatives: list[tuple[Alternative, ...]] = [(Alternative((), 1.0),)] * len(lengths)

    def take(self, lattice: Lattice, *, indices: Ints, places: Ints) -> None:
        """Decode a batch: the numbers of its sentences [B], and where each packed row stands among all words [N]."""
        best = self._take_alternatives(lattice, indices) if self._request.nbest else lattice.best()
        choosy = bool(self._request.min_probability) and not self._vocabulary.plain
        if self._confidence is not None or choosy:
            certainty = lattice.confidence(best)
            dropped = [] if self._vocabulary.plain else self._take_spans(best, certainty, indices)
            if dropped:
                best[np.concatenate(dropped)] = self._vocabulary.tags.index("O")
                certainty = lattice.confidence(best)
            if self._confidence is not None:
                self._confidence[places] = certainty.of_tags()
        self._best[places] = best

    def _take_spans(self, best: Rows, certainty: Confidence, indices: Ints) -> list[Ints]:
        """Keep the spans that are probable enough; the packed rows of each of the others."""
        names, packing, dropped = self._vocabulary.tags, certainty.packing, []
        sequences = np.argsort(packing.order).tolist()
        for index, sequence, path in zip(indices.tolist(), sequences, packing.unpack(best), strict=True):
            kept = []
            for span in spans([names[tag] for tag in path.tolist()]):
                sure = certainty.of_span(sequence, span.start, span.end)
                if sure >= self._request.least(span.type):
                    kept.append(replace(span, probability=sure))
                else:
                    dropped.append(packing.offsets[span.start : span.end] + sequence)
            self._spans[index] = tuple(kept)
        return dropped

    def _take_alternatives(self, lattice: Lattice, indices: Ints) -> Rows:
        """The best of the alternatives, [N]; where two tie but for rounding, `Lattice.best` could name the other."""
        found = ranked(lattice, self._rewriting, self._request.nbest)
        for index, (_, told) in zip(indices.tolist(), found, strict=True):
            self._alternatives[index] = told
        return lattice.packing.pack(np.concatenate([first for first, _ in found])).astype(np.int32)

    def columns(self) -> list[str]:
        """The tags of all words, one sentence after the other."""
        rewriting, starts = self._rewriting, (self._ends - self._lengths)[self._lengths > 0]
        return list(map(rewriting.written.__getitem__, rewriting.convert(self._best, starts).tolist()))

    def each(self) -> Iterator[Prediction]:
        """The answer for each sentence, in order."""
        tags, plain, wanted = self.columns(), self._vocabulary.plain, self._request
        sure = None if self._confidence is None else self._confidence.tolist()
        start = 0
        for number, end in enumerate(self._ends.tolist()):
            yield Prediction(
                tuple(tags[start:end]),
                None if sure is None else tuple(sure[start:end]),
                self._spans[number] if sure is not None and not (plain and end > start) else None,
                self._alternatives[number] if wanted.nbest else None,
            )
            start = end


def with_predictions(sentence: Sentence, found: dict[str, Prediction]) -> Sentence:
    """A sentence with what was found of its words in place of what it carried."""
    return Sentence(
        sentence.words,
        {task: one.tags for task, one in found.items()},
        sentence.lines,
        sentence.source,
        {task: one.confidence for task, one in found.items() if one.confidence is not None},
        {task: one.spans for task, one in found.items() if one.spans is not None},
        {task: one.alternatives for task, one in found.items() if one.alternatives is not None},
        sentence.offsets,
    )


def nothing_said(request: Request) -> Prediction:
    """The answer for a sentence without words, which can be tagged in one way."""
    alternatives = (Alternative((), 1.0),) if request.nbest else None
    return Prediction((), (), (), alternatives) if request.confidence else Prediction((), alternatives=alternatives)


def ranked(lattice: Lattice, rewriting: Rewriting, k: int) -> list[tuple[Ints, tuple[Alternative, ...]]]:
    """The best sequence of each sentence as indices [T], and the ``k`` best as they are written.

    Without constraints several sequences may be written alike (I-PER and B-PER at the start of a span); the most
    probable of them stands for all, and more are asked for until there are enough.
    """
    wanted = k
    while True:
        found = lattice.nbest(wanted)
        written = [_distinct(one, rewriting)[:k] for one in found]
        if all(len(told) == k or len(one.tags) < wanted for told, one in zip(written, found, strict=True)):
            return [(one.tags[0], told) for one, told in zip(found, written, strict=True)]
        wanted *= 2


def _distinct(candidates: Candidates, rewriting: Rewriting) -> tuple[Alternative, ...]:
    known: dict[tuple[str, ...], float] = {}
    for path, probability in zip(candidates.tags, candidates.probabilities.tolist(), strict=True):
        known.setdefault(rewriting.tags_of(path), probability)
    return tuple(Alternative(tags, probability) for tags, probability in known.items())
