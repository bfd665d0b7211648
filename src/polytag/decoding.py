"""From the scores of a batch to what is said of each sentence: tags as the user's data writes them, and how sure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from polytag.batching.batch import Ints
from polytag.corpus.schemes import spans
from polytag.corpus.sentence import MOST_ALTERNATIVES, Alternative, Span
from polytag.errors import PolytagError
from polytag.model.crf import Candidates, Confidence, Lattice
from polytag.vocabulary.vocabularies import TagVocabulary


@dataclass(frozen=True, slots=True)
class Layer:
    """One task's answer for one sentence: tags in the scheme of the user's data, and how certain they are."""

    tags: tuple[str, ...]
    confidence: tuple[float, ...] | None = None
    spans: tuple[Span, ...] | None = None
    alternatives: tuple[Alternative, ...] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What to say of each sentence.

    Raises:
        PolytagError: more alternatives are wanted than can be had.
    """

    tasks: Sequence[str] = ()
    confidence: bool = False
    nbest: int = 0
    constrained: bool | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.nbest <= MOST_ALTERNATIVES:
            raise PolytagError(
                f"nbest is {self.nbest}, expected a number from 1 to {MOST_ALTERNATIVES:,}, or 0 for none"
            )

    @property
    def of_no_words(self) -> Layer:
        """The answer for a sentence without words, which can be tagged in one way."""
        alternatives = (Alternative((), 1.0),) if self.nbest else None
        return Layer((), (), (), alternatives) if self.confidence else Layer((), alternatives=alternatives)


def decoded(lattice: Lattice, vocabulary: TagVocabulary, request: Request) -> list[Layer]:
    """The answer for each sentence of a batch, in the caller's order."""
    ranked = _ranked(lattice, vocabulary, request.nbest) if request.nbest else None
    best = _first([first for first, _ in ranked], lattice) if ranked else lattice.best()
    certainty = lattice.confidence(best) if request.confidence else None
    paths = lattice.packing.unpack(best.cpu().numpy())
    layers = [_layer(path.tolist(), vocabulary, certainty, i) for i, path in enumerate(paths)]
    if ranked is None:
        return layers
    return [replace(layer, alternatives=own) for layer, (_, own) in zip(layers, ranked, strict=True)]


def _first(paths: Sequence[Ints], lattice: Lattice) -> Tensor:
    """The best of the alternatives, [N]; where two tie but for rounding, `Lattice.best` could name the other."""
    return torch.from_numpy(lattice.packing.pack(np.concatenate(paths))).to(lattice.emissions.device)


def _ranked(lattice: Lattice, vocabulary: TagVocabulary, k: int) -> list[tuple[Ints, tuple[Alternative, ...]]]:
    """The best sequence of each sentence as indices [T], and the ``k`` best as they are written.

    Without constraints several sequences may be written alike (I-PER and B-PER at the start of a span); the most
    probable of them stands for all, and more are asked for until there are enough.
    """
    wanted = k
    while True:
        found = lattice.nbest(wanted)
        written = [_distinct(own, vocabulary)[:k] for own in found]
        if all(len(ours) == k or len(own.tags) < wanted for ours, own in zip(written, found, strict=True)):
            return [(own.tags[0], ours) for own, ours in zip(found, written, strict=True)]
        wanted *= 2


def _distinct(ranked: Candidates, vocabulary: TagVocabulary) -> tuple[Alternative, ...]:
    known: dict[tuple[str, ...], float] = {}
    for path, probability in zip(ranked.tags.tolist(), ranked.probabilities.tolist(), strict=True):
        known.setdefault(vocabulary.to_data([vocabulary.tags[tag] for tag in path]), probability)
    return tuple(Alternative(tags, probability) for tags, probability in known.items())


def _layer(path: Sequence[int], vocabulary: TagVocabulary, certainty: Confidence | None, sentence: int) -> Layer:
    tags = [*map(vocabulary.tags.__getitem__, path)]
    written = vocabulary.to_data(tags)
    if certainty is None:
        return Layer(written)
    confidence = tuple(certainty.of_tags(sentence).tolist())
    if vocabulary.plain:
        return Layer(written, confidence)
    sure = (replace(span, probability=certainty.of_span(sentence, span.start, span.end)) for span in spans(tags))
    return Layer(written, confidence, tuple(sure))
