"""Tag schemes: spans written as one tag per word, read, written and checked; `polytag.tag_schemes` has their table."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain, pairwise, repeat

from polytag.corpus.detection import Detection as Detection
from polytag.corpus.detection import detect as detect
from polytag.corpus.sentence import Sentence, Span
from polytag.corpus.tag_rules import EDGE, ROLES, Tag, begins, ends, faults, fills, parse, parse_any
from polytag.corpus.tag_rules import UNKNOWN as UNKNOWN
from polytag.corpus.tag_rules import UNTYPED as UNTYPED
from polytag.corpus.tag_rules import written as written
from polytag.errors import CorpusError
from polytag.tag_schemes import SCHEMES as SCHEMES
from polytag.tag_schemes import scheme_name

REPAIRED = "read as conlleval reads it"  # what becomes of an ill-formed tag
_NOWHERE = Span("", -1, -1)
_LIKE_OUTSIDE = ("0", "_", "-", "NONE", "None", "none", "NULL", "null", "OTHER", "Other", "other")


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans of one sentence's tags, in order, whatever the scheme; ill-formed tags are read as conlleval does.

    Raises:
        CorpusError: a tag is neither O nor a letter of a scheme (in either case), alone or before ``-TYPE``.
    """
    found: list[Span] = []
    start = 0
    for position, (type_, is_begun) in enumerate(map(_boundary, chain((None,), tags), chain(tags, (None,)))):
        if type_:
            found.append(Span(type_, start, position))
        if is_begun:
            start = position
    return found


@lru_cache(maxsize=65_536)
def _boundary(before: str | None, here: str | None) -> tuple[str, bool]:
    """The type of the span that ends between two tags (None beyond the sentence) or nothing, and whether one begins."""
    earlier, tag = (EDGE if text is None else parse_or_refuse(text) for text in (before, here))
    return earlier.type if ends(earlier, tag) else "", begins(earlier, tag)


def parse_or_refuse(tag: str) -> Tag:
    """Read a tag; raises as ``spans`` does."""
    parsed = parse(tag)
    if parsed is None:
        raise CorpusError(_refusal(tag))
    return parsed


def _refusal(tag: str) -> str:
    if tag == UNKNOWN:
        return f"tag '{UNKNOWN}' says that the tag is unknown, which serves training only; expected a known tag here"
    hint = f"; if it means O, set outside = {tag!r}" if tag in _LIKE_OUTSIDE else ""
    return f"tag {tag!r:.80} marks no span, expected O or one of {'-, '.join(ROLES)}- before a type{hint}"


def check_spans(sentence: Sentence, task: str, *, unknown: bool = False) -> None:
    """See to it that the tags of a task can be read as spans, before anything reads them; ``unknown`` allows ``?``.

    Raises:
        CorpusError: as ``spans`` does, with the file and the line of the tag.
    """
    for position, tag in enumerate(sentence.tags[task]):
        if parse(tag) is None and not (unknown and tag == UNKNOWN):
            line = sentence.lines[position] if sentence.lines else 0
            raise CorpusError(_refusal(tag), path=sentence.source, line=line)


def read_outside(sentence: Sentence, outside: Mapping[str, str]) -> Sentence:
    """A sentence of a file, with O where a task's own tag of words in no span stands."""
    changed = {
        task: tuple("O" if tag == own else tag for tag in sentence.tags[task])
        for task, own in outside.items()
        if own != "O" and own in sentence.tags.get(task, ())
    }
    return replace(sentence, tags={**sentence.tags, **changed}) if changed else sentence


def write_outside(sentence: Sentence, outside: Mapping[str, str]) -> Sentence:
    """The inverse, for a file: what reads the tags of the result as spans has to know; `Sentence.spans` does."""
    changed = {task: own for task, own in outside.items() if own != "O" and task in sentence.tags}
    if not changed:
        return sentence

    def written(tags: Sequence[str], task: str) -> tuple[str, ...]:
        return tuple(changed[task] if tag == "O" else tag for tag in tags)

    ranked = {task: sentence.alternatives[task] for task in changed if task in sentence.alternatives}
    alternatives = {
        task: tuple(replace(one, tags=written(one.tags, task)) for one in of) for task, of in ranked.items()
    }
    return replace(
        sentence,
        tags={**sentence.tags, **{task: written(sentence.tags[task], task) for task in changed}},
        alternatives={**sentence.alternatives, **alternatives},
        predicted_spans={**sentence.predicted_spans, **{task: tuple(sentence.spans(task)) for task in changed}},
    )


def of_types(tags: Sequence[str], types: Collection[str]) -> tuple[str, ...]:
    """The tags of spans of some types; O in place of those of others."""
    return tuple([tag if not (own := parse_any(tag).type) or own in types else "O" for tag in tags])


def types_of(tags: Iterable[str]) -> frozenset[str]:
    """The types of spans; those without one have the type ``_``. Raises as ``spans`` does."""
    return frozenset(tag.type for tag in map(parse_or_refuse, tags) if tag.type)


def all_tags(types: Iterable[str], scheme: str) -> list[str]:
    """Every tag that spans of some types may have in a scheme: O, then by type, in the order in which a span has them.

    Raises:
        PlanError: no scheme has this name.
    """
    letters = sorted(set(SCHEMES[scheme_name(scheme)].letters) - {"O"}, key=list(ROLES).index)
    suffixes = sorted("" if type_ == UNTYPED else f"-{type_}" for type_ in types)
    return ["O", *(f"{letter}{suffix}" for suffix in suffixes for letter in letters)]


def write(spans: Iterable[Span], length: int, *, scheme: str) -> tuple[str, ...]:
    """Tags of a sentence of ``length`` words from which ``spans``, given in any order, read back; O elsewhere.

    Raises:
        PlanError: no scheme has this name.
        ValueError: a span is empty, untyped or out of range, two overlap, or the scheme is plain.
    """
    rules, tags = SCHEMES[_of_spans(scheme)], ["O"] * length
    ordered = sorted(spans, key=lambda span: (span.start, span.end))
    around = [_NOWHERE, *ordered, _NOWHERE]
    for before, span, after in zip(around, ordered, around[2:], strict=False):
        if not (span.type and 0 <= span.start < span.end <= length):
            raise ValueError(f"{span} needs a type and 0 <= start < end <= {length}, the sentence's length")
        if span.start < before.end:
            raise ValueError(f"{span} overlaps {before}")
        letters = rules.letters_of(
            span.end - span.start, after_own=_touch(before, span), before_own=_touch(span, after)
        )
        tags[span.start : span.end] = [written(letter, span.type) for letter in letters]
    return tuple(tags)


def _of_spans(scheme: str) -> str:
    """The name of a scheme that can hold spans; raises as ``write`` does."""
    name = scheme_name(scheme)
    if name == "plain":
        raise ValueError("the scheme 'plain' labels single words and cannot hold spans")
    return name


def _touch(before: Span, after: Span) -> bool:
    """Whether one of two spans of a type follows right after the other."""
    return (before.type, before.end) == (after.type, after.start)


def convert_tags(tags: Sequence[str], target: str) -> tuple[str, ...]:
    """The same spans in the scheme ``target``, well-formed; raises as ``spans`` and ``write`` do.

    It is ``write(spans(tags), ...)`` word by word: what a tag becomes depends on its neighbours alone. Touching spans
    of one type are one in the scheme ``io``.
    """
    around: tuple[str | None, ...] = (None, *tags, None)
    return tuple(map(_rewritten, around, tags, around[2:], repeat(_of_spans(target))))


@lru_cache(maxsize=65_536)
def _rewritten(before: str | None, here: str, after: str | None, scheme: str) -> str:
    """The tag ``here`` between its neighbours (None at the edges of the sentence) as another scheme writes it."""
    earlier, tag, later = (EDGE if text is None else parse_or_refuse(text) for text in (before, here, after))
    first, last = begins(earlier, tag), ends(tag, later)
    after_own, before_own = first and earlier.type == tag.type, last and later.type == tag.type
    return rewritten(tag, scheme, first=first, last=last, after_own=after_own, before_own=before_own)


def rewritten(
    tag: Tag, scheme: str, *, first: bool, last: bool, after_own: bool = False, before_own: bool = False
) -> str:
    """A tag as another scheme writes it: the first of its span or not, the last or not.

    ``after_own`` says that a span of its own type ends just before, ``before_own`` that one starts just after.
    """
    if tag.role == "O":
        return "O"
    length = 1 if first and last else 3  # of more than two words: first, inner and last
    letters = SCHEMES[scheme].letters_of(length, after_own=after_own, before_own=before_own)
    return written(letters[0 if first else 2 if last else 1], tag.type)


def rewritten_alone(tag: str, scheme: str, target: str) -> str:
    """A tag as another scheme writes it, where that shows without its neighbours; else as it is.

    IOB1 is taken for IOB2 and IOE1 for IOE2, from which they differ only where spans touch.
    """
    rules, goal, parsed = SCHEMES[scheme], SCHEMES[{"iob1": "iob2", "ioe1": "ioe2"}.get(target, target)], parse_any(tag)
    places = [place for place in ("first", "inside", "last", "single") if getattr(rules, place) == parsed.letter]
    letters = {getattr(goal, place) for place in places} - {""}
    return written(letters.pop(), parsed.type) if len(letters) == 1 else tag


def convert_partial(tags: Sequence[str], target: str, *, scheme: str) -> list[frozenset[str] | None]:
    """What each tag may be in the scheme ``target`` where some are unknown (``?``): a set, or None for any tag.

    Beside an unknown tag a known one may have several forms: ``B-PER ?`` of IOB2 is B-PER or S-PER in BIOES. The set
    holds its form for each neighbour that fits it in ``scheme``, which the tags are written in. Sets hold position by
    position: what two of them allow side by side need not be well-formed.

    Raises:
        CorpusError: a known tag marks no span.
        PlanError: no scheme has one of these names.
    """
    scheme, target = scheme_name(scheme), _of_spans(target)
    around = ("", "", *tags, "", "")
    return [None if here == UNKNOWN else _forms(around[at : at + 5], scheme, target) for at, here in enumerate(tags)]


@lru_cache(maxsize=65_536)
def _forms(window: tuple[str, ...], scheme: str, target: str) -> frozenset[str]:
    """The forms in ``target`` of a known tag, the third of five ("" beyond the sentence).

    Farther tags change nothing: between two unknown ones there is always a way from any tag to any other.
    """
    farther, before, tag, after, last = (parse_any(text) for text in window)
    parse_or_refuse(tag.text)
    befores = fills(farther, tag, scheme=scheme) if before.text == UNKNOWN else (before,)
    afters = fills(tag, last, scheme=scheme) if after.text == UNKNOWN else (after,)
    return frozenset(_rewritten(b.text or None, tag.text, a.text or None, target) for b in befores for a in afters)


def problems(tags: Sequence[str], scheme: str) -> list[tuple[int, str]]:
    """Positions, ascending, at which tags are ill-formed in a scheme, each with a sentence; plain tags never are.

    Raises:
        PlanError: no scheme has this name.
    """
    scheme = scheme_name(scheme)
    pairs = enumerate(pairwise(chain((EDGE,), map(parse_any, tags), (EDGE,))))
    return [(at + by, sentence) for at, pair in pairs for by, sentence in faults(*pair, scheme=scheme)]


def allowed(tags: Sequence[str], scheme: str) -> tuple[list[bool], list[list[bool]], list[bool]]:
    """Which of K tags may begin a sequence (K), which may follow which (K from, K to), which may end one (K).

    A sequence that keeps to these is well-formed in the scheme, and every well-formed one keeps to them.

    Raises:
        PlanError: no scheme has this name.
    """
    scheme = scheme_name(scheme)
    parsed = [parse_any(tag) for tag in tags]

    def fits(before: Tag, here: Tag) -> bool:
        return not any(faults(before, here, scheme=scheme))

    transition = [[fits(before, here) for here in parsed] for before in parsed]
    return [fits(EDGE, tag) for tag in parsed], transition, [fits(tag, EDGE) for tag in parsed]
