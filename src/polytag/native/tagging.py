"""What runs a model, by the native core; `polytag.native.reference` computes the same in numpy, name by name."""

import ctypes
import weakref
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from polytag.native import reference
from polytag.native.checks import (
    BAD_SIZES,
    FLOAT32,
    INT32,
    INT64,
    OUT_OF_RANGE,
    Floats,
    Numbers,
    Sizes,
    address,
    bad_lengths,
    check,
    check_features,
    conclude,
    place,
    rows,
)  # fmt: skip
from polytag.native.loader import PRECISIONS, Precision, library, supports

_NO_SIZES = np.empty(0, np.int64)


class Layer:
    """One bidirectional GRU layer; weights are copied.

    bfloat16: inputs, states and weights are rounded to 8 bits of mantissa, sums and gates stay float32.
    int8: weights have a scale per column, inputs one per row, states are multiples of 1/127; sums are exact.
    What a row gives depends on its sequence alone, to the last bit, never on what else is computed with it.
    """

    def __init__(
        self,
        input_weight: Floats,
        recurrent_weight: Floats,
        bias: Floats | None,
        *,
        reset_after: bool,
        precision: Precision,
        threads: int = 1,
    ) -> None:
        """From input_weight [2, D, 3H], recurrent_weight [2, H, 3H] and bias [2, 3H].

        ``threads`` that a call may use; two are of use, one for each direction.

        Raises:
            ValueError: arrays of other types or shapes, or a precision without instructions on this processor.
        """
        self.inputs, self.units, self.threads = input_weight.shape[1], recurrent_weight.shape[1], threads
        across = 3 * self.units
        handle = library().polytag_layer(
            _number(precision), self.inputs, self.units, reset_after,
            address("input_weight", input_weight, FLOAT32, (2, self.inputs, across)),
            address("recurrent_weight", recurrent_weight, FLOAT32, (2, self.units, across)),
            None if bias is None else address("bias", bias, FLOAT32, (2, across)),
        )  # fmt: skip
        self.handle = _owned(self, handle, library().polytag_layer_free)

    def gates(self, x: Floats) -> Floats:
        """The input side of the gates of rows x [U, D], with bias -> [U, 6H]: by direction, then r z c, then unit."""
        count = rows(x)
        out = np.empty((count, 6 * self.units), np.float32)
        outcome = library().polytag_gates(
            self.handle, self.threads, address("x", x, FLOAT32, (count, self.inputs)), count, place(out)
        )
        conclude(outcome, sizes=_NO_SIZES, count=count)
        return out

    def states(self, x: Floats, sizes: Sizes, *, out: Floats | None = None) -> Floats:
        """Packed rows x [N, D] -> states [N, 2H], in the memory of ``out`` if it is given."""
        count, steps = rows(x), rows(sizes)
        out = self._room(out, count)
        outcome = library().polytag_states(
            self.handle, self.threads, address("x", x, FLOAT32, (count, self.inputs)),
            count, steps, address("sizes", sizes, INT64, (steps,)), place(out),
        )  # fmt: skip
        conclude(outcome, sizes=sizes, count=count)
        return out

    def states_of(self, table: Floats, places: Numbers, sizes: Sizes, *, out: Floats | None = None) -> Floats:
        """The same where the `gates` of packed row i are those in row ``places[i]`` of a table [*, 6H]."""
        count, steps, entries = rows(places), rows(sizes), rows(table)
        out = self._room(out, count)
        outcome = library().polytag_states_of(
            self.handle, self.threads, address("table", table, FLOAT32, (entries, 6 * self.units)), entries,
            address("places", places, INT32, (count,)),
            count, steps, address("sizes", sizes, INT64, (steps,)), place(out),
        )  # fmt: skip
        conclude(outcome, sizes=sizes, count=count, numbers=places, end=entries)
        return out

    def _room(self, out: Floats | None, count: int) -> Floats:
        shape = (count, 2 * self.units)
        if out is None:
            return np.empty(shape, np.float32)
        check("out", out, FLOAT32, shape)
        if not out.flags.writeable:
            raise ValueError("out is read-only, expected memory to write to")
        return out


def ends(layers: Sequence[Any], table: Floats, items: Numbers, lengths: Sizes) -> Floats:
    """What layers, each upon the one before it, make of whole sequences -> [B, 2H] of the last layer.

    Its last forward state stands beside its first backward state. ``lengths`` [B] are those of the sequences, which
    lie one after the other in ``items`` [N]: the gates of an item are row ``items[i]`` of a table [*, 6H].
    """
    if not isinstance(layers[0], Layer):  # those of an LSTM are numpy's
        return reference.ends(layers, table, items, lengths)
    count, total, entries, first = rows(lengths), rows(items), rows(table), layers[0]
    if any(upper.inputs != 2 * lower.units for lower, upper in pairwise(layers)):
        raise ValueError("layers that do not fit upon each other")
    out = np.empty((count, 2 * layers[-1].units), np.float32)
    outcome = library().polytag_ends(
        (ctypes.c_void_p * len(layers))(*(layer.handle for layer in layers)), len(layers), first.threads,
        address("table", table, FLOAT32, (entries, 6 * first.units)), entries,
        address("items", items, INT32, (total,)), total,
        address("lengths", lengths, INT64, (count,)), count, place(out),
    )  # fmt: skip
    if outcome == BAD_SIZES:
        raise bad_lengths(lengths, total)
    conclude(outcome, sizes=lengths, count=total, numbers=items, end=entries)
    return out


class Matrix:
    """A copy of a matrix [D, K] that rows can be multiplied with, see `project`; values are rounded as a `Layer`'s."""

    def __init__(self, values: Floats, *, precision: Precision) -> None:
        """Raises ValueError for another type or shape, or a precision without instructions on this processor."""
        self.inputs, self.columns = values.shape
        self.precision = precision
        values_at = address("values", values, FLOAT32, (self.inputs, self.columns))
        handle = library().polytag_matrix(_number(precision), self.inputs, self.columns, values_at)
        self.handle = _owned(self, handle, library().polytag_matrix_free)


def project(x: Floats, matrices: Sequence[Matrix]) -> list[Floats]:
    """Rows x [N, D] by each of several matrices [D, K], all of one precision -> [N, K] of each."""
    count = rows(x)
    if not matrices:
        return []
    first = matrices[0]
    if any((matrix.inputs, matrix.precision) != (first.inputs, first.precision) for matrix in matrices[1:]):
        raise ValueError("matrices of several widths or precisions, expected one")
    products = [np.empty((count, matrix.columns), np.float32) for matrix in matrices]
    pointers = ctypes.c_void_p * len(matrices)
    outcome = library().polytag_project(
        pointers(*(matrix.handle for matrix in matrices)), len(matrices),
        address("x", x, FLOAT32, (count, first.inputs)), count, pointers(*map(place, products)),
    )  # fmt: skip
    conclude(outcome, sizes=_NO_SIZES, count=count)
    return products


def feature_scores(own: Floats, around: Floats, numbers: Numbers, *, of_own: int) -> Floats:
    """What features of words add to the scores of tags, [U, K + P K], which are those of `add_features`.

    Args:
        own: ``[*, K]`` what each feature adds where its word stands.
        around: ``[*, P K]`` what each feature adds to the places around its word.
        numbers: ``[U, n]`` of the features of each word, the first ``of_own`` of ``own``; 0 stands for none.
    """
    (words, features), entries, width = numbers.shape, (rows(own), rows(around)), (own.shape[1], around.shape[1])
    out = np.empty((words, sum(width)), np.float32)
    outcome = library().polytag_feature_scores(
        address("own", own, FLOAT32, (entries[0], width[0])), entries[0], width[0], of_own,
        address("around", around, FLOAT32, (entries[1], width[1])), entries[1], width[1], features - of_own,
        address("numbers", numbers, INT32, (words, features)), words, place(out),
    )  # fmt: skip
    if outcome == OUT_OF_RANGE:
        check_features(numbers, of_own, entries)
    return out


def add_features(emissions: Floats, scores: Floats, edge: Floats, words: Numbers, sizes: Sizes) -> None:
    """Add to emissions [N, K] what features say, in place.

    Args:
        emissions: ``[N, K]`` of packed rows.
        scores: ``[*, 1 + P, K]`` of distinct words: what each adds where it stands itself, then where it is the
            word P // 2 before, and so on to where it is the word P // 2 after.
        edge: ``[P, K]`` what a place beside the sentence adds.
        words: ``[N]`` the row of ``scores`` of each packed row.
        sizes: of the steps.
    """
    count, tags, places, steps, entries = rows(emissions), edge.shape[-1], rows(edge), rows(sizes), rows(scores)
    emissions_at = address("emissions", emissions, FLOAT32, (count, tags))
    if not emissions.flags.writeable:
        raise ValueError("emissions are read-only, expected an array to add to")
    outcome = library().polytag_add_features(
        address("scores", scores, FLOAT32, (entries, 1 + places, tags)), entries,
        address("edge", edge, FLOAT32, (places, tags)), address("words", words, INT32, (count,)),
        count, steps, address("sizes", sizes, INT64, (steps,)), places, tags, emissions_at,
    )  # fmt: skip
    conclude(outcome, sizes=sizes, count=count, numbers=words, end=entries)


def viterbi(emissions: Floats, transitions: Floats, start: Floats, sizes: Sizes) -> tuple[Numbers, Floats]:
    """The best tag of each packed row, [N], and the score of each sequence, [B], of emissions [N, K].

    transitions [K, K] are from row to column, start [K] is for the first tag. Of equal paths the first tags win.
    """
    count, tags, steps = rows(emissions), rows(start), rows(sizes)
    arguments = (
        address("emissions", emissions, FLOAT32, (count, tags)), count,
        address("transitions", transitions, FLOAT32, (tags, tags)), address("start", start, FLOAT32, (tags,)),
        steps, address("sizes", sizes, INT64, (steps,)), tags,
    )  # fmt: skip
    if not tags:
        raise ValueError("scores of no tags, expected one tag or more")
    best = np.empty(count, np.int32)
    totals = np.empty(min(max(int(sizes[0]), 0), count) if steps else 0, np.float32)
    outcome = library().polytag_viterbi(*arguments, place(best), place(totals))
    conclude(outcome, sizes=sizes, count=count)
    return best, totals


def _number(precision: Precision) -> int:
    if precision not in PRECISIONS or not supports(precision):
        raise ValueError(f"precision '{precision}': there are no instructions for it here")
    return PRECISIONS.index(precision)


def _owned(owner: object, handle: int | None, free: "ctypes._NamedFuncPointer") -> int:
    """A handle that is freed with its owner."""
    if handle is None:
        raise MemoryError("the native core found no memory for weights")
    weakref.finalize(owner, free, handle)
    return handle
