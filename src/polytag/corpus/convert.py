"""A corpus from one format to another, sentence by sentence; the target appears whole or not at all."""

import gzip
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import IO

from polytag.corpus.conllu import COLUMNS, REPLACED, with_key
from polytag.corpus.documents import format_of, read
from polytag.corpus.schemes import convert_tags
from polytag.corpus.sentence import Sentence
from polytag.errors import CorpusError, nearest


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
        CorpusError: the source cannot be read, its words cannot be written in the format, or the target cannot be
            written (it is then as it was).
        PlanError: no scheme has this name.
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
    with _replacing(Path(target)) as write:
        count = 0
        for sentence in chain([first_sentence], sentences):
            write(_written(_in_schemes(sentence, schemes), WRITERS[name]))
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
    if not schemes:
        return sentence
    try:
        changed = {task: convert_tags(sentence.tags[task], name) for task, name in schemes.items() if name}
    except CorpusError as error:
        raise CorpusError(error.message, path=sentence.source, line=sentence.lines[0]) from error
    return replace(sentence, tags={**sentence.tags, **changed})


def _written(sentence: Sentence, writer: Callable[[Sentence], str]) -> str:
    try:
        return writer(sentence)
    except ValueError as error:
        raise CorpusError(str(error), path=sentence.source, line=sentence.lines[0]) from error


@contextmanager
def _replacing(target: Path) -> Iterator[Callable[[str], None]]:
    """A function that writes text to a file which takes the target's place at the end, unless something fails."""
    if target.exists() and not target.is_file():
        raise CorpusError("not a file that can be replaced, expected a file's name", path=target)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    # mkstemp would leave a file that nobody else can read
    with _blamed_on(target):
        file = temporary.open("xb")
    try:
        with file:
            out = gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) if target.suffix == ".gz" else file
            yield lambda text: _put(out, text, target)
            with _blamed_on(target):
                if out is not file:
                    out.close()
                file.flush()
                os.fsync(file.fileno())
        with _blamed_on(target):
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _put(out: IO[bytes] | gzip.GzipFile, text: str, target: Path) -> None:
    with _blamed_on(target):
        out.write(text.encode("utf-8"))


@contextmanager
def _blamed_on(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}, expected a writable place with room"
        raise CorpusError(message, path=target) from error
