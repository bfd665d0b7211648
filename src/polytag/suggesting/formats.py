"""Suggestions as annotation tools read them, with what the model thinks as a first draft.

brat          x.ann, its spans of characters of x.txt, which has a sentence on a line
inception     UIMA CAS XMI with the layers of INCEpTION, `polytag.corpus.formats.inception`

prodigy       {"text", "tokens", "spans": [{"start", "end", "label", ...}], "meta"} on a line; spaCy's JSONL as well
doccano       {"text", "label": [[start, end, type]], "words", ...} on a line
label-studio  one list of {"data": {"text", "words"}, "predictions": [{"result": [...]}]}
jsonl         {"text", "words", "tags", ...} on a line as `polytag.corpus.asjson` has it, which polytag trains on
conll         a word and its tags per line, which polytag trains on

The words go along where there is a place for them, so that they come back as they went out, however text is cut.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from polytag.corpus.asjson import as_json, rounded
from polytag.corpus.formats import conll
from polytag.corpus.formats.record import dumped
from polytag.errors import CorpusError, PolytagError, nearest
from polytag.suggesting import documents
from polytag.suggesting.label_studio import prediction
from polytag.suggesting.suggestion import Suggestion
from polytag.tagger.request import ANYTHING, Request

Write = Callable[[Sequence[Suggestion], Sequence[str], Request], str]


@dataclass(frozen=True, slots=True)
class Format:
    """How suggestions are written; ``beside`` is the text of a second file, where the spans are of one."""

    write: Write
    holds_one_task: bool = False
    suffix: str = ""  # that the file must have, as another stands beside it
    beside: tuple[str, Callable[[Sequence[Suggestion]], str]] | None = None


def _each(
    write: Callable[[Suggestion, Sequence[str], Request], str], opening: str = "", between: str = "", closing: str = ""
) -> Write:
    """One after the other."""
    return lambda suggestions, tasks, request: (
        opening + between.join(write(one, tasks, request) for one in suggestions) + closing
    )


def written(
    suggestions: Sequence[Suggestion], *, format: str, tasks: Sequence[str], request: Request = ANYTHING
) -> str:
    """All suggestions as one text.

    Args:
        suggestions: what `suggest` chose.
        format: a key of `FORMATS`.
        tasks: whose tags to write; the formats of annotation tools hold those of one task.
        request: whose ``min_probability`` says what is left out: spans, or tags, which become ``?`` then.

    Raises:
        PolytagError: there is no such format, or it does not hold several tasks.
        CorpusError: a word cannot be written in the format; holds file and line.
    """
    check_tasks(format, tasks)
    return FORMATS[format].write(suggestions, tasks, request)


def check_tasks(format: str, tasks: Sequence[str]) -> Sequence[str]:
    """The tasks, seen to fit into a format.

    Raises:
        PolytagError: there is no such format, or it does not hold several tasks.
    """
    if format not in FORMATS:
        raise PolytagError(f"no format is called '{format}'{nearest(format, FORMATS)}")
    if FORMATS[format].holds_one_task and len(tasks) > 1:
        raise PolytagError(f"{format} holds the tags of one task, so name it: {', '.join(tasks)} (or write jsonl)")
    return tasks


def _prodigy(one: Suggestion, tasks: Sequence[str], request: Request) -> str:
    places, text = one.candidate.offsets, one.candidate.text
    tokens = [
        {"text": text[place.start : place.end], "start": place.start, "end": place.end, "id": number,
         "ws": text[place.end : place.end + 1].isspace()}
        for number, place in enumerate(places)
    ]  # fmt: skip
    spans = [
        {"start": at.start, "end": at.end, "token_start": span.start, "token_end": span.end - 1, "label": span.type,
         "score": None if span.probability is None else rounded(span.probability)}
        for span, at in one.spans(tasks[0], request=request)
    ]  # fmt: skip
    return _line({"text": text, "tokens": tokens, "spans": spans, "meta": _meta(one)})


def _doccano(one: Suggestion, tasks: Sequence[str], request: Request) -> str:
    labels = [list(at) for _, at in one.spans(tasks[0], request=request)]
    return _line({"text": one.candidate.text, "label": labels, "words": one.tagged.words, **_meta(one)})


def _label_studio(one: Suggestion, tasks: Sequence[str], request: Request) -> str:
    """For a labelling configuration whose ``<Labels>`` are named "label" and whose ``<Text>`` is named "text"."""
    text, sure = one.candidate.text, one.tagged.confidence[tasks[0]]
    spans = [(at, span.probability) for span, at in one.spans(tasks[0], request=request)]
    said = prediction(text, spans, score=sum(sure) / len(sure))
    return dumped({"data": {"text": text, "words": one.tagged.words}, "predictions": [said], "meta": _meta(one)})


def _jsonl(one: Suggestion, tasks: Sequence[str], request: Request) -> str:
    spanning = [task for task in tasks if task in one.tagged.predicted_spans]
    spans = {task: tuple(span for span, _ in one.spans(task, request=request)) for task in spanning}
    tagged = replace(
        one.tagged,
        offsets=one.candidate.offsets,
        tags={task: one.known_tags(task, request=request) for task in tasks},
        confidence={task: one.tagged.confidence[task] for task in tasks},
        predicted_spans=spans,
    )
    return _line({"text": one.candidate.text, **as_json(tagged, span_tasks=spanning), **_meta(one)})


def _conll(one: Suggestion, tasks: Sequence[str], request: Request) -> str:
    tags = {task: one.known_tags(task, request=request) for task in tasks}
    try:
        return conll.written(replace(one.tagged, tags=tags))
    except ValueError as error:
        line = one.tagged.lines[0] if len(one.tagged.lines) else 0
        raise CorpusError(str(error), path=one.tagged.source, line=line) from error


FORMATS: Mapping[str, Format] = {  # the first is the default
    "prodigy": Format(_each(_prodigy), holds_one_task=True),
    "doccano": Format(_each(_doccano), holds_one_task=True),
    "label-studio": Format(_each(_label_studio, "[\n", ",\n", "\n]\n"), holds_one_task=True),
    "brat": Format(documents.brat, holds_one_task=True, suffix=".ann", beside=(".txt", documents.text_of)),
    "inception": Format(documents.inception, holds_one_task=True),
    "jsonl": Format(_each(_jsonl)),
    "conll": Format(_each(_conll)),
}


def _meta(one: Suggestion) -> dict[str, Any]:
    return {"score": rounded(one.score), "source": one.place}


def _line(record: Mapping[str, Any]) -> str:
    return dumped(record) + "\n"
