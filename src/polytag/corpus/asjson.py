"""A tagged sentence as JSON, the same wherever polytag writes one: `polytag tag`, `serve`, `suggest`, tables.

{"words": ["Ann", "Lee", "ran"], "offsets": [[0, 3], [4, 7], [8, 11]],
 "tags": {"ner": ["B-PER", "I-PER", "O"]}, "confidence": {"ner": [0.9, 0.9, 0.99]},
 "alternatives": {"ner": [{"tags": ["B-PER", "I-PER", "O"], "probability": 0.8}]},
 "predicted_spans": {"ner": [{"type": "PER", "start": 0, "end": 2, "characters": [0, 7], "probability": 0.85}]}}

``offsets`` and ``characters`` are there where the words stand in a text, ``confidence``, ``alternatives`` and the
``probability`` of spans where they were asked for. Spans count words: ``words[start:end]``.
"""

from collections.abc import Collection, Sequence
from typing import Any

from polytag.corpus.sentence import Sentence, Span

DIGITS = 6  # of probabilities: beyond them, they depend on the other sentences of a batch
OF_TASKS = ("tags", "confidence", "alternatives", "predicted_spans")  # keys that hold something for each task


def as_json(sentence: Sentence, *, span_tasks: Collection[str] | None = None, start: int = 0) -> dict[str, Any]:
    """What is known of a sentence, as `json.dumps` takes it.

    Args:
        sentence: words, and whatever a tagger or an annotator said of them.
        span_tasks: the tasks that mark spans; "predicted_spans" is there if this is given, also for no task at all.
        start: the character of the sentence's text from which offsets are to count.
    """
    places = [[begin - start, end - start] for begin, end in sentence.offsets]
    content: dict[str, Any] = {"words": list(sentence.words)}
    if places:
        content["offsets"] = places
    content["tags"] = {task: list(tags) for task, tags in sentence.tags.items()}
    if sentence.confidence:
        content["confidence"] = {task: list(map(rounded, sure)) for task, sure in sentence.confidence.items()}
    if sentence.alternatives:
        content["alternatives"] = {
            task: [{"tags": list(one.tags), "probability": rounded(one.probability)} for one in ranked]
            for task, ranked in sentence.alternatives.items()
        }
    if span_tasks is not None:
        found = {task: sentence.spans(task) for task in sentence.tags if task in span_tasks}
        content["predicted_spans"] = {task: [_span(span, places) for span in of] for task, of in found.items()}
    return content


def rounded(probability: float) -> float:
    """As JSON has it."""
    return round(probability, DIGITS)


def _span(span: Span, places: Sequence[Sequence[int]]) -> dict[str, Any]:
    content: dict[str, Any] = {"type": span.type, "start": span.start, "end": span.end}
    if places:
        content["characters"] = [places[span.start][0], places[span.end - 1][1]]
    if span.probability is not None:
        content["probability"] = rounded(span.probability)
    return content
