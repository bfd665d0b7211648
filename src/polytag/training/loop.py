"""The training loop: a generator of events. Whoever drives it decides what to show and when to stop looking."""

import json
import math
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from polytag.errors import ModelError, PolytagError
from polytag.files import atomic_write
from polytag.model import Model
from polytag.model.checkpoint import WEIGHTS, weights_file
from polytag.model.model import Weights
from polytag.scoring import Counts, SpanCounts
from polytag.tagger.tagging import Tagger
from polytag.training.average import Averages
from polytag.training.device import find_device, training_precision
from polytag.training.distributed import World, evaluate, loss_functions
from polytag.training.events import Evaluation, Step
from polytag.training.examples import Examples
from polytag.training.optimizer import clip_gradients, optimizers_of, set_learning_rate
from polytag.training.prepare import Prepared
from polytag.training.schedule import Turn, epochs_for, turns
from polytag.training.threads import cpu_threads
from polytag.training.torch_network import arrays_of, save_weights

METRICS = "metrics.jsonl"  # a line for each epoch


@dataclass
class Progress:
    """Where a training stands; everything that a resumed one needs beside weights and accumulators."""

    epoch: int = 0  # finished epochs
    turn: int = 0  # finished steps of the epoch under way
    loss: dict[str, float] = field(default_factory=dict)  # summed over the epoch under way
    best: float | None = None
    best_epoch: int = 0
    best_per_task: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)  # files that the weights of the epoch just ended belong in
    seconds: float = 0.0


class Trainer:
    """Trains the parts of one plan, step by step, on one device; ``world`` says who else trains with this process.

    The best weights are kept in the directory ``output``, or without one in memory, as `kept`.
    """

    def __init__(
        self,
        prepared: Prepared,
        output: Path | None = None,
        *,
        device: str | torch.device = "cpu",
        world: World | None = None,
    ) -> None:
        self.prepared, self.output = prepared, output
        self.kept: dict[str, Weights] = {}
        self.device, self.world = find_device(device), world or World()
        self.network = prepared.network.to(self.device)
        self.plan, self.settings, self.vocabularies = prepared.plan, prepared.plan.training, prepared.vocabularies
        self._generator = torch.Generator(self.device)
        self.network.train_in(training_precision(self.settings.precision, self.device))
        self.progress = Progress()
        features = {id(parameter) for parameter in self.network.feature_parameters()}
        self._clipped = [  # each to a norm of its own: neither shall slow down the other
            [p for p in self.network.parameters() if (id(p) in features) == of_features]
            for of_features in (False, True)
        ]
        self.optimizers = optimizers_of(self.network, self.plan)
        self._loss = loss_functions(self.network, margin=self.settings.margin, world=self.world)
        self.examples = Examples(prepared, rank=self.world.rank)
        self._sizes = {task: len(sentences["train"]) for task, sentences in prepared.sentences.items()}
        planned = prepared.chosen.epochs if prepared.chosen else self.settings.epochs
        self.epochs = epochs_for(self._sizes, epoch_of=self.settings.epoch_of) if planned == "auto" else planned
        self.averages = self._averages()

    def events(self) -> Generator[Step | Evaluation, None, None]:
        """Train until the last epoch or until patience runs out; call `publish` after each `Evaluation`.

        Until it ends or is closed, this thread computes with `training.threads`.

        Raises:
            PolytagError: a loss, a weight or a score is not finite; names the step, the task and the learning rate.
        """
        with cpu_threads(self.settings.threads):
            while not self.finished:
                steps = self._turns(self.progress.epoch)
                for turn in steps[self.progress.turn :]:
                    yield self._timed(self._step, turn, len(steps))
                yield self._timed(self._finish_epoch)

    @property
    def finished(self) -> bool:
        """Whether all epochs are trained, or no better score came for `training.patience` epochs.

        A score of 0 does not count: on few sentences some epochs pass before the first entity is found.
        """
        done, patience = self.progress.epoch, self.settings.patience
        waited = patience is not None and bool(self.progress.best)
        return done >= self.epochs or (waited and done - self.progress.best_epoch >= (patience or 0))

    def _timed(self, action: Any, *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return action(*arguments)
        finally:
            self.progress.seconds += time.perf_counter() - began

    def _turns(self, epoch: int) -> list[Turn]:
        return turns(
            self._sizes,
            epoch,
            batch_sentences=self.settings.batch_sentences,
            seed=self.settings.seed,
            task_sampling=self.settings.task_sampling,
            epoch_of=self.settings.epoch_of,
        )

    def _step(self, turn: Turn, steps_per_epoch: int) -> Step:
        number = self.progress.epoch * steps_per_epoch + self.progress.turn
        steps = self.epochs * steps_per_epoch
        optimizers = self.optimizers[turn.task]
        set_learning_rate(optimizers, self.settings, number / steps)
        sentences, weight = self.world.portion(turn.sentences)
        batch = self.examples.batch(Turn(turn.task, sentences), number).to(self.device)
        loss = self._loss[turn.task](batch, generator=self._generator_of(number)) * weight
        loss.backward()  # type: ignore[no-untyped-call]
        if self.settings.clip is not None:
            for parameters in self._clipped:
                clip_gradients(parameters, self.settings.clip)
        if self.averages:
            self.averages.before_step()
        for optimizer in optimizers:
            optimizer.step()
        if self.averages:
            self.averages.after_step()
        self.network.zero_grad(set_to_none=True)  # None, not zeros: parts that the next task does not use must not move
        value = self.world.mean(float(loss.detach()))
        if not math.isfinite(value):
            raise self._diverged(f"the loss of '{turn.task}' is {value}", number + 1)
        self.progress.turn += 1
        self.progress.loss[turn.task] = self.progress.loss.get(turn.task, 0.0) + value * len(turn.sentences)
        return Step(turn.task, self.progress.epoch + 1, number + 1, steps, self.examples.words(turn), value)

    def _generator_of(self, number: int) -> torch.Generator:
        """Dropout draws from a seed of its own at each step: a resumed training needs no saved random state."""
        rank = [self.world.rank] if self.world.rank else []  # each process draws its own
        seed = np.random.SeedSequence([self.settings.seed, number, *rank]).generate_state(1)[0]
        return self._generator.manual_seed(int(seed))

    def check_weights(self) -> None:
        """See to it that all weights are numbers, before they are saved or scored.

        Raises:
            PolytagError: one is not finite.
        """
        for name, tensor in self.network.state_dict().items():
            if not bool(torch.isfinite(tensor).all()):
                raise self._diverged(f"a value of {name} is not finite", self._steps_done())

    def _check_scores(self) -> None:
        """See to it that finite weights give finite scores, also of tasks without development data."""
        tagger = self.tagger()
        for task, sentences in self.prepared.sentences.items():
            try:
                next(tagger.lattices(sentences["train"][:1], task), None)
            except ModelError as error:
                raise self._diverged(str(error), self._steps_done()) from None

    def _diverged(self, found: str, step: int) -> PolytagError:
        place, kept = (f"{self.output}: ", "what was saved before is kept, ") if self.output else ("", "")
        return PolytagError(
            f"{place}the training diverged at step {step:,}, with a learning rate of "
            f"{self.settings.learning_rate:g}: {found}; {kept}lower training.learning_rate"
        )

    def _steps_done(self) -> int:
        return self.progress.epoch * len(self._turns(self.progress.epoch)) + self.progress.turn

    def _finish_epoch(self) -> Evaluation:
        self.check_weights()
        self._check_scores()
        trained = dict.fromkeys(self.plan.tasks, 0)
        for turn in self._turns(self.progress.epoch):
            trained[turn.task] += len(turn.sentences)
        loss = {task: total / trained[task] for task, total in self.progress.loss.items()}
        counted = self.scores("dev")
        dev = {task: counts.score for task, counts in counted.items()}
        test = {task: counts.score for task, counts in self.scores("test").items()} if self.settings.track_test else {}
        self.progress.epoch, self.progress.turn, self.progress.loss = self.progress.epoch + 1, 0, {}
        selected = self._selected(dev)
        is_best = selected is None or self.progress.best is None or selected > self.progress.best
        if is_best:
            self.progress.best, self.progress.best_epoch = selected, self.progress.epoch
        self.progress.keep = ([WEIGHTS] if is_best else []) + self._best_per_task(dev)
        result = Evaluation(self.progress.epoch, loss, dev, test, selected, is_best, round(self.progress.seconds, 1))
        self._record(result, counted)
        return result

    def publish(self) -> None:
        """Keep the weights of the epoch that has just ended, where it is the best, and write the metrics.

        Doing it again is harmless. The state that a resumed training starts from is saved before, so that it knows
        every score on disk.
        """
        if self.output is None:
            if WEIGHTS in self.progress.keep:
                self.kept = {name: np.array(array) for name, array in arrays_of(self.weights()).items()}
            self.progress.keep = []
            return
        for name in self.progress.keep:
            save_weights(self.output, self.weights(), name)
        self.progress.keep = []
        with atomic_write(self.output / METRICS) as file:
            for entry in self.metrics():
                file.write(json.dumps(entry, allow_nan=False) + "\n")

    def metrics(self) -> list[Mapping[str, Any]]:
        """The lines of metrics.jsonl; those of a refit, which say so, come after those of the pass before it."""
        chosen = self.prepared.chosen
        told = {"epochs": self.epochs} | ({"refit": True} if chosen else {})
        return [*(chosen.history if chosen else ()), *(entry | told for entry in self.progress.history)]

    def _selected(self, dev: Mapping[str, float]) -> float | None:
        """The score that chooses the best epoch; None without development data, when the last epoch is kept."""
        if self.settings.select != "mean":
            return dev.get(self.settings.select)
        return sum(dev.values()) / len(dev) if dev else None

    def _best_per_task(self, dev: Mapping[str, float]) -> list[str]:
        if not self.settings.best_per_task:
            return []
        better = {task: score for task, score in dev.items() if score > self.progress.best_per_task.get(task, -1.0)}
        self.progress.best_per_task |= better
        return [weights_file(task) for task in better]

    def _record(self, result: Evaluation, dev: Mapping[str, Counts]) -> None:
        spans = {task: counts.overall for task, counts in dev.items() if isinstance(counts, SpanCounts)}
        rates = {task: {"precision": of.precision, "recall": of.recall} for task, of in spans.items()}
        line = {
            "epoch": result.epoch, "loss": dict(result.loss), "dev": dict(result.dev), "test": dict(result.test),
            "spans": rates, "selected": result.selected, "is_best": result.is_best, "seconds": result.seconds,
        }  # fmt: skip
        self.progress.history.append(line)

    def weights(self) -> dict[str, Tensor]:
        """What is scored and kept: the weights as they are, or their averages."""
        return self.network.state_dict() | (self.averages.tensors() if self.averages else {})

    def scores(self, split: str) -> dict[str, Counts]:
        """Counts of each task that has such a split, with the weights as they are."""
        found, tagger = {}, self.tagger()
        for task, sentences in self.prepared.sentences.items():
            if sentences.get(split):
                found[task] = evaluate(tagger, sentences[split], task, world=self.world)
        return found

    def tagger(self) -> Tagger:
        """What tags with `weights`; it lasts until they change."""
        arrays = arrays_of(self.weights())
        return Tagger(Model(self.plan, self.vocabularies, arrays), threads=self.settings.threads)

    def _averages(self) -> Averages | None:
        if self.settings.average is None:
            return None
        moving = {name: weight for name, weight in self.network.named_parameters() if weight.requires_grad}
        tables = {f"{name}.weight" for name, module in self.network.named_modules() if getattr(module, "sparse", False)}
        steps = self.settings.average * len(self._turns(0))
        return Averages(moving, sparse=[name for name in moving if name in tables], steps=max(steps, 2.0))
