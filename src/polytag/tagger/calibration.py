"""Calibration: one temperature per task, such that probabilities come true on sentences that nobody trained on.

Softmax-margin training rewards scores far apart, so that a model is surer of itself than it is right. Dividing all
scores by one number corrects that (Guo et al., 2017) and leaves every decision as it is. The number is the one under
which the gold tag sequences are most probable.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from polytag.corpus.schemes import UNKNOWN, check_spans, of_types
from polytag.corpus.sentence import Sentence
from polytag.errors import ModelError, PolytagError
from polytag.model.checkpoint import weights_file
from polytag.model.temperatures import save_temperatures
from polytag.scoring import Calibration
from polytag.scoring.familiarity import Familiarity
from polytag.tagger.decoding import Predictions
from polytag.tagger.evaluation import Chosen, Evaluation, was_trained_on
from polytag.tagger.familiarity import familiarity
from polytag.tagger.lattice import Lattice
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger

Gold = npt.NDArray[Any]  # indices of tags, one for each word; where files mark some types only, what each may be
Held = tuple[list[Sentence], Lattice, Gold]  # sentences of a batch, the scores of their tag sequences, gold tags

LEAST, MOST = 0.05, 20.0  # temperatures that are tried
PRECISION = 1e-3  # of the temperature, relative
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Fit:
    """The temperature of a task, and what the sentences say before (at temperature 1) and after.

    ``loss`` is the mean negative log-likelihood of a sentence's gold tags, in nats; ``text`` says how well the tagger
    knows the sentences.
    """

    temperature: float
    sentences: int
    loss: tuple[float, float]
    before: Calibration
    after: Calibration
    text: Familiarity

    def as_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON."""
        parts = zip(("before", "after"), self.loss, (self.before, self.after), strict=True)
        found = {name: {"loss": loss, **of.as_dict()} for name, loss, of in parts}
        return {
            "temperature": self.temperature, "sentences": self.sentences, "text": self.text.as_dict(), **found,
        }  # fmt: skip


def calibrate(
    model: str | PathLike[str],
    *,
    best_for: str | None = None,
    precision: str | None = None,
    threads: int | None = None,
    **chosen: Unpack[Chosen],
) -> dict[str, Fit]:
    """Fit the temperature of each task and write them into the model directory.

    Arguments are as for `polytag.evaluate`; the split is ``"dev"`` unless given.

    Raises:
        ModelError: the model cannot be read, or is a packed file.
        PolytagError: as `polytag.evaluate`; no sentence has tags that the model knows, or the directory cannot be
            written.
    """
    if Path(model).is_file():
        raise ModelError(f"{model}: nothing is written into a packed file, expected a model directory to calibrate")
    chosen = Chosen(split="dev") | chosen
    held = Evaluation.of(model, best_for=best_for, precision=precision, threads=threads, **chosen)
    plan, file = held.tagger.plan, chosen.get("data_file")
    if file is not None and any(was_trained_on(plan, task, Path(file)) for task in held.sentences):
        raise PolytagError(f"{file}: the model was trained on it, expected a file that nobody trained on")
    if plan.training.refit and file is None and chosen["split"] == "dev":
        raise PolytagError(
            f"{model}: was refit on its dev files too (training.refit), expected a file that nobody trained on "
            "(--data-file)"
        )
    fits = {task: fit(held.tagger, list(sentences), task) for task, sentences in held.sentences.items()}
    if file is None:  # of dev the training knows more: other tasks may have learnt on it
        texts = held.tagger.model.texts
        fits = {task: replace(found, text=texts.get(task, found.text)) for task, found in fits.items()}
    write_temperatures(Path(model), fits, best_for=best_for)
    return fits


def write_temperatures(directory: Path, fits: Mapping[str, Fit], *, best_for: str | None) -> None:
    """Write what was fitted with one file of weights into their model directory."""
    temperatures = {task: found.temperature for task, found in fits.items()}
    texts = {task: found.text for task, found in fits.items()}
    save_temperatures(directory, weights_file(best_for), temperatures, texts)


def fit(tagger: Tagger, sentences: Sequence[Sentence], task: str) -> Fit:
    """The temperature under which the gold tags of the sentences are most probable; the tagger stays as it is.

    Sentences without words, and those with a tag that the model does not know, are left out.

    Raises:
        CorpusError: a tag marks no span, where the task has spans.
        PolytagError: no sentence is left.
    """
    known = _known(tagger, sentences, task)
    if not known:
        raise PolytagError(
            f"none of {len(sentences)} sentences has tags of '{task}' that the model knows, expected some"
        )
    held = list(_held(tagger, known, task))

    def loss(temperature: float) -> float:
        return sum(float(replace(lattice, temperature=temperature).loss(gold).sum()) for _, lattice, gold in held)

    def surprise(log_temperature: float) -> float:
        """By the logarithm: from 1 to 2 is as far as from 1 to 1/2.

        Before the sentences are seen, the logarithm is taken to come from N(0, 1): a nat or two, which thousands of
        sentences outweigh. A few of them without an error would otherwise make the tagger certain of everything.
        """
        return loss(math.exp(log_temperature)) + log_temperature**2 / 2

    best = math.exp(minimum(surprise, math.log(LEAST), math.log(MOST), precision=PRECISION))
    temperature = round(best, 4)
    before, after = (_reliability(tagger, held, task, temperature=t) for t in (1.0, temperature))
    return Fit(
        temperature,
        sentences=len(known),
        loss=(loss(1.0) / len(known), loss(temperature) / len(known)),
        before=before,
        after=after,
        text=replace(
            familiarity(tagger, (sentence for sentence, _ in known), task, confidence=False), confidence=after.tags.mean
        ),
    )


def minimum(function: Callable[[float], float], low: float, high: float, *, precision: float) -> float:
    """Where a function with one minimum has it, between ``low`` and ``high``, by golden-section search."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > precision:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2


def _known(tagger: Tagger, sentences: Iterable[Sentence], task: str) -> list[tuple[Sentence, Gold]]:
    """The sentences that can be scored, with their gold tags."""
    settings = tagger.plan.tasks[task]
    vocabulary = tagger.vocabularies.tags[settings.tags]
    found = []
    for sentence in filter(len, sentences):
        if not vocabulary.plain:
            check_spans(sentence, task)
        elif UNKNOWN in sentence.tags[task]:
            continue
        with suppress(KeyError):
            found.append(
                (sentence, vocabulary.encoded(sentence.tags[task], scheme=settings.scheme, marks=settings.marks))
            )
    return found


def _held(tagger: Tagger, known: Sequence[tuple[Sentence, Gold]], task: str) -> Iterator[Held]:
    """Batches of sentences with their scores, which all temperatures are tried on."""
    for indices, lattice in tagger.lattices([sentence for sentence, _ in known], task):
        gold = lattice.packing.pack(np.concatenate([known[index][1] for index in indices]))
        yield [known[index][0] for index in indices], lattice, gold


def _reliability(tagger: Tagger, held: Sequence[Held], task: str, *, temperature: float) -> Calibration:
    vocabulary, rewriting = tagger.engine.part(task).vocabulary, tagger.engine.rewritings[task]
    found, marks = Calibration(), tagger.plan.tasks[task].marks
    for sentences, lattice, _ in held:
        lengths = np.array([len(sentence) for sentence in sentences])
        predictions = Predictions(vocabulary, rewriting, lengths, Request([task], confidence=True))
        tempered = replace(lattice, temperature=temperature)
        predictions.take(tempered, indices=np.arange(len(sentences)), places=lattice.packing.source)
        for sentence, said in zip(sentences, predictions.each(), strict=True):
            gold = vocabulary.in_scheme(sentence.tags[task], rewriting.target)
            spans = [span for span in said.spans or () if marks is None or span.type in marks]
            found.add(gold, said.tags if marks is None else of_types(said.tags, marks), said.confidence or (), spans)
    return found
