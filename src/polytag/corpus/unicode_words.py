"""Words and sentences of raw text in any language, by what Unicode says of characters; no list of words but titles.

Words are those of Unicode's annex 29 with what tagged corpora do otherwise: hyphens and slashes part words, ``n't``
and ``'s`` are words, and so is ``l'``; titles, initials and abbreviations such as ``U.S.`` keep their full stop.
Letters of scripts without blanks are words, each with its marks. So annotated spans seldom end within a word.

A sentence ends after a mark that ends sentences, with the quotes and brackets closed after it, if a blank follows and,
where the mark is a full stop, no small letter, title or initial is at it. In scripts without blanks none need follow.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from unicodedata import category

Offset = tuple[int, int]

TITLES = (
    "Mrs?|Ms|Messrs|Drs?|Prof|Rev|Hon|St|Jr|Sr|Srt?a|Dra|Mme|Mlle|Hr|Gen|Gov|Sen|Rep|Pres|Lt|Col|Cpt|Capt|Sgt|"
    "[Dd]hr|[Mm]evr|drs|Mnr|Mev"
)
_LONGEST_TITLE = 6

# Letters of Thai, Lao, Burmese and Khmer without their marks, kana, Chinese characters.
_ALONE = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf\u1000-\u102a\u103f"
    "\u1050-\u1055\u1780-\u17b3\u3005-\u3007\u3041-\u309f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_LETTER = rf"[^\W\d_{_ALONE}]"
_WORDLIKE = rf"[^\W{_ALONE}]"  # letters, digits and _
_ENDING = "(?:[sdmt]|re|ve|ll|[SDMT]|RE|VE|LL)\\b"  # after an apostrophe, which begins a word there
_CAPITALS = "A-ZÀ-ÖØ-ÞΑ-ΩЀ-Я"  # of which names have initials
_ASSIGNED = range(0x80, 0x1F000)  # where marks are looked for
_SKIN = "\U0001f3fb-\U0001f3ff"  # modifies the emoji before it
_FLAG = "[\U0001f1e6-\U0001f1ff]"
_CLOSING = "\"'’”»)\\]}›」』】"
_ENDS = re.compile(rf"(?:(?<![.!?…])[.!?…]+|[؟۔।॥።፧፨։။༎]+)[{_CLOSING}]*(?=\s)|[。！？｡]+[{_CLOSING}]*")
_NEXT = re.compile(r"\s+[^\w\s]*(\w)")
_KEEPS_ITS_STOP = re.compile(rf"(?<!\w)(?:[^\W\d_]|{TITLES})$")


def words(text: str, start: int = 0) -> list[Offset]:
    """Where the words stand; the text begins at character ``start`` of the whole."""
    if start:
        return [(start + found.start(), start + found.end()) for found in _word().finditer(text)]
    return [found.span() for found in _word().finditer(text)]


def split(text: str, start: int = 0) -> Iterator[list[Offset]]:
    """The words of each sentence."""
    places, begin = words(text, start), 0
    for end in _sentence_ends(text):
        stop = bisect_left(places, (start + end,), begin)
        if stop > begin:
            yield places[begin:stop]
        begin = max(begin, stop)
    if begin < len(places):
        yield places[begin:]


def _sentence_ends(text: str) -> Iterator[int]:
    for mark in _ENDS.finditer(text):
        following = _NEXT.match(text, mark.end()) if text[mark.start()] in ".…" else None
        if following and following[1].islower():
            continue
        if mark[0] == "." and _KEEPS_ITS_STOP.search(text, max(0, mark.start() - _LONGEST_TITLE - 1), mark.start()):
            continue
        yield mark.end()


@cache
def _word() -> re.Pattern[str]:
    """What a word is; the likeliest first. Some tables of Unicode are read, which takes 20 ms."""
    marks = _class("Mn Mc Me Cf", but="\u200b") + _SKIN
    run = rf"{_WORDLIKE}++(?:[{marks}]++{_WORDLIKE}*+)*+"
    return re.compile(
        rf"""{_LETTER}++(?=[\s,])
        | (?:https?://|www\.)[^\s<>"]*[^\s<>"'’.,;:!?)\]}}]
        | \d++(?:[.,:/]\d++)*+(?!{_LETTER})
        | {_LETTER}(?:\.{_LETTER}){{1,12}}+\.?+(?!{_WORDLIKE})
        | [{_CAPITALS}]\.(?=\s+[{_CAPITALS}])
        | (?:{TITLES})\.(?=\s)
        | [\w.+-]{{1,64}}+@[\w-]+(?:\.[\w-]+)+
        | [@\#]{run}
        | {_LETTER}+?(?=n['’]t\b) | n['’]t\b
        | (?<=\w)['’]{_ENDING} | ['’][nst]\b
        | {run}(?:['’](?={_LETTER})(?!{_ENDING})|(?:\.[a-z0-9]+)+\b|(?:(?<=[א-ת])["״'׳](?=[א-ת])|·(?={_LETTER})){run})*+
        | [:;=8][-o^']?[()\[\]DPpO/\\|*](?!\w)
        | {_FLAG}{{2}}
        | ([^\w\s])\1*[{marks}]*(?:(?<=\u200d)[^\w\s][{marks}]*)*
        | \S[{marks}]*""",
        re.VERBOSE,
    )


def _class(categories: str, *, but: str = "") -> str:
    """The characters of some categories, as ranges within brackets of an expression."""
    wanted, ranges = categories.split(), list[str]()
    first: int | None = None
    for code in _ASSIGNED:
        is_in = category(chr(code)) in wanted and chr(code) not in but
        if is_in and first is None:
            first = code
        elif not is_in and first is not None:
            ranges.append(f"{chr(first)}-{chr(code - 1)}")
            first = None
    return "".join(ranges)
