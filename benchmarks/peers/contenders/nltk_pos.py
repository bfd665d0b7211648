"""NLTK's averaged perceptron, the tagger of its `pos_tag`, trained anew."""

import json
import random
from pathlib import Path

from nltk.tag.perceptron import PerceptronTagger
from protocol import Tag, TagAll, Trained, Training, Words, run


def train(request: Training, directory: Path) -> Trained:
    random.seed(request.seed)  # the tagger shuffles with the module's generator
    tagger = PerceptronTagger(load=False)
    tagger.train([list(zip(*sentence, strict=True)) for sentence in request.train], nr_iter=request.limit)
    (directory / "model.json").write_text(json.dumps(tagger.encode_json_obj()), encoding="utf-8")
    words_seen = request.limit * sum(len(words) for words, _ in request.train)
    return Trained(words_seen, f"{request.limit} iterations")


def load(directory: Path) -> tuple[TagAll, Tag]:
    tagger = PerceptronTagger.decode_json_obj(json.loads((directory / "model.json").read_text(encoding="utf-8")))

    def tag(words: Words) -> list[str]:
        return [found for _, found in tagger.tag(words)]

    return (lambda sentences: [tag(words) for words in sentences]), tag


if __name__ == "__main__":
    run(train, load, packages=["nltk"])
