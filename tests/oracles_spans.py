"""An independent count of spans: conlleval's two subroutines and its loop, which builds no spans, and random tags."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence

LETTERS = {
    "iob1": "IB", "iob2": "BI", "bioes": "BIES", "bilou": "BILU", "bmes": "BMES", "bmewo": "BMEW", "ioe1": "IE",
    "ioe2": "IE", "io": "I",
}  # fmt: skip
AS_BIOES = str.maketrans("LUMW", "ESIS")


def split(tag: str) -> tuple[str, str]:
    letter, _, type_ = tag.partition("-")
    return letter.upper().translate(AS_BIOES), "" if letter.upper() == "O" else type_ or "_"


def end_of_chunk(before: str, here: str, type_before: str, type_here: str) -> bool:
    listed = {"BB", "BO", "BS", "IB", "IO", "IS", "EB", "EE", "EI", "EO", "ES", "SB", "SE", "SI", "SO", "SS"}
    return before + here in listed or (before != "O" and type_before != type_here)


def start_of_chunk(before: str, here: str, type_before: str, type_here: str) -> bool:
    always = {"BB", "IB", "OB", "EB", "SB", "BS", "IS", "OS", "ES", "SS"}
    listed = {"OI", "OE", "EE", "EI", "SE", "SI"}
    return before + here in always | listed or (here != "O" and type_before != type_here)


def conlleval(sentences: Iterable[tuple[Sequence[str], Sequence[str]]]) -> dict[str, Counter[str]]:
    """Correct, guessed and gold chunks by type, counted token by token as conlleval's main loop does."""
    counts: dict[str, Counter[str]] = {"correct": Counter(), "predicted": Counter(), "gold": Counter()}
    in_correct = False
    before = (("O", ""), ("O", ""))
    for gold, predicted in sentences:
        for pair in zip([*gold, "O"], [*predicted, "O"], strict=True):
            here = (split(pair[0]), split(pair[1]))
            ended = [end_of_chunk(b[0], h[0], b[1], h[1]) for b, h in zip(before, here, strict=True)]
            started = [start_of_chunk(b[0], h[0], b[1], h[1]) for b, h in zip(before, here, strict=True)]
            if in_correct and any(ended):
                counts["correct"][before[0][1]] += all(ended)
                in_correct = False
            if all(started) and here[0][1] == here[1][1]:
                in_correct = True
            counts["gold"][here[0][1]] += started[0]
            counts["predicted"][here[1][1]] += started[1]
            before = here
    return {name: +counter for name, counter in counts.items()}


def random_tags(source: random.Random, scheme: str, length: int, types: Sequence[str] = ("PER", "LOC")) -> list[str]:
    """Tags of the scheme's letters in no order, so mostly ill-formed."""
    tags = ["O"] + [f"{letter}-{type_}" for letter in LETTERS[scheme] for type_ in types]
    return [source.choice(tags) for _ in range(length)]


def altered(source: random.Random, tags: Sequence[str], scheme: str) -> list[str]:
    """The same tags but for some, so that spans are partly right."""
    return [random_tags(source, scheme, 1)[0] if source.random() < 0.25 else tag for tag in tags]
