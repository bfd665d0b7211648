"""The dimensions: which sizes are measured, of what."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from growth.measure import Point
from growth.subjects import Model, precisions, tagging, tagging_files, tagging_new_words, training
from growth.text import Language, even, natural

TAGS = 17  # of four types of entities as BIOES; told apart as plain tags
KNOWN = 10_000  # words in the model's list
IN_FILES = 100_000  # distinct words of the language that the files are written in
TRAINING = "training"


@dataclass(frozen=True)
class Scale:
    """How large all is, and how long each point is measured."""

    network: str
    rounds: int
    tokens: int  # of a text to tag
    many_tokens: int  # of one whose words are new
    training_seconds: float
    training_tokens: int
    sizes: Mapping[str, Sequence[int]]
    files: Mapping[str, Sequence[float]]  # network -> MB
    file_rounds: Callable[[str, float], int | None] = field(default=lambda *_: None)


def _file_rounds(network: str, megabytes: float) -> int:
    """Files that take a minute and more are tagged once."""
    return 3 if megabytes <= 1 else 2 if (network, megabytes) == ("tiny", 10) else 1


_SIZES: dict[str, Sequence[int]] = {
    "length": (5, 10, 20, 50, 100, 200, 500),
    "batch": (1, 4, 10, 32, 64, 128),
    "tags": (2, 5, 17, 45, 100, 200, 500),
    "vocabulary": (1_000, 10_000, 100_000, 1_000_000),
}
_FILES = {"tiny": (1.0, 10.0, 100.0), "paper": (1.0, 10.0)}
DEFAULT = Scale("paper", 5, 16_384, 262_144, 0.5, 50_000, _SIZES, _FILES, _file_rounds)
FULL = replace(DEFAULT, files=dict.fromkeys(_FILES, (1.0, 10.0, 100.0, 1000.0)))
QUICK = Scale(
    "tiny", 2, 600, 600, 0.0, 600,
    {"length": (5, 20, 100), "batch": (1, 8), "tags": (2, 17), "vocabulary": (100, 1_000)},
    {"tiny": (0.2, 0.4)}, lambda *_: 1,
)  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """What the points of all dimensions are made from."""

    scale: Scale
    lengths: Sequence[int]  # of words, in characters, by rank
    directory: Path  # for models and texts

    def model(self, language: Language, *, tags: int = TAGS, batch: int = 10) -> Model:
        return Model.make(language.words, tags=tags, size=self.scale.network, batch=batch)


def length(bench: Bench) -> Iterator[Point]:
    scale, language = bench.scale, Language.invent(KNOWN, bench.lengths)
    model, words = bench.model(language), language.draw(scale.tokens)
    for size in scale.sizes["length"]:
        for series, precision in precisions().items():
            yield Point(series, size, tagging(model.in_precision(precision), even(words, size)))
        enough = even(language.draw(max(scale.training_tokens, 50 * size)), size)
        yield Point(TRAINING, size, training(bench.model(language), enough, seconds=scale.training_seconds))


def batch(bench: Bench) -> Iterator[Point]:
    scale, language = bench.scale, Language.invent(KNOWN, bench.lengths)
    texts = natural(language.draw(scale.training_tokens))
    for size in scale.sizes["batch"]:
        model = bench.model(language, batch=size)
        yield Point(TRAINING, size, training(model, texts, seconds=scale.training_seconds))


def tags(bench: Bench) -> Iterator[Point]:
    scale, language = bench.scale, Language.invent(KNOWN, bench.lengths)
    texts, to_tag = natural(language.draw(scale.training_tokens)), natural(language.draw(scale.tokens))
    for size in scale.sizes["tags"]:
        model = bench.model(language, tags=size)
        for series, precision in precisions().items():
            yield Point(series, size, tagging(model.in_precision(precision), to_tag))
        yield Point(TRAINING, size, training(model, texts, seconds=scale.training_seconds))


def vocabulary(bench: Bench) -> Iterator[Point]:
    scale = bench.scale
    for size in scale.sizes["vocabulary"]:
        language = Language.invent(size, bench.lengths)
        small = bench.model(Language(language.words[:KNOWN]))
        to_tag = natural(language.draw(scale.many_tokens))
        for series, precision in precisions().items():
            yield Point(series, size, tagging_new_words(small.in_precision(precision), to_tag), rounds=2)
        texts = natural(language.draw(scale.training_tokens))
        yield Point(TRAINING, size, training(bench.model(language), texts, seconds=scale.training_seconds))


def files(bench: Bench) -> Iterator[Point]:
    scale = bench.scale
    language = Language.invent(IN_FILES, bench.lengths)
    sizes = sorted({size for of in scale.files.values() for size in of})
    texts = {size: bench.directory / f"{size:g}MB.conll" for size in sizes}
    words = {size: language.write(path, size=round(size * 1e6)) for size, path in texts.items()}
    for network, of in scale.files.items():
        directory = bench.directory / network
        Model.make(language.words[:KNOWN], tags=TAGS, size=network).save(directory)
        for size in of:
            measure = tagging_files(directory, texts[size], words[size])
            yield Point(f"{network} network", size, measure, rounds=scale.file_rounds(network, size))


@dataclass(frozen=True)
class Dimension:
    """One thing that grows: its points, and how a reader is told of them."""

    points: Callable[[Bench], Iterator[Point]]
    title: str
    unit: str  # of the size
    note: str


DIMENSIONS = {
    "length": Dimension(
        length, "Length of sentences", "words per sentence",
        "All sentences have one length; training takes 10 to a step. The tagger knows the words of the text, so that "
        "nothing but the length differs.",
    ),
    "batch": Dimension(
        batch, "Batch", "sentences per step",
        "Training; the lengths of sentences are drawn like those of CoNLL-2003, 14.5 words in the mean. Words that "
        "stand in a batch more than once pass the character GRU once, so a larger batch has less to do for each token.",
    ),
    "tags": Dimension(
        tags, "Tag set", "tags",
        "Sentences as under Batch, 10 to a step. The CRF takes time quadratic in the tags, so the exponent comes "
        "near 2 where it is all that counts, and is near 0 as long as it is little beside the recurrent layers.",
    ),
    "vocabulary": Dimension(
        vocabulary, "Vocabulary", "distinct words",
        "Training: the words in the model's list, from which the sentences are drawn, 10 to a step. Tagging: the words "
        "of the language that the text is drawn from, while the model knows 10,000 at most; each time by a tagger that "
        "has seen none of them, so every distinct word passes the character GRU once, or again once more are met than "
        "are remembered (what 48 MB hold). How many distinct words the text has is told beside.",
    ),
    "files": Dimension(
        files, "File size", "MB",
        "`polytag tag`, a process for each measurement, one word per line, out of 100,000 distinct ones. Beside the "
        "paper's network one of a few units, with which reading, writing and what is kept in memory weigh most. "
        "Tokens/s is what comes after the first output; the seconds are those of the whole process.",
    ),
}  # fmt: skip
