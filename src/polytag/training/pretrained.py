"""Word vectors from files: what the embeddings of word parts start from."""

from collections import Counter
from collections.abc import Container, Mapping

import torch

from polytag.corpus.notes import Notes
from polytag.errors import PlanError
from polytag.plan import Plan
from polytag.splits import Corpora
from polytag.training.network import Network
from polytag.vocabulary.vectors import Vectors, coverage, load_vectors
from polytag.vocabulary.vocabularies import Vocabularies, WordVocabulary


def vectors_of(plan: Plan, name: str, notes: list[str]) -> Vectors | None:
    """The vectors of a word part, if it has some.

    Raises:
        PlanError: there is no such file, or its vectors are not as the plan has them.
        VectorsError: it cannot be read.
    """
    settings = plan.words[name]
    if settings.vectors is None:
        return None
    key = f"words.{name}.vectors"
    told = Notes()
    loaded = load_vectors(plan.find(settings.vectors, key), notes=told)
    if "dimension" in settings.model_fields_set and settings.dimension != loaded.dimension:
        raise PlanError(
            f"words.{name}.dimension is {settings.dimension}, but {settings.vectors} has {loaded.dimension} dimensions"
        )
    if settings.vector_std is not None and not loaded.std:
        raise PlanError(
            f"{key}: all values of {settings.vectors} are alike, expected some that words.{name}.vector_std can spread"
        )
    notes.append(
        f"words.{name}: {len(loaded.words):,} vectors of {loaded.dimension} dimensions from {settings.vectors} "
        f"({loaded.format}, standard deviation {loaded.std:.3f})"
    )
    notes += [f"words.{name}: {note}" for note in told]
    return loaded


def with_dimensions(plan: Plan, vectors: Mapping[str, Vectors | None]) -> Plan:
    """The plan with the dimension of the vectors of each word part that has some."""
    words = {
        name: settings
        if (loaded := vectors[name]) is None
        else settings.model_copy(update={"dimension": loaded.dimension})
        for name, settings in plan.words.items()
    }
    return plan.model_copy(update={"words": words})


def fill_embeddings(
    network: Network,
    plan: Plan,
    vocabularies: Vocabularies,
    vectors: Mapping[str, Vectors | None],
    sentences: Corpora,
) -> list[str]:
    """Give words their vectors; notes say how much of each task has one."""
    notes = []
    for name, loaded in vectors.items():
        if loaded is not None:
            filled = _fill_embedding(network, name, vocabularies.words[name], loaded, plan.words[name].vector_std)
            notes += _coverage_notes(plan, name, vocabularies.words[name], filled, sentences)
    return notes


def _fill_embedding(
    network: Network, name: str, vocabulary: WordVocabulary, vectors: Vectors, std: float | None
) -> Container[int]:
    """Give each word its vector, or that of its lower case; the indices of the words that have one."""
    rows: dict[int, int] = {}
    for row, word in enumerate(vectors.words):
        rows.setdefault(vocabulary.index(word), row)  # where several normalise to one word, the first: most frequent
    for index, word in enumerate(vocabulary.words, start=1):
        if index not in rows and (lower := vocabulary.index(word.lower())) in rows:
            rows[index] = rows[lower]
    scale = 1.0 if std is None else std / vectors.std
    weight = network.get_parameter(f"words.{name}.embedding.weight")
    with torch.no_grad():
        weight[list(rows)] = torch.from_numpy(vectors.matrix[list(rows.values())]) * scale
    return rows.keys()


def _coverage_notes(
    plan: Plan,
    name: str,
    vocabulary: WordVocabulary,
    filled: Container[int],
    sentences: Corpora,
) -> list[str]:
    notes = []
    for task in plan.users("words", name):
        for split, part in sentences[task].items():
            if part:
                counts = Counter(vocabulary.normalise(word) for sentence in part for word in sentence.words)
                has_vector = {form for form in counts if vocabulary.index(form) in filled}
                notes.append(f"{task}: {split}: words with a vector: {coverage(counts, has_vector)}")
    return notes
