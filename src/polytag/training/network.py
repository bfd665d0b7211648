"""The network: characters -> words -> tags. Open this first.

It sees tensors only, and learns; what it has learnt is run by `polytag.tagger.engine`, which tests compare with it.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from polytag.errors import PlanError
from polytag.model.shapes import char_width, context_width
from polytag.plan import Plan
from polytag.training import ops
from polytag.training.batch import Batch
from polytag.training.crf import Crf
from polytag.training.feature_crf import FeatureCrf
from polytag.training.recurrent import CharEncoder, WordEncoder
from polytag.vocabulary.vocabularies import Vocabularies

M = TypeVar("M", bound=nn.Module)


class Network(nn.Module):
    """All parts of a plan. Tasks that name the same part share it; nothing else is shared."""

    def __init__(self, plan: Plan, vocabularies: Vocabularies, generator: torch.Generator | None = None) -> None:
        """Fresh weights, drawn from ``generator``; from a new one, always the same, unless it is given."""
        super().__init__()
        generator = generator or torch.Generator()
        self.tasks = dict(plan.tasks)
        self.layers = {task: plan.layer_of(task) for task in plan.tasks}  # of the word GRU that each task goes through
        start = plan.initialisation
        self.chars = _parts("chars", {
            name: CharEncoder(settings, len(vocabularies.chars[name]), start, generator)
            for name, settings in plan.chars.items()
        })  # fmt: skip
        self.words = _parts("words", {
            name: WordEncoder(
                settings, len(vocabularies.words[name]), char_width(plan, name), start, generator
            )
            for name, settings in plan.words.items()
        })  # fmt: skip
        self.tags = _parts("tags", {
            name: Crf(settings, vocabularies.tags[name], context_width(plan, name), generator)
            for name, settings in plan.tags.items()
        })  # fmt: skip

    def context(self, batch: Batch, task: str, *, generator: torch.Generator | None = None) -> Tensor:
        """B sentences as N packed words -> what the word GRU makes of each in its sentence, [N, H].

        ``generator`` draws dropout, which there is none without, here and below.
        """
        words = self.words[self.tasks[task].words]
        assert isinstance(words, WordEncoder)
        inputs = words.inputs(batch.words, self._characters(batch, task, generator), generator)
        context: Tensor = words(inputs, batch.packing, generator, layers=self.layers[task])
        return context

    def _characters(self, batch: Batch, task: str, generator: torch.Generator | None) -> Tensor | None:
        """The character vector of each word, [N, C], if the task reads characters."""
        chars = self.tasks[task].chars
        if chars is None or batch.characters is None:
            return None
        vectors: Tensor = self.chars[chars](batch.characters, generator)
        return vectors

    def train_in(self, precision: ops.Precision) -> None:
        """Compute the products of the recurrent layers in a precision wherever gradients are wanted."""
        for encoder in (*self.chars.values(), *self.words.values()):
            encoder.stack.precision = precision  # type: ignore[union-attr]

    def emissions(
        self, context: Tensor, batch: Batch, task: str, *, generator: torch.Generator | None = None
    ) -> Tensor:
        """Scores of each tag at each word by the network alone, without features, [N, K]."""
        return self._crf(task).emissions(context, batch.gazetteer.get(self.tasks[task].tags), generator)

    def loss(self, batch: Batch, task: str, *, margin: float, generator: torch.Generator | None = None) -> Tensor:
        """Mean softmax-margin loss of the sentences of a batch with tags."""
        context = self.context(batch, task, generator=generator)
        emissions = self.emissions(context, batch, task, generator=generator)
        return self._crf(task).loss(emissions, batch, self.tasks[task].tags, margin=margin).mean()

    def features(self, words: str) -> dict[str, FeatureCrf]:
        """By tag part, what is trained on features of the words of a language."""
        parts = dict.fromkeys(task.tags for task in self.tasks.values() if task.words == words)
        return {part: crf.features for part in parts if (crf := self._part(part)).features is not None}

    def feature_parameters(self) -> Iterator[nn.Parameter]:
        """The weights of features, of all tag parts."""
        for part in self.tags:
            if (crf := self._part(part).features) is not None:
                yield from crf.parameters()

    def parts_of(self, task: str) -> dict[str, nn.Module]:
        """The parts that a task uses, by name (``words.english``)."""
        settings = self.tasks[task]
        names = {"chars": settings.chars, "words": settings.words, "tags": settings.tags}
        return {f"{kind}.{name}": getattr(self, kind)[name] for kind, name in names.items() if name is not None}

    def _crf(self, task: str) -> Crf:
        return self._part(self.tasks[task].tags)

    def _part(self, name: str) -> Crf:
        crf = self.tags[name]
        assert isinstance(crf, Crf)
        return crf


def _parts(kind: str, modules: Mapping[str, M]) -> nn.ModuleDict:
    try:
        return nn.ModuleDict(modules)
    except KeyError as error:  # a name that torch keeps for itself, such as 'type'
        raise PlanError(f"{kind}: {error.args[0]} in PyTorch, expected another name for this part") from None
