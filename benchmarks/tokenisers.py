"""Ways to cut text into words and sentences: F1 of both against Universal Dependencies, and speed.

    python benchmarks/tokenisers.py --data DATA [--part dev]

The text of a treebank is put together again from its words (SpaceAfter=No) and cut anew; a word or a sentence is right
where both its ends are. What a contraction is made of counts as words where it is written in it (``do`` and ``n't``).
The speed is that on the first lines of raw text, words of Unicode a second of CPU time, once all is loaded.
Splitters that are not installed are left out: ``pip install syntok pysbd blingfire regex``, and spaCy.
"""

import argparse
import lzma
import re
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from polytag.corpus.tokenising import tokeniser

TREEBANKS = {
    "en": "English-EWT/en_ewt-ud",
    "nl": "Dutch-LassySmall/nl_lassysmall-ud",
    "af": "Afrikaans-AfriBooms/af_afribooms-ud",
    "gl": "Galician-TreeGal/gl_treegal-ud",
}
SPACY = {"gl": "es"}  # a language that spaCy has no rules for, and the nearest that it has
PYSBD = {"en": "en", "nl": "nl", "af": "nl", "gl": "es", "yo": "en", "am": "am"}
RAW, RAW_LINES = ("en", "yo", "am"), 1_000

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


def speed(cut: Cut, path: Path, language: str) -> float:
    """Words a second of CPU time on the first lines of a raw text, a paragraph each."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        text = "\n".join(islice(file, RAW_LINES))
    words = len(tokeniser("unicode").words(text))
    list(cut("Loads what is needed.", language))
    began = time.process_time()
    for _ in cut(text, language):
        pass
    return words / (time.process_time() - began)


def score(cut: Cut, path: Path, language: str) -> tuple[float, float]:
    """F1 of words and of sentences, in percent."""
    gold, found = (set[Any](), set[Any]()), (set[Any](), set[Any]())
    for number, (text, sentences) in enumerate(documents(path)):
        for (words, whole), of in ((gold, sentences), (found, list(cut(text, language)))):
            words.update((number, place) for sentence in of for place in sentence)
            whole.update((number, sentence[0][0], sentence[-1][1]) for sentence in of)
    return _f1(gold[0], found[0]), _f1(gold[1], found[1])


def _f1(gold: set[Any], found: set[Any]) -> float:
    return 200 * len(gold & found) / (len(gold) + len(found))


def main() -> None:
    """Print a row of Markdown for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", default="test", choices=["train", "dev", "test"])
    options = parser.parse_args()
    heads = [f"{code} words | sentences" for code in TREEBANKS] + [f"words/s ({code})" for code in RAW]
    print(f"| | {' | '.join(heads)} |")
    print("|---" * (2 * len(TREEBANKS) + len(RAW) + 1) + "|")
    for name, make in WAYS.items():
        try:
            cut = make()
            files = {code: options.data / "ud" / f"{TREEBANKS[code]}-{options.part}.conllu" for code in TREEBANKS}
            cells = ["{:.1f} | {:.1f}".format(*score(cut, file, code)) for code, file in files.items()]
        except ImportError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        cells += [f"{speed(cut, options.data / 'raw' / f'{code}.txt.xz', code):,.0f}" for code in RAW]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
