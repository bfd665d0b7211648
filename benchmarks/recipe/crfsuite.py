"""CRFsuite on the labelled sentences of a row, with the hand features of its users. Needs python-crfsuite."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.recipe.elsewhere import PLAIN, Scores, elsewhere_scores, score
from benchmarks.recipe.rows import Row
from polytag.corpus import Sentence
from polytag.corpus.schemes import convert_tags
from polytag.plan import Plan
from polytag.plan_file import load_plan
from polytag.splits import split_sentences

sys.path.append(str(Path(__file__).parents[1] / "peers" / "contenders"))
ITERATIONS = 200


TagAll = Callable[[Iterable[Sentence]], Iterator[Sentence]]
Features = Callable[[Sequence[str]], list[list[str]]]  # words of a sentence -> features of each


def scores(row: Row, seed: int, data: Path) -> tuple[Scores, dict[str, Any]]:
    """Of the one task of a row, trained on the sentences that polytag trains on, and how."""
    from crfsuite_ner import features

    (task,), plan = row.tasks, load_plan(row.plan(seed), data=data)
    with trained(plan, task, features) as tag_all:
        own = {split: score(task, list(split_sentences(plan, task, split)), tag_all) for split in ("dev", "test")}
        return {task: own | elsewhere_scores(task, data, tag_all)}, {"epochs": ITERATIONS}


@contextmanager
def trained(plan: Plan, task: str, features: Features) -> Iterator[TagAll]:
    """What tags sentences once it was trained on those of a task."""
    import pycrfsuite

    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    for sentence in split_sentences(plan, task, "train"):
        tags = sentence.tags[task]
        trainer.append(features(sentence.words), tags if task in PLAIN else convert_tags(tags, "iob2"))
    trainer.set_params({"c1": 0.1, "c2": 0.01, "feature.possible_transitions": True, "max_iterations": ITERATIONS})
    with TemporaryDirectory() as folder:
        trainer.train(f"{folder}/model")
        tagger = pycrfsuite.Tagger()
        tagger.open(f"{folder}/model")

        def tag_all(sentences: Iterable[Sentence]) -> Iterator[Sentence]:
            for sentence in sentences:
                yield Sentence(sentence.words, {task: tuple(tagger.tag(features(sentence.words)))})

        yield tag_all
