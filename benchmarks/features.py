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
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch

from polytag.corpus.sentence import Sentence
from polytag.scoring import approximate_randomisation, sentence_counts
from polytag.tagger.evaluation import sentences_to_score
from polytag.tagger.tagging import Tagger
from polytag.training.network import Network
from polytag.vocabulary.vocabularies import Vocabularies

SPLITS = ("dev", "test")


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    torch.set_num_threads(1)
    both = Tagger.load(options.model, precision="float32")
    task = options.task or both.choose(None)[0]
    makers = {"network": _without_features, "features": _features_alone, "both": deepcopy}
    files = {
        split: list(sentences_to_score(both, tasks=[task], split=split, data=options.data)[task]) for split in SPLITS
    }
    together = _counts(deepcopy(both), files["test"], task)
    for name, make in makers.items():
        found = [f"{split} {make(both).evaluate(files[split], task).score:.2f}" for split in SPLITS]
        if together and name != "both":
            found.append(f"p {approximate_randomisation(together, _counts(make(both), files['test'], task)):.4f}")
        print(f"{name:<10}{'  '.join(found)}")
    words, taken = sum(map(len, files["test"])), {name: list[float]() for name in ("network", "both")}
    for _ in range(options.rounds):
        for name, of in taken.items():
            tagger = makers[name](both)
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


def _without_features(tagger: Tagger) -> Tagger:
    """The network as it is without features, which then cost nothing."""
    tags = {name: part.model_copy(update={"features": False}) for name, part in tagger.plan.tags.items()}
    given = tagger.vocabularies
    known = {name: replace(vocabulary, features=None) for name, vocabulary in given.tags.items()}
    plan = tagger.plan.model_copy(update={"tags": tags})
    vocabularies = Vocabularies(chars=given.chars, words=given.words, tags=known)
    network = Network(plan, vocabularies).eval()
    weights = tagger.network.state_dict()
    network.load_state_dict({name: weights[name] for name in network.state_dict()})
    return Tagger(plan, vocabularies, network, precision=tagger.precision)


def _features_alone(tagger: Tagger) -> Tagger:
    """Nothing of the network reaches the scores."""
    copy = deepcopy(tagger)
    with torch.no_grad():
        for name, parameter in copy.network.tags.named_parameters():
            if ".features." not in name:
                parameter.zero_()
    return copy


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What do features bring a model, and what do they cost?")
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, help="where the plan's files lie")
    parser.add_argument("--task", help="the model's only task, unless given")
    parser.add_argument("--rounds", type=int, default=5, help="of tagging (5)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
