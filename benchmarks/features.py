"""What do features bring a model, and what do they cost: its network alone, its features alone, both together.

    python benchmarks/features.py MODEL [--data DATA] [--task TASK] [--rounds 5]

The network beside features has, step by step, the weights that it has without; which epoch was kept was chosen by both
together. Scores are of the development and the test files of the plan. Where tags are spans, p is the probability of a
test score as far from that of both together if it were chance which said what (approximate randomisation). Speed is
that of tagging the test sentences, read already, by a tagger that has not seen them, in turn with and without features:
the median, lowest and highest.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from polytag.corpus.sentence import Sentence
from polytag.model import Model, load_model, shapes
from polytag.scoring import approximate_randomisation, sentence_counts
from polytag.tagger.evaluation import sentences_to_score
from polytag.tagger.tagging import Tagger
from polytag.vocabulary.vocabularies import Vocabularies

SPLITS = ("dev", "test")


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    model = load_model(options.model)
    both = _tagger(model)
    task = options.task or both.choose(None)[0]
    models = {"network": _without_features(model), "features": _features_alone(model), "both": model}
    files = {
        split: list(sentences_to_score(both, tasks=[task], split=split, data=options.data)[task]) for split in SPLITS
    }
    together = _counts(both, files["test"], task)
    for name, given in models.items():
        tagger = _tagger(given)
        found = [f"{split} {tagger.evaluate(files[split], task).score:.2f}" for split in SPLITS]
        if together and name != "both":
            found.append(f"p {approximate_randomisation(together, _counts(tagger, files['test'], task)):.4f}")
        print(f"{name:<10}{'  '.join(found)}")
    words, taken = sum(map(len, files["test"])), {name: list[float]() for name in ("network", "both")}
    for _ in range(options.rounds):
        for name, of in taken.items():
            tagger = _tagger(models[name])
            began = time.perf_counter()
            list(tagger.tag_all(files["test"], tasks=[task]))
            of.append(time.perf_counter() - began)
    for name, of in taken.items():
        print(f"{name:<10}{words / median(of):,.0f} words/s ({words / max(of):,.0f} to {words / min(of):,.0f})")


def _counts(tagger: Tagger, sentences: Sequence[Sentence], task: str) -> list[tuple[int, int, int]]:
    """Of each sentence; of none where tags are no spans."""
    if task not in tagger.span_tasks():
        return []
    found = tagger.tag_all(sentences, tasks=[task])
    return [sentence_counts(gold.tags[task], said.tags[task]) for gold, said in zip(sentences, found, strict=True)]


def _tagger(model: Model) -> Tagger:
    """One that has seen no word yet."""
    return Tagger(model, precision="float32", threads=1)


def _without_features(model: Model) -> Model:
    """The network as it is without features, which then cost nothing."""
    tags = {name: part.model_copy(update={"features": False}) for name, part in model.plan.tags.items()}
    given = model.vocabularies
    known = {name: replace(vocabulary, features=None) for name, vocabulary in given.tags.items()}
    plan = model.plan.model_copy(update={"tags": tags})
    vocabularies = Vocabularies(chars=given.chars, words=given.words, tags=known)
    return Model(plan, vocabularies, {name: model.arrays[name] for name in shapes(plan, vocabularies)})


def _features_alone(model: Model) -> Model:
    """Nothing of the network reaches the scores."""
    arrays = {
        name: np.zeros_like(array) if name.startswith("tags.") and ".features." not in name else array
        for name, array in model.arrays.items()
    }
    return replace(model, arrays=arrays)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What do features bring a model, and what do they cost?")
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, help="where the plan's files lie")
    parser.add_argument("--task", help="the model's only task, unless given")
    parser.add_argument("--rounds", type=int, default=5, help="of tagging (5)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
