"""What joint training gains: six tasks in three languages, each alone, then all in one network (news/joint.toml).

With the name of a file, the joint model is packed into it: news/demo.polytag was made so.
"""

import sys
import tempfile
from pathlib import Path

import polytag
from polytag.model.packed import save_packed
from polytag.training import Evaluation, train_events

PLAN = polytag.load_plan(Path(__file__).parent / "news" / "joint.toml")
TEXTS = {
    "en": [
        "Marta Oliveira flew from Copenhagen to Lima for the World Cup .",
        "The ministry in Nairobi bought the Peruvian ships .",
    ],
    "es": [
        "Tomas Lindqvist trabaja para Greenpeace en Varsovia .",
        "La empresa portuguesa abrirá una oficina en Bolivia .",
    ],
    "nl": [
        "Amina Diallo won met Ajax de Copa Atlantica in Wenen .",
        "De Spaanse minister sprak in Rotterdam met Interpol .",
    ],
}


def train(tasks: list[str], output: Path) -> tuple[polytag.Tagger, dict[str, float]]:
    """Train some tasks of the plan in one network and score them on their test files."""
    print(f"training {' + '.join(tasks)} ", end="", flush=True)
    for event in train_events(PLAN.only(tasks), output=output):
        print("." if isinstance(event, Evaluation) else "", end="", flush=True)
    print()
    scores = polytag.evaluate(output)
    return polytag.load(output), {task: counts.score for task, counts in scores.items()}


def main(packed: str | None = None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        alone = {}
        for task in PLAN.tasks:
            alone.update(train([task], Path(folder) / task)[1])
        tagger, joint = train(list(PLAN.tasks), Path(folder) / "joint")
    if packed:
        save_packed(Path(packed), tagger.model, precision="int8")
    print("\ntest score (entity F1, part-of-speech accuracy), percent:\n            alone   joint    gain")
    for task in PLAN.tasks:
        print(f"{task:<9} {alone[task]:7.2f} {joint[task]:7.2f} {joint[task] - alone[task]:+7.2f}")
    for language, text in ((language, text) for language, texts in TEXTS.items() for text in texts):
        sentence = tagger.tag(text.split(), tasks=[f"{language}-pos", f"{language}-ner"], confidence=True)
        print(
            f"\n{' '.join(f'{w}/{t}' for w, t in zip(sentence.words, sentence.tags[f'{language}-pos'], strict=True))}"
        )
        for span in sentence.spans(f"{language}-ner"):
            print(f"    {span.type:<4} {span.text} ({span.probability:.2f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
