"""What a model was trained on, for its report and its card: files and licences, counts, labels with examples."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Sentence, Span
from polytag.corpus.tag_rules import UNKNOWN
from polytag.downloads.record import NAME, read_record
from polytag.errors import PolytagError
from polytag.plan import Plan
from polytag.training.prepare import Prepared

EXAMPLES = 3  # of a label, the most frequent ones
LONGEST = 40  # characters of an example


def trained_on(prepared: Prepared) -> dict[str, Any]:
    """Of each task its splits (files, sentences, words, and spans where it has some) and labels; licences of files."""
    plan, sentences, refit = prepared.plan, prepared.sentences, prepared.chosen is not None
    return {
        "corpora": {
            task: {split: _split(plan, task, split, of, refit=refit) for split, of in splits.items() if of}
            for task, splits in sentences.items()
        },
        "labels": {task: _labels(plan, task, splits["train"]) for task, splits in sentences.items()},
        "licences": _licences(plan, prepared.checksums),
    }


def _split(plan: Plan, task: str, split: str, sentences: Sequence[Sentence], *, refit: bool) -> dict[str, Any]:
    settings = plan.tasks[task]
    entries = [*settings.files(split), *(settings.files("dev") if refit and split == "train" else ())]
    counts = {"files": [_named(entry.file) for entry in entries] or ["held out of train"], "sentences": len(sentences)}
    counts["words"] = sum(map(len, sentences))
    return counts if settings.scheme == "plain" else counts | {"spans": sum(len(_spans(s, task)) for s in sentences)}


def _named(file: str) -> str:
    """A file as the plan has it, without the directory of this machine where it has one."""
    return Path(file).name if Path(file).is_absolute() else file


def _spans(sentence: Sentence, task: str) -> list[Span]:
    return spans(["O" if tag == UNKNOWN else tag for tag in sentence.tags[task]])


def _labels(plan: Plan, task: str, sentences: Iterable[Sentence]) -> dict[str, Any]:
    """How often training has each label, and what bears it most often."""
    bearers: dict[str, Counter[str]] = defaultdict(Counter)
    for sentence in sentences:
        for label, text in _labelled(plan, task, sentence):
            bearers[label][text] += 1
    return {
        label: {
            "count": found.total(),
            "examples": [text for text, _ in found.most_common() if len(text) <= LONGEST][:EXAMPLES],
        }
        for label, found in sorted(bearers.items())
    }


def _labelled(plan: Plan, task: str, sentence: Sentence) -> Iterable[tuple[str, str]]:
    if plan.tasks[task].scheme == "plain":
        pairs = zip(sentence.tags[task], sentence.words, strict=True)
        return ((tag, word) for tag, word in pairs if tag != UNKNOWN)
    return ((span.type, " ".join(sentence.words[span.start : span.end])) for span in _spans(sentence, task))


def _licences(plan: Plan, files: Mapping[str, str]) -> dict[str, str]:
    """Of the files that `polytag data get` fetched: the data set, its licence and where that stands."""
    found = {}
    for file in files:
        with suppress(PolytagError, OSError):
            if licence := _licence(plan.find(file, file)):
                found[_named(file)] = licence
    return found


def _licence(path: Path) -> str:
    path = path.absolute()
    for folder in path.parents:
        if (folder / NAME).is_file():
            target = path.relative_to(folder).as_posix()
            for name, of in read_record(folder).datasets.items():
                if any(target == own or target.startswith(f"{own}/") for own in of.get("targets", ())):
                    return f"{name}: {of.get('licence')} ({of.get('licence_url')})"
    return ""
