"""The clusters of a word part: those of files, and those of its vectors, by k-means of their directions.

What k-means computes is exact, so the clusters are the same with any number of threads and for every seed: a training
that is resumed has those that it began with.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain

import numpy as np
import numpy.typing as npt

from polytag.corpus.notes import Notes
from polytag.plan import Plan
from polytag.plan.values import AUTO
from polytag.splits import Corpora
from polytag.vocabulary.cluster_files import load_clusters
from polytag.vocabulary.clusters import Clustering, Clusters, Ids, build_clusters
from polytag.vocabulary.vectors import Vectors, coverage
from polytag.vocabulary.vocabularies import WordVocabulary, normaliser

SIZES = (50, 300, 1_500)  # clusters of each set; a tenth of the words at most
FITTED = 30_000  # words that clusters are made of, the first in the file: the most frequent
ROUNDS = 10
LENGTH = 4_000  # of a vector, whose values are whole numbers then: sums of products are below 2^24, and so exact

_AT_ONCE = 4_096  # rows

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


def clusters_of(plan: Plan, name: str, vectors: Vectors | None, notes: list[str]) -> Clusters | None:
    """The clusters of a word part, if a tag part that sees them has features.

    Raises:
        PlanError: there is no such file.
        VectorsError: a file cannot be read; holds file and line.
    """
    sources = plan.words[name].clusters
    if sources is None:
        return None
    if not any(plan.tags[plan.tasks[task].tags].features for task in plan.users("words", name)):
        notes.append(f"words.{name}: left out its clusters: they are features, which no tag part of its tasks has")
        return None
    return build_clusters(name, [_clustering(plan, name, source, vectors, notes) for source in sources])


def clusters_told(plan: Plan, words: Mapping[str, WordVocabulary], sentences: Corpora) -> Iterator[str]:
    """How much of each task is in clusters."""
    for task, settings in plan.tasks.items():
        vocabulary = words[settings.words]
        if vocabulary.clusters:
            counts = Counter(chain.from_iterable(sentence.words for sentence in sentences[task]["train"]))
            clustered = {word for word in counts if any(vocabulary.cluster_features(word))}
            yield f"{task}: train: words in clusters: {100 * coverage(counts, clustered).token_share:.1f} % of tokens"


def _clustering(plan: Plan, name: str, source: str, vectors: Vectors | None, notes: list[str]) -> Clustering:
    told = Notes()
    if source == AUTO:
        assert vectors is not None, "the plan was checked"
        settings, source = plan.words[name], "their vectors"
        found = _of_vectors(vectors, lowercase=settings.lowercase, zero_digits=settings.zero_digits)
    else:
        found = load_clusters(plan.find(source, f"words.{name}.clusters"), notes=told)
    sizes = ", ".join(f"{size:,}" for size in found.ids.max(axis=0, initial=0))
    notes.append(f"words.{name}: {len(found.words):,} words in {sizes} clusters from {source}")
    notes += [f"words.{name}: {note}" for note in told]
    return found


def _of_vectors(vectors: Vectors, *, lowercase: bool, zero_digits: bool) -> Clustering:
    """As the embedding has its words: where several are looked up as one, it is the first."""
    normalise, ids = normaliser(lowercase=lowercase, zero_digits=zero_digits), cluster(vectors.matrix)
    rows: dict[str, int] = {}
    for row, word in enumerate(vectors.words):
        rows.setdefault(normalise(word), row)
    return Clustering(list(rows), ids[list(rows.values())])


def cluster(vectors: Matrix) -> Ids:
    """The cluster of each vector [V, D] in sets of up to `SIZES`, [V, S]; one without a direction is in none, 0."""
    directions = _directions(vectors)
    most = max(1, len(directions) // 10)
    sizes = dict.fromkeys(min(size, most) for size in SIZES)
    sets = [nearest(directions, fit(directions[:FITTED], size)) + 1 for size in sizes]
    ids = np.stack(sets, axis=1).astype(np.uint16)
    ids[~directions.any(axis=1)] = 0
    return ids


def fit(directions: Matrix, count: int) -> Matrix:
    """The centres [count, D] of spherical k-means over rows [n, D] of whole numbers.

    They begin as rows that stand at equal distances; one that no row is nearest to stays where it is.
    """
    centres = directions[np.arange(count) * len(directions) // count]
    for _ in range(ROUNDS):
        moved = _directions(_sums(directions, nearest(directions, centres), count))
        moved = np.where(moved.any(axis=1, keepdims=True), moved, centres)
        if (moved == centres).all():
            break
        centres = moved
    return centres


def nearest(directions: Matrix, centres: Matrix) -> Rows:
    """The centre in whose direction each row points most, the first of equals, [n]."""
    across = np.ascontiguousarray(centres.T)
    found = np.empty(len(directions), np.intp)
    for start in range(0, len(directions), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        found[rows] = (directions[rows] @ across).argmax(axis=1)
    return found


def _sums(rows: Matrix, groups: Rows, count: int) -> npt.NDArray[np.float64]:
    """The sum of the rows of each group, [count, D]; in double precision whole numbers have no rounding."""
    order = groups.argsort(kind="stable")
    present, starts = np.unique(groups[order], return_index=True)
    sums = np.zeros((count, rows.shape[1]))
    sums[present] = np.add.reduceat(rows[order], starts, axis=0, dtype=np.float64)
    return sums


def _directions(vectors: npt.NDArray[np.floating]) -> Matrix:
    """Rows at a length of `LENGTH`, rounded to whole numbers; those of zeros stay so."""
    found = np.empty(vectors.shape, np.float32)
    for start in range(0, len(vectors), _AT_ONCE):
        rows = vectors[start : start + _AT_ONCE].astype(np.float64)
        largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
        rows = np.divide(rows, largest, out=rows, where=largest > 0)  # the square of a length may be no number
        lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
        rows *= np.divide(LENGTH, lengths, out=lengths, where=lengths > 0)
        found[start : start + _AT_ONCE] = np.rint(rows)
    return found
