"""Checksums of what a training is made of: a resumed one sees whether it is what it began with."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from polytag.corpus.documents import files_of, format_of
from polytag.model.checkpoint import WEIGHTS
from polytag.plan import Plan
from polytag.plan.task import SPLITS
from polytag.plan.values import AUTO, MEMORY
from polytag.splits import Corpora


def checksums(plan: Plan, memory: Corpora) -> dict[str, str]:
    """Those of all files that a plan names, by the path that it has for them, and of sentences from a program.

    Raises:
        PlanError: a path is missing.
        OSError: a file cannot be read.
    """
    paths: dict[str, list[Path]] = {}
    for task, settings in plan.tasks.items():
        for split in SPLITS:
            for entry in settings.files(split):
                if entry.file == MEMORY:
                    continue
                found = str(plan.find(entry.file, f"tasks.{task}.{split}"))
                paths[entry.file] = files_of(found, format_of(found, entry.format or "auto"))
    for name, words in plan.words.items():
        if words.vectors:
            file = plan.find(words.vectors, f"words.{name}.vectors")
            paths[words.vectors] = sorted(file.iterdir()) if file.is_dir() else [file]
        for path in words.clusters or ():
            if path != AUTO:
                paths[path] = [plan.find(path, f"words.{name}.clusters")]
    if plan.initialisation.model is not None:
        model = plan.find(plan.initialisation.model, "initialisation.from")
        paths[plan.initialisation.model] = [model / WEIGHTS if model.is_dir() else model]
    for name, tags in plan.tags.items():
        if tags.gazetteer:
            paths[tags.gazetteer] = [plan.find(tags.gazetteer, f"tags.{name}.gazetteer")]
    digests = {path: _digest(_content(files)) for path, files in paths.items()}
    for task, splits in memory.items():
        for split, sentences in splits.items():
            digests[f"{MEMORY}.{task}.{split}"] = _digest(f"{s.words}{s.tags[task]}".encode() for s in sentences)
    return digests


def _content(files: Sequence[Path]) -> Iterator[bytes]:
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                yield block


def _digest(blocks: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()
