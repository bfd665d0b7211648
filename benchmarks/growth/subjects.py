"""What is measured: tagging and training in this process, `polytag tag` in one of its own."""

import io
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from growth.measure import Sample
from growth.text import LETTERS, SEED
from polytag.bulk import cut
from polytag.corpus import Sentence
from polytag.errors import PolytagError
from polytag.model import save_model
from polytag.model.checkpoint import Model as Weights
from polytag.plan import Plan
from polytag.plan_file import make_plan
from polytag.tagger.precision import choose_precision
from polytag.tagger.tagging import Tagger
from polytag.training import Prepared, Step, Trainer
from polytag.training.network import Network
from polytag.training.torch_network import arrays_of
from polytag.vocabulary.vocabularies import CharVocabulary, TagVocabulary, Vocabularies, WordVocabulary

TASK = "t"
SIZES: dict[str, dict[str, dict[str, int]]] = {  # nothing is the paper's, polytag's own defaults
    "paper": {"chars": {}, "words": {}},
    "tiny": {"chars": {"dimension": 3, "hidden": 4}, "words": {"dimension": 5, "hidden": 6}},
}
WARM_UP = 2  # steps of each training that do not count
ALWAYS = 1_000_000  # epochs: no training comes to its end
CHILD = Path(__file__).with_name("child.py")

Measure = Callable[[], Sample]


@dataclass(frozen=True)
class Model:
    """An untrained network that knows some words and so many tags: speed does not depend on the weights."""

    plan: Plan
    vocabularies: Vocabularies
    network: Network

    @classmethod
    def make(cls, words: Sequence[str], *, tags: int, size: str, batch: int = 10) -> "Model":
        plan = make_plan({
            "chars": {"c": SIZES[size]["chars"]}, "words": {"w": SIZES[size]["words"]},
            "tasks": {TASK: {"chars": "c", "words": "w", "train": "-", "scheme": "plain"}},
            "training": {"batch_sentences": batch, "epochs": ALWAYS},
        })  # fmt: skip
        vocabularies = Vocabularies(
            chars={"c": CharVocabulary(LETTERS.tobytes().decode())},
            words={"w": WordVocabulary(tuple(words), len(words))},
            tags={TASK: TagVocabulary(tuple(f"T{i}" for i in range(tags)), "plain")},
        )
        return cls(plan, vocabularies, Network(plan, vocabularies, torch.Generator().manual_seed(SEED)))

    @property
    def tags(self) -> Sequence[str]:
        return self.vocabularies.tags[TASK].tags

    @property
    def weights(self) -> Weights:
        """What the run half takes; copies, for training goes on beside."""
        arrays = arrays_of(self.network.state_dict())
        return Weights(self.plan, self.vocabularies, {name: array.copy() for name, array in arrays.items()})

    def in_precision(self, precision: str) -> Tagger:
        return Tagger(self.weights, precision=precision, threads=1)

    def save(self, directory: Path) -> None:
        """Write a model directory."""
        save_model(self.weights, directory)


def precisions() -> dict[str, str]:
    """The precisions to tag in, by the name of the series; one where "auto" is float32."""
    fast = choose_precision("auto", own="float32")
    return {f"tagging, {name}": name for name in dict.fromkeys((fast, "float32"))}


def tagging(tagger: Tagger, texts: Sequence[tuple[str, ...]]) -> Measure:
    """Tag all sentences; the tagger has seen their words before."""
    sentences = [Sentence(words) for words in texts]
    _exhaust(tagger.tag_all(sentences))
    return lambda: _timed_tagging(tagger, sentences)


def tagging_new_words(tagger: Tagger, texts: Sequence[tuple[str, ...]]) -> Measure:
    """Tag all sentences by a tagger that has seen none of their words."""
    sentences = [Sentence(words) for words in texts]
    distinct = float(len({word for words in texts for word in words}))
    _exhaust(tagger.tag_all(sentences[:100]))

    def measure() -> Sample:
        fresh = Tagger(tagger.model, precision=tagger.precision, threads=1)
        sample = _timed_tagging(fresh, sentences)
        return Sample(sample.tokens, sample.seconds, {"distinct_words": distinct})

    return measure


def _timed_tagging(tagger: Tagger, sentences: Sequence[Sentence]) -> Sample:
    began = time.perf_counter()
    _exhaust(tagger.tag_all(sentences))
    return Sample(sum(map(len, sentences)), time.perf_counter() - began)


def _exhaust(items: Iterator[object]) -> None:
    for _ in items:
        pass


def training(model: Model, texts: Sequence[tuple[str, ...]], *, seconds: float) -> Measure:
    """Whole training steps, at least one, until so many seconds have passed."""
    draw, tags = np.random.default_rng(SEED), np.array(model.tags, dtype=object)
    sentences = [Sentence(words, {TASK: tuple(draw.choice(tags, len(words)).tolist())}) for words in texts]
    events = Trainer(
        Prepared(model.plan, model.vocabularies, model.network, {TASK: {"train": sentences}}), Path()
    ).events()
    steps = (event for event in events if isinstance(event, Step))
    for _ in range(WARM_UP):
        next(steps)

    def measure() -> Sample:
        tokens, began = 0, time.perf_counter()
        while not tokens or time.perf_counter() - began < seconds:
            tokens += next(steps).words
        return Sample(tokens, time.perf_counter() - began)

    return measure


def tagging_files(model: Path, text: Path, words: int) -> Measure:
    """`polytag tag` in a process of its own with one thread; its output is read and thrown away.

    Tokens and seconds are those after its first output, that is without the start of Python, the loading of the model
    and the first piece of the text; figures hold the whole.
    """
    first = next(iter(cut(text, format="conll"))).text
    later = words - sum(bool(line) for line in first.splitlines())
    if later <= 0:
        raise PolytagError(f"{text.name} is one piece for polytag tag, expected a file of several")
    command = [sys.executable, "-P", str(CHILD), "tag", str(model), str(text), "--from", "conll", "--threads", "1"]

    def measure() -> Sample:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
            assert isinstance(process.stdout, io.BufferedReader)
            assert process.stderr is not None
            start = ended = 0.0
            while process.stdout.read1(1 << 20):
                ended = time.perf_counter()
                start = start or ended
            told = process.stderr.read().decode()
        if process.returncode:
            raise PolytagError(f"polytag tag ended with exit code {process.returncode}: {told.strip()[-500:]}")
        figures = {"seconds": ended - began, "start": start - began, "tokens": float(words)}
        peak = float(told.split()[-1])
        return Sample(later, ended - start, figures if math.isnan(peak) else {**figures, "peak_mb": peak})

    return measure
