"""Annotations that a model which was not trained on them holds for wrong."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from polytag.corpus.sentence import Sentence
from polytag.reports.cases import Case, Cases
from polytag.reports.span_errors import CORRECT, Outcome, outcomes

if TYPE_CHECKING:
    from polytag.tagger.tagging import Tagger


class Suspect(NamedTuple):
    """A disagreement of annotation and model.

    ``suspicion``, from -1 to 1, is how much more probable the model's tag is than the annotated one, at the word of
    those where both differ at which that is least.
    """

    case: Case
    outcome: Outcome
    suspicion: float


def suspects(tagger: "Tagger", cases: Cases) -> Iterator[Suspect]:
    """The disagreements of a model and sentences that it was not trained on, in their order."""
    tags = tagger.vocabularies.tags[tagger.plan.tasks[cases.task].tags]
    column = {tag: number for number, tag in enumerate(tags.tags)}
    for indices, lattice in tagger.lattices([Sentence(case.words) for case in cases.cases], cases.task):
        for index, shares in zip(indices, lattice.marginals(), strict=True):
            case = cases.cases[index]
            gold, found = (
                [column.get(tag) for tag in tags.in_scheme(side, tags.scheme)]
                for side in (case.gold_tags, case.found_tags)
            )
            for outcome in outcomes(case.gold, case.found):
                if outcome.kind != CORRECT and (outcome.gold is None or outcome.gold.fits):
                    yield Suspect(case, outcome, _suspicion(outcome, gold, found, shares))


def _suspicion(
    outcome: Outcome, gold: Sequence[int | None], found: Sequence[int | None], shares: npt.NDArray[np.floating[Any]]
) -> float:
    def share(word: int, tag: int | None) -> float:
        return 0.0 if tag is None else float(shares[word, tag])

    words = [word for word in range(outcome.start, outcome.end) if gold[word] != found[word]]
    return min((share(word, found[word]) - share(word, gold[word]) for word in words), default=0.0)
