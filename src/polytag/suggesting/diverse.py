"""A choice that is unsure and not all alike: maximal marginal relevance (Carbonell and Goldstein, 1998)."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


def choose(scores: Floats, vectors: Floats, count: int, *, diversity: float) -> list[int]:
    """Indices of ``count`` of P items, in the order of choice.

    Each time the item is taken with the largest (1 - d) * score - d * similarity, where scores [P] are scaled to 0..1
    and similarity is the largest cosine, 0 at least, with an item taken before, of ``vectors`` [P, H] less their mean:
    vectors of one network have a direction in common, which would make all alike. d = 0 takes the highest scores.
    Ties go to the first. Time grows as ``count`` * P * H.
    """
    spread = float(np.ptp(scores)) if len(scores) else 0.0
    relevance = (scores - scores.min()) / spread if spread else np.zeros(len(scores))
    directions = _directions(vectors)
    nearest = np.zeros(len(scores))  # an opposite is no better than what has nothing in common
    free = np.ones(len(scores), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(count, len(scores)):
        gain = np.where(free, (1 - diversity) * relevance - diversity * nearest, -np.inf)
        best = int(gain.argmax())
        nearest = np.maximum(nearest, directions @ directions[best])
        free[best] = False
        chosen.append(best)
    return chosen


def _directions(vectors: Floats) -> Floats:
    """Vectors of length 1 around their mean; one that is the mean itself stays 0, like nothing."""
    centred = vectors - vectors.mean(0, keepdims=True) if len(vectors) else vectors
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    directions: Floats = centred / np.where(lengths > 0, lengths, 1.0)
    return directions
