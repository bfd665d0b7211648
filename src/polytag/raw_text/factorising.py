"""From how often words stand near each other to a vector for each: PPMI and its largest singular vectors.

Positive pointwise mutual information with smoothed contexts, and singular vectors times the roots of their values, as
in Levy, Goldberg and Dagan (2015), "Improving Distributional Similarity with Lessons Learned from Word Embeddings".
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from polytag.errors import PolytagError

if TYPE_CHECKING:
    from scipy import sparse

Matrix = npt.NDArray[np.float32]

FEW = 500  # words: of a small text all singular vectors are computed, for many of their values may be the same
SMOOTHING = 0.75  # the power of the frequencies of contexts: rare ones would else tell the most


def ppmi(near: "sparse.csr_array") -> "sparse.csr_array":
    """Positive pointwise mutual information of words and their contexts, float32 [V, V]; takes the place of ``near``.

    ``near`` says how often a word (row) stands near another (column). The information is log(near * sum(total **
    SMOOTHING) / (total of the row * total of the column ** SMOOTHING)), or 0 where that is less.
    """
    totals = near.sum(axis=1, dtype=np.float64)
    contexts = totals**SMOOTHING
    with np.errstate(divide="ignore", invalid="ignore"):  # a word that is near none has no entries
        of_word, of_context = -np.log(totals), np.log(contexts.sum()) - np.log(contexts)
    np.log(near.data, out=near.data)
    near.data += np.repeat(of_word.astype(np.float32), np.diff(near.indptr))
    near.data += of_context.astype(np.float32)[near.indices]
    np.maximum(near.data, 0, out=near.data)
    near.eliminate_zeros()
    return near


def leading_vectors(matrix: "sparse.csr_array", dimension: int) -> Matrix:
    """The left singular vectors of the largest singular values, each times the root of its value: float32 [V, D].

    The largest comes first. The same matrix gives the same vectors: the start is fixed, and of each vector, whose sign
    is anybody's choice, the largest value is positive.

    Raises:
        PolytagError: there are not so many that can be told apart.
    """
    from scipy.sparse.linalg import ArpackError, svds

    if matrix.shape[0] <= FEW:
        left, values, _ = np.linalg.svd(matrix.toarray())
    else:
        try:
            start = np.ones(matrix.shape[0], np.float32)
            left, values, _ = svds(matrix, k=dimension, v0=start, return_singular_vectors="u")
        except ArpackError as error:
            found = f"words stand near each other in too few ways for {dimension:,} dimensions"
            raise PolytagError(f"{found}, expected more text or a smaller dimension") from error
    order = np.argsort(-values, kind="stable")[:dimension]
    vectors = left[:, order] * np.sqrt(np.maximum(values[order], 0))
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(dimension)]
    signed: Matrix = (vectors * np.where(largest < 0, -1, 1)).astype(np.float32)
    return signed
