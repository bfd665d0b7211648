"""The corpora as every contender reads them: word, tab, tag, in IOB2 where tags are of spans; and the one scorer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks.peers.environments import ContenderError
from benchmarks.peers.rows import Corpus
from polytag.corpus import Sentence, read
from polytag.corpus.schemes import convert_tags
from polytag.errors import PolytagError
from polytag.scoring import Counts, counts_for

TAG, WARM_UP, SINGLE_WORDS, SINGLES = "tag", 500, 17, 100


@dataclass(frozen=True)
class Prepared:
    """The files of one corpus; ``warm_up`` is text that no contender is scored or timed on."""

    train: Path
    dev: Path | None
    test: Path
    warm_up: Path
    words: int  # of the test file
    singles: list[list[str]]  # test sentences of 17 words, to tag one at a time
    spans: bool


def prepare(corpus: Corpus, data: Path, directory: Path, *, sentences: int | None = None) -> Prepared:
    """Write a corpus's files into a directory; ``sentences`` takes only so many of each.

    Raises:
        CorpusError: a file is missing or cannot be read.
    """
    directory.mkdir(parents=True, exist_ok=True)
    names = {"train": corpus.train, "dev": corpus.dev, "test": corpus.test}
    splits = {
        split: _write(directory / split, list(islice(_read(data / name, corpus), sentences)))
        for split, name in names.items()
        if name is not None
    }
    other = "dev" if "dev" in splits else "train"
    _write(directory / "warm-up", splits[other][:WARM_UP])
    return Prepared(
        train=directory / "train",
        dev=directory / "dev" if "dev" in splits else None,
        test=directory / "test",
        warm_up=directory / "warm-up",
        words=sum(map(len, splits["test"])),
        singles=_singles(splits["test"]),
        spans=corpus.spans,
    )


def score(prepared: Prepared, predictions: Path) -> Counts:
    """Count what a contender wrote against the test file: spans as conlleval does, or tags.

    Raises:
        ContenderError: it wrote no tags for the words of the test file, or tags that are none.
    """
    try:
        gold, found = (list(read(path, tags={TAG: 1}, encoding="utf-8")) for path in (prepared.test, predictions))
        if [s.words for s in found] != [s.words for s in gold]:
            raise ContenderError(
                f"its predictions are not of the {len(gold):,} test sentences, but of {len(found):,} others"
            )
        counts = counts_for(not prepared.spans)
        for expected, predicted in zip(gold, found, strict=True):
            counts.add(expected.tags[TAG], predicted.tags[TAG])
    except PolytagError as error:
        raise ContenderError(f"its predictions cannot be scored: {error}") from error
    return counts


def _read(path: Path, corpus: Corpus) -> Iterator[Sentence]:
    for sentence in read(path, tags={TAG: corpus.column}):
        tags = sentence.tags[TAG]
        yield Sentence(sentence.words, {TAG: convert_tags(tags, "iob2") if corpus.spans else tags})


def _write(path: Path, sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for sentence in sentences:
            file.writelines(f"{word}\t{tag}\n" for word, tag in zip(sentence.words, sentence.tags[TAG], strict=True))
            file.write("\n")
    return sentences


def _singles(sentences: Sequence[Sentence]) -> list[list[str]]:
    """Sentences of 17 words; only where there are none, the beginnings of longer ones."""
    exact = [list(s.words) for s in sentences if len(s) == SINGLE_WORDS]
    longer = [list(s.words[:SINGLE_WORDS]) for s in sentences if len(s) > SINGLE_WORDS]
    return (exact or longer)[:SINGLES]
