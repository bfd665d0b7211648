"""A trained network as data: its plan, its vocabularies and its weights as named arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.plan import Plan
from polytag.scoring.familiarity import Familiarity
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, Vocabularies, WordVocabulary

KINDS: dict[str, Any] = {"chars": CharVocabulary, "words": WordVocabulary, "tags": TagVocabulary}

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A trained network as data: nothing here computes, and nothing changes.

    ``arrays`` are float32, named by part (``words.english.gru.input_weight.0``); their shapes are those of
    `polytag.model.shapes`. They may be views of a file, which must not be written to in place.
    """

    plan: Plan
    vocabularies: Vocabularies
    arrays: Mapping[str, Weights]
    temperatures: Mapping[str, float] = field(default_factory=dict)  # of tasks whose probabilities are calibrated
    precision: str = "float32"  # to compute in, unless another is asked for
    texts: Mapping[str, Familiarity] = field(default_factory=dict)  # of tasks: how it knows what it was calibrated on

    def __repr__(self) -> str:
        return f"Model({', '.join(self.plan.tasks)}; {self.parameters:,} weights)"

    @property
    def parameters(self) -> int:
        """How many weights there are."""
        return sum(array.size for array in self.arrays.values())

    def part(self, name: str) -> dict[str, Weights]:
        """The arrays of a part (``words.english``) by their names in it."""
        return {key.removeprefix(f"{name}."): of for key, of in self.arrays.items() if key.startswith(f"{name}.")}
