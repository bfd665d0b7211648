"""Train a small tagger for English parts of speech and entities, watching it learn: examples/train.py [MODEL]."""

import sys
import tempfile
from pathlib import Path

import polytag
from polytag.training import Evaluation

NEWS = Path(__file__).parent / "news"
SMALL = ["chars.latin.hidden=16", "words.english.hidden=24", "training.epochs=3", "training.learning_rate=0.01"]


def main(model: str) -> None:
    plan = polytag.load_plan(NEWS / "joint.toml", settings=SMALL).only(["en-pos", "en-ner"])
    for event in polytag.train_events(plan, output=model):
        if isinstance(event, Evaluation):
            losses = ", ".join(f"{task} loss {loss:.2f}" for task, loss in event.loss.items())
            print(f"epoch {event.epoch}: {losses}, {event.seconds:.0f} s")
    for task, counts in polytag.evaluate(model).items():
        print(f"{task}: {counts.metric} {counts.score:.2f} on the test split")
    print(f"the model is in {model}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
