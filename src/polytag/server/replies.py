"""What is said of tagged sentences, as JSON."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from polytag.corpus.sentence import Alternative, Sentence

DIGITS = 6  # of probabilities: beyond them, they depend on the other sentences of a batch


class Ask(NamedTuple):
    """What is said of sentences; those with the same ask are tagged together."""

    tasks: tuple[str, ...]
    confidence: bool = False
    nbest: int = 0


def reply(ask: Ask, sentences: Sequence[Sentence], *, spanning: Collection[str]) -> bytes:
    """A `TagReply` as JSON in UTF-8; ``spanning`` are the tasks that mark spans."""
    spans = [task for task in ask.tasks if task in spanning]
    content = {"tasks": ask.tasks, "sentences": [_sentence(sentence, ask, spans) for sentence in sentences]}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _sentence(sentence: Sentence, ask: Ask, spans: Sequence[str]) -> dict[str, Any]:
    content: dict[str, Any] = {"words": sentence.words}
    if sentence.offsets:
        content["offsets"] = sentence.offsets
    content["tags"] = sentence.tags
    if ask.confidence:
        content["confidence"] = {task: [round(p, DIGITS) for p in of] for task, of in sentence.confidence.items()}
    if ask.nbest:
        content["alternatives"] = {task: [_sequence(one) for one in sentence.alternatives[task]] for task in ask.tasks}
    content["spans"] = {task: _spans(sentence, task) for task in spans}
    return content


def _sequence(alternative: Alternative) -> dict[str, Any]:
    return {"tags": alternative.tags, "probability": round(alternative.probability, DIGITS)}


def _spans(sentence: Sentence, task: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for span in sentence.spans(task):
        entry: dict[str, Any] = {"type": span.type, "start": span.start, "end": span.end}
        if sentence.offsets:
            entry["characters"] = (sentence.offsets[span.start][0], sentence.offsets[span.end - 1][1])
        if span.probability is not None:
            entry["probability"] = round(span.probability, DIGITS)
        found.append(entry)
    return found
