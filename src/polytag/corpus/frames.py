"""Sentences as tables of pandas, which is loaded when it is first wanted and is no dependency."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from polytag.corpus.marked import known_spans, marks_spans
from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError, nearest

if TYPE_CHECKING:
    import pandas

Row = dict[str, Any]


def to_frame(sentences: Iterable[Sentence], *, by: str = "words", task: str | None = None) -> "pandas.DataFrame":
    """Sentences as a table of pandas.

    Args:
        sentences: annotated or tagged ones.
        by: what a row is. ``"words"``: number of the sentence, word, its ``start`` and ``end`` where it stands in a
            text, and for each task its tag and, where known, under ``TASK_probability`` how probable that is.
            ``"spans"``: number of the sentence, task, type, text, first word and the word after the last, characters,
            probability. ``"sentences"``: lists of words and, by task, of tags, as `polytag.train` takes them.
        task: of ``"spans"``, the one whose spans are wanted; all whose tags mark spans unless given.

    Raises:
        PolytagError: pandas is not installed, or there is no such ``by`` or task.
    """
    if by not in _ROWS:
        raise PolytagError(f"by is '{by}'{nearest(by, _ROWS)}")
    make, (rows, columns) = pandas_module().DataFrame, _ROWS[by]
    found = [row for number, sentence in enumerate(sentences) for row in rows(number, sentence, task)]
    frame: pandas.DataFrame = make(found, columns=None if found else list(columns))
    return frame


def pandas_module() -> Any:
    """The library.

    Raises:
        PolytagError: it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise PolytagError("pandas is not installed, expected it for a table: pip install pandas") from error
    return pandas


def _words(number: int, sentence: Sentence, _: str | None) -> Iterator[Row]:
    columns: dict[str, Any] = {}
    for task, tags in sentence.tags.items():
        columns[task] = tags
        if task in sentence.confidence:
            columns[f"{task}_probability"] = sentence.confidence[task]
    if sentence.offsets:
        columns = {"start": [at[0] for at in sentence.offsets], "end": [at[1] for at in sentence.offsets], **columns}
    for place, word in enumerate(sentence.words):
        yield {"sentence": number, "word": word, **{name: column[place] for name, column in columns.items()}}


def _spans(number: int, sentence: Sentence, task: str | None) -> Iterator[Row]:
    if task is not None and task not in sentence.tags:
        raise PolytagError(f"sentence {number} has no tags of '{task}'{nearest(task, sentence.tags)}")
    for name in sentence.tags if task is None else [task]:
        if not marks_spans(sentence, name):
            if task is None:
                continue
            raise PolytagError(f"the tags of '{task}' in sentence {number} are no spans, expected a task of spans")
        for span in known_spans(sentence, name):
            start, end = span.characters or (None, None)
            yield {
                "sentence": number, "task": name, "type": span.type, "text": span.text, "first": span.start,
                "after": span.end, "start": start, "end": end, "probability": span.probability,
            }  # fmt: skip


def _sentences(_: int, sentence: Sentence, __: str | None) -> Iterator[Row]:
    yield {"words": list(sentence.words), **{task: list(tags) for task, tags in sentence.tags.items()}}


_ROWS: dict[str, tuple[Callable[[int, Sentence, str | None], Iterator[Row]], tuple[str, ...]]] = {
    "words": (_words, ("sentence", "word")),
    "spans": (_spans, ("sentence", "task", "type", "text", "first", "after", "start", "end", "probability")),
    "sentences": (_sentences, ("words",)),
}
