"""How many of the first findings of `polytag audit` are errors, with errors planted.

    python benchmarks/audit.py --data DIR [--sentences 3000] [--share 0.05] [--epochs 6] [--seed 1]

Of the first sentences of conll2003/eng.train, a share of the spans gets another label, another boundary, or is removed,
or has one added beside it, a quarter each. Looked at are the first findings, half as many as there are planted errors;
those count that overlap a changed span. The corpus has errors of its own, which count as false.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from polytag.auditing import audit
from polytag.corpus import schemes
from polytag.corpus.documents import read
from polytag.corpus.formats import conll
from polytag.corpus.sentence import Sentence, Span

TYPES = ("LOC", "MISC", "ORG", "PER")
WAYS = ("label", "boundary", "removed", "added")
PLAN = """size = "small"
[chars.latin]
[words.english]
vectors = "{vectors}"
[tasks.ner]
chars = "latin"
words = "english"
train = ["{train}"]
columns = {{ word = 0, tag = 1 }}
[training]
recipe = "best"
epochs = {epochs}
batch_sentences = 8
seed = {seed}
threads = 1
"""


def changed(spans: Sequence[Span], at: Span, length: int, way: str, draw: random.Random) -> list[Span] | None:
    """The spans of a sentence after one is changed, or None where it cannot be so changed."""
    others = [span for span in spans if span != at]
    taken = {word for span in spans for word in range(span.start, span.end)}
    if way == "removed":
        return others
    if way == "label":
        return [*others, Span(draw.choice([of for of in TYPES if of != at.type]), at.start, at.end)]
    if way == "added":
        free = [word for word in range(length) if word not in taken]
        return [*spans, Span(draw.choice(TYPES), word := draw.choice(free), word + 1)] if free else None
    ends = [(at.start + 1, at.end), (at.start, at.end - 1)] if at.end - at.start > 1 else []
    ends += [(at.start, at.end + 1)] if at.end < length and at.end not in taken else []
    ends += [(at.start - 1, at.end)] if at.start and at.start - 1 not in taken else []
    return [*others, Span(at.type, *draw.choice(ends))] if ends else None


def plant(sentences: list[Sentence], share: float, draw: random.Random) -> tuple[list[Sentence], dict[int, set[int]]]:
    """Sentences with errors, at most one in each, and the words of it by the sentence's number."""
    spans = [schemes.spans(sentence.tags["ner"]) for sentence in sentences]
    places = [(number, span) for number, of in enumerate(spans) for span in of]
    wanted, planted, found = round(share * len(places)), dict[int, set[int]](), list(sentences)
    draw.shuffle(places)
    for number, span in places:
        if len(planted) == wanted:
            break
        length, way = len(sentences[number]), WAYS[len(planted) % len(WAYS)]
        new = None if number in planted else changed(spans[number], span, length, way, draw)
        if new is not None:
            planted[number] = {w for one in set(new) ^ set(spans[number]) for w in range(one.start, one.end)}
            tags = schemes.write(sorted(new, key=lambda one: one.start), length, scheme="iob2")
            found[number] = Sentence(sentences[number].words, {"ner": tags})
    return found, planted


def hits(args: argparse.Namespace) -> Iterator[tuple[float, bool]]:
    """Suspicion of the first findings, half as many as planted errors, and whether each is one."""
    file = args.data / "conll2003" / "eng.train"
    everything = read(file, tags={"ner": args.column})
    sentences = [Sentence(s.words, {"ner": _iob2(s)}) for s in islice(everything, args.sentences)]
    spoilt, planted = plant(sentences, args.share, random.Random(args.seed))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "train.conll").write_text("".join(map(conll.written, spoilt)), encoding="utf-8")
        vectors = (args.data / "vectors" / "glove.en.100d.vec.gz").resolve()
        plan = PLAN.format(vectors=vectors, train=folder / "train.conll", epochs=args.epochs, seed=args.seed)
        (folder / "plan.toml").write_text(plan, encoding="utf-8")
        found = audit(folder / "plan.toml", output=folder / "audit", say=print).tasks["ner"]
        line, first = 1, {}
        for number, sentence in enumerate(spoilt):
            first[line] = number
            line += len(conll.written(sentence).splitlines())
        for suspect in found.suspects[: len(planted) // 2]:
            words = planted.get(first[suspect.case.lines[0]], set())
            yield suspect.suspicion, bool(words & set(range(suspect.outcome.start, suspect.outcome.end)))


def _iob2(sentence: Sentence) -> tuple[str, ...]:
    return schemes.write(schemes.spans(sentence.tags["ner"]), len(sentence), scheme="iob2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--column", type=int, default=3)
    parser.add_argument("--sentences", type=int, default=3000)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    found = list(hits(args))
    right = sum(is_planted for _, is_planted in found)
    print(f"{right} of the first {len(found)} findings are planted errors: {100 * right / len(found):.1f} %")


if __name__ == "__main__":
    main()
