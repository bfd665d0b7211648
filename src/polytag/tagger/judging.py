"""Tagged sentences beside what they should be, and how many of them are right."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import tee
from typing import TYPE_CHECKING, NamedTuple

from polytag.corpus.offsets import as_scored, missed
from polytag.corpus.schemes import check_spans, of_types, read_outside
from polytag.corpus.sentence import Sentence, Span
from polytag.plan.task import Task
from polytag.scoring import Calibration, Counts, counts_for
from polytag.splits import of_marked_types
from polytag.tagger.inputs import checked
from polytag.tagger.request import Request

if TYPE_CHECKING:
    from polytag.tagger.tagging import Tagger


class Judged(NamedTuple):
    """A tagged sentence beside what it should be."""

    gold: tuple[str, ...]  # its tags, in the scheme of the task
    known: tuple[bool, ...]  # whether training files hold each word
    missed: Sequence[Span]  # annotated spans that do not fit its words
    found: Sentence


def counted(
    tagger: "Tagger", sentences: Iterable[Sentence], task: str, *, calibration: bool, consistent: bool
) -> Counts:
    """What `Tagger.evaluate` gives."""
    counts = counts_for(tagger.engine.part(tagger.choose(task)[0]).vocabulary.plain)
    counts.calibration = Calibration() if calibration else None
    wanted = Request([task], confidence=calibration, consistent=consistent)
    for gold, known, missing, found in judged(tagger, sentences, wanted):
        counts.add(gold, found.tags[task], known=known, missed=missing)
        if counts.calibration:
            sure = found.predicted_spans.get(task, ())
            counts.calibration.add(gold, found.tags[task], found.confidence[task], sure)
    return counts


def judged(
    tagger: "Tagger",
    sentences: Iterable[Sentence],
    request: Request,
    *,
    gold: str = "",
    of: Task | None = None,
) -> Iterator[Judged]:
    """Tag sentences that carry gold tags, with the one task of a request; errors as `Tagger.evaluate`.

    Where these are of another plan's task, ``gold`` is its name there and ``of`` what is said of it there. What is
    found of types that the task's files do not mark is left out.
    """
    (task,) = request.tasks
    request, gold, own = tagger.checked(request), gold or task, tagger.plan.tasks[task]
    tags, words = tagger.engine.part(task).vocabulary, tagger.engine.language(task).inputs.words
    of = of or own
    annotated, untagged = tee(checked(sentences))
    for sentence, found in zip(annotated, tagger.tag_all(untagged, request), strict=True):
        scored = as_scored(of_marked_types(read_outside(sentence, {gold: of.outside}), gold, of), gold)
        if not tags.plain:
            check_spans(scored, gold)
        known = tuple(map(words.seen_in_training, scored.words))
        expected = tags.in_scheme(scored.tags[gold], own.scheme)
        yield Judged(expected, known, missed(scored, gold), _of_types(found, task, of.marks))


def _of_types(found: Sentence, task: str, types: Sequence[str] | None) -> Sentence:
    """What was found of some types; words of others are in no span, with the probability of what was said of them."""
    if types is None:
        return found
    spans = {of: tuple(span for span in spans if span.type in types) for of, spans in found.predicted_spans.items()}
    return replace(found, tags={**found.tags, task: of_types(found.tags[task], types)}, predicted_spans=spans)
