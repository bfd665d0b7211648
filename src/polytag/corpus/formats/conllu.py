"""CoNLL-U, the columns of Universal Dependencies: words, and tags from any column, MISC or FEATS.

Where the first line is "# global.columns = ID FORM ...", as in CoNLL-U Plus and PARSEME's .cupt, it names the columns.

Ranges (3-4) and empty nodes (5.1) are no words here; they and comments are kept when tags are written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from polytag.corpus.answers import InColumns
from polytag.corpus.formats.conllu_columns import (
    COLUMNS,
    KEYED,
    OTHER_ID,
    REPLACED,
    UNESCAPES,
    Place,
    check_targets,
    columns_in,
    head_of,
    index_of,
    is_key,
    place,
    target,
    translated,
    value_of,
    with_key,
)
from polytag.corpus.formats.conllu_flat import flat
from polytag.corpus.formats.format import Cut, Format
from polytag.corpus.formats.lines import check_words
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import BLANKS, Layout, Line, original, paragraphs, tag_rows
from polytag.errors import CorpusError, counted, nearest

SURVEYED = ("upos", "xpos", "deprel")  # columns that hold tags rather than forms, numbers or lists

Row = tuple[Line, list[str]]


@dataclass(frozen=True, slots=True)
class ConlluBlock(InColumns):
    """A sentence with its comments, or a blank line; tags go to UPOS, XPOS, another named column, or MISC."""

    lines: Sequence[Line]
    sentence: Sentence | None
    layout: Layout

    def render(self, tags: Mapping[str, Sequence[str]]) -> str:
        if not tags or self.sentence is None:
            return original(self.lines)
        places = [place(target(task, self.layout), self.layout) for task in tags]
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
    lines, layout = _headed(iter(lines), layout)
    bare = {task: str(name) for task, name in layout.tags.items() if is_key(name, layout)}
    misc = index_of("misc", layout) if bare else 0
    places = {task: (misc, bare[task]) if task in bare else place(name, layout) for task, name in layout.tags.items()}
    return _sentences(lines, layout, places, bare.values())


def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[ConlluBlock]:
    """All lines in order, as blocks to tag.

    Raises:
        CorpusError: ``layout.columns`` names no column; while reading: a line is no CoNLL-U.
    """
    check_targets(layout)
    return _blocks(iter(lines), layout)


def _blocks(lines: Iterator[Line], layout: Layout) -> Iterator[ConlluBlock]:
    lines, layout = _headed(lines, layout)
    for run in paragraphs(lines):
        yield ConlluBlock(run, sentence(rows(run, layout), layout, {}), layout)


def _headed(lines: Iterator[Line], layout: Layout) -> tuple[Iterator[Line], Layout]:
    """The same lines, and what the first says of the columns, which an earlier piece may have said."""
    if layout.head:
        return lines, layout
    first = list(islice(lines, 1))
    return chain(first, lines), replace(layout, head=head_of(first[0].text) if first else "")


def rows(run: Iterable[Line], layout: Layout) -> list[Row]:
    """The words of one sentence, each as its line and its ten columns.

    Raises:
        CorpusError: a line has not ten columns or no form, or its id does not follow.
    """
    words: list[Row] = []
    names = columns_in(layout.head)
    has_ids, ids = "id" in names, names.index("id") if "id" in names else 0
    for line in run:
        if line.text.startswith("#") or not line.text.strip(BLANKS):
            continue
        columns = line.text.rstrip(BLANKS).split("\t")
        if problem := _problem(columns, len(words) + 1, layout):
            raise CorpusError(problem, path=layout.source, line=line.number)
        if not has_ids or not OTHER_ID.fullmatch(columns[ids]):
            words.append((line, columns))
    return words


def sentence(words: Sequence[Row], layout: Layout, places: Mapping[str, Place]) -> Sentence | None:
    """The sentence of the words with their tags; None if there are no words."""
    if not words:
        return None
    tags = {task: tuple(map(_tag_reader(wanted, layout), words)) for task, wanted in places.items()}
    form = index_of("form", layout)
    forms = tuple(columns[form] for _, columns in words)
    return Sentence(forms, tags, tuple(line.number for line, _ in words), layout.source)


def recognises(first: Sequence[str]) -> bool:
    """Whether a text begins with the names of its columns, or its first word has ten and the number 1."""
    row = next((text for text in first if text.strip(BLANKS) and text[0] != "#"), "").split("\t")
    is_first = len(row) == len(COLUMNS) and row[0].partition("-")[0] == "1"
    return is_first or head_of("".join(first[:1])) != ""


def columns(lines: Iterable[Line], layout: Layout) -> list[str]:
    """Those of upos, xpos and deprel that some words have, and of those that are none of CoNLL-U's ten."""
    lines, layout = _headed(iter(lines), layout)
    names, found = columns_in(layout.head), set[str]()
    surveyed = [name for name in names if name in SURVEYED or name not in COLUMNS]
    for line in lines:
        cells = line.text.split("\t")
        if len(cells) == len(names) and not line.text.startswith("#"):
            found |= {name for name in surveyed if cells[names.index(name)] not in ("_", "")}
            if len(found) == len(surveyed):
                break
    return [name for name in surveyed if name in found]


def _sentences(
    lines: Iterable[Line], layout: Layout, places: Mapping[str, Place], bare: Iterable[str]
) -> Iterator[Sentence]:
    unchecked = set(bare)
    for run in paragraphs(lines):
        try:
            words = rows(run, layout)
            found = sentence(words, layout, places)
            if found is not None:
                _check_keys(unchecked, words, layout)
        except CorpusError as error:
            layout.notes.take(error)
            continue
        if found is not None:
            unchecked = set()
            yield found


def _check_keys(wanted: Iterable[str], words: Sequence[Row], layout: Layout) -> None:
    """See to it that a sentence has the keys, so that a name that is mistyped is not read as O everywhere."""
    misc = index_of("misc", layout) if wanted else 0
    keys = dict.fromkeys(entry.partition("=")[0] for _, columns in words for entry in columns[misc].split("|"))
    known = [*(name for name in columns_in(layout.head) if name != "id"), *(key for key in keys if key != "_")]
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


def _problem(columns: list[str], expected: int, layout: Layout) -> str:
    """What is wrong with a line, or nothing."""
    names = columns_in(layout.head)
    if len(columns) != len(names):
        return f"{counted(len(columns), 'column')}, expected {len(names)} parted by tabs"
    if not columns[index_of("form", layout)].strip(BLANKS):
        return "an empty FORM, expected a word"
    if "id" not in names:
        return ""
    word_id = columns[names.index("id")]
    if word_id == str(expected) or OTHER_ID.fullmatch(word_id):
        return ""
    return f"id '{word_id}', expected {expected}"


def _tag_reader(wanted: Place, layout: Layout) -> Callable[[Row], str]:
    index, key = wanted
    names = columns_in(layout.head)
    name, misc = names[index], names.index("misc") if "misc" in names else None

    def whole(row: Row) -> str:
        line, columns = row
        if columns[index] not in ("_", ""):
            return columns[index]
        # A task may have the name of a column that it does not fill, such as lemma.
        written = None if misc is None or misc == index else value_of(columns[misc], name)
        if written is None and name not in KEYED:
            raise CorpusError(f"no tag in column {name.upper()}, expected one", path=layout.source, line=line.number)
        return columns[index] if written is None else translated(written, UNESCAPES)

    def keyed(row: Row) -> str:
        value = value_of(row[1][index], key)
        if value is None:
            return "O"
        return translated(value, UNESCAPES) if index == misc else value

    return keyed if key else whole


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


FORMAT = Format(
    "conllu",
    sentences,
    blocks,
    flat,
    cut=Cut(True, 1 << 19),
    head=head_of,
    writers={"conllu": written},
    suffixes=(".conllu", ".conllup", ".cupt"),
    columns=columns,
    recognises=recognises,
    usual_tag="upos",
    fills=REPLACED,
)
