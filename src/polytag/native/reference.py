"""What the native core computes while tagging, in plain numpy: the specification, and what is used without the core.

Everything is float32; other precisions are for processors with instructions for them. The package says what the letters
mean.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from polytag.native.checks import (
    BAD_SIZES,
    DONE,
    FLOAT32,
    INT32,
    INT64,
    OUT_OF_RANGE,
    Array,
    Floats,
    Numbers,
    Sizes,
    bad_lengths,
    check,
    check_features,
    conclude,
    fit,
    rows,
    within,
)  # fmt: skip
from polytag.native.loader import Precision

_ITEMS_AT_ONCE = 65_536  # whose states are held


class Layer:
    """One bidirectional GRU layer (paper, section 3.1); weights are copied."""

    GATES: ClassVar[int] = 3
    KEPT: ClassVar[int] = 1  # numbers that a unit hands on: its state

    def __init__(
        self,
        input_weight: Floats,
        recurrent_weight: Floats,
        bias: Floats | None,
        *,
        reset_after: bool,
        precision: Precision = "float32",
        threads: int = 1,  # noqa: ARG002
    ) -> None:
        """From weights of the gates r, z and c side by side, forward direction first.

        Args:
            input_weight: ``[2, D, 3H]``.
            recurrent_weight: ``[2, H, 3H]``.
            bias: ``[2, 3H]`` or None, added to the input side.
            reset_after: apply the reset gate after the recurrent product, as torch.nn.GRU and cuDNN do.
            precision: only "float32".
            threads: of no use here.

        Raises:
            ValueError: arrays of other types or shapes, or another precision.
        """
        _only_float32(precision)
        self.inputs, self.units = input_weight.shape[1], recurrent_weight.shape[1]
        across = self.GATES * self.units
        self._input = check("input_weight", input_weight, FLOAT32, (2, self.inputs, across)).copy()
        self._recurrent = check("recurrent_weight", recurrent_weight, FLOAT32, (2, self.units, across)).copy()
        self._bias = None if bias is None else check("bias", bias, FLOAT32, (2, across)).reshape(-1).copy()
        self._reset_after = reset_after

    def gates(self, x: Floats) -> Floats:
        """The input side of the gates of rows x [U, D], with bias -> [U, 6H]: by direction, then r z c, then unit."""
        check("x", x, FLOAT32, (rows(x), self.inputs))
        product: Floats = np.concatenate([x @ weight for weight in self._input], axis=1)
        return product if self._bias is None else product + self._bias

    def states(self, x: Floats, sizes: Sizes, *, out: Floats | None = None) -> Floats:  # noqa: ARG002
        """Packed rows x [N, D] -> states [N, 2H]; in memory of their own whatever ``out`` is."""
        return self._states(self.gates(x), sizes)

    def states_of(self, table: Floats, places: Numbers, sizes: Sizes, *, out: Floats | None = None) -> Floats:  # noqa: ARG002
        """The same where the `gates` of packed row i are those in row ``places[i]`` of a table [*, 6H]."""
        check("table", table, FLOAT32, (rows(table), 2 * self.GATES * self.units))
        _check_packed(sizes, rows(places), check("places", places, INT32, (rows(places),)), rows(table))
        return self._states(table[places], sizes)

    def _states(self, gates: Floats, sizes: Sizes) -> Floats:
        _check_packed(sizes, len(gates))
        states = np.empty((len(gates), 2, self.units), np.float32)
        for direction, of_direction in enumerate(np.split(gates, 2, axis=1)):
            kept = np.zeros((_sequences(sizes), self.KEPT * self.units), np.float32)  # before a sequence's first step
            steps = list(_steps(sizes))
            for first, size in reversed(steps) if direction else steps:
                kept[:size] = self._cell(of_direction[first : first + size], kept[:size], self._recurrent[direction])
                states[first : first + size, direction] = kept[:size, : self.units]
        return states.reshape(len(gates), 2 * self.units)

    def _cell(self, gates: Floats, h: Floats, weight: Floats) -> Floats:
        """One step: the input side of the gates [n, 3H] and states h [n, H] -> the next states [n, H]."""
        from_r, from_z, from_c = np.split(gates, 3, axis=1)
        u_r, u_z, u_c = np.split(weight, 3, axis=1)
        r, z = _sigmoid(from_r + h @ u_r), _sigmoid(from_z + h @ u_z)
        c = np.tanh(from_c + (r * (h @ u_c) if self._reset_after else (r * h) @ u_c))
        return z * h + (1 - z) * c


class LstmLayer(Layer):
    """One bidirectional LSTM layer; its gates are i, f, o and c, so that [2, D, 4H] stands for [2, D, 3H] and so on."""

    GATES: ClassVar[int] = 4
    KEPT: ClassVar[int] = 2  # the state and, beside it, the cell's memory

    def __init__(self, input_weight: Floats, recurrent_weight: Floats, bias: Floats | None) -> None:
        """As a `Layer`, in float32."""
        super().__init__(input_weight, recurrent_weight, bias, reset_after=False)

    def _cell(self, gates: Floats, h: Floats, weight: Floats) -> Floats:
        """One step: the input side of the gates [n, 4H] and states and memories h [n, 2H] -> the next ones [n, 2H]."""
        h, memory = np.split(h, 2, axis=1)
        sums = gates + h @ weight
        i, f, o = np.split(_sigmoid(sums[:, : 3 * self.units]), 3, axis=1)
        memory = f * memory + i * np.tanh(sums[:, 3 * self.units :])
        return np.concatenate((o * np.tanh(memory), memory), axis=1)


def ends(layers: Sequence[Layer], table: Floats, items: Numbers, lengths: Sizes) -> Floats:
    """What layers make of whole sequences, [B, 2H] of the last one; see `polytag.native.ends`."""
    if check("lengths", lengths, INT64, (rows(lengths),)).min(initial=1) < 1 or lengths.sum() != rows(items):
        raise bad_lengths(lengths, rows(items))
    out = np.empty((len(lengths), 2 * layers[-1].units), np.float32)
    order, starts = (-lengths).argsort(kind="stable"), lengths.cumsum() - lengths
    for some in np.split(order, np.flatnonzero(np.diff(lengths[order].cumsum() // _ITEMS_AT_ONCE)) + 1):
        sizes = (-lengths[some]).searchsorted(-np.arange(lengths[some].max(initial=0)))
        firsts, steps = sizes.cumsum() - sizes, np.arange(len(sizes)).repeat(sizes)
        sequences = np.arange(len(steps)) - firsts[steps]
        states = layers[0].states_of(table, items[starts[some][sequences] + steps], sizes)
        for layer in layers[1:]:
            states = layer.states(states, sizes)
        forward, backward = np.split(states, 2, axis=1)
        last = firsts[lengths[some] - 1] + np.arange(len(some))
        out[some] = np.concatenate((forward[last], backward[: len(some)]), axis=1)
    return out


class Matrix:
    """A copy of a matrix [D, K] that rows can be multiplied with, see `project`."""

    def __init__(self, values: Floats, *, precision: Precision = "float32") -> None:
        """Raises ValueError for another type, shape or precision than float32."""
        _only_float32(precision)
        self.inputs, self.columns = values.shape
        self.values = check("values", values, FLOAT32, (self.inputs, self.columns)).copy()


def project(x: Floats, matrices: Sequence[Matrix]) -> list[Floats]:
    """Rows x [N, D] by each of several matrices [D, K] -> [N, K] of each."""
    return [check("x", x, FLOAT32, (rows(x), matrix.inputs)) @ matrix.values for matrix in matrices]


def feature_scores(own: Floats, around: Floats, numbers: Numbers, *, of_own: int) -> Floats:
    """What features of words add to the scores of tags, [U, K + P K]; see `polytag.native.feature_scores`."""
    check_features(check("numbers", numbers, INT32, numbers.shape), of_own, (rows(own), rows(around)))
    sums = []
    for table, some in zip((own, around), np.split(numbers, [of_own], axis=1), strict=True):
        found = check("table", table, FLOAT32, table.shape)[some]
        found[some == 0] = 0.0
        sums.append(found.sum(1))
    return np.concatenate(sums, axis=1)


def add_features(emissions: Floats, scores: Floats, edge: Floats, words: Numbers, sizes: Sizes) -> None:
    """Add to emissions [N, K] what features say, in place; see `polytag.native.add_features`."""
    count, places, tags = rows(emissions), rows(edge), edge.shape[-1]
    check("emissions", emissions, FLOAT32, (count, tags))
    check("scores", scores, FLOAT32, (rows(scores), 1 + places, tags))
    check("edge", edge, FLOAT32, (places, tags))
    _check_packed(sizes, count, check("words", words, INT32, (count,)), rows(scores))
    emissions += scores[words, 0]
    starts = np.cumsum(sizes) - sizes
    step = np.repeat(np.arange(len(sizes)), sizes)
    sequence = np.arange(count) - starts[step]
    for place in range(places):
        other = step + place - places // 2
        inside = (other >= 0) & (other < len(sizes))
        inside[inside] = sequence[inside] < sizes[other[inside]]
        neighbour = starts[other[inside]] + sequence[inside]
        emissions[inside] += scores[words[neighbour], 1 + place]
        emissions[~inside] += edge[place]


def viterbi(emissions: Floats, transitions: Floats, start: Floats, sizes: Sizes) -> tuple[Numbers, Floats]:
    """The best tag of each packed row, [N], and the score of each sequence, [B]; see `polytag.native.viterbi`."""
    count, tags = rows(emissions), rows(start)
    check("emissions", emissions, FLOAT32, (count, tags))
    check("transitions", transitions, FLOAT32, (tags, tags))
    check("start", start, FLOAT32, (tags,))
    _check_packed(sizes, count)
    if not tags:
        raise ValueError("scores of no tags, expected one tag or more")
    steps = list(_steps(sizes))
    scores = np.empty((_sequences(sizes), tags), np.float32)  # of the last step of each sequence
    came_from = np.zeros((count, tags), np.int32)
    for first, size in steps:
        here = slice(first, first + size)
        if first:
            through = scores[:size, :, None] + transitions
            came_from[here] = through.argmax(1)
            scores[:size] = through.max(1) + emissions[here]
        else:
            scores[:] = start + emissions[here]
    best = np.empty(count, np.int32)
    tag = scores.argmax(1).astype(np.int32)  # of each sequence at the step that is looked at
    for first, size in reversed(steps):
        best[first : first + size] = tag[:size]
        tag[:size] = came_from[first + np.arange(size), tag[:size]]
    return best, scores.max(1, initial=-np.inf)


def _sequences(sizes: Sizes) -> int:
    return int(sizes[0]) if len(sizes) else 0


def _steps(sizes: Sizes) -> Iterator[tuple[int, int]]:
    """The first row of each step and how many it has."""
    first = 0
    for size in sizes.tolist():
        yield first, size
        first += size


def _sigmoid(x: Floats) -> Floats:
    half = np.float32(0.5)
    result: Floats = half + half * np.tanh(half * x)  # of any size: nothing overflows
    return result


def _only_float32(precision: Precision) -> None:
    if precision != "float32":
        raise ValueError(f"precision '{precision}': numpy has float32 only")


def _check_packed(sizes: Sizes, count: int, numbers: Array | None = None, end: int = 0) -> None:
    check("sizes", sizes, INT64, (rows(sizes),))
    outcome = DONE if fit(sizes, count) else BAD_SIZES
    if outcome == DONE and numbers is not None and not within(numbers, end):
        outcome = OUT_OF_RANGE
    conclude(outcome, sizes=sizes, count=count, numbers=numbers, end=end)
