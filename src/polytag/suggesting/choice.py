"""From a stream of sentences to those that would teach most: score all, keep the least sure, choose among them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from os import PathLike

import numpy as np
import numpy.typing as npt

from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError
from polytag.suggesting.diverse import choose
from polytag.suggesting.pool import Pool
from polytag.suggesting.reading import Candidate, candidate
from polytag.suggesting.reading import candidates as candidates_of
from polytag.suggesting.suggestion import Suggestion
from polytag.suggesting.uncertainty import Floats, Measure, measure_named
from polytag.tagger.lattice import View
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger, as_tagger

CHUNK = 512  # sentences read ahead
POOL_FACTOR, POOL_MOST = 20, 20_000  # candidates for each suggestion; in all, unless more are asked for


@dataclass(frozen=True, slots=True, repr=False)
class Suggested:
    """The suggestions, in the order in which to annotate them, and what they were chosen from."""

    suggestions: list[Suggestion]
    tasks: list[str]
    read: int  # sentences, without those shorter than asked for
    mean_score: float  # of all sentences read

    def __repr__(self) -> str:
        return f"Suggested({len(self.suggestions):,} of {self.read:,} sentences, tasks={self.tasks})"


def suggest(
    model: Tagger | str | PathLike[str],
    candidates: str | PathLike[str] | Iterable[Candidate | Sentence],
    *,
    count: int = 100,
    tasks: Sequence[str] | None = None,
    by: str = "entropy",
    per_word: bool = True,
    diversity: float = 0.25,
    min_words: int = 1,
) -> Suggested:
    """Choose the sentences whose annotation would teach most, in one pass and bounded memory.

    Args:
        model: that is to learn: a tagger, a model directory or a packed file.
        candidates: what to choose from: a file, read as `polytag tag` reads it, sentences, or what
            `polytag.suggesting.candidates` reads.
        count: how many to choose; fewer where there are fewer different sentences.
        tasks: whose uncertainty counts, several by their mean; all tasks of the model's language unless given.
        by: a key of `MEASURES`: entropy, margin or least-confidence.
        per_word: uncertainty per word; else of the whole sentence, which favours long ones.
        diversity: 0 for the least sure alone, up to 1 for sentences as different as can be among the 20 times as
            many that are least sure.
        min_words: leave shorter sentences out.

    Raises:
        PolytagError: an argument is out of range, a task unknown, or no sentence is long enough.
    """
    if count < 1 or not 0 <= diversity <= 1:
        raise PolytagError(
            f"{count} sentences of diversity {diversity}, expected 1 or more and a diversity from 0 to 1"
        )
    tagger = as_tagger(model)
    chosen_tasks, measure = tagger.choose(tasks), measure_named(by)
    pool = Pool(max(count, min(POOL_FACTOR * count, POOL_MOST)) if diversity else count)
    read, total = 0, 0.0
    long_enough = (one for one in _read(candidates, tagger, chosen_tasks) if len(one.sentence) >= min_words)
    while chunk := list(islice(long_enough, CHUNK)):
        scores, vectors = _scored(tagger, chunk, chosen_tasks, measure, per_word=per_word)
        for at, one in enumerate(chunk):
            pool.offer(float(scores[at]), one, vectors[at], order=read + at)
        read, total = read + len(chunk), total + float(scores.sum())
    if not read:
        raise PolytagError(f"there is no sentence to suggest, expected some of {min_words} words or more")
    return Suggested(_chosen(tagger, pool, count, chosen_tasks, diversity), chosen_tasks, read, total / read)


def _read(
    source: str | PathLike[str] | Iterable[Candidate | Sentence], tagger: Tagger, tasks: Sequence[str]
) -> Iterator[Candidate]:
    if isinstance(source, str | PathLike):
        return candidates_of(source, tokeniser=tagger.tokeniser(tasks))
    return (one if isinstance(one, Candidate) else _candidate(one) for one in source)


def _candidate(one: object) -> Candidate:
    if not isinstance(one, Sentence):
        raise PolytagError(f"found {one!r:.80}, expected a polytag.Sentence, or one file in the place of all")
    return candidate(one)


def _scored(
    tagger: Tagger, chunk: Sequence[Candidate], tasks: Sequence[str], measure: Measure, *, per_word: bool
) -> tuple[Floats, Floats]:
    """Uncertainty [B] and sentence vector [B, H] of each candidate; the vectors of several languages side by side."""
    scores = np.zeros(len(chunk))
    vectors: dict[str, npt.NDArray[np.float32]] = {}
    for view in tagger.views((one.sentence for one in chunk), tasks=tasks):
        indices, words = np.array(view.indices), np.array([len(chunk[i].sentence) for i in view.indices], dtype=float)
        for lattice in view.lattices.values():
            values = measure.total(lattice)
            scores[indices] += (measure.per_word(values, words) if per_word else values) / len(tasks)
        found = _pooled(view)
        of_language = vectors.setdefault(next(iter(view.lattices)), np.zeros((len(chunk), found.shape[1]), np.float32))
        of_language[indices] = found
    return scores, np.concatenate(list(vectors.values()), axis=1)


def _pooled(view: View) -> npt.NDArray[np.float32]:
    """The mean over words of what the network makes of them, [B, H], in the caller's order."""
    words = np.concatenate(view.packing.unpack(view.context))
    sizes = view.packing.in_order(view.packing.lengths)
    means = np.add.reduceat(words, np.cumsum(sizes) - sizes, axis=0) / sizes[:, None]
    return means.astype(np.float32)


def _chosen(tagger: Tagger, pool: Pool, count: int, tasks: Sequence[str], diversity: float) -> list[Suggestion]:
    """The chosen candidates, tagged, with all probabilities."""
    ranked = pool.ranked()
    scores, vectors = np.array([score for score, _, _ in ranked]), np.stack([vector for *_, vector in ranked])
    best = [ranked[i][:2] for i in choose(scores, vectors, count, diversity=diversity)]
    tagged = tagger.tag_all((one.sentence for _, one in best), Request(tasks, confidence=True))
    return [Suggestion(one, found, score) for (score, one), found in zip(best, tagged, strict=True)]
