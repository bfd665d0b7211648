"""Label Studio's exports, JSON and JSON-MIN: a list of tasks, each a text with regions that have labels.

[{"id": 7, "data": {"text": "Lima."}, "annotations": [{"was_cancelled": false, "result": [
    {"type": "labels", "from_name": "label", "to_name": "text",
     "value": {"start": 0, "end": 4, "text": "Lima", "labels": ["LOC"]}}]}]}]
[{"id": 7, "text": "Lima.", "label": [{"start": 0, "end": 4, "text": "Lima", "labels": ["LOC"]}], "annotator": 1}]

A task's text is split into sentences as raw text is, unless its data have its "words": then it is one. The layer of a
span is the control that it was marked with.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from polytag.compressed import uncompressed_name
from polytag.corpus.formats.format import Format
from polytag.corpus.formats.json_values import json_values
from polytag.corpus.formats.record import Record
from polytag.corpus.formats.records import TASK, Document, Placed, columns_among, refusing, sentences_of, spans_alone
from polytag.corpus.offsets import Offsets, located
from polytag.corpus.sentence import Sentence
from polytag.corpus.tag_rules import UNKNOWN
from polytag.corpus.text import Layout, Line, Lines
from polytag.errors import CorpusError

_LINK = re.compile(r"\S+\.\w{2,4}|(\w+:)?/\S+|data:\S+")  # to an image or a sound, which is no text
_ABOUT = ("annotator", "created_at", "updated_at", "agreement")  # texts of JSON-MIN that are no data

Tell = Callable[[str, str], None]


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """The sentences of the tasks that are annotated, with IOB2 tags for spans.

    Raises:
        CorpusError: other tags are wanted; while reading, it is no JSON, a task has no text, or its spans are
            impossible.
    """
    return sentences_of(_records(lines, layout), spans_alone(layout))


def columns(lines: Iterable[Line], layout: Layout) -> list[str]:
    """'spans', and where they are of several layers, each of these."""
    return columns_among(_records(lines, layout))


def is_task(value: Any) -> bool:
    """Whether a value is a task of Label Studio, of either export."""
    if not isinstance(value, dict):
        return False
    is_whole = isinstance(value.get("data"), dict) and bool({"annotations", "completions", "predictions"} & {*value})
    return is_whole or {"annotator", "annotation_id"} <= {*value} or any(map(_are_regions, value.values()))


def _records(lines: Iterable[Line], layout: Layout) -> Iterator[Placed]:
    for line, task in json_values(lines, layout):
        name = f"task {task['id']}" if isinstance(task, dict) and "id" in task else "a task"
        place = Placed(line, {}, name=name)
        tell = partial(layout.notes.tell, path=layout.source, line=line, name=name)
        with refusing(layout, place):
            for fields in _annotations(task, tell):
                own = _own_words(fields)
                yield place._replace(fields=fields, document=Document(layout.source, sentences=own))


def _annotations(task: Any, tell: Tell) -> Iterable[Record]:
    """The text of a task and the spans in it, once for each annotation; none where there is none, which is told."""
    if not isinstance(task, dict):
        raise ValueError(f"found {task!r:.40}, expected a task of Label Studio, an object")
    found = _whole(task, tell) if isinstance(task.get("data"), dict) else _minimal(task, tell)
    if not found:
        tell("not annotated", "has no annotation and is left out")
    return [{**fields, TASK: task["id"]} if "id" in task else fields for fields in found]


def _whole(task: Record, tell: Tell) -> list[Record]:
    """A task of the export JSON: its annotations, or those alone that are the ground truth."""
    annotations = task.get("annotations", task.get("completions")) or []
    if not isinstance(annotations, list) or not all(isinstance(one, dict) for one in annotations):
        raise ValueError(f"annotations are {annotations!r:.40}, expected a list of objects")
    done = [one for one in annotations if not one.get("was_cancelled")]
    if len(done) < len(annotations):
        tell("cancelled", "an annotation that was cancelled is left out")
    chosen = [one for one in done if one.get("ground_truth")] or done
    if len(chosen) < len(done):
        tell("ground truth", f"{len(done) - len(chosen)} annotations beside the ground truth are left out")
    return [_annotation(task["data"], number, one, tell) for number, one in enumerate(chosen)]


def _annotation(data: Record, number: int, annotation: Record, tell: Tell) -> Record:
    regions = _Region.all_of(annotation.get("result"), tell)
    text = _text(data, {region.key for region in regions} & {*data})
    spans = [region.span for region in regions]
    return {"text": text, "spans": spans, "annotator": annotation.get("id", number), "words": data.get("words")}


def _minimal(task: Record, tell: Tell) -> list[Record]:
    """A task of the export JSON-MIN: what was marked with each control stands under its name."""
    controls = {key: value for key, value in task.items() if _are_regions(value)}
    who = next((task[key] for key in ("annotation_id", "annotator") if task.get(key) is not None), None)
    if not controls and who is None:
        return []
    data = {key: value for key, value in task.items() if key not in (*controls, *_ABOUT)}
    spans = [
        region.span
        for key, regions in controls.items()
        for value in regions
        for region in _Region.of({"from_name": key, "value": value}, tell)
    ]
    return [{"text": _text(data, set()), "spans": spans, "annotator": who, "words": data.get("words")}]


def _own_words(fields: Record) -> Sequence[Sequence[Offsets]]:
    """Where the words that went out with a task stand, which is one sentence then: `polytag suggest` sends them."""
    words, text = fields.pop("words"), fields["text"]
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        return ()
    return [located(text, words)] if "".join("".join(words).split()) == "".join(text.split()) else ()


def _are_regions(value: Any) -> bool:
    """Whether a value of JSON-MIN holds labelled stretches."""
    return isinstance(value, list) and any(isinstance(one, dict) and "labels" in one for one in value)


def _text(data: Mapping[str, Any], keys: set[str]) -> str:
    """The text that was annotated: what regions name, "text", or the only text that there is and that is no link."""
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    written = {key for key, value in texts.items() if not _LINK.fullmatch(value)}
    wanted = keys if len(keys) == 1 else {"text"} if "text" in texts else written
    found = [texts[key] for key in wanted if key in texts]
    if len(found) != 1:
        raise ValueError(
            f"no text among its data ({', '.join(map(str, data)) or 'none'}), expected 'text' or one text alone"
        )
    return found[0]


class _Region(NamedTuple):
    """A stretch of the text ``key`` that has a label, marked with the control ``layer``."""

    start: int
    end: int
    label: str
    text: str | None
    layer: str
    key: str

    @property
    def span(self) -> Record:
        return {"start": self.start, "end": self.end, "label": self.label, "text": self.text, "layer": self.layer}

    @classmethod
    def all_of(cls, results: Any, tell: Tell) -> list["_Region"]:
        if not isinstance(results or [], list) or not all(isinstance(one, dict) for one in results or []):
            raise ValueError(f"results are {results!r:.40}, expected a list of objects")
        return [region for one in results or [] for region in cls.of(one, tell)]

    @classmethod
    def of(cls, result: Record, tell: Tell) -> Sequence["_Region"]:
        """One for each label, or of the label ``?``; none for what is no stretch, such as a choice or a relation."""
        value = result.get("value")
        if not isinstance(value, dict) or "start" not in value:
            return []
        start, end, labels, text = (value.get(key) for key in ("start", "end", "labels", "text"))
        if type(start) is not int or type(end) is not int:
            raise ValueError(f"a region from {start!r:.40} to {end!r:.40}, expected characters of a plain text")
        if not isinstance(labels or [], list) or not all(isinstance(label, str) and label for label in labels or []):
            raise ValueError(f"labels are {labels!r:.40}, expected a list of texts")
        if not labels:
            tell("no label", f"a region has no label, {text!r:.40}; its words are unknown ({UNKNOWN})")
        layer, key = (str(result.get(key, "")) for key in ("from_name", "to_name"))
        own = text if isinstance(text, str) else None
        return [cls(start, end, label, own, layer, key) for label in labels or [UNKNOWN]]


def claims(path: str) -> bool:
    """Whether a file of JSON begins with a task."""
    if not uncompressed_name(path).endswith(".json"):
        return False
    with suppress(CorpusError):  # told when it is read
        return is_task(next(json_values(Lines(path), Layout(path)), (0, None))[1])
    return False


FORMAT = Format("label-studio", sentences, columns=columns, claims=claims)
