"""A corpus from one format to another, sentence by sentence; the target appears whole or not at all."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain
from os import PathLike

from polytag.corpus.conllu import COLUMNS, REPLACED, with_key
from polytag.corpus.documents import format_of, read
from polytag.corpus.schemes import check_spans, convert_tags
from polytag.corpus.sentence import Sentence
from polytag.errors import CorpusError, nearest
from polytag.files import atomic_write


def convert(
    source: str | PathLike[str],
    target: str | PathLike[str],
    *,
    format: str = "auto",
    target_format: str = "auto",
    word: int = 0,
    tags: Mapping[str, int | str] = {},
    scheme: str | Mapping[str, str] = "",
    encoding: str = "auto",
    docstart: bool = False,
) -> int:
    """Write the sentences of ``source`` to ``target`` (gzip if it ends in .gz) and return how many there were.

    The target holds the words and the tags of the tasks in ``tags``, in that order; it is UTF-8. ``scheme`` is one
    tag scheme for all tasks, or one for each task named (the others keep theirs). The other arguments are those of
    ``read``; ``target_format`` "auto" goes by the suffix: .conllu, .jsonl, else conll.

    Raises:
        CorpusError: the source cannot be read, or its words cannot be written in the format.
        PlanError: no scheme has this name.
        PolytagError: the target cannot be written. Whatever the error, the target is then as it was.
    """
    name = format_of(target, target_format)
    if name not in WRITERS:
        raise CorpusError(f"no corpus is written as {name}{nearest(name, WRITERS)}", path=target)
    schemes = dict.fromkeys(tags, scheme) if isinstance(scheme, str) and scheme else dict(scheme or {})
    if unknown := set(schemes) - set(tags):
        first = min(unknown)
        raise CorpusError(f"a scheme for '{first}', which has no tags{nearest(first, tags)}", path=source)
    sentences = read(source, format=format, word=word, tags=tags, encoding=encoding, docstart=docstart)
    # A source that is not there, empty or malformed at the start is told before anything is written.
    first_sentence = next(sentences)
    with atomic_write(target) as file:
        count = 0
        for sentence in chain([first_sentence], sentences):
            file.write(_written(_in_schemes(sentence, schemes), WRITERS[name]))
            count += 1
    return count


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
    tags = {task: list(values) for task, values in sentence.tags.items()}
    return json.dumps({"words": list(sentence.words), "tags": tags}, ensure_ascii=False) + "\n"


WRITERS: Mapping[str, Callable[[Sentence], str]] = {"conll": as_conll, "conllu": as_conllu, "jsonl": as_jsonl}


def _check(value: str, forbidden: str) -> None:
    if not value.strip(" ") or any(character in value for character in forbidden):
        raise ValueError(f"{value!r:.80} is empty or holds what parts columns or lines, expected a target in jsonl")


def _in_schemes(sentence: Sentence, schemes: Mapping[str, str]) -> Sentence:
    changed = {}
    for task, name in schemes.items():
        if name:
            check_spans(sentence, task)
            changed[task] = convert_tags(sentence.tags[task], name)
    return replace(sentence, tags={**sentence.tags, **changed})


def _written(sentence: Sentence, writer: Callable[[Sentence], str]) -> str:
    try:
        return writer(sentence)
    except ValueError as error:
        raise CorpusError(str(error), path=sentence.source, line=sentence.lines[0]) from error
