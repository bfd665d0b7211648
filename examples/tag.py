"""Tag a sentence with a model that examples/train.py made, and say how sure it is: examples/tag.py MODEL."""

import sys

import polytag

WORDS = ["Marta", "Oliveira", "moved", "from", "Lisbon", "to", "Berlin", "on", "Monday", "."]


def main(model: str) -> None:
    tagger = polytag.load(model)
    sentence = tagger.tag(WORDS, confidence=True)
    for position, word in enumerate(sentence.words):
        tags = [f"{sentence.tags[task][position]} {sentence.confidence[task][position]:.2f}" for task in sentence.tags]
        print(f"{word:<10}", *(f"{tag:<12}" for tag in tags))
    for span in sentence.spans("en-ner"):
        print(f"{' '.join(WORDS[span.start : span.end])} is {span.type} with probability {span.probability:.2f}")


if __name__ == "__main__":
    main(sys.argv[1])
