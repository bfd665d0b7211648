"""brat's standoff: a text (x.txt), and beside it a file of annotations (x.ann) that count its characters.

T1	PER 0 4	Olga
T2	LOC 14 18;23 27	Lima Peru

Entities and triggers of events (T) are read; what else there is (events, relations, attributes, notes) says nothing of
words. A text is split into sentences as raw text is. The path of a corpus is an .ann file, or a directory of them; both
files may be gzip (x.ann.gz).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from polytag.corpus.formats.format import Format
from polytag.corpus.formats.record import Record
from polytag.corpus.formats.records import Document, Placed, columns_among, refusing, sentences_of, spans_alone
from polytag.corpus.notes import Notes
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import BLANKS, Layout, Line, Lines, existing, original
from polytag.errors import CorpusError

KINDS = "TERAMN*#"  # entities and triggers, events, relations, attributes, normalisations, equivalences, notes

_ENTITY = re.compile(r"T\S*\t(\S+)[ \t](\d{1,12} \d{1,12}(?:;\d{1,12} \d{1,12})*)(?:\t(.*))?")

Fragment = tuple[int, int]


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """The sentences of the text beside the annotations, with IOB2 tags for its entities.

    Raises:
        CorpusError: other tags are wanted; while reading, there is no such text, a line is no annotation, or its spans
            are impossible.
    """
    return sentences_of(_records(lines, layout), spans_alone(layout))


def columns(lines: Iterable[Line], layout: Layout) -> list[str]:
    """'spans'."""
    return columns_among(_records(lines, layout))


def _records(lines: Iterable[Line], layout: Layout) -> Iterator[Placed]:
    text_file = _beside(layout.source, ".txt")
    if not text_file.is_file():
        raise CorpusError(f"no text {text_file.name} beside it, expected what it annotates", path=layout.source)
    text = original(Lines(text_file, encoding=layout.encoding, notes=layout.notes))
    spans = list[Record]()
    for line in lines:
        with refusing(layout, Placed(line.number, {})):
            if line.text.startswith("T"):
                spans.append(_span(line.text, text))
            elif line.text.strip(BLANKS) and line.text[0] not in KINDS:
                raise ValueError(f"found {line.text[:20]!r}, expected an annotation that begins with one of {KINDS}")
    yield Placed(0, {"text": text, "spans": spans}, Document(str(text_file), has_lines=True))


def _span(line: str, text: str) -> Record:
    found = _ENTITY.fullmatch(line)
    if found is None:
        raise ValueError(f"found {line[:60]!r}, expected 'T1', a tab, a type, a start and an end, a tab, and the text")
    kind, places, own = found.groups()
    fragments = _joined([(int(start), int(end)) for start, end in map(str.split, places.split(";"))], text)
    (start, _), (_, end) = fragments[0], fragments[-1]
    whole = {"start": start, "end": end, "label": kind, "name": line.partition("\t")[0]}
    return {**whole, "text": own} if len(fragments) == 1 else {**whole, "fragments": fragments}


def _joined(fragments: Sequence[Fragment], text: str) -> list[Fragment]:
    """In order, those with nothing but blanks between them as one: brat parts spans at the end of a line."""
    joined = list[Fragment]()
    for start, end in sorted(fragments):
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _beside(path: str | Path, suffix: str) -> Path:
    """The other file of a pair, packed if only that is there."""
    plain = Path(str(path).removesuffix(".gz")).with_suffix(suffix)
    packed = plain.with_name(f"{plain.name}.gz")
    return packed if packed.is_file() and not plain.is_file() else plain


def files(path: str, notes: Notes) -> list[Path]:
    """All annotations in a directory, in the order of their names; the one file, or the one beside a text.

    Texts without annotations are told: nobody has said that there is nothing in them.

    Raises:
        CorpusError: there is no such file, or there are none.
    """
    if not existing(path).is_dir():
        return [existing(_beside(path, ".ann") if path.removesuffix(".gz").endswith(".txt") else path)]
    found = _of_suffix(path, ".ann")
    if not found:
        raise CorpusError("a directory without *.ann files, expected annotations of brat", path=path)
    for text in _of_suffix(path, ".txt"):
        if not (missing := _beside(text, ".ann")).is_file():
            notes.tell("no annotations", f"{text.name} is left out: no {missing.name} is beside it", path=path)
    return found


def _of_suffix(directory: str, suffix: str) -> list[Path]:
    return sorted(path for end in (suffix, f"{suffix}.gz") for path in Path(directory).rglob(f"*{end}"))


def claims(path: str) -> bool:
    """Whether a directory holds annotations."""
    return Path(path).is_dir() and bool(_of_suffix(path, ".ann"))


FORMAT = Format("brat", sentences, suffixes=(".ann",), columns=columns, files=files, claims=claims)
