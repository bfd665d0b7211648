"""Cases: sentences with their gold spans and those that a tagger found. A plain tag is a span of one word."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from polytag.corpus.labels import Labels
from polytag.corpus.schemes import UNKNOWN, spans
from polytag.corpus.sentence import Sentence, Span
from polytag.errors import CorpusError, PlanError
from polytag.plan import Plan
from polytag.plan.task import Task
from polytag.scoring import Calibration, Counts, counts_for
from polytag.splits import split_sentences
from polytag.tagger.judging import Judged, judged
from polytag.tagger.request import Request

if TYPE_CHECKING:
    from polytag.tagger.tagging import Tagger


class Key(NamedTuple):
    """A span without its probability: what is compared."""

    start: int
    end: int
    type: str
    fits: bool = True  # false of an annotated span that begins or ends within a word, which is never found


def line_of(sentence: "Case | Sentence", word: int = 0) -> int | None:
    """The line of a word, where it is known; 0 of a format without lines is none."""
    return sentence.lines[word] or None if len(sentence.lines) else None


def place(source: str, line: int | None) -> str:
    """``file:line``, or the file alone."""
    return source if line is None else f"{source}:{line}"


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence of T words.

    ``known`` says of each word whether training files hold it; ``tag_probabilities`` holds that of each tag found.
    """

    words: tuple[str, ...]
    gold: tuple[Key, ...]
    found: tuple[Key, ...]
    gold_tags: tuple[str, ...] = ()
    found_tags: tuple[str, ...] = ()
    known: tuple[bool, ...] = ()
    probabilities: tuple[float | None, ...] = ()  # of each span in ``found``
    tag_probabilities: tuple[float, ...] = ()
    source: str = ""
    lines: Sequence[int] = ()

    @property
    def place(self) -> str:
        """Where the sentence stands, ``file:line``; the file alone where it has no lines."""
        return place(self.source, line_of(self))

    @property
    def is_right(self) -> bool:
        """Whether all spans, and no others, were found."""
        return set(self.gold) == set(self.found)


@dataclass(frozen=True)
class Cases:
    """All cases of one task; ``seen`` counts how often training annotates words as a span (None where unreadable)."""

    task: str
    plain: bool
    cases: Sequence[Case]
    seen: Counter[tuple[str, ...]] | None = None
    seen_note: str = ""  # why there is no ``seen``
    sources: Sequence[str] = field(default=())

    @property
    def words(self) -> int:
        """Words in all."""
        return sum(len(case.words) for case in self.cases)

    def calibration(self) -> Calibration:
        """How far the probabilities of tags and spans can be believed; nothing is counted where there are none."""
        found = Calibration()
        for case in self.cases:
            pairs = () if self.plain else zip(case.found, case.probabilities, strict=False)
            sure = [Span(key.type, key.start, key.end, probability) for key, probability in pairs]
            if case.tag_probabilities:
                found.add(case.gold_tags, case.found_tags, case.tag_probabilities, sure)
        return found

    def counts(self, *, calibration: bool = False) -> Counts:
        """The same counts as `polytag.evaluate` gives."""
        counts = counts_for(self.plain)
        counts.calibration = self.calibration() if calibration else None
        for case in self.cases:
            missed = [Span(key.type, key.start, key.end) for key in case.gold if not key.fits]
            counts.add(case.gold_tags, case.found_tags, known=case.known, missed=missed)
        return counts


def keys(tags: Sequence[str], *, plain: bool) -> tuple[Key, ...]:
    """The spans of one sentence's tags; of plain tags, one of each word whose tag is known."""
    if plain:
        return tuple(Key(at, at + 1, tag) for at, tag in enumerate(tags) if tag != UNKNOWN)
    return tuple(key(span) for span in spans(tags))


def key(span: Span) -> Key:
    """A span as it is compared."""
    return Key(span.start, span.end, span.type)


def read_cases(
    tagger: "Tagger",
    task: str,
    sentences: Iterable[Sentence],
    *,
    gold: str | None = None,
    of: Task | None = None,
    labels: Labels | None = None,
    plan: Plan | None = None,
    consistent: bool = False,
) -> Cases:
    """Tag sentences and set what was found against their tags.

    Args:
        tagger: the model.
        task: what to tag with.
        sentences: with tags of the task.
        gold: the task whose tags the sentences carry, unless it has the same name.
        of: what is said of it, where it is another plan's.
        labels: how what is found is read.
        plan: says where the training files are, whose spans are then counted.
        consistent: as in a `Request`.

    Raises:
        CorpusError: the sentences cannot be read, their tags mark no spans, or there is none.
    """
    plain = tagger.vocabularies.tags[tagger.plan.tasks[task].tags].plain
    labels = labels or Labels()
    wanted = Request([task], confidence=True, consistent=consistent)
    of_sentences = judged(tagger, sentences, wanted, gold=gold or task, of=of)
    found = [_case(one._replace(found=labels.read(one.found, task)), task, plain=plain) for one in of_sentences]
    if not found:
        raise CorpusError(f"no sentence to score '{task}' on, expected at least one")
    files = tuple(dict.fromkeys(case.source for case in found))
    seen, note = _seen(plan, task, plain=plain) if plan else (None, "")
    return Cases(task, plain, found, seen, note, files)


def _case(one: Judged, task: str, *, plain: bool) -> Case:
    gold_tags, found = one.gold, one.found
    found_tags, confidence = found.tags[task], found.confidence[task]
    scored = [at for at, tag in enumerate(gold_tags) if tag != UNKNOWN]  # all words, unless tags are plain
    of_spans = [] if plain else found.spans(task)
    return Case(
        words=found.words,
        gold=(*keys(gold_tags, plain=plain), *(key(span)._replace(fits=False) for span in one.missed)),
        found=tuple(Key(at, at + 1, found_tags[at]) for at in scored) if plain else tuple(map(key, of_spans)),
        gold_tags=gold_tags,
        found_tags=found_tags,
        known=one.known,
        probabilities=tuple(confidence[at] for at in scored) if plain else tuple(s.probability for s in of_spans),
        tag_probabilities=tuple(confidence),
        source=found.source,
        lines=found.lines,
    )


def _seen(plan: Plan, task: str, *, plain: bool) -> tuple[Counter[tuple[str, ...]] | None, str]:
    """How often the training files, at the plan's labeling rate, annotate words as a span."""
    seen: Counter[tuple[str, ...]] = Counter()
    try:
        for sentence in split_sentences(plan, task, "train"):
            tags = sentence.tags[task]
            known = tags if plain else [tag if tag != UNKNOWN else "O" for tag in tags]
            seen.update(sentence.words[k.start : k.end] for k in keys(known, plain=plain))
    except (PlanError, CorpusError, OSError) as error:
        return None, str(error)
    return seen, ""
