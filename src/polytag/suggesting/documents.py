"""Suggestions as one document, a sentence on each line: for brat and INCEpTION, which know no records."""

from collections.abc import Iterator, Sequence
from itertools import accumulate

from polytag.corpus.sentence import CharSpan
from polytag.errors import PolytagError
from polytag.suggesting.suggestion import Suggestion
from polytag.tagger.request import Request

GAP = "\n\n"  # a blank line ends a sentence, whatever it ends with


def text_of(suggestions: Sequence[Suggestion]) -> str:
    """The text of all, each on one line."""
    return GAP.join(map(_line, suggestions)) + "\n"


def spans_of(suggestions: Sequence[Suggestion], task: str, *, request: Request) -> Iterator[CharSpan]:
    """The spans of a task as characters of `text_of`."""
    for start, one in zip(_starts(suggestions), suggestions, strict=True):
        for _, at in one.spans(task, request=request):
            yield CharSpan(start + at.start, start + at.end, at.type)


def words_of(suggestions: Sequence[Suggestion]) -> Iterator[list[tuple[int, int]]]:
    """Where the words of each sentence stand in `text_of`."""
    for start, one in zip(_starts(suggestions), suggestions, strict=True):
        yield [(start + begin, start + end) for begin, end in one.candidate.offsets]


def brat(suggestions: Sequence[Suggestion], tasks: Sequence[str], request: Request) -> str:
    """The lines of brat's x.ann beside x.txt.

    Raises:
        PolytagError: a type has a blank in it, which brat's have not.
    """
    text, lines = text_of(suggestions), list[str]()
    for number, (start, end, kind) in enumerate(spans_of(suggestions, tasks[0], request=request), 1):
        if len(kind.split()) != 1:
            raise PolytagError(f"brat has no types with blanks, found {kind!r}, expected it without, or another format")
        lines.append(f"T{number}\t{kind} {start} {end}\t{text[start:end]}\n")
    return "".join(lines)


def inception(suggestions: Sequence[Suggestion], tasks: Sequence[str], request: Request) -> str:
    """UIMA CAS XMI: spans are of the layer Named Entity, tags of single words of the layer Part of Speech.

    Raises:
        PolytagError: dkpro-cassis is not installed.
    """
    from polytag.corpus.formats.inception import written

    is_spans = all(tasks[0] in one.tagged.predicted_spans for one in suggestions)
    spans = spans_of(suggestions, tasks[0], request=request)
    return written(text_of(suggestions), words_of(suggestions), spans, marks_spans=is_spans)


def _line(one: Suggestion) -> str:
    """The text without line ends, each of which becomes a blank: offsets stay."""
    return one.candidate.text.translate({ord("\r"): " ", ord("\n"): " "})


def _starts(suggestions: Sequence[Suggestion]) -> list[int]:
    sizes = (len(one.candidate.text) + len(GAP) for one in suggestions)
    return list(accumulate(sizes, initial=0))[:-1]
