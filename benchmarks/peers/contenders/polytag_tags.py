"""polytag itself, for spans and for plain tags: trains by the plan of the model given, or by the recipe `best`."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from protocol import Tag, TagAll, Trained, Training, Words, run, write

from polytag.corpus import Sentence
from polytag.plan import Plan
from polytag.plan.values import NONE
from polytag.plan_file import load_plan, make_plan
from polytag.tagger.tagging import Tagger
from polytag.training import Evaluation, Step, train_events

OWN_PLAN: dict[str, Any] = {
    "chars": {"all": {}},
    "words": {"all": {}},
    "tasks": {"task": {"chars": "all", "words": "all"}},
    "training": {"recipe": "best"},
}
WHOLE = {"rate": 1.0, "holdout": 0.0, "format": "conll", "encoding": "utf-8", "columns": {"word": 0, "tag": 1}}


def train(request: Training, directory: Path) -> Trained:
    plan = _plan(request, directory.parent)
    words, epochs, evaluating = 0, 0, 0.0
    began = before = time.process_time()
    for event in train_events(plan, output=directory):
        now = time.process_time()
        if isinstance(event, Step):
            words += event.words
        if isinstance(event, Evaluation):
            epochs, evaluating = event.epoch, evaluating + now - before
            if request.seconds is not None and now - began > request.seconds:
                break  # only here: between two epochs there is always a model on disk
        before = now
    evaluating += time.process_time() - before  # the report scores the best epoch once more
    vectors = [settings.vectors for settings in plan.words.values() if settings.vectors]
    known = f"vectors {Path(vectors[0]).name}" if vectors else "no vectors"
    return Trained(words, f"{plan.training.recipe} recipe, {known}, epochs: {epochs}", evaluating)


def _plan(request: Training, directory: Path) -> Plan:
    given, data = request.options.get("model"), request.options.get("data")
    tables = load_plan(Path(given, "plan.toml"), data=data).to_dict() if given else OWN_PLAN
    task = _only(tables["tasks"])
    files = {"train": _written(directory / "train", request.train), "dev": NONE, "test": NONE}
    if request.dev:
        files["dev"] = _written(directory / "dev", request.dev)
    settings = tables["tasks"][task] | WHOLE | files | {"scheme": "iob2" if request.options["spans"] else "plain"}
    training = tables["training"] | {"threads": 1, "seed": request.seed, "track_test": False}
    if not request.full:
        training["epochs"] = request.limit
    return make_plan(tables | {"tasks": {task: settings}, "training": training})


def _written(path: Path, corpus: Sequence[tuple[Words, Sequence[str]]]) -> str:
    write(path, [words for words, _ in corpus], [tags for _, tags in corpus])
    return str(path)


def _only(tasks: Any) -> str:
    if len(tasks) != 1:
        raise SystemExit(f"the model has the tasks {', '.join(tasks)}, expected a model of one task")
    return str(next(iter(tasks)))


def load(directory: Path) -> tuple[TagAll, Tag]:
    tagger = Tagger.load(directory)
    task = _only(tagger.plan.tasks)

    def tag_all(sentences: Sequence[Words]) -> list[Sequence[str]]:
        return [sentence.tags[task] for sentence in tagger.tag_all(Sentence(tuple(words)) for words in sentences)]

    return tag_all, lambda words: tagger.tag(words).tags[task]


if __name__ == "__main__":
    run(train, load, packages=["polytag", "torch", "numpy"])
