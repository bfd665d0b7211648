"""README.md of a model directory: what the model is, was trained on and can do. Made of the model and its report."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polytag.errors import counted
from polytag.files import atomic_write
from polytag.model import Model

FILE = "README.md"
MARK = "library_name: polytag\n"  # by which a card is known
_SPECIAL = "\\`*_{}[]<>|&#~"
_COUNTED = ("sentences", "words", "spans")

Report = Mapping[str, Any]


def write_card(directory: Path, model: Model, report: Report) -> None:
    """Write the card; a README.md that is none stays as it is.

    Raises:
        PolytagError: it cannot be written.
    """
    path = directory / FILE
    if path.exists() and MARK not in path.read_bytes()[:500].decode("utf-8", "replace"):
        return
    plan = (directory / "plan.toml").read_text(encoding="utf-8")
    with atomic_write(path) as file:
        file.write(card(model, report, plan=plan))


def card(model: Model, report: Report, *, plan: str) -> str:
    """The card as Markdown; the same model and report give the same text.

    Args:
        model: as it was trained.
        report: its report.json.
        plan: its plan.toml.
    """
    parts = [_head(model, report), _use(model), _scores(report), _data(report), _labels(report), _size(model, report)]
    parts.append(f"## Plan\n\n```toml\n{plan.strip()}\n```")
    return "\n\n".join(parts) + "\n"


def _head(model: Model, report: Report) -> str:
    codes = sorted({part.language for part in model.plan.words.values() if part.language})
    languages = f"language: {json.dumps(codes, ensure_ascii=False)}\n" if codes else ""  # JSON is YAML
    front = f"---\n{MARK}pipeline_tag: token-classification\n{languages}---\n\n"
    tasks = [
        [name, "tags" if model.vocabularies.tags[task.tags].plain else "spans",
         model.plan.words[task.words].language or "", task.scheme]
        for name, task in model.plan.tasks.items()
    ]  # fmt: skip
    return (
        f"{front}# A sequence tagger for {_listed(model.plan.tasks)}\n\nTrained from scratch with polytag "
        f"{report['versions']['polytag']}.\n\n"
        f"{_table(['task', 'says', 'language', 'scheme'], tasks)}"
    )


def _use(model: Model) -> str:
    task = next(iter(model.plan.tasks))
    return (
        "## Use it\n\n`pip install polytag` is enough, without PyTorch; DIR is this directory.\n\n"
        f'```python\nimport polytag\n\ntagger = polytag.load("DIR")\n'
        f'print(tagger.tag(["Lima", "won", "."], tasks={[task]!r}))\n```\n\n'
        "```sh\necho 'Lima won.' | polytag tag DIR --from text\n```"
    )


def _scores(report: Report) -> str:
    rows = [
        [task, f"{split}{' (before the refit)' if 'first_pass' in report and split == 'dev' else ''}",
         of["metric"], f"{of['score']:.2f}", _interval(report.get("intervals", {}).get(task, {}).get(split))]
        for task, splits in report["scores"].items() for split, of in splits.items()
    ]  # fmt: skip
    if not rows:
        return "## Scores\n\nThere were no dev or test files to score it on."
    told = "Percentages, as conlleval counts; the interval holds 95 % of 1,000 random samples of the sentences."
    return f"## Scores\n\n{told}\n\n{_table(['task', 'split', 'metric', 'score', '95 % interval'], rows)}"


def _interval(ends: Sequence[float] | None) -> str:
    return f"{ends[0]:.2f} to {ends[1]:.2f}" if ends else ""


def _data(report: Report) -> str:
    rows = [
        [task, split, ", ".join(of["files"]), *(f"{of[key]:,}" if key in of else "" for key in _COUNTED)]
        for task, splits in report["corpora"].items()
        for split, of in splits.items()
    ]
    licences = "".join(f"* {_plain(file)}: {_plain(of)}\n" for file, of in report["licences"].items())
    told = licences or "Of no file is the licence known.\n"
    return f"## Trained on\n\n{_table(['task', 'split', 'files', *_COUNTED], rows)}\n\nLicences:\n\n{told}".rstrip()


def _labels(report: Report) -> str:
    rows = [
        [task, label, f"{of['count']:,}", ", ".join(of["examples"])]
        for task, labels in report["labels"].items()
        for label, of in labels.items()
    ]
    return f"## Labels\n\n{_table(['task', 'label', 'in training', 'for example'], rows)}"


def _size(model: Model, report: Report) -> str:
    return "## Size and speed\n\n" + "\n".join(f"* {line}" for line in _sizes(model, report))


def _sizes(model: Model, report: Report) -> Iterator[str]:
    size = sum(array.nbytes for array in model.arrays.values())
    yield f"{model.parameters:,} weights, {size / 1e6:,.1f} MB; `polytag pack` makes a smaller file."
    machine = f"{_plain(str(report['machine']['processor']))}, {counted(report['machine']['threads'], 'thread')}"
    epochs = f"{counted(report['epochs'], 'epoch')} in {report['seconds']:,.0f} s"
    yield f"Trained for {epochs} on {report['device']} ({machine}), recipe {report['recipe']}."
    scored = [split for split in ("dev", "test") if split == "test" or "first_pass" not in report]
    words = sum(of["tokens"] for splits in report["scores"].values() for split, of in splits.items() if split in scored)
    if words and report["scoring_seconds"]:
        rate = float(f"{words / report['scoring_seconds']:.2g}")
        yield f"Then tagged {' and '.join(scored)} files at about {rate:,.0f} words/s, on the same machine."


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [names, ["---"] * len(names), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(map(_plain, names))


def _plain(text: str) -> str:
    """Text that Markdown shows as it is."""
    return "".join(f"&#{ord(char)};" if char in _SPECIAL else char for char in " ".join(text.split()))
