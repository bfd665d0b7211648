"""Label Studio's protocol of machine-learning backends: its labelling configuration, predictions, and events."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree

from pydantic import BaseModel, ConfigDict, Field

from polytag.corpus.sentence import CharSpan
from polytag.server.live.annotations import Annotations, Change, Task
from polytag.server.refusals import unusable
from polytag.suggesting.label_studio import prediction

CHANGED = ("ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED")
TAKEN_BACK, TASKS_GONE, TRAIN = "ANNOTATIONS_DELETED", "TASKS_DELETED", "START_TRAINING"

Entity = Any  # an object of Label Studio's, or its id alone


class _Asked(BaseModel):
    """A body with more in it than is used here."""

    model_config = ConfigDict(extra="ignore", strict=True)


class SetupRequest(_Asked):
    """A project says how its texts are labelled."""

    config: str = Field("", alias="schema", description="the project's labelling configuration")


class PredictRequest(_Asked):
    """Tasks to predict annotations for."""

    tasks: list[dict[str, Any]]
    label_config: str = Field("", description="the project's labelling configuration")


class Event(_Asked):
    """What happened in a project."""

    action: str
    annotation: Entity = None
    annotations: list[dict[str, Any]] = []
    task: Entity = None
    tasks: list[dict[str, Any]] = []


class Control(NamedTuple):
    """What spans are marked with: the names of ``<Labels>`` and of its ``<Text>``, the data's key, and the labels."""

    name: str = "label"
    text: str = "text"
    key: str = "text"
    labels: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: str) -> "Control":
        """The one of a labelling configuration.

        Raises:
            RefusedError: it is no XML, or has none.
        """
        if not config.strip():
            return cls()
        try:
            root = ElementTree.fromstring(undeclared(config, "label_config"))
        except ElementTree.ParseError as error:
            raise unusable(f"label_config: not XML: {error}") from None
        for labels in root.iter("Labels"):
            text = next((of for of in root.iter("Text") if of.get("name") == labels.get("toName")), None)
            if text is not None:
                names = (of.get("value", "") for of in labels.iter("Label"))
                key = text.get("value", "").removeprefix("$")
                return cls(labels.get("name", ""), text.get("name", ""), key, frozenset(names))
        raise unusable("label_config: found no <Labels> of a <Text>, expected one to mark spans with")


def undeclared(xml: str, what: str) -> str:
    """XML, seen to have no declarations of its own, which could stand for anything.

    Raises:
        RefusedError: it has some.
    """
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise unusable(f"{what}: found a document type, expected XML without one")
    return xml


def said_of(sentences: Sequence[Mapping[str, Any]], text: str, of: str, control: Control, version: str) -> Task:
    """What the model says of a text, as a prediction.

    Args:
        sentences: of a `TagReply` with confidence.
        text: that they are of.
        of: the task of the model.
        control: what spans are marked with; types that it has no label for are left out.
        version: of the model.
    """
    spans = [
        (CharSpan(start, end, span["type"]), span["probability"])
        for sentence in sentences
        for span in sentence["predicted_spans"][of]
        for start, end in [span["characters"]]
        if not control.labels or span["type"] in control.labels
    ]
    sure = [probability for sentence in sentences for probability in sentence["confidence"][of]]
    score = sum(sure) / len(sure) if sure else 1.0
    return prediction(text, spans, score=score, version=version, control=control.name, field=control.text)


def change(event: Event, annotations: Annotations) -> Change:
    """What is to be done to the annotations, as it was done in the project; other events change nothing.

    Raises:
        RefusedError: no annotation comes, or one without its id, its result, or the text that it is of.
    """
    if event.action in CHANGED:
        if not event.annotation:
            raise unusable(f"{event.action} comes without an annotation; does the webhook send its payload?")
        return Change(_changed(event, annotations))
    if event.action == TAKEN_BACK:
        gone = {_id(one) for one in event.annotations}
        held = {task["id"]: task for name in gone if (task := annotations.holding(name))}
        for task in held.values():
            task["annotations"] = [one for one in task["annotations"] if one.get("id") not in gone]
        return Change([task for task in held.values() if task["annotations"]], [*held])
    return Change(remove=[_id(one) for one in event.tasks] if event.action == TASKS_GONE else [])


def _changed(event: Event, annotations: Annotations) -> list[Task]:
    """The tasks of new annotations, each with those that it had, less the one that a new one takes the place of."""
    found = dict[Any, Task]()
    tasks: dict[Any, Task] = {_id(task): task for task in _several(event.task)}
    for one in _several(event.annotation):
        own = _id(one)
        if one.get("result") is None:
            raise unusable(f"annotation {own} comes without its result, expected a list, empty where nothing is marked")
        name = one.get("task") if isinstance(one.get("task"), int | str) else next(iter(tasks), None)
        known: Task = found.get(name) or annotations.task(name) or {}
        data = tasks.get(name, known).get("data")
        if not isinstance(data, dict):
            raise unusable(f"task {name}: annotation {own} comes without the task's data, expected its text")
        others = [other for other in known.get("annotations", ()) if other.get("id") != own]
        found[name] = {"id": name, "data": data, "annotations": [*others, one]}
    return list(found.values())


def _several(value: Entity) -> list[dict[str, Any]]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(one, dict) for one in values):
        raise unusable(f"found {value!r:.40} in an event, expected an object")
    return values


def _id(entity: Mapping[str, Any]) -> int | str:
    name = entity.get("id")
    if not isinstance(name, int | str):
        raise unusable(f"found the id {name!r:.40} in an event, expected a number")
    return name
