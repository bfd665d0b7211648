"""Which scheme a corpus is written in, told from how often each tag follows each other tag."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from math import ceil

from polytag.corpus.tag_rules import OUTSIDE, ROLES, SCHEMES, UNKNOWN, UNTYPED, begins, faults, parse, parse_any
from polytag.errors import CorpusError

TOLERATED = 0.01  # ill-formed tags per span, rounded up, with which a corpus is still taken to be in a scheme
PREFIXES = f"one of {'-, '.join(ROLES)}- before a type"


@dataclass(frozen=True, slots=True)
class Detection:
    """A detected scheme, a note for people, and what is ill-formed: sentences and how often each is true."""

    scheme: str
    note: str
    problems: tuple[tuple[str, int], ...] = ()


def detect(sequences: Iterable[Sequence[str]]) -> Detection:
    """The scheme in which all tags, or all but one in a hundred spans, are well-formed; IOB2 where no span tells.

    ``plain`` is for tags that are labels of single words, such as parts of speech. Beside an unknown tag (``?``) only
    that is ill-formed which no tag in its place could mend.

    Raises:
        CorpusError: most tags have prefixes as spans do, but fit no scheme, or some have an unknown prefix.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for tags in sequences:
        pairs.update(pairwise(chain(("",), tags, ("",))))  # "" parses to the edge of a sentence
    counts: Counter[str] = Counter()
    for (_, tag), count in pairs.items():
        counts[tag] += count
    del counts[""]
    unknown = counts.pop(UNKNOWN, 0)
    found = _plain(counts) or _well_formed(pairs, is_partial=unknown > 0) or _refuse(pairs, counts)
    return replace(found, note=f"{found.note}; unknown ({UNKNOWN}): {unknown:,}") if unknown else found


def _plain(counts: Counter[str]) -> Detection | None:
    """Plain where most tags do not look like spans', None where all do, an error between the two."""
    strange = Counter({tag: count for tag, count in counts.items() if parse(tag) is None})
    if not strange:
        return None
    # Only a type that is also seen with a known prefix makes an unknown prefix one: Latin's n-s---mn- is a label.
    types = {tag.partition("-")[2] for tag in counts - strange if "-" in tag}
    prefixed = sum(count for tag, count in counts.items() if "-" in tag and tag.partition("-")[2] in types)
    marked = sum(count for tag, count in counts.items() if tag not in OUTSIDE)
    if 2 * prefixed <= marked:
        return Detection("plain", f"PLAIN: {len(counts):,} labels, {counts.total():,} words")
    raise CorpusError(
        f"{prefixed:,} of {marked:,} tags other than O have a prefix as spans do, but {strange.total():,} "
        f"(such as {strange.most_common(1)[0][0]!r}) fit no scheme, expected O or {PREFIXES}"
    )


def _ill_formed(pairs: Counter[tuple[str, str]], scheme: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for (before, here), count in pairs.items():
        for _, sentence in faults(parse_any(before), parse_any(here), scheme=scheme):
            found[sentence] += count
    return found


def _spans(pairs: Counter[tuple[str, str]]) -> int:
    return sum(count for (before, here), count in pairs.items() if begins(parse_any(before), parse_any(here)))


def _well_formed(pairs: Counter[tuple[str, str]], *, is_partial: bool) -> Detection | None:
    """The scheme with the fewest ill-formed tags, if these are few and no other scheme has as few.

    Where the tags that could tell are unknown, the first of the schemes in which nothing is ill-formed.
    """
    total = _spans(pairs)
    if not total:
        return Detection("iob2", "IOB2: the default, as there is no span to tell the scheme from")
    found = {scheme: _ill_formed(pairs, scheme) for scheme in SCHEMES if scheme != "plain"}
    best, second = sorted(found, key=lambda scheme: found[scheme].total())[:2]
    is_tie = found[best].total() == found[second].total() and not (is_partial and not found[best])
    if found[best].total() > ceil(TOLERATED * total) or is_tie:
        return None
    note = f"{best.upper()}: {total:,} span{'s' * (total > 1)}, {SCHEMES[best].habit}"
    for sentence, _ in found[best].most_common(1):
        note += f"; ill-formed tags: {found[best].total():,}, most often {sentence}"
    return Detection(best, note, tuple(found[best].most_common()))


def _refuse(pairs: Counter[tuple[str, str]], counts: Counter[str]) -> Detection:
    """Single letters that mark no spans are labels; anything else at this point is an error."""
    if all(parse_any(tag).type in ("", UNTYPED) for tag in counts):
        return Detection("plain", f"PLAIN: {len(counts):,} labels, {counts.total():,} words")
    found = {scheme: _ill_formed(pairs, scheme).total() for scheme in SCHEMES if scheme != "plain"}
    ill_formed = ", ".join(f"{count:,} in {scheme.upper()}" for scheme, count in found.items())
    raise CorpusError(
        f"tags fit no scheme: of {_spans(pairs):,} spans, ill-formed tags are {ill_formed}, "
        f"expected at most {TOLERATED:.0%} in one of them"
    )
