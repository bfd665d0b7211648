"""Sentences as each format writes them: one function per format, which refuses what the format cannot hold."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, chain, pairwise
from typing import Any

from polytag.corpus.asjson import as_json
from polytag.corpus.conllu import COLUMNS, REPLACED, with_key
from polytag.corpus.rawtext import Offset
from polytag.corpus.schemes import check_spans, spans
from polytag.corpus.sentence import Sentence, Span
from polytag.corpus.textrecord import text_record


def as_conll(sentence: Sentence) -> str:
    """One word per line, its tags behind it, parted by single spaces (what conlleval reads), and a blank line.

    Raises:
        ValueError: a word or tag is empty or holds a blank or a line end.
    """
    rows = zip(sentence.words, *sentence.tags.values(), strict=True)
    for value in chain(sentence.words, *sentence.tags.values()):
        _check(value, " \t\r\n\0")
    return "".join(f"{' '.join(row)}\n" for row in rows) + "\n"


def as_conllu(sentence: Sentence) -> str:
    """Ten columns; tasks named upos and xpos fill these columns, the others a key of MISC each.

    Raises:
        ValueError: a word or tag is empty or holds a tab or a line end, or is blanks only.
    """
    for value in chain(sentence.words, *sentence.tags.values()):
        _check(value, "\t\r\n\0")
    lines = []
    for number, form in enumerate(sentence.words, 1):
        columns = [str(number), form, *"_" * (len(COLUMNS) - 2)]
        for task, tags in sentence.tags.items():
            if task in REPLACED:
                columns[COLUMNS.index(task)] = tags[number - 1]
            else:
                columns[-1] = with_key(columns[-1], task, tags[number - 1])
        lines.append("\t".join(columns) + "\n")
    return "".join(lines) + "\n"


def as_jsonl(sentence: Sentence) -> str:
    """One object of "words" and "tags" on a line."""
    return json.dumps(as_json(replace(sentence, offsets=())), ensure_ascii=False) + "\n"


def as_spans(sentence: Sentence, *, labels: Collection[str] = ()) -> str:
    """An object with a text, its words and their offsets, and the spans of characters of each task, on a line.

    Words of a text stand where they stood, with blanks between them; other words are parted by one. The tags of the
    tasks in ``labels`` are no spans and stay under "tags".

    Raises:
        CorpusError: another task has a tag that marks no span; holds the file and the line.
    """
    offsets = sentence.offsets or _one_blank_apart(sentence)
    record = text_record(_text(sentence, offsets), offsets[0][0], sentence.words, offsets)
    tags, found = dict[str, list[str]](), list[dict[str, Any]]()
    for task, values in sentence.tags.items():
        if task in labels:
            tags[task] = list(values)
        else:
            check_spans(sentence, task)
            found += [_characters(span, task, record["offsets"]) for span in spans(values)]
    return json.dumps({**record, "tags": tags, "spans": found}, ensure_ascii=False) + "\n"


def as_text(sentence: Sentence) -> str:
    """The words on a line, parted by single blanks; tags have no place there.

    Raises:
        ValueError: a word is empty or holds a blank or a line end.
    """
    for word in sentence.words:
        _check(word, " \t\r\n\0")
    return " ".join(sentence.words) + "\n"


SPANS = "jsonl-spans"
WRITERS: Mapping[str, Callable[..., str]] = {
    "conll": as_conll,
    "conllu": as_conllu,
    "jsonl": as_jsonl,
    SPANS: as_spans,
    "text": as_text,
}


def _check(value: str, forbidden: str) -> None:
    if not value.strip(" ") or any(character in value for character in forbidden):
        raise ValueError(f"{value!r:.80} is empty or holds what parts columns or lines, expected a target in jsonl")


def _characters(span: Span, task: str, offsets: Sequence[Sequence[int]]) -> dict[str, Any]:
    """A span as the stretch of characters of one task."""
    return {"start": offsets[span.start][0], "end": offsets[span.end - 1][1], "label": span.type, "task": task}


def _one_blank_apart(sentence: Sentence) -> list[Offset]:
    ends = accumulate(len(word) + 1 for word in sentence.words)
    return [(end - len(word) - 1, end - 1) for word, end in zip(sentence.words, ends, strict=True)]


def _text(sentence: Sentence, offsets: Sequence[Offset]) -> str:
    gaps = [after[0] - before[1] for before, after in pairwise(offsets)]
    return "".join(word + " " * gap for word, gap in zip(sentence.words, [*gaps, 0], strict=True))
