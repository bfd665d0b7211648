"""Score a model that examples/train.py made, as conlleval does, and on unknown words: examples/evaluate.py MODEL."""

import sys
from pathlib import Path

import polytag
from polytag.corpus import read
from polytag.scoring import table

TEST = Path(__file__).parent / "news" / "en.test.conll"


def main(model: str) -> None:
    tagger = polytag.load(model)
    counts = tagger.evaluate(read(TEST, tags={"en-ner": 2}), "en-ner")
    print(table(counts))
    unknown = counts.tokens["unknown"]
    print(f"{unknown.f1:.1f} % of the {unknown.gold} words that training never showed are tagged right")


if __name__ == "__main__":
    main(sys.argv[1])
