"""CRFsuite, through python-crfsuite, with the hand features that its users write: no gazetteers, no other columns."""

from collections.abc import Iterator
from pathlib import Path

import pycrfsuite
from protocol import Tag, TagAll, Trained, Training, Words, run

FLAGS = (("upper", str.isupper), ("title", str.istitle), ("digit", str.isdigit))
SHAPE = str.maketrans({
    **dict.fromkeys("abcdefghijklmnopqrstuvwxyz", "x"),
    **dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "X"),
    **dict.fromkeys("0123456789", "d"),
})  # fmt: skip


def features(words: Words) -> list[list[str]]:
    """Features of each word: affixes, shape and flags of itself; the words at most two away, and their flags."""
    own = [list(_own(word)) for word in words]
    about = [list(_about(word)) for word in words]
    return [["bias", *own[i], *_around(about, i)] for i in range(len(words))]


def _own(word: str) -> Iterator[str]:
    shape = word.translate(SHAPE)
    yield f"word={word}"
    yield f"shape={shape}"
    for size in range(1, 5):
        yield f"prefix={word[:size]}"
        yield f"suffix={word[-size:]}"
    if "-" in word:
        yield "hyphen"


def _about(word: str) -> Iterator[str]:
    yield f"lower={word.lower()}"
    yield from (name for name, holds in FLAGS if holds(word))


def _around(about: list[list[str]], here: int) -> Iterator[str]:
    for offset in (-2, -1, 0, 1, 2):
        place = here + offset
        inside = about[place] if 0 <= place < len(about) else ["edge"]
        yield from (f"{offset}:{feature}" for feature in inside)


def train(request: Training, directory: Path) -> Trained:
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    for words, tags in request.train:
        trainer.append(features(words), tags)
    limit = {} if request.full else {"max_iterations": request.limit}
    trainer.set_params({"c1": 0.1, "c2": 0.01, "feature.possible_transitions": True, **limit})
    trainer.train(str(directory / "model.crfsuite"))
    iterations = len(trainer.logparser.iterations)
    words_seen = iterations * sum(len(words) for words, _ in request.train)
    return Trained(words_seen, f"L-BFGS, c1 0.1, c2 0.01, {iterations} iterations")


def load(directory: Path) -> tuple[TagAll, Tag]:
    tagger = pycrfsuite.Tagger()
    tagger.open(str(directory / "model.crfsuite"))

    def tag(words: Words) -> list[str]:
        found: list[str] = tagger.tag(features(words))
        return found

    return (lambda sentences: [tag(words) for words in sentences]), tag


if __name__ == "__main__":
    run(train, load, packages=["python-crfsuite"])
