"""CoNLL-U, the ten columns of Universal Dependencies: words, and tags from any column, MISC or FEATS.

Ranges (3-4) and empty nodes (5.1) are no words here; they and comments are kept when tags are written.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from polytag.corpus.formats.format import Cut, Format
from polytag.corpus.formats.lines import check_words
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import BLANKS, Layout, Line, original, paragraphs, tag_rows
from polytag.errors import CorpusError, nearest

COLUMNS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
KEYED = ("feats", "misc")  # columns of KEY=VALUE, in which _ says that there is none
REPLACED = ("upos", "xpos")  # columns that a task of that name fills; tags of other tasks go to MISC

_FORM, _MISC = 1, 9
_OTHER_ID = re.compile(r"[1-9][0-9]*-[1-9][0-9]*|[0-9]+\.[1-9][0-9]*")
# A bar parts the entries of MISC, so a tag that holds one (N|soort|ev) is written as UDPipe writes bars in MISC.
_ESCAPES = {"\\": "\\\\", "|": "\\p", " ": "\\s", "\t": "\\t"}
_UNESCAPES = {escape: plain for plain, escape in _ESCAPES.items()}

Row = tuple[Line, list[str]]
Place = tuple[int, str]  # index of the column, and the key in it or nothing


@dataclass(frozen=True, slots=True)
class ConlluBlock:
    """A sentence with its comments, or a blank line; tags go to UPOS, XPOS, another named column, or MISC."""

    lines: Sequence[Line]
    sentence: Sentence | None
    layout: Layout

    def render(self, tags: Mapping[str, Sequence[str]]) -> str:
        if not tags or self.sentence is None:
            return original(self.lines)
        places = [place(_target(task, self.layout), self.layout) for task in tags]
        new = dict(zip(self.sentence.lines, tag_rows(tags, self.sentence), strict=True))
        return "".join(
            _filled(line, places, new[line.number]) if line.number in new else line.text + line.end
            for line in self.lines
        )


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """Sentences with tags from the named columns; an absent ``misc.KEY`` or ``feats.KEY`` is O.

    A name of no column is a key of MISC, as ``render`` writes the tags of a task; the first sentence must have it.

    Raises:
        CorpusError: no column has that name; while reading: a line is no CoNLL-U, a wanted tag is ``_``, or the first
            sentence has no such key.
    """
    bare = {task: str(name) for task, name in layout.tags.items() if _is_key(name)}
    places = {task: (_MISC, bare[task]) if task in bare else place(name, layout) for task, name in layout.tags.items()}
    return _sentences(lines, layout, places, bare.values())


def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[ConlluBlock]:
    """All lines in order, as blocks to tag.

    Raises:
        CorpusError: ``layout.columns`` names no column; while reading: a line is no CoNLL-U.
    """
    for name in layout.columns.values():
        place(name, layout)
    return (ConlluBlock(run, sentence(rows(run, layout), layout, {}), layout) for run in paragraphs(lines))


def place(name: int | str, layout: Layout) -> Place:
    """Where a column stands: 'upos', 'misc.KEY', 'feats.KEY', or a number from 0.

    Raises:
        CorpusError: no column has that name.
    """
    column, _, key = str(name).partition(".")
    column = COLUMNS[int(column)] if column.isdecimal() and int(column) < len(COLUMNS) else column.lower()
    if column not in COLUMNS or (key and column not in KEYED):
        known = nearest(column, [*COLUMNS, "misc.KEY", "feats.KEY"])
        raise CorpusError(f"CoNLL-U has no column '{name}', expected one of its columns{known}", path=layout.source)
    return COLUMNS.index(column), key


def rows(run: Iterable[Line], layout: Layout) -> list[Row]:
    """The words of one sentence, each as its line and its ten columns.

    Raises:
        CorpusError: a line has not ten columns or no form, or its id does not follow.
    """
    words: list[Row] = []
    for line in run:
        if line.text.startswith("#") or not line.text.strip(BLANKS):
            continue
        columns = line.text.rstrip(BLANKS).split("\t")
        if problem := _problem(columns, len(words) + 1):
            raise CorpusError(problem, path=layout.source, line=line.number)
        if not _OTHER_ID.fullmatch(columns[0]):
            words.append((line, columns))
    return words


def sentence(words: Sequence[Row], layout: Layout, places: Mapping[str, Place]) -> Sentence | None:
    """The sentence of the words with their tags; None if there are no words."""
    if not words:
        return None
    tags = {task: tuple(map(_tag_reader(wanted, layout), words)) for task, wanted in places.items()}
    forms = tuple(columns[_FORM] for _, columns in words)
    return Sentence(forms, tags, tuple(line.number for line, _ in words), layout.source)


def with_key(column: str, key: str, value: str) -> str:
    """A column of KEY=VALUE with one key set: in its old place, or at the end."""
    entries = [] if column == "_" else column.split("|")
    entry = f"{key}={_translated(value, _ESCAPES)}"
    old = [number for number, text in enumerate(entries) if text.partition("=")[0] == key]
    if not old:
        return "|".join([*entries, entry])
    entries[old[0]] = entry
    return "|".join(text for number, text in enumerate(entries) if number not in old[1:])


def _sentences(
    lines: Iterable[Line], layout: Layout, places: Mapping[str, Place], bare: Iterable[str]
) -> Iterator[Sentence]:
    unchecked = set(bare)
    for run in paragraphs(lines):
        words = rows(run, layout)
        found = sentence(words, layout, places)
        if found is not None:
            _check_keys(unchecked, words, layout)
            unchecked = set()
            yield found


def _is_key(name: int | str) -> bool:
    """Whether a name is neither a number nor one of a column, nor of a key in a named column."""
    column = str(name).partition(".")[0]
    return not str(name).removeprefix("-").isdecimal() and column.lower() not in COLUMNS


def _check_keys(wanted: Iterable[str], words: Sequence[Row], layout: Layout) -> None:
    """See to it that a sentence has the keys, so that a name that is mistyped is not read as O everywhere."""
    keys = dict.fromkeys(entry.partition("=")[0] for _, columns in words for entry in columns[_MISC].split("|"))
    known = [*COLUMNS[_FORM:], *(key for key in keys if key != "_")]
    for name in wanted:
        if name not in keys:
            raise CorpusError(
                f"no tags '{name}', expected one of {', '.join(known)}, or misc.KEY or feats.KEY for one that some "
                f"words have{_meant(name, known)}",
                path=layout.source,
                line=words[0][0].number,
            )


def _meant(name: str, known: Iterable[str]) -> str:
    hint = nearest(name, known)
    return hint if "did you mean" in hint else ""


def _problem(columns: list[str], expected: int) -> str:
    """What is wrong with a line, or nothing."""
    if len(columns) != len(COLUMNS):
        return f"{len(columns)} column{'s' if len(columns) != 1 else ''}, expected {len(COLUMNS)} parted by tabs"
    if not columns[_FORM].strip(BLANKS):
        return "an empty FORM, expected a word"
    word_id = columns[0]
    if word_id == str(expected) or _OTHER_ID.fullmatch(word_id):
        return ""
    return f"id '{word_id}', expected {expected}"


def _tag_reader(wanted: Place, layout: Layout) -> Callable[[Row], str]:
    index, key = wanted
    name = COLUMNS[index]

    def whole(row: Row) -> str:
        line, columns = row
        if columns[index] not in ("_", ""):
            return columns[index]
        # A task may have the name of a column that it does not fill, such as lemma.
        written = None if index == _MISC else _value(columns[_MISC], name)
        if written is None and name not in KEYED:
            raise CorpusError(f"no tag in column {name.upper()}, expected one", path=layout.source, line=line.number)
        return columns[index] if written is None else _translated(written, _UNESCAPES)

    def keyed(row: Row) -> str:
        value = _value(row[1][index], key)
        if value is None:
            return "O"
        return _translated(value, _UNESCAPES) if index == _MISC else value

    return keyed if key else whole


def _value(column: str, key: str) -> str | None:
    """The value of a key in a column of KEY=VALUE; None where it has none."""
    for entry in column.split("|"):
        found, _, value = entry.partition("=")
        if found == key and value:
            return value
    return None


def _translated(text: str, table: Mapping[str, str]) -> str:
    if not any(found in text for found in table):
        return text
    return re.sub("|".join(map(re.escape, table)), lambda match: table[match[0]], text)


def _target(task: str, layout: Layout) -> str:
    return layout.columns.get(task) or (task if task in REPLACED else f"misc.{task}")


def _filled(line: Line, places: Sequence[Place], tags: Sequence[str]) -> str:
    columns = line.text.rstrip(BLANKS).split("\t")
    for (index, key), tag in zip(places, tags, strict=True):
        columns[index] = with_key(columns[index], key, tag) if key else tag
    return "\t".join(columns) + line.end


def written(sentence: Sentence) -> str:
    """Ten columns; tasks named upos and xpos fill these columns, the others a key of MISC each.

    Raises:
        ValueError: a word or tag is empty or holds a tab or a line end, or is blanks only.
    """
    check_words(chain(sentence.words, *sentence.tags.values()), forbidden="\t\r\n\0")
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


CONLLU = Format("conllu", sentences, blocks, cut=Cut(True, 1 << 19), writers={"conllu": written}, suffixes=(".conllu",))
