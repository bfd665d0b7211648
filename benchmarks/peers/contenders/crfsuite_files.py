"""CRFsuite from file to file, as a script of its users would be: ``python crfsuite_files.py MODEL INPUT OUTPUT``.

Lines keep their columns and get the tag as a further one; blank and -DOCSTART- lines go through as they are.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TextIO

import pycrfsuite
from crfsuite_ner import features


def tag_file(tagger: pycrfsuite.Tagger, source: TextIO, target: TextIO) -> None:
    for lines, is_sentence in stretches(source):
        if is_sentence:
            tags = tagger.tag(features([line.split(maxsplit=1)[0] for line in lines]))
            target.writelines(f"{line} {tag}\n" for line, tag in zip(lines, tags, strict=True))
        else:
            target.writelines(f"{line}\n" for line in lines)


def stretches(source: TextIO) -> Iterator[tuple[list[str], bool]]:
    """Lines of sentences, and what stands between them."""
    for is_sentence, lines in groupby((line.rstrip() for line in source), key=is_word):
        yield [*lines], is_sentence


def is_word(line: str) -> bool:
    return bool(line) and not line.startswith("-DOCSTART-")


if __name__ == "__main__":
    tagger = pycrfsuite.Tagger()
    tagger.open(sys.argv[1])
    given, wanted = map(Path, sys.argv[2:])
    with given.open(encoding="utf-8") as source, wanted.open("w", encoding="utf-8") as target:
        tag_file(tagger, source, target)
