"""The run: train one after the other, then tag in turn, round by round; what fails is told in its row."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.peers.corpora import Prepared, score
from benchmarks.peers.environments import ContenderError, installed_mb, python_of
from benchmarks.peers.processes import Process
from benchmarks.peers.rows import Row
from polytag.errors import PolytagError
from polytag.plan_file import load_plan


@dataclass(frozen=True)
class Settings:
    """How to measure; see the options of the command line."""

    work: Path
    data: Path
    core: int | None
    timeout: float
    seed: int = 1
    full: bool = False
    seconds: float | None = None
    limits: dict[str, int] = field(default_factory=dict)  # by tool or row
    models: dict[str, Path] = field(default_factory=dict)  # model directories given, by corpus: polytag's only


@dataclass
class Contest:
    """What is known of one row so far; one that has failed takes no further part."""

    row: Row
    corpus: Prepared
    settings: Settings
    training: dict[str, Any] = field(default_factory=dict)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, Any] = field(default_factory=dict)
    failure: str | None = None

    @property
    def directory(self) -> Path:
        """Where its requests, logs and model lie."""
        return self.settings.work / "rows" / self.row.name

    @property
    def given_model(self) -> Path | None:
        """The model to tag with instead of the one trained here."""
        return self.settings.models.get(self.row.corpus) if self.row.tool == "polytag" else None

    @property
    def model(self) -> Path:
        """The model to tag with."""
        return self.given_model or self.directory / "model"

    def attempt(self, step: Callable[["Contest"], None]) -> None:
        """Take a step; a failure is kept for the table, and no further step is taken after it."""
        if self.failure is None:
            try:
                step(self)
            except ContenderError as failure:
                self.failure = str(failure)

    def process(self) -> Process:
        """Its process, in its environment."""
        python = python_of(self.row.requirements, self.settings.work)
        return Process(python, self.row.script, self.directory, self.settings.core, self.settings.timeout)


def compare(contests: Sequence[Contest], *, rounds: int, tell: Callable[[str], None]) -> list[dict[str, Any]]:
    """Train all, then tag ``rounds`` times all in turn, each time in a fresh process; the results in order."""
    for contest in contests:
        tell(f"{contest.row.name}: training")
        contest.attempt(train)
        _tell_failure(contest, tell)
    for number in range(rounds):
        start = number % len(contests)
        for contest in (*contests[start:], *contests[:start]):  # nobody is always first, or always after the same
            if contest.failure is None:
                tell(f"{contest.row.name}: tagging, round {number + 1} of {rounds}")
                contest.attempt(tag)
                _tell_failure(contest, tell)
    return with_ratios([summary(contest) for contest in contests])


def _tell_failure(contest: Contest, tell: Callable[[str], None]) -> None:
    if contest.failure is not None:
        tell(f"{contest.row.name}: failed: {contest.failure}")


def train(contest: Contest) -> None:
    """Train into an empty directory."""
    row, corpus, settings = contest.row, contest.corpus, contest.settings
    shutil.rmtree(contest.directory, ignore_errors=True)
    model = contest.directory / "model"
    model.mkdir(parents=True)
    given = contest.given_model
    options = {
        "spans": corpus.spans, "data": str(settings.data), "model": str(given) if given else None,
        "vectors": str(settings.data / row.vectors) if row.vectors else None,
    }  # fmt: skip
    contest.training = contest.process().ask(
        "train", train=str(corpus.train), dev=str(corpus.dev) if corpus.dev else None, model=str(model),
        limit=settings.limits.get(row.name, settings.limits.get(row.tool, row.limit)),
        full=settings.full, seconds=settings.seconds, seed=settings.seed, options=options,
    )  # fmt: skip


def tag(contest: Contest) -> None:
    """One round of tagging; the first one's predictions are scored."""
    predictions = None if contest.rounds else contest.directory / "predictions"
    corpus = contest.corpus
    answer = contest.process().ask(
        "tag", model=str(contest.model), warm_up=str(corpus.warm_up), test=str(corpus.test),
        singles=corpus.singles, predictions=str(predictions) if predictions else None,
    )  # fmt: skip
    if predictions is not None:
        counts = score(corpus, predictions)
        contest.scores = {"metric": counts.metric, "score": counts.score}
    contest.rounds.append(answer)


def summary(contest: Contest) -> dict[str, Any]:
    """All figures of a row: medians over the rounds, and the rounds themselves."""
    row, rounds = contest.row, contest.rounds
    result: dict[str, Any] = {
        "name": row.name, "tool": row.tool, "title": row.title, "corpus": row.corpus, "failure": contest.failure,
        "versions": (rounds or [contest.training])[0].get("versions", {}),
        "training": {key: value for key, value in contest.training.items() if key != "versions"},
        "given_model": description(contest.given_model) if contest.given_model else None,
        "scores": contest.scores,
    }  # fmt: skip
    if rounds:
        speeds = [answer["words_per_second"] for answer in rounds]
        result["tagging"] = {
            "words_per_second": median(speeds), "lowest": min(speeds), "highest": max(speeds),
            "again": median(answer["again"] for answer in rounds),
            "p50_ms": _percentile(rounds, 50), "p95_ms": _percentile(rounds, 95),
            "loading_s": median(answer["loading"] for answer in rounds),
            "memory_mb": max((answer["memory_mb"] or 0.0 for answer in rounds), default=0.0) or None,
            "rounds": speeds,
        }  # fmt: skip
        result["installed_mb"] = installed_mb(row.sources, contest.settings.work)
        result["model_mb"] = sum(path.stat().st_size for path in contest.model.rglob("*") if path.is_file()) / 1e6
    return result


def description(model: Path) -> str:
    """How a model given was trained, in words, as its report has it."""
    try:
        report = json.loads((model / "report.json").read_text(encoding="utf-8"))
        plan = load_plan(model / "plan.toml")
    except (OSError, ValueError, PolytagError):
        return "of unknown training"
    vectors = ", ".join(Path(words.vectors).name for words in plan.words.values() if words.vectors) or "none"
    return f"{report['recipe']} recipe, epochs: {report['epochs']}, {report['seconds']:,.0f} s, word vectors: {vectors}"


def with_ratios(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say how many times as fast as each polytag tags the same corpus: the median of the rounds' own ratios."""
    ours = {result["corpus"]: result for result in results if result["tool"] == "polytag"}
    for result in results:
        mine, other = ours.get(result["corpus"], {}).get("tagging"), result.get("tagging")
        if mine and other:
            pairs = zip(mine["rounds"], other["rounds"], strict=False)  # one of them may have failed half way
            other["polytag_is_times_as_fast"] = median(a / b for a, b in pairs)
    return results


def _percentile(rounds: Sequence[dict[str, Any]], percent: int) -> float | None:
    """The median of the rounds' percentiles."""
    found = [float(np.percentile(answer["milliseconds"], percent)) for answer in rounds if answer["milliseconds"]]
    return median(found) if found else None
