"""Tag schemes: spans written as one tag per word (IOB1, IOB2, BIOES, BILOU), read, written and checked."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, pairwise, repeat

from polytag.corpus.detection import Detection as Detection
from polytag.corpus.detection import detect as detect
from polytag.corpus.sentence import Sentence, Span
from polytag.corpus.tag_rules import EDGE, ROLES, Tag, begins, ends, faults, fills, parse, parse_any, scheme_named
from polytag.corpus.tag_rules import SCHEMES as SCHEMES
from polytag.corpus.tag_rules import UNKNOWN as UNKNOWN
from polytag.corpus.tag_rules import written as written
from polytag.errors import CorpusError


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans of one sentence's tags, in order, whatever the scheme; ill-formed tags are read as conlleval does.

    Raises:
        CorpusError: a tag is neither O nor B, I, E, S, L or U (in either case), alone or before ``-TYPE``.
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
    return f"tag {tag!r:.80} marks no span, expected O or one of {'-, '.join(ROLES)}- before a type"


def check_spans(sentence: Sentence, task: str, *, unknown: bool = False) -> None:
    """See to it that the tags of a task can be read as spans, before anything reads them; ``unknown`` allows ``?``.

    Raises:
        CorpusError: as ``spans`` does, with the file and the line of the tag.
    """
    for position, tag in enumerate(sentence.tags[task]):
        if parse(tag) is None and not (unknown and tag == UNKNOWN):
            line = sentence.lines[position] if sentence.lines else 0
            raise CorpusError(_refusal(tag), path=sentence.source, line=line)


def write(spans: Iterable[Span], length: int, *, scheme: str) -> tuple[str, ...]:
    """Tags of a sentence of ``length`` words from which ``spans``, given in any order, read back; O elsewhere.

    Raises:
        PlanError: no scheme has this name.
        ValueError: a span is empty, untyped or out of range, two overlap, or the scheme is plain.
    """
    rules = scheme_named(scheme)
    if scheme == "plain":
        raise ValueError("the scheme 'plain' labels single words and cannot hold spans")
    tags, before = ["O"] * length, Span("", 0, 0)
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if not (span.type and 0 <= span.start < span.end <= length):
            raise ValueError(f"{span} needs a type and 0 <= start < end <= {length}, the sentence's length")
        if span.start < before.end:
            raise ValueError(f"{span} overlaps {before}")
        repeated = (before.type, before.end) == (span.type, span.start)
        letters = rules.letters_of(span.end - span.start, repeated=repeated)
        tags[span.start : span.end] = [written(letter, span.type) for letter in letters]
        before = span
    return tuple(tags)


def convert_tags(tags: Sequence[str], target: str) -> tuple[str, ...]:
    """The same spans in the scheme ``target``, well-formed; raises as ``spans`` and ``write`` do.

    It is ``write(spans(tags), ...)`` word by word: what a tag becomes depends on its neighbours alone.
    """
    write((), 0, scheme=target)  # sees to it that the scheme can hold spans
    around: tuple[str | None, ...] = (None, *tags, None)
    return tuple(map(_rewritten, around, tags, around[2:], repeat(target)))


@lru_cache(maxsize=65_536)
def _rewritten(before: str | None, here: str, after: str | None, scheme: str) -> str:
    """The tag ``here`` between its neighbours (None at the edges of the sentence) as another scheme writes it."""
    earlier, tag, later = (EDGE if text is None else parse_or_refuse(text) for text in (before, here, after))
    first, last = begins(earlier, tag), ends(tag, later)
    return rewritten(tag, scheme, first=first, last=last, repeated=first and earlier.type == tag.type)


def rewritten(tag: Tag, scheme: str, *, first: bool, last: bool, repeated: bool) -> str:
    """A tag as another scheme writes it: the first of its span or not, the last or not.

    ``repeated`` says that a span of its own type ends just before.
    """
    if tag.role == "O":
        return "O"
    length = 1 if first and last else 3  # of more than two words: first, inner and last
    letters = scheme_named(scheme).letters_of(length, repeated=repeated)
    return written(letters[0 if first else 2 if last else 1], tag.type)


def convert_partial(tags: Sequence[str], target: str, *, scheme: str) -> list[frozenset[str] | None]:
    """What each tag may be in the scheme ``target`` where some are unknown (``?``): a set, or None for any tag.

    Beside an unknown tag a known one may have several forms: ``B-PER ?`` of IOB2 is B-PER or S-PER in BIOES. The set
    holds its form for each neighbour that fits it in ``scheme``, which the tags are written in. Sets hold position by
    position: what two of them allow side by side need not be well-formed.

    Raises:
        CorpusError: a known tag marks no span.
        PlanError: no scheme has one of these names.
    """
    write((), 0, scheme=target)
    scheme_named(scheme)
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
    scheme_named(scheme)
    pairs = enumerate(pairwise(chain((EDGE,), map(parse_any, tags), (EDGE,))))
    return [(at + by, sentence) for at, pair in pairs for by, sentence in faults(*pair, scheme=scheme)]


def is_valid(tags: Sequence[str], scheme: str) -> bool:
    """Whether tags are well-formed in a scheme; raises PlanError for an unknown one."""
    return not problems(tags, scheme)


def allowed(tags: Sequence[str], scheme: str) -> tuple[list[bool], list[list[bool]], list[bool]]:
    """Which of K tags may begin a sequence (K), which may follow which (K from, K to), which may end one (K).

    A sequence that keeps to these is well-formed in the scheme, and every well-formed one keeps to them.

    Raises:
        PlanError: no scheme has this name.
    """
    scheme_named(scheme)
    parsed = [parse_any(tag) for tag in tags]

    def fits(before: Tag, here: Tag) -> bool:
        return not any(faults(before, here, scheme=scheme))

    transition = [[fits(before, here) for here in parsed] for before in parsed]
    return [fits(EDGE, tag) for tag in parsed], transition, [fits(tag, EDGE) for tag in parsed]
