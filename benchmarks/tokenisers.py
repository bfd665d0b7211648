"""Ways to cut text into words and sentences, against Universal Dependencies: F1 of words and sentences, words a second.

    python benchmarks/tokenisers.py --data DATA [--part dev]

The text of a treebank is put together again from its words (SpaceAfter=No) and cut anew; a word or a sentence is right
where both its ends are. What a contraction is made of counts as words where it is written in it (``do`` and ``n't``).
Splitters that are not installed are left out: ``pip install syntok pysbd blingfire regex``, and spaCy.
"""

import argparse
import re
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from polytag.corpus.tokenising import tokeniser

TREEBANKS = {
    "en": "English-EWT/en_ewt-ud",
    "nl": "Dutch-LassySmall/nl_lassysmall-ud",
    "af": "Afrikaans-AfriBooms/af_afribooms-ud",
    "gl": "Galician-TreeGal/gl_treegal-ud",
}
SPACY = {"gl": "es"}  # the nearest language that spaCy has rules for
PYSBD = {"en": "en", "nl": "nl", "af": "nl", "gl": "es"}

Place = tuple[int, int]
Cut = Callable[[str, str], Iterable[list[Place]]]  # a text and its language to the places of each sentence's words


def polytag(name: str) -> Cut:
    def cut(text: str, language: str) -> Iterator[list[Place]]:
        code = SPACY.get(language, language)
        return (list(sentence.offsets) for sentence in tokeniser(name.format(code)).sentences(text))

    return cut


def uax29() -> Cut:
    import regex

    bound = regex.compile(r"(?w)\b")

    def cut(text: str, _: str) -> Iterator[list[Place]]:
        places = pairwise([found.start() for found in bound.finditer(text)])
        yield [(start, end) for start, end in places if not text[start:end].isspace()]

    return cut


def syntok() -> Cut:
    import syntok.segmenter

    def cut(text: str, _: str) -> Iterator[list[Place]]:
        for paragraph in syntok.segmenter.analyze(text):
            for sentence in paragraph:
                yield [(token.offset, token.offset + len(token.value)) for token in sentence]

    return cut


def blingfire() -> Cut:
    import blingfire

    def cut(text: str, _: str) -> list[list[Place]]:
        starts = [start for start, _ in blingfire.text_to_sentences_and_offsets(text)[1]]
        sentences: list[list[Place]] = [[] for _ in starts]
        for place in blingfire.text_to_words_with_offsets(text)[1]:
            sentences[max(0, bisect_right(starts, place[0]) - 1)].append(place)
        return [sentence for sentence in sentences if sentence]

    return cut


def pysbd() -> Cut:
    import pysbd

    def cut(text: str, language: str) -> Iterator[list[Place]]:
        segmenter, start = pysbd.Segmenter(language=PYSBD[language], clean=False, char_span=True), 0
        for paragraph in text.split("\n\n"):
            for found in segmenter.segment(paragraph):
                first = start + found.start
                if words := [(first + m.start(), first + m.end()) for m in re.finditer(r"\S+", found.sent)]:
                    yield words
            start += len(paragraph) + 2

    return cut


WAYS: dict[str, Callable[[], Cut]] = {
    "unicode": lambda: polytag("unicode"),
    "spacy:CODE": lambda: polytag("spacy:{}"),
    "spacy:xx": lambda: polytag("spacy:xx"),
    "syntok": syntok,
    "blingfire": blingfire,
    "pysbd (words by blanks)": pysbd,
    "UAX 29 by regex (words)": uax29,
    "blanks (a line a sentence)": lambda: polytag("blanks"),
}


def documents(path: Path) -> Iterator[tuple[str, list[list[Place]]]]:
    """The text of each document, and where the words of its sentences stand."""
    text, sentences = "", list[list[Place]]()
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        if any(line.startswith("# newdoc") for line in lines) and sentences:
            yield text, sentences
            text, sentences = "", []
        if any(line.startswith("# newpar") for line in lines) and text:
            text = text.rstrip() + "\n\n"
        sentence = list[Place]()
        for forms, gap in _tokens([line.split("\t") for line in lines if not line.startswith("#")]):
            for form in forms:
                sentence.append((len(text), len(text) + len(form)))
                text += form
            text += gap
        sentences.append(sentence)
    yield text, sentences


def _tokens(rows: list[list[str]]) -> Iterator[tuple[list[str], str]]:
    """The words of each token as written, and what follows it."""
    inside = 0  # the last row of a contraction
    for row in rows:
        first, _, last = row[0].partition("-")
        if "." in first or (not last and int(first) <= inside):
            continue
        forms = [row[1]]
        if last:
            inside = int(last)
            parts = [other[1] for other in rows if other[0].isdecimal() and int(first) <= int(other[0]) <= inside]
            forms = parts if "".join(parts) == row[1] else forms
        yield forms, "" if "SpaceAfter=No" in row[9].split("|") else " "


def score(cut: Cut, path: Path, language: str) -> tuple[float, float, float]:
    """F1 of words and of sentences, in percent, and words a second of CPU time."""
    gold, found = (set[Any](), set[Any]()), (set[Any](), set[Any]())
    seconds = 0.0
    for number, (text, sentences) in enumerate(documents(path)):
        began = time.process_time()
        cuts = list(cut(text, language))
        seconds += time.process_time() - began
        for (words, whole), of in ((gold, sentences), (found, cuts)):
            words.update((number, place) for sentence in of for place in sentence)
            whole.update((number, sentence[0][0], sentence[-1][1]) for sentence in of)
    return _f1(gold[0], found[0]), _f1(gold[1], found[1]), len(gold[0]) / seconds


def _f1(gold: set[Any], found: set[Any]) -> float:
    return 200 * len(gold & found) / (len(gold) + len(found))


def main() -> None:
    """Print a row of Markdown for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", default="test", choices=["train", "dev", "test"])
    options = parser.parse_args()
    print("| | " + " | ".join(f"{code} words | sentences" for code in TREEBANKS) + " | words a second (en) |")
    print("|---" * (2 * len(TREEBANKS) + 2) + "|")
    for name, make in WAYS.items():
        try:
            cut = make()
            rows = [
                score(cut, options.data / "ud" / f"{TREEBANKS[code]}-{options.part}.conllu", code) for code in TREEBANKS
            ]
        except ImportError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        cells = [f"{words:.1f} | {sentences:.1f}" for words, sentences, _ in rows]
        print(f"| {name} | {' | '.join(cells)} | {rows[0][2]:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
