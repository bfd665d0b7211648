"""Any corpus file to sentences, and any text to blocks to tag: how a file picks its format, and is read in it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from os import PathLike
from pathlib import Path

from polytag.compressed import uncompressed_name
from polytag.corpus.formats import DEFAULT, FORMATS, looks_like
from polytag.corpus.labels import Labels, read_labels
from polytag.corpus.notes import Notes
from polytag.corpus.raw_lines import Source
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block, Layout, Lines, existing, unreadable
from polytag.corpus.unseen import tell_unseen
from polytag.errors import CorpusError, nearest
from polytag.tokenisers import UNICODE

PEEK = 200  # lines that tell how a text is written


def read(
    path: str | PathLike[str],
    *,
    format: str = "auto",
    word: int | str = 0,
    tags: Mapping[str, int | str] = {},
    encoding: str = "auto",
    docstart: bool = False,
    tokeniser: str = UNICODE,
    names: Sequence[str] = (),
    overlaps: str = "longest",
    min_probability: float = 0.0,
    labels: Mapping[str, Labels] = {},
    notes: Notes | None = None,
) -> Iterator[Sentence]:
    """The sentences of a corpus, read as they are asked for.

    Args:
        path: a file, plain, gzip or xz; for trees also a directory, or ``DIRECTORY#sections=0-18``.
        format: a key of ``FORMATS``; "auto" goes by the suffix: .conllu, .mrg, .jsonl and .json, else conll.
        word: the column of the words (conll only; negative counts from the end).
        tags: where each task has its tags: a column number (conll); 'upos', 'deprel', ..., 'misc.KEY' or
            'feats.KEY' (conllu); 'pos' (treebank); a key of "tags", or 'spans' for character spans (jsonl).
        encoding: a codec; "auto" is UTF-8, or latin-1 where the file can be nothing else.
        docstart: whether -DOCSTART- lines come as sentences of one word; they end a sentence in any case.
        tokeniser: what cuts texts into words, as `polytag.corpus.tokenising` has them.
        names: of the classes of tags that are numbers, from 0 on; unless given, as the file or one beside it has them.
        overlaps: which of two spans over the same characters is read: "longest", "first", or "refuse" for none.
        min_probability: spans that have a lower score are not decided about: their words are unknown.
        labels: how each task reads its tags, unless they are as they should be; tasks without tags there are no matter.
        notes: takes what the reader has to say; without it, what it refuses is raised and the rest goes unsaid.

    Raises:
        PlanError: there is no such tokeniser.
        PolytagError: it is spaCy's, which is not installed or has no rules for the language.
        CorpusError: at once, where the path, the format or the tags are impossible; while reading, with the line,
            where the file is not as told; at the end, where it held no sentence.
    """
    name, notes = format_of(path, format), Notes() if notes is None else notes
    files = files_of(path, name, notes)

    if format == "auto" and name == DEFAULT:
        _tell_looks(files[0], encoding, notes)

    def one(file: Path) -> Iterator[Sentence]:
        layout = Layout(
            str(file),
            word,
            tags,
            docstart,
            tokeniser=tokeniser,
            encoding=encoding,
            names=names,
            overlaps=overlaps,
            min_probability=min_probability,
            notes=notes,
        )
        return FORMATS[name].sentences(Lines(file, encoding=encoding, notes=notes), layout)

    first = one(files[0])  # made now, so that impossible tags and encodings are told at once
    sentences = _some((one(file) if n else first for n, file in enumerate(files)), str(path), notes)
    named = {task: of for task, of in labels.items() if task in tags and of != Labels()}
    return read_labels(sentences, named, path=str(path), notes=notes) if named else sentences


def _tell_looks(file: Path, encoding: str, notes: Notes) -> None:
    """Say of a file that is read as columns if it looks like records or another format with a mark of its own."""
    with suppress(CorpusError):  # told when it is read
        found = looks_like([line.text for line in islice(Lines(file, encoding=encoding), PEEK)])
        if FORMATS[found].has_tags and found != DEFAULT:
            text = f"looks like {found}, but is read as {DEFAULT} as no suffix tells; name the format if it is another"
            notes.tell("format", text, path=str(file))


def blocks(
    stream_or_path: Source,
    *,
    format: str,
    word: int | str = 0,
    source: str = "<stdin>",
    encoding: str = "auto",
    columns: Mapping[str, str] = {},
    tokeniser: str = UNICODE,
    records: bool = False,
    notes: Notes | None = None,
) -> Iterator[Block]:
    """All of an input to tag, in order and as it comes; each block renders itself with its tags.

    ``columns`` names, for CoNLL-U, the column that takes a task's tags ('upos', 'misc.NER'); without it a task
    named upos or xpos fills that column, and any other task a key of MISC. ``source`` names a stream in errors.
    ``tokeniser`` cuts text into words; ``records`` renders text as JSONL; ``notes`` is as for `read`.

    Raises:
        CorpusError: at once, where the format cannot be tagged; while reading, where the input is not in it.
    """
    is_path = isinstance(stream_or_path, str | PathLike)
    source = str(stream_or_path) if is_path else source
    name = format_of(source, format)
    if is_path:
        files_of(source, name)
    make = FORMATS[name].blocks
    if make is None:
        known = ", ".join(key for key, row in FORMATS.items() if row.blocks)
        why = "tagged by polytag tag alone" if FORMATS[name].is_table else "read but not tagged"
        message = f"{name} is {why}, expected one of {known}; polytag data convert writes some of these"
        raise CorpusError(message, path=source)
    notes = Notes() if notes is None else notes
    layout = Layout(source, word, columns=columns, tokeniser=tokeniser, records=records, notes=notes)
    return make(Lines(stream_or_path, name=source, encoding=encoding, notes=notes), layout)


def format_of(path: str | PathLike[str], format: str = "auto") -> str:
    """The name of a file's format: as told, else by its suffix.

    Raises:
        CorpusError: there is no such format.
    """
    if format in FORMATS:
        return format
    if format != "auto":
        raise CorpusError(f"unknown format '{format}'{nearest(format, ['auto', *FORMATS])}", path=path)
    return told_by_name(path) or DEFAULT


def told_by_name(path: str | PathLike[str]) -> str | None:
    """The format that a path tells, by its suffix or otherwise; None where it does not."""
    plain = uncompressed_name(path)
    claimed = (name for name, row in FORMATS.items() if row.claims(str(path)))
    by_suffix = (name for name, row in FORMATS.items() if row.suffixes and plain.endswith(row.suffixes))
    return next(claimed, None) or next(by_suffix, None)


def files_of(path: str | PathLike[str], format: str, notes: Notes | None = None) -> list[Path]:
    """The files that a path stands for: itself, or those of a directory; ``notes`` takes what is left out.

    Raises:
        CorpusError: it does not exist, is a directory of no treebank, or has no such sections.
    """
    try:
        if (find := FORMATS[format].files) is not None:
            return find(str(path), Notes() if notes is None else notes)
        if (file := existing(path)).is_dir():
            raise CorpusError(f"a directory, expected a file in format {format}", path=path)
        return [file]
    except OSError as error:
        raise unreadable(str(path), error) from error


def _some(files: Iterable[Iterator[Sentence]], path: str, notes: Notes) -> Iterator[Sentence]:
    """The sentences of all files; where refusals are collected, what ends a file does not end the reading."""
    empty, refused = True, notes.refusals
    for sentences in files:
        try:
            for sentence in sentences:
                empty = False
                tell_unseen(sentence, notes)
                yield sentence
        except CorpusError as error:
            notes.take(error)
    if empty and notes.refusals == refused:
        notes.refuse("no sentence in it, expected at least one", path=path, line=0)
