"""OntoNotes as in CoNLL-2012: a word per line in many columns, "#begin document" and "#end document" around documents.

Tags are 'pos', or 'ner' of the column in which brackets mark names: ``(PERSON*``, ``*``, ``*)``, ``(GPE)``.
"""

from collections.abc import Iterable, Iterator, Sequence

from polytag.corpus.formats.column_shape import Shape
from polytag.corpus.formats.column_shape import split as cells
from polytag.corpus.formats.conll import ColumnBlock
from polytag.corpus.formats.format import Cut, Format
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import BLANKS, Layout, Line, paragraphs
from polytag.errors import CorpusError, counted, nearest

WORD = 3
PLACES = {"pos": 4, "ner": 10}
LEAST = 12  # columns: those of predicates, of which a sentence has any number, stand before the last, coreference


def sentences(lines: Iterable[Line], layout: Layout) -> Iterator[Sentence]:
    """Sentences with their parts of speech, or with IOB2 tags of their names.

    Raises:
        CorpusError: tags other than 'pos' and 'ner' are wanted; while reading: a line has too few columns, or brackets
            do not match.
    """
    for task, place in layout.tags.items():
        if place not in PLACES:
            message = f"tags of '{task}' are '{place}', expected pos or ner{nearest(str(place), PLACES)}"
            raise CorpusError(message, path=layout.source)
    return (block.sentence for block in blocks(lines, layout) if block.sentence)


def blocks(lines: Iterable[Line], layout: Layout) -> Iterator[ColumnBlock]:
    """All lines in order, as blocks to tag; the tags become the last columns.

    Raises:
        CorpusError: while reading, as `sentences`.
    """
    for run in paragraphs(lines, alone=lambda text: text.startswith("#")):
        has_words = run[0].text.strip(BLANKS) != "" and not run[0].text.startswith("#")
        yield ColumnBlock(run, _sentence(run, layout) if has_words else None, Shape(False, LEAST))


def _sentence(run: Sequence[Line], layout: Layout) -> Sentence | None:
    """The sentence of some lines; None if it was refused."""
    rows = [cells(line.text) for line in run]
    for line, row in zip(run, rows, strict=True):
        if len(row) < LEAST:
            message = f"{counted(len(row), 'column')}, expected at least {LEAST} as OntoNotes has"
            layout.notes.refuse(message, path=layout.source, line=line.number)
            return None
    try:
        tags = {task: _tags(run, rows, str(place), layout) for task, place in layout.tags.items()}
    except CorpusError as error:
        layout.notes.take(error)
        return None
    return Sentence(tuple([row[WORD] for row in rows]), tags, tuple([line.number for line in run]), layout.source)


def _tags(run: Sequence[Line], rows: Sequence[Sequence[str]], place: str, layout: Layout) -> tuple[str, ...]:
    column = [row[PLACES[place]] for row in rows]
    if place == "pos":
        return tuple(column)
    tags, type_ = list[str](), ""
    for line, cell in zip(run, column, strict=True):
        opens, closes = cell.startswith("("), cell.endswith(")")
        if opens == bool(type_) and (opens or closes):
            message = f"'{cell}' {'within' if type_ else 'without'} a name, expected brackets around names"
            raise CorpusError(message, path=layout.source, line=line.number)
        begun = cell.strip("(*)")
        tags.append(f"B-{begun}" if opens else f"I-{type_}" if type_ else "O")
        type_ = "" if closes else begun if opens else type_
    if type_:
        message = f"a name of type {type_} is never closed, expected '*)'"
        raise CorpusError(message, path=layout.source, line=run[-1].number)
    return tuple(tags)


FORMAT = Format(
    "ontonotes",
    sentences,
    blocks,
    cut=Cut(True, 1 << 17),
    suffixes=(".v4_gold_conll", ".v4_auto_conll", ".gold_conll", ".auto_conll"),
    columns=lambda *_: list(PLACES),
    usual_tag="ner",
    recognises=lambda first: "".join(first[:1]).startswith("#begin document"),
)
