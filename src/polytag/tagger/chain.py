"""The linear-chain CRF at work: sums and best paths over all tag sequences of packed sentences, in numpy.

Scores are logarithms in double precision: they grow with the words, and float32 is off by 0.001 at 200 words, 0.04 at
2,000. All functions take ``emissions`` [N, K], ``transitions`` [K, K] from row tag to column tag, ``start`` [K], and
the ``packing`` of the rows; results per sentence are [B] in packed order. The specification, one sentence at a time, is
`polytag.training.ops.crf.reference`; scores of -inf forbid.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from polytag.tagger.packing import A, Ints, Packing

Floats = npt.NDArray[np.floating[Any]]

_PAIR_BLOCK = 1 << 21  # elements of [rows, K, K] held at once: 16 MiB of float64
# Largest |transition| to exponentiate: a log-sum's largest tag has factor 1, so the sum is at least exp(-30), and what
# underflows is far below the last digit of that. It holds whatever the emissions are.
_SAFE_TO_EXPONENTIATE = 30.0


def forward_backward(
    emissions: Floats, transitions: Floats, start: Floats, packing: Packing
) -> tuple[Floats, Floats, Floats]:
    """Log scores of all prefixes [N, K] and of all suffixes [N, K] of each tag at each row, log-partition [B]."""
    alpha = _prefixes(emissions, transitions, start, packing)
    return alpha, _suffixes(emissions, transitions, packing), log_sum(alpha[packing.last])


def log_partition(emissions: Floats, transitions: Floats, start: Floats, packing: Packing) -> Floats:
    """Log of the summed exponentiated scores of all tag sequences, [B]."""
    return log_sum(_prefixes(emissions, transitions, start, packing)[packing.last])


def path_scores(emissions: Floats, transitions: Floats, start: Floats, packing: Packing, tags: Ints) -> Floats:
    """The scores of given tag sequences [N], [B]."""
    rows = np.arange(len(tags))
    moves = np.where(packing.steps == 0, start[tags], 0.0)
    later = packing.steps > 0
    moves[later] = transitions[tags[previous_rows(packing)], tags[later]]
    of_rows = emissions[rows, tags] + moves
    return np.bincount(packing.sequences, of_rows, minlength=len(packing.lengths)).astype(np.float64)


def marginals(emissions: Floats, transitions: Floats, start: Floats, packing: Packing) -> Floats:
    """Probability of each tag at each row, [N, K]."""
    alpha, beta, total = forward_backward(emissions, transitions, start, packing)
    shares: Floats = np.exp(alpha + beta - total[packing.sequences, None])
    return shares


def previous_rows(packing: Packing) -> Ints:
    """The row before each row of steps 1, 2, ... in the same sentence, [N - B]."""
    first = int(packing.sizes[0]) if len(packing.sizes) else 0
    rows: Ints = packing.offsets[packing.steps[first:] - 1] + packing.sequences[first:]
    return rows


def nbest(emissions: Floats, transitions: Floats, start: Floats, packing: Packing, *, k: int) -> tuple[Ints, Floats]:
    """The ``k`` best tag sequences, [N, R], and their scores, [B, R], best first.

    R is k, or less where no sentence has as many sequences. A sentence that has fewer than R ends with scores of -inf,
    whose tags mean nothing.
    """
    if not len(packing.sizes):
        return np.empty((0, 0), np.int64), np.empty((0, 0))
    rows = _by_step(emissions, packing)
    scores: Floats = (start + rows[0])[:, :, None]  # b K r: of the r best prefixes that end in each tag
    widths, pointers, ended = [1], [], []
    for row in rows[1:]:
        ended.append(_best(_flat(scores[len(row) :]), k))
        scores, pointer = _extended_best(scores[: len(row)], transitions, k)
        scores = scores + row[:, :, None]
        widths.append(scores.shape[2])
        pointers.append(pointer)
    ended.append(_best(_flat(scores), k))
    totals, places = _stacked(ended)
    return _followed(places, pointers, widths, packing), totals


def entropy(emissions: Floats, transitions: Floats, start: Floats, packing: Packing) -> Floats:
    """Entropy in nats of the distribution over tag sequences, [B].

    By the chain rule: the doubt about a prefix, given its last tag, is that about the tag before and what came
    before that. All terms are positive, so nothing cancels, as it would in log-partition less expected score.
    """
    if not len(packing.sizes):
        return np.empty(0)
    rows = _by_step(emissions, packing)
    scores: Floats = start + rows[0]  # b K: log score of all prefixes that end in each tag
    doubt: Floats = np.zeros_like(scores)  # b K: entropy of these prefixes
    ended = []
    for row in rows[1:]:
        ended.append(_mixed(scores[len(row) :], doubt[len(row) :]))
        scores, doubt = _extended_doubt(scores[: len(row)], doubt[: len(row)], transitions)
        scores = scores + row
    ended.append(_mixed(scores, doubt))
    return np.concatenate(ended[::-1])  # the longest sentences, which ended last, stand first


def log_sum(scores: Floats) -> Floats:
    """Log of the summed exponentials over the last axis; -inf where all are."""
    peak = np.maximum(scores.max(-1, keepdims=True), -1e300)
    with np.errstate(divide="ignore"):
        total: Floats = np.log(np.exp(scores - peak).sum(-1)) + peak[..., 0]
    return total


def _by_step(rows: Floats, packing: Packing) -> list[Floats]:
    return np.split(rows, packing.offsets[1:])


def _prefixes(emissions: Floats, transitions: Floats, start: Floats, packing: Packing) -> Floats:
    """Log score of all prefixes that end in each tag at each row, [N, K]."""
    alpha = np.empty_like(emissions)
    if not len(packing.sizes):
        return alpha
    pass_on = _log_product(transitions)
    steps = zip(_by_step(emissions, packing), _by_step(alpha, packing), strict=True)
    emission, scores = next(steps)
    np.add(emission, start, out=scores)
    for emission, out in steps:
        scores = np.add(pass_on(scores[: len(out)]), emission, out=out)
    return alpha


def _suffixes(emissions: Floats, transitions: Floats, packing: Packing) -> Floats:
    """Log score of all suffixes that follow each tag at each row, [N, K]; 0 at the last row of a sentence."""
    beta = np.zeros_like(emissions)
    pass_on = _log_product(transitions.T)
    steps = list(zip(_by_step(emissions, packing), _by_step(beta, packing), strict=True))
    for (_, out), (emission, after) in reversed(list(pairwise(steps))):
        out[: len(after)] = pass_on(emission + after)
    return beta


def _log_product(transitions: Floats) -> Callable[[Floats], Floats]:
    """The map from scores [b, K] of the row tags to log-sums of score plus transition [b, K] of the column tags."""
    if not np.abs(transitions).max(initial=0.0) <= _SAFE_TO_EXPONENTIATE:
        columns = np.ascontiguousarray(transitions.T)
        size = max(1, _PAIR_BLOCK // transitions.size)
        return lambda scores: np.concatenate([
            log_sum(scores[at : at + size, None, :] + columns) for at in range(0, len(scores), size)
        ])  # fmt: skip
    factors = np.exp(transitions)

    def product(scores: Floats) -> Floats:
        peak = scores.max(1, keepdims=True)
        found: Floats = np.log(np.exp(scores - peak) @ factors) + peak
        return found

    return product


def _flat(scores: npt.NDArray[A]) -> npt.NDArray[A]:
    """[b, K, r] -> [b, K * r]."""
    return scores.reshape(len(scores), scores.shape[1] * scores.shape[2])


def _best(scores: Floats, k: int) -> tuple[Floats, Ints]:
    """The k largest of each row and their places, largest first; of several alike the first one leads."""
    places = scores.argmax(1)[:, None] if k == 1 else np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, places, 1), places


def _extended_best(scores: Floats, transitions: Floats, k: int) -> tuple[Floats, Ints]:
    """The best prefixes of each tag one word on, [b, K, r'], and the place of each in the [K * r] it extends."""
    _, tags, width = scores.shape
    to_from = transitions.T.repeat(width, axis=1)
    size = max(1, _PAIR_BLOCK // to_from.size)
    found = [
        _best((_flat(scores[at : at + size])[:, None, :] + to_from).reshape(-1, tags * width), k)
        for at in range(0, len(scores), size)
    ]
    values, places = (np.concatenate(parts) for parts in zip(*found, strict=True))
    shape = (len(scores), tags, values.shape[1])
    return values.reshape(shape), places.reshape(shape)


def _stacked(ended: Sequence[tuple[Floats, Ints]]) -> tuple[Floats, Ints]:
    """What each sentence ended with, [B, R]: the longest sentences, which ended last, stand first."""
    widest = ended[-1][0].shape[1]
    scores, places = zip(*reversed(ended), strict=True)

    def widened(parts: Sequence[npt.NDArray[Any]], fill: float) -> npt.NDArray[Any]:
        return np.concatenate([
            np.pad(part, ((0, 0), (0, widest - part.shape[1])), constant_values=fill) for part in parts
        ])  # fmt: skip

    return widened(scores, -np.inf), widened(places, 0)


def _followed(places: Ints, pointers: list[Ints], widths: list[int], packing: Packing) -> Ints:
    """The tags on the way back from the places [B, R] that the sentences ended in, [N, R]."""
    places = places.copy()
    found: list[Ints] = []
    for step, size in reversed(list(enumerate(packing.batch_sizes))):
        running = places[:size]
        found.append(running // widths[step])
        if step:
            running[:] = np.take_along_axis(_flat(pointers[step - 1]), running, 1)
    return np.concatenate(found[::-1])


def _extended_doubt(scores: Floats, doubt: Floats, transitions: Floats) -> tuple[Floats, Floats]:
    """Scores and doubt one word on, both [b, K]."""
    found = [
        (log_sum(pairs), _mixed(pairs, of_some[:, None, :])) for pairs, of_some in _pairs(scores, doubt, transitions)
    ]
    values, doubts = zip(*found, strict=True)
    return np.concatenate(values), np.concatenate(doubts)


def _pairs(scores: Floats, doubt: Floats, transitions: Floats) -> Iterator[tuple[Floats, Floats]]:
    """In blocks of rows: scores of pairs of tags [b, to, from], and the doubt [b, from]."""
    size = max(1, _PAIR_BLOCK // transitions.size)
    for at in range(0, len(scores), size):
        yield scores[at : at + size, None, :] + transitions.T, doubt[at : at + size]


def _mixed(scores: Floats, doubt: Floats) -> Floats:
    """Entropy of a mixture over the last axis; 0 where all of it is forbidden."""
    total = log_sum(scores)[..., None]
    logs = np.where(np.isfinite(scores), scores - np.where(np.isfinite(total), total, 0.0), -np.inf)
    shares = np.exp(logs)
    mixed: Floats = (shares * (doubt - np.where(shares > 0, logs, 0.0))).sum(-1)
    return mixed
