"""A corpus from one format to another, sentence by sentence; the target appears whole or not at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, pairwise
from os import PathLike
from pathlib import Path

from polytag.compressed import uncompressed_name
from polytag.corpus.documents import format_of, read
from polytag.corpus.formats import FORMATS, WRITERS
from polytag.corpus.formats.column_shape import DOCSTART
from polytag.corpus.formats.jsonl import AS_SPANS
from polytag.corpus.labels import Labels
from polytag.corpus.notes import Notes
from polytag.corpus.offsets import as_scored
from polytag.corpus.schemes import check_spans, convert_tags, problems
from polytag.corpus.sentence import Sentence
from polytag.corpus.tag_rules import EDGE, OUTSIDE, UNKNOWN, begins, parse_any
from polytag.errors import CorpusError, nearest
from polytag.files import atomic_write
from polytag.tag_schemes import SCHEMES, scheme_name
from polytag.tokenisers import UNICODE

PLAIN = "plain"
AUTO = "auto"  # a source's span tags may be in any scheme, or in several
# Which tell what is written, before .gz if that is there; .txt may be anything.
SUFFIXES = {
    suffix: suffix[1:] if suffix[1:] in row.writers else name
    for name, row in FORMATS.items()
    if row.writers
    for suffix in row.suffixes
}


def convert(
    source: str | PathLike[str],
    target: str | PathLike[str],
    *,
    format: str = "auto",
    target_format: str = "auto",
    word: int | str = 0,
    tags: Mapping[str, int | str] = {},
    scheme: str | Mapping[str, str] = "",
    outside: str | Mapping[str, str] = "O",
    map: Mapping[str, str] = {},
    source_scheme: str | Mapping[str, str] = AUTO,
    encoding: str = "auto",
    tokeniser: str = UNICODE,
    notes: Notes | None = None,
) -> int:
    """Write the sentences of ``source`` to ``target`` (gzip if it ends in .gz) and return how many there were.

    The target holds the words and the tags of the tasks in ``tags``, in that order; it is UTF-8. -DOCSTART- lines come
    along from conll to conll.

    Args:
        source: as for ``read``, like ``format``, ``word``, ``tags``, ``encoding``, ``tokeniser`` and ``notes``.
        target: the file to make, another than the source.
        target_format: a key of ``WRITERS``; "auto" goes by the suffix, which must be one of ``SUFFIXES``.
        scheme: one tag scheme for all tasks, or one for each task named; the others keep their tags as they are.
        outside: the source's tag of words in no span, where it is not O, for all tasks or for each task named.
        map: types of spans, or plain tags, of the source to those of the target; to O where it shall have none.
        source_scheme: as ``scheme``, of the tags of the source. "auto" reads span tags of any scheme, "plain" labels
            of single words (equal labels side by side become one span), any other sees to it that tags are in it.

    Raises:
        CorpusError: the source cannot be read, or something in it cannot be written in the format or the scheme.
        PlanError: no scheme has this name.
        PolytagError: the target cannot be written. Whatever the error, the target is then as it was.
    """
    _check_files(source, target, format)
    name = target_format if target_format in WRITERS else _target_format(target, target_format)
    schemes, before = _for_each(scheme, tags, source), _for_each(source_scheme, tags, source)
    documents = name in FORMATS and FORMATS[name].has_documents
    own = dict.fromkeys(tags, outside) if isinstance(outside, str) else _named(outside, tags, "an outside tag", source)
    if map and not tags:
        raise CorpusError(f"a map of labels ({', '.join(map)}), and no tags, expected some", path=source)
    sentences = read(
        source,
        format=format,
        word=word,
        tags=tags,
        encoding=encoding,
        docstart=documents,
        tokeniser=tokeniser,
        labels={task: Labels(own.get(task, "O"), map, before.get(task) == PLAIN) for task in tags},
        notes=notes,
    )
    # A source that is not there, empty or malformed at the start is told before anything is written.
    first_sentence = next(sentences)
    labels = {task for task in tags if (schemes.get(task) or before.get(task)) == PLAIN}
    writer = partial(WRITERS[name], labels=labels) if name == AS_SPANS else WRITERS[name]
    with atomic_write(target) as file:
        count = 0
        for sentence in chain([first_sentence], sentences):
            file.write(_written(_in_schemes(sentence, before, schemes), writer))
            count += sentence.words != (DOCSTART,)
    return count


def _target_format(target: str | PathLike[str], format: str) -> str:
    """The format to write, by the suffix of the file; what is read as another is not guessed at."""
    name = format_of(target, format)
    suffix = Path(uncompressed_name(target)).suffix
    if name not in WRITERS:
        raise CorpusError(f"no corpus is written as {name}{nearest(name, WRITERS)}", path=target)
    if suffix not in SUFFIXES:
        found = f"the suffix {suffix} does not tell" if suffix else "no suffix tells"
        raise CorpusError(
            f"{found} how to write it, expected one of {', '.join(SUFFIXES)}, or the format by --to "
            f"({', '.join(WRITERS)})",
            path=target,
        )
    return SUFFIXES[suffix]


def _check_files(source: str | PathLike[str], target: str | PathLike[str], format: str) -> None:
    """Nothing is read where nothing could be written: what is left out of a target must still be in its source."""
    path = Path(source)
    if path.is_dir() and FORMATS[format_of(source, format)].files is None:
        raise CorpusError("is a directory, expected a file", path=source)
    if path.exists() and Path(target).exists() and path.samefile(target):
        raise CorpusError("is the file to convert and its target, expected two files", path=source)


def _for_each(
    scheme: str | Mapping[str, str], tags: Mapping[str, int | str], source: str | PathLike[str]
) -> dict[str, str]:
    """The scheme of each task that has one, checked."""
    schemes = dict.fromkeys(tags, scheme) if isinstance(scheme, str) else _named(scheme, tags, "a scheme", source)
    return {task: name if name == AUTO else scheme_name(name) for task, name in schemes.items() if name}


def _named(
    given: Mapping[str, str], tags: Mapping[str, int | str], what: str, source: str | PathLike[str]
) -> Mapping[str, str]:
    """What is given for some tasks, each of which there must be."""
    if unknown := set(given) - set(tags):
        first = min(unknown)
        raise CorpusError(f"{what} for '{first}', which has no tags{nearest(first, tags)}", path=source)
    return given


def _in_schemes(sentence: Sentence, before: Mapping[str, str], after: Mapping[str, str]) -> Sentence:
    changed = {}
    for task, name in before.items():
        if name not in (AUTO, PLAIN):
            _check_scheme(sentence, task, name)
    for task, name in after.items():
        if before.get(task) == PLAIN:
            changed[task] = sentence.tags[task] if name == PLAIN else _from_labels(sentence, task, name)
        else:
            changed[task] = _as_spans(sentence, task, name)
    return replace(sentence, tags={**sentence.tags, **changed})


def _as_spans(sentence: Sentence, task: str, scheme: str) -> tuple[str, ...]:
    """The tags of spans in a scheme, or the types of their words; words that misfits touch stay unknown."""
    known = as_scored(sentence, task)
    check_spans(known, task)
    if not SCHEMES[scheme].separates:
        _refuse_touching(known, task, scheme)
    tags = _as_labels(known, task) if scheme == PLAIN else convert_tags(known.tags[task], scheme)
    return tuple([UNKNOWN if old == UNKNOWN else new for old, new in zip(sentence.tags[task], tags, strict=True)])


def _check_scheme(sentence: Sentence, task: str, scheme: str) -> None:
    for position, problem in problems(sentence.tags[task], scheme):
        raise _error(sentence, position, f"tag of '{task}' {problem}")


def _from_labels(sentence: Sentence, task: str, scheme: str) -> tuple[str, ...]:
    """Labels of single words as spans: those side by side that are equal are one."""
    labels: Sequence[str] = sentence.tags[task]
    if UNKNOWN in labels:
        raise _error(
            sentence, labels.index(UNKNOWN), f"label '{UNKNOWN}' of '{task}' is unknown, expected a label or O"
        )
    return convert_tags([label if label in OUTSIDE else f"I-{label}" for label in labels], scheme)


def _as_labels(sentence: Sentence, task: str) -> tuple[str, ...]:
    """Spans as the types of their words."""
    return tuple("O" if here.role == "O" else here.type for here in map(parse_any, sentence.tags[task]))


def _refuse_touching(sentence: Sentence, task: str, scheme: str) -> None:
    """See to it that no span touches another of its type, which a scheme could not tell apart."""
    around = [EDGE, *map(parse_any, sentence.tags[task])]
    for position, (before, here) in enumerate(pairwise(around)):
        if before.role != "O" and before.type == here.type and begins(before, here):
            message = f"a span of '{task}' begins right after another of type {here.type}"
            labels = "plain labels" if scheme == PLAIN else scheme.upper()
            raise _error(sentence, position, f"{message}, which {labels} cannot tell apart; expected another scheme")


def _written(sentence: Sentence, writer: Callable[..., str]) -> str:
    try:
        return writer(sentence)
    except ValueError as error:
        able = ", ".join(name for name, other in WRITERS.items() if _holds(other, sentence))
        expected = f", expected a target in one of {able}" if able else ""
        raise _error(sentence, 0, f"{error}{expected}") from error


def _holds(writer: Callable[..., str], sentence: Sentence) -> bool:
    """Whether a format has a place for all of a sentence."""
    try:
        writer(sentence)
    except (ValueError, CorpusError):
        return False
    return True


def _error(sentence: Sentence, position: int, message: str) -> CorpusError:
    return CorpusError(message, path=sentence.source, line=sentence.lines[position] if sentence.lines else 0)
