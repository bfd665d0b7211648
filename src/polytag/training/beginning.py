"""Where weights begin that are not drawn: from another model's parts (`initialisation.from`), some of them frozen."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor, nn

from polytag.errors import ModelError, PlanError, nearest
from polytag.model import Model, load_model
from polytag.model.shapes import PLACES, char_width, context_width
from polytag.plan import Plan
from polytag.training.network import Network
from polytag.vocabulary.features import EDGE, NONE, around_features
from polytag.vocabulary.growing import grown_tags
from polytag.vocabulary.vocabularies import END, START, UNKNOWN, TagVocabulary, Vocabularies

Labels = Sequence[Hashable]

_SHAPING = {  # settings that say what the weights of a part are
    "chars": ("cell", "dimension", "hidden", "layers", "bias", "boundaries"),
    "words": ("cell", "embedding", "dimension", "hidden", "layers", "bias", "lowercase", "zero_digits"),
    "tags": ("output", "scheme"),
}


@dataclass(frozen=True)
class Beginning:
    """The model that a plan begins from, if any, and which of its parts each part of the plan takes."""

    path: str = ""
    model: Model | None = None
    taken: Mapping[str, str] = field(default_factory=dict)  # part of the plan -> part of the model

    @classmethod
    def of(cls, plan: Plan) -> "Beginning":
        """Load the model that a plan names.

        Raises:
            PlanError: there is none, or a part is not in it.
            ModelError: it cannot be read.
        """
        path = plan.initialisation.model
        if path is None:
            return cls()
        model = load_model(plan.find(path, "initialisation.from"))
        known = model.plan.part_names()
        taken = plan.initialisation.taken or {part: part for part in plan.part_names() if part in known}
        for part, source in taken.items():
            if source not in known:
                raise PlanError(f"initialisation.parts: there is no part {source} in {path}{nearest(source, known)}")
            if part.partition(".")[0] != source.partition(".")[0]:
                raise PlanError(f"initialisation.parts: {part} and {source} of {path} are not parts of one kind")
        if not taken:
            found, own = ", ".join(known), ", ".join(plan.part_names())
            raise PlanError(f"initialisation.from: {path} has {found}, none of this plan's parts, {own}; name parts")
        return cls(path, model, taken)

    def vocabulary(self, part: str) -> Any:
        """The vocabulary of what a part takes, or None."""
        if self.model is None or part not in self.taken:
            return None
        kind, name = self.taken[part].split(".")
        return getattr(self.model.vocabularies, kind)[name]

    def check(self, plan: Plan) -> None:
        """See to it that parts fit what they take.

        Raises:
            ModelError: names both and what differs.
        """
        for part, source in self.taken.items():
            assert self.model is not None
            ours, theirs = _shaping(plan, part), _shaping(self.model.plan, source)
            for setting in ours.keys() & theirs.keys() if ours != theirs else ():
                if ours[setting] != theirs[setting]:
                    raise ModelError(
                        f"{self.path}: {setting} of {source} is {theirs[setting]}, that of {part} in this plan "
                        f"{ours[setting]}, expected the same"
                    )
            self._check_layer(plan, part, source)

    def _check_layer(self, plan: Plan, part: str, source: str) -> None:
        """What a tag part learnt to read of words that are taken too is the states of one of their layers."""
        assert self.model is not None
        before, (kind, name) = self.model.plan, part.split(".")
        for task in plan.users(kind, name) if kind == "tags" else ():
            words = self.taken.get(f"words.{plan.tasks[task].words}")
            known = {
                before.layer_of(old)
                for old in before.users(kind, source.partition(".")[2])
                if f"words.{before.tasks[old].words}" == words
            }
            if known and plan.layer_of(task) not in known:
                raise ModelError(
                    f"{self.path}: {source} reads layer {min(known)} of {words}, {part} in this plan layer "
                    f"{plan.layer_of(task)}, expected the same"
                )

    def tags(self, plan: Plan, name: str, new: TagVocabulary, notes: list[str]) -> TagVocabulary:
        """The tags of new files and of what their part takes; notes say which of the latter no file has.

        Raises:
            ModelError: one has plain tags and the other spans, or what is new to a part that is frozen could not be
                learnt.
        """
        part = f"tags.{name}"
        old: TagVocabulary | None = self.vocabulary(part)
        if old is None:
            return new
        if old.plain != new.plain:
            kinds = ("spans", "plain tags")
            found = f"{self.taken[part]} has {kinds[old.plain]}, and {part} in this plan {kinds[new.plain]}"
            raise ModelError(f"{self.path}: {found}, expected the same")
        if part in (plan.initialisation.freeze or ()) and (more := sorted(new.types - old.types)):
            raise ModelError(
                f"{self.path}: {self.taken[part]} does not know {', '.join(more)}, which the files of {part} have, "
                "expected what a frozen part knows"
            )
        if unseen := ", ".join(sorted(old.types - new.types)):
            complete = [task for task in plan.users("tags", name) if plan.tasks[task].marks is None]
            hint = f"; where {' and '.join(complete)} has other tags, they are unlearnt, unless its marks say so"
            notes.append(
                f"{part}: {unseen} come from {self.path}, and no training file has them{hint if complete else ''}; "
                "see what is left of them with polytag compare"
            )
        return grown_tags(new, old)

    def copy_into(self, network: Network, vocabularies: Vocabularies) -> list[str]:
        """Put the weights that are taken where both models know what they are for; notes say what was taken."""
        return [self._copy(network, vocabularies, part) for part in self.taken]

    def _copy(self, network: Network, vocabularies: Vocabularies, part: str) -> str:
        assert self.model is not None
        kind, name = part.split(".")
        new, old = getattr(vocabularies, kind)[name], self.vocabulary(part)
        weights, left = network.get_submodule(part).state_dict(), []
        clusters = [
            words.clusters for part in self.taken if part.startswith("words.") and (words := self.vocabulary(part))
        ]
        sets = {name for known in clusters if known for name in known.names}
        begun = _begun(new, old) if kind == "tags" else ()
        ours, theirs = _labels(kind, new, sets, begun), _labels(kind, old, sets)
        for key, array in self.model.part(self.taken[part]).items():
            if key in weights:
                _copy_shared(weights[key], array, [*zip(ours.get(key, ()), theirs.get(key, ()), strict=True)])
            else:
                left.append(key.partition(".")[0])
        more = f"; its {' and '.join(dict.fromkeys(left))} are left out" if left else ""
        return f"{part}: begins as {self.taken[part]} of {self.path}{more}"


def freeze(network: Network, parts: Iterable[str]) -> None:
    """Leave parts as they are, whatever is trained."""
    for part in parts:
        module: nn.Module = network.get_submodule(part)
        module.requires_grad_(requires_grad=False)


def _shaping(plan: Plan, part: str) -> dict[str, Any]:
    kind, name = part.split(".")
    settings = getattr(plan, kind)[name]
    found = {setting: getattr(settings, setting) for setting in _SHAPING[kind]}
    if kind == "words":
        found["width of the character vectors"] = char_width(plan, name)
    if kind == "tags":
        found["width of the context"] = context_width(plan, name)
    if kind == "words" and not settings.embedding:
        del found["dimension"]
    return found


def _labels(
    kind: str, vocabulary: Any, sets: Collection[str], tags: Sequence[str] = ()
) -> dict[str, tuple[Labels | None, ...]]:
    """What the rows, columns, ... of the arrays of a part are for; None and arrays that are not here: all of them.

    Clusters have numbers that say something within their ``sets`` alone; those of others are like nothing. ``tags``
    are what the tags of the vocabulary begin as, where that is not themselves.
    """
    if kind == "chars":
        return {"embedding.weight": ((UNKNOWN, START, END, *vocabulary.alphabet),)}
    if kind == "words":
        return {"embedding.weight": ((UNKNOWN, *vocabulary.words),)}
    tags = tags or vocabulary.tags
    moves: dict[str, tuple[Labels | None, ...]] = {"transitions": (tags, tags), "start": (tags,)}
    named = {"projection": (None, tags), **moves}
    if vocabulary.gazetteer:
        named["gazetteer"] = (vocabulary.gazetteer.tags, tags)
    if vocabulary.features:
        known = {*sets, *(feature.partition("=")[0] for feature in around_features(""))}
        own = vocabulary.features.own
        around = [name if name.partition("=")[0] in known else object() for name in vocabulary.features.around]
        named["features.own.weight"] = ((NONE, *own), tags)
        named["features.around.weight"] = ((NONE, EDGE, *around), [(at, tag) for at in range(PLACES) for tag in tags])
        named |= {f"features.{key}": labels for key, labels in moves.items()}
    return named


def _begun(new: TagVocabulary, old: TagVocabulary) -> list[str]:
    """What each tag of the new vocabulary begins as: words of a type that is new were outside of all spans before.

    From other weights, sentences whose words may be of it or outside would keep them outside for good.
    """
    return [tag if new.plain or tag in old.tags else "O" for tag in new.tags]


def _copy_shared(
    target: Tensor, source: np.ndarray[Any, Any], axes: Sequence[tuple[Labels | None, Labels | None]]
) -> None:
    """Copy the values at which both have the same labels along all axes."""
    places = []
    for axis, size in enumerate(source.shape):
        ours, theirs = axes[axis] if axis < len(axes) else (None, None)
        places.append(_shared(ours, theirs) if ours and theirs else (range(size), range(size)))
    target.numpy()[np.ix_(*(new for new, _ in places))] = source[np.ix_(*(old for _, old in places))]


def _shared(ours: Labels, theirs: Labels) -> tuple[Sequence[int], Sequence[int]]:
    """The places of what both have, in ours and in theirs."""
    index = {label: place for place, label in enumerate(theirs)}
    pairs = [(place, index[label]) for place, label in enumerate(ours) if label in index]
    new, old = zip(*pairs, strict=True)
    return new, old
