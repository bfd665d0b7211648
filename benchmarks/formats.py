"""What reading a text to tag and writing it with its tags costs, at once and block by block, in microseconds a word.

    python benchmarks/formats.py [--file FILE] [--rounds 9]

The words are those of a file in columns, by default of examples/news, written in each format that needs no splitting.
Both ways must write the same bytes; the CPU time of each is the least of all rounds, which alternate.
"""

import argparse
import gc
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from itertools import islice
from pathlib import Path

from polytag.bulk.pieces import Piece, cut
from polytag.corpus.documents import read
from polytag.corpus.formats import FORMATS, WRITERS
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Layout

NEWS = Path(__file__).parent.parent / "examples" / "news" / "en.train.conll"
COLUMNS = ("NN", "I-NP")  # what stands beside the words in a file in columns
SPAN_TASKS = ("ner",)

Way = Callable[[Piece, Layout, Sequence[str]], str]


def texts(sentences: Sequence[Sentence]) -> Iterator[tuple[str, str, bool, str]]:
    """A name, a format, whether records are asked for, and the words in that format."""
    bare = [Sentence(sentence.words) for sentence in sentences]
    rows = [replace(s, tags={name: (name,) * len(s) for name in COLUMNS}) for s in bare]
    yield "conll", "conll", False, "".join(map(WRITERS["conll"], rows))
    yield "conllu", "conllu", False, "".join(map(WRITERS["conllu"], bare))
    yield "tokenised", "tokenised", False, "".join(map(WRITERS["text"], bare))
    yield "tokenised to jsonl", "tokenised", True, "".join(map(WRITERS["text"], bare))
    yield "jsonl of words", "jsonl", False, "".join(map(WRITERS["jsonl"], bare))
    yield "jsonl of texts", "jsonl", False, "".join(json.dumps({"text": " ".join(s.words)}) + "\n" for s in bare)


def at_once(piece: Piece, layout: Layout, tags: Sequence[str]) -> str:
    flat = FORMATS[piece.format].fast(piece.text, layout)
    assert flat is not None, "the texts are ordinary ones"
    return flat.render({"ner": tags[: len(flat.words)]}, span_tasks=SPAN_TASKS)


def by_blocks(piece: Piece, layout: Layout, tags: Sequence[str]) -> str:
    make = FORMATS[piece.format].blocks
    assert make is not None, "the formats are those that can be tagged"
    waiting, lines = iter(tags), list[str]()
    for block in make(piece.lines(), layout):
        known = block.sentence or Sentence(())
        own = tuple(islice(waiting, len(known)))
        lines.append(block.answered(replace(known, tags={"ner": own}), span_tasks=SPAN_TASKS))
    return "".join(lines)


@contextmanager
def collections_off() -> Iterator[None]:
    """Look for no garbage, which depends on what else there is; workers look for it rarely."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def measure(pieces: Sequence[Piece], tags: Sequence[str], *, records: bool, rounds: int) -> Mapping[str, float]:
    """The least CPU seconds that each way took for all pieces."""
    ways: Mapping[str, Way] = {"at once": at_once, "by blocks": by_blocks}
    least, written = dict.fromkeys(ways, float("inf")), dict[str, list[str]]()
    layouts = [Layout("", character=piece.character, records=records) for piece in pieces]
    for _ in range(rounds):
        for name, way in ways.items():
            with collections_off():
                began = time.process_time()
                written[name] = [way(piece, layout, tags) for piece, layout in zip(pieces, layouts, strict=True)]
                least[name] = min(least[name], time.process_time() - began)
    assert written["at once"] == written["by blocks"], "both ways must write the same"
    return least


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--file", type=Path, default=NEWS, help="words in the first column, tags in the last")
    parser.add_argument("--sentences", type=int, default=2_000, help="of the file")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(arguments)
    sentences = list(islice(read(options.file, tags={"ner": -1}), options.sentences))
    tags = [tag for sentence in sentences for tag in sentence.tags["ner"]]
    print(f"{len(tags):,} words of {options.file.name}; microseconds a word\n")
    print(f"{'':20}{'at once':>9}{'by blocks':>11}{'ratio':>7}")
    for name, format_, records, text in texts(sentences):
        took = measure(list(cut(StringIO(text), format=format_)), tags, records=records, rounds=options.rounds)
        fast, slow = (took[way] / len(tags) * 1e6 for way in ("at once", "by blocks"))
        print(f"{name:20}{fast:9.3f}{slow:11.3f}{slow / fast:7.1f}")


if __name__ == "__main__":
    main()
