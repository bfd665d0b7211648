"""What rows are made of: vectors, clusters, tagged text and models, each made once and kept in a directory."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.consistent import consistent_scores
from benchmarks.raw.rows import METHODS, OF_CLUSTERS, RAW, Row
from polytag import Tagger
from polytag.distilling import distill
from polytag.files import atomic_write, locked
from polytag.raw_text import vectors
from polytag.training import train
from polytag.training.clustering import cluster
from polytag.vocabulary.vectors import load_vectors

DISTILLED = 10_000  # sentences that models tag
Scores = Mapping[str, float]  # by split


class Steps:
    """The steps of all rows, with what they keep; several processes may share the directory."""

    def __init__(self, data: Path, work: Path) -> None:
        self.data, self.work = data.resolve(), work.resolve()

    def run(self, row: Row, seed: int) -> Scores:
        """All steps of a row, and its scores on dev and test, also where names are consistent."""
        model = self._model(row, seed, draw=seed)
        return _scores(model)[row.language] | consistent_scores(Tagger.load(model), row.language, data=self.data)

    def files(self, row: Row) -> dict[str, str]:
        """The vectors or clusters of a row, where they are made."""
        if row.vectors in METHODS:
            return {"vectors": str(self._vectors(row.language, row.vectors))}
        return self.clusters(row.language) if row.clusters and not row.vectors else {}

    def clusters(self, language: str) -> dict[str, str]:
        """Files of the clusters that recipe `best` makes of our vectors, by their number."""
        vectors = self._vectors(language, "ppmi")
        paths = {size: self.work / f"{language}.{size}.clusters" for size in OF_CLUSTERS}
        with self.alone(f"{language}.clusters"):
            if not all(path.exists() for path in paths.values()):
                loaded = load_vectors(vectors)
                for path, ids in zip(paths.values(), cluster(loaded.matrix).T, strict=True):
                    with atomic_write(path) as file:
                        file.writelines(f"{word} {number}\n" for word, number in zip(loaded.words, ids, strict=True))
        return {size: str(path) for size, path in paths.items()}

    def _vectors(self, language: str, method: str) -> Path:
        path = self.work / f"{language}.{method}.vec.gz"
        with self.alone(path.name):
            if not path.exists():
                if method != "ppmi":
                    raise SystemExit(f"{path}: is not there: benchmarks/raw/gensim_vectors.py makes it")
                vectors(self.data / RAW[language], output=path)
        return path

    def _model(self, row: Row, seed: int, *, draw: int) -> Path:
        """A trained model; ``draw`` says which of the labelled sentences it has."""
        path = self.work / f"{row.key}.{f'{draw}.' if row.sentences else ''}{seed}"
        with self.alone(path.name):
            if not (path / "report.json").exists():
                made = self._distilled(row, seed, draw, path) if row.teachers else None
                plan = made or row.plan(seed, self.files(row), draw=draw)
                train(plan, output=path, data=self.data, seed=seed, resume=path.exists())
        return path

    def _distilled(self, row: Row, seed: int, draw: int, path: Path) -> Path:
        """The plan that learns from the row's teachers: one of the same seed, or several, of seeds 1, 2, ..."""
        folder = path.with_name(f"{path.name}.distilled")
        if not (folder / "plan.toml").exists():
            seeds = [seed] if row.teachers == 1 else range(1, row.teachers + 1)
            teachers = [self._model(row.teacher, each, draw=draw) for each in seeds]
            raw = self.data / RAW[row.language]
            distill(
                teachers, raw, output=folder, sentences=DISTILLED, size=row.size, threads=1, data=self.data,
                consistent=row.is_consistent,
            )  # fmt: skip
        return folder / "plan.toml"

    def alone(self, name: str) -> Any:
        """While one process makes something, the others wait for it."""
        return locked(self.work, doing=f"making {name} in", lock=f".{name}.lock", waiting=lambda: None)


def _scores(model: Path) -> dict[str, dict[str, float]]:
    """Of each task and split."""
    report = json.loads((model / "report.json").read_text(encoding="utf-8"))
    return {task: {split: of[split]["score"] for split in of} for task, of in report["scores"].items()}
