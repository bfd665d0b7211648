"""Which scheme a corpus is written in, told from how often each tag follows each other tag."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from math import ceil

from polytag.corpus.tag_rules import OUTSIDE, ROLES, UNKNOWN, UNTYPED, begins, faults, parse, parse_any
from polytag.errors import CorpusError
from polytag.tag_schemes import SCHEMES, SPAN_SCHEMES

TOLERATED = 0.01  # ill-formed tags per span, rounded up, with which a corpus is still taken to be in a scheme
PREFIXES = f"one of {'-, '.join(ROLES)}- before a type"


Pairs = Counter[tuple[str, str]]  # how often each tag stands before each other one; "" is the edge of a sentence


@dataclass(frozen=True, slots=True)
class Detection:
    """A detected scheme, a note for people, and what is ill-formed: sentences and how often each is true.

    ``odd`` says, of plain tags that look like those of spans, what probably should be set to read them as spans.
    """

    scheme: str
    note: str
    problems: tuple[tuple[str, int], ...] = ()
    odd: str = ""


def detect(sequences: Iterable[Sequence[str]]) -> Detection:
    """The scheme in which all tags, or all but one in a hundred spans, are well-formed; IOB2 where no span tells.

    Of several schemes that fit alike it is the first in the table. ``plain`` is for tags that are labels of single
    words, such as parts of speech. Beside an unknown tag (``?``) only that is ill-formed which no tag in its place
    could mend.

    Raises:
        CorpusError: most tags have prefixes as spans do, but fit no scheme, or some have an unknown prefix.
    """
    pairs: Pairs = Counter()
    for tags in sequences:
        pairs.update(pairwise(chain(("",), tags, ("",))))  # "" parses to the edge of a sentence
    counts: Counter[str] = Counter()
    for (_, tag), count in pairs.items():
        counts[tag] += count
    del counts[""]
    unknown = counts.pop(UNKNOWN, 0)
    found = _plain(pairs, counts) or _well_formed(pairs) or _refuse(pairs, counts)
    return replace(found, note=f"{found.note}; unknown ({UNKNOWN}): {unknown:,}") if unknown else found


def _plain(pairs: Pairs, counts: Counter[str]) -> Detection | None:
    """Plain where most tags do not look like spans', None where all do, an error between the two."""
    strange = Counter({tag: count for tag, count in counts.items() if parse(tag) is None})
    if not strange:
        return None
    known = counts - strange
    # Only a type that is also seen with a known prefix makes an unknown prefix one: Latin's n-s---mn- is a label.
    types = {_type_of(tag) for tag in known if "-" in tag}
    prefixed = sum(count for tag, count in counts.items() if "-" in tag and _type_of(tag) in types)
    marked = sum(count for tag, count in counts.items() if tag not in OUTSIDE)
    odd = _other_outside(pairs, counts, strange)
    if 2 * prefixed <= marked or _more_prefixes(strange, known, types):
        return Detection("plain", f"PLAIN: {len(counts):,} labels, {counts.total():,} words", odd=odd)
    raise CorpusError(
        f"{prefixed:,} of {marked:,} tags other than O have a prefix as spans do, but {strange.total():,} "
        f"(such as {strange.most_common(1)[0][0]!r}) fit no scheme, expected O or {PREFIXES}{odd and f'; {odd}'}"
    )


def _type_of(tag: str) -> str:
    return tag.partition("-")[2]


def _more_prefixes(strange: Iterable[str], known: Iterable[str], types: set[str]) -> bool:
    """Whether more unknown than known prefixes stand before the types: then these are no types, but part of labels."""
    unlike, like = ({tag.partition("-")[0] for tag in tags if _type_of(tag) in types} for tags in (strange, known))
    return len(unlike) > len(like)


def _other_outside(pairs: Pairs, counts: Counter[str], strange: Counter[str]) -> str:
    """What to say where tags mark spans beside one that stands for O, such as 0 or NONE; else nothing."""
    outside, words = strange.most_common(1)[0]
    spans = {tag: count for tag, count in counts.items() if tag not in (*OUTSIDE, *strange)}
    if not spans or any(_type_of(tag) == "" for tag in spans):
        return ""
    replaced: Pairs = Counter()
    for pair, count in pairs.items():
        replaced[tuple("O" if tag == outside else tag for tag in pair)] += count  # type: ignore[index]
    found = _well_formed(replaced)
    if found is None:
        return ""
    examples = " and ".join(sorted(spans, key=lambda tag: (_type_of(tag), tag))[:2])
    return (
        f"{sum(spans.values()):,} tags such as {examples} look like spans ({found.scheme.upper()}) beside {outside!r}, "
        f"which {words:,} words have where O is expected; if it means O, set outside = {outside!r}"
    )


def _ill_formed(pairs: Pairs, scheme: str) -> dict[tuple[str, str], list[str]]:
    """What is wrong with each pair that is not well-formed in a scheme."""
    found = {pair: [text for _, text in faults(*map(parse_any, pair), scheme=scheme)] for pair in pairs}
    return {pair: texts for pair, texts in found.items() if texts}


def _spans(pairs: Pairs) -> int:
    return sum(count for (before, here), count in pairs.items() if begins(parse_any(before), parse_any(here)))


def _well_formed(pairs: Pairs) -> Detection | None:
    """The scheme with the fewest ill-formed tags, if these are few and no other one has as few in other places."""
    total = _spans(pairs)
    if not total:
        return Detection("iob2", "IOB2: the default, as there is no span to tell the scheme from")
    wrong = {scheme: _ill_formed(pairs, scheme) for scheme in SPAN_SCHEMES}
    counts = {scheme: _counted(pairs, of).total() for scheme, of in wrong.items()}
    best = min(counts, key=counts.__getitem__)
    is_tie = any(counts[other] == counts[best] and wrong[other].keys() != wrong[best].keys() for other in SPAN_SCHEMES)
    if counts[best] > ceil(TOLERATED * total) or is_tie:
        return None
    problems = _counted(pairs, wrong[best])
    note = f"{best.upper()}: {total:,} span{'s' * (total > 1)}, {SCHEMES[best].habit}{_alike(pairs, best)}"
    for sentence, _ in problems.most_common(1):
        note += f"; ill-formed tags: {problems.total():,}, most often {sentence}"
    return Detection(best, note, tuple(problems.most_common()))


def _counted(pairs: Pairs, wrong: dict[tuple[str, str], list[str]]) -> Counter[str]:
    """How often each sentence is true."""
    found: Counter[str] = Counter()
    for pair, texts in wrong.items():
        for text in texts:
            found[text] += pairs[pair]
    return found


def _alike(pairs: Pairs, scheme: str) -> str:
    """What to add where every span's words have I-, so that nothing shows how spans that touch are told apart."""
    letters = {parse_any(here).letter for _, here in pairs}
    return " (there are none, so it may be IO)" if scheme == "iob1" and letters <= {"O", "I", "?"} else ""


def _refuse(pairs: Pairs, counts: Counter[str]) -> Detection:
    """Single letters that mark no spans are labels; anything else at this point is an error."""
    if all(parse_any(tag).type in ("", UNTYPED) for tag in counts):
        return Detection("plain", f"PLAIN: {len(counts):,} labels, {counts.total():,} words")
    found = {scheme: _counted(pairs, _ill_formed(pairs, scheme)).total() for scheme in SPAN_SCHEMES}
    ill_formed = ", ".join(f"{count:,} in {scheme.upper()}" for scheme, count in found.items())
    raise CorpusError(
        f"tags fit no scheme: of {_spans(pairs):,} spans, ill-formed tags are {ill_formed}, "
        f"expected at most {TOLERATED:.0%} in one of them"
    )
