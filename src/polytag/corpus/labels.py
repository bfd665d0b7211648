"""How a task reads the tags of a file: its tag of words in no span, and the types of the file under others' names.

``{"person": "PER", "Chemical": "O"}`` reads spans of person as PER, and words in spans of Chemical as in none. A type
that no map names stays. It is spans that are renamed, so the scheme they are written in is no matter: two that touch
stay two, also where their types become one.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import pairwise

from polytag.corpus.notes import Notes
from polytag.corpus.offsets import touched
from polytag.corpus.schemes import read_outside
from polytag.corpus.sentence import CharSpan, Sentence
from polytag.corpus.tag_rules import UNKNOWN, UNTYPED, begins, parse, parse_any, written
from polytag.errors import PlanError

REMOVED = "O"  # in the place of a type: its words are in no span
MOST_SHOWN = 5  # types in a note


@dataclass(frozen=True)
class Labels:
    """How tags of one task are read.

    Attributes:
        outside: the tag of words in no span, read as O.
        map: types of the file (of plain tags, the tags) to those of the task, or to O.
        plain: whether tags are labels of single words, whatever they look like.

    Raises:
        PlanError: a map does not name types.
    """

    outside: str = "O"
    map: Mapping[str, str] = field(default_factory=dict)
    plain: bool = False

    def __post_init__(self) -> None:
        if problem := wrong_map(self.map, plain=self.plain):
            raise PlanError(f"map: {problem}")

    def label(self, tag: str) -> str:
        """What a map can name of a tag: the type of its span, or a plain tag as a whole; nothing outside of spans."""
        parsed = None if self.plain else parse(tag)
        if parsed is None or (parsed.type == UNTYPED and UNTYPED not in self.map):
            return "" if tag == UNKNOWN else tag
        return parsed.type

    def read(self, sentence: Sentence, task: str) -> Sentence:
        """A sentence with the tags, the misfits and the found spans of a task as it reads them."""
        sentence = read_outside(sentence, {task: self.outside})
        if not self.map:
            return sentence
        misfits, found = sentence.misfits.get(task, ()), sentence.predicted_spans.get(task)
        kept = tuple([span._replace(type=self._new(span.type)) for span in misfits if self._new(span.type) != REMOVED])
        tags = _known(sentence, sentence.tags[task], misfits, kept) if len(kept) < len(misfits) else sentence.tags[task]
        changed = replace(sentence, tags={**sentence.tags, task: self._tags(tags)})
        if misfits:
            changed = replace(changed, misfits={**sentence.misfits, task: kept})
        if found is not None:
            named = tuple([replace(of, type=self._new(of.type)) for of in found if self._new(of.type) != REMOVED])
            changed = replace(changed, predicted_spans={**sentence.predicted_spans, task: named})
        return changed

    def count(self, sentence: Sentence, task: str) -> Iterator[str]:
        """What a map could name in a sentence of the file: the type of each span, the tag of each word."""
        outside = {self.outside, "O"}
        for before, tag in pairwise(("", *sentence.tags[task])):
            parsed = None if self.plain else parse(tag)
            is_first = parsed is None or begins(parse_any(before), parsed)
            if is_first and tag not in outside and (label := self.label(tag)):
                yield label
        yield from (span.type for span in sentence.misfits.get(task, ()))

    def told(self, counts: Mapping[str, int]) -> Iterator[str]:
        """What to say of a file in which these labels were counted."""
        others = {name: count for name, count in counts.items() if name not in {*self.map, *self.map.values()}}
        missing = [name for name in self.map if name not in counts]
        if len(missing) == len(self.map):
            meant = next((f"; did you mean {new} = {name}?" for name, new in self.map.items() if new in counts), "")
            meant = meant or next((f"; did you mean '{found}'?" for found in _meant(missing, others).values()), "")
            yield f"nothing that the map names stands in it ({', '.join(missing)}){_found(counts)}{meant}"
            return
        for name, found in _meant(missing, others).items():
            yield f"the map names '{name}', which stands nowhere in it; did you mean '{found}'?"
        if others:
            yield f"labels that the map does not name stay as they are: {shown(others)}"

    def _new(self, label: str) -> str:
        return self.map.get(label, label)

    def _tags(self, tags: Sequence[str]) -> tuple[str, ...]:
        found = [self._tag(tag) for tag in tags]
        for at in () if self.plain else range(1, len(tags)):
            before, here, new_before, new_here = map(parse_any, (tags[at - 1], tags[at], found[at - 1], found[at]))
            if begins(before, here) and new_here.role != "O" and not begins(new_before, new_here):
                found[at] = written("B", new_here.type)  # what told the two apart was their types
        return tuple(found)

    def _tag(self, tag: str) -> str:
        label = self.label(tag)
        new = self._new(label)
        if new == label:
            return tag
        return new if new == REMOVED or label == tag else f"{tag.partition('-')[0]}-{new}"


def wrong_map(labels: Mapping[str, str], *, plain: bool = False) -> str:
    """What is wrong with a map, or nothing: it names types, and neither O, which has none, nor tags of spans."""
    for name, new in labels.items():
        for label, allowed in ((name, ()), (new, (REMOVED,))):
            tag = None if plain else parse(label)
            if label in ("", UNKNOWN) or (label == REMOVED and label not in allowed):
                return f"found {label!r} in {name} = {new!r}, expected a type" + (" or O" if allowed else "")
            if tag is not None and tag.type not in ("", UNTYPED):
                return f"found the tag {label!r} in {name} = {new!r}, expected a type such as {tag.type!r}"
    return ""


def read_labels(
    sentences: Iterable[Sentence], labels: Mapping[str, Labels], *, path: str, notes: Notes
) -> Iterator[Sentence]:
    """The sentences of a file as its tasks read them; notes take, at its end, what maps do not fit."""
    counts = {task: Counter[str]() for task, of in labels.items() if of.map}
    for sentence in sentences:
        for task, count in counts.items():
            count.update(labels[task].count(sentence, task))
        for task, of in labels.items():
            sentence = of.read(sentence, task)
        yield sentence
    for task, count in counts.items():
        for text in labels[task].told(count):
            notes.tell(f"{task}: {text}", text, path=path)


def shown(counts: Mapping[str, int]) -> str:
    """Names and how often each occurs, the most frequent ones first."""
    ranked = Counter(counts).most_common()
    more = f", and {len(ranked) - MOST_SHOWN:,} more" if len(ranked) > MOST_SHOWN else ""
    return ", ".join(f"{name} {count:,}" for name, count in ranked[:MOST_SHOWN]) + more


def _meant(missing: Iterable[str], there: Iterable[str]) -> dict[str, str]:
    """What is like a name that is missing, for each that has something like it."""
    folded = {name.casefold(): name for name in there}
    close = {name: get_close_matches(name.casefold(), folded, n=1) for name in missing}
    return {name: folded[found[0]] for name, found in close.items() if found}


def _found(counts: Mapping[str, int]) -> str:
    return f", expected some of {shown(counts)}" if counts else ""


def _known(
    sentence: Sentence, tags: Sequence[str], misfits: Collection[CharSpan], kept: Collection[CharSpan]
) -> tuple[str, ...]:
    """Tags where words that no misfit touches any more are in no span."""
    before, after = (
        {at for span in spans for at in range(*touched(sentence.offsets, span))} for spans in (misfits, kept)
    )
    return tuple(["O" if at in before - after and tag == UNKNOWN else tag for at, tag in enumerate(tags)])
