"""How many of the first findings of `polytag audit` are errors, with errors planted, and what correcting them brings.

    python benchmarks/audit.py --data DIR [--seeds 3] [--sentences 3000] [--share 0.05] [--epochs 6] [--work DIR]

Of the first sentences of conll2003/eng.train, a share of the spans gets another label, another boundary, or is removed,
or has one added beside it, a quarter each. Looked at are the first findings, as many as there are planted errors and
half as many; those count that overlap a changed span, and the corpus has errors of its own, which count as false. Then
models are trained on the sentences with errors, with those corrected that were found, and on what was there at first.
Every seed is a line of results.jsonl below ``--work``; called again, it goes on where it was.
"""

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import tomli_w

import polytag
from polytag.auditing import audit
from polytag.auditing.suspects import Suspect
from polytag.corpus import schemes
from polytag.corpus.documents import read
from polytag.corpus.formats import conll
from polytag.corpus.sentence import Sentence, Span
from polytag.model.report_file import REPORT, read_report
from polytag.plan_file import make_plan

TYPES = ("LOC", "MISC", "ORG", "PER")
WAYS = ("label", "boundary", "removed", "added")
SPLITS = {"dev": "eng.testa", "test": "eng.testb"}


@dataclass(frozen=True)
class Result:
    """One seed: of the first findings, half as many as there are planted errors and as many, how many are errors."""

    seed: int
    planted: int
    half: int
    all: int
    scores: Mapping[str, Mapping[str, float]]  # F1 by what is trained on and split


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


def result(args: argparse.Namespace, seed: int) -> Result:
    sentences = list(islice(_read(args, "eng.train"), args.sentences))
    spoilt, planted = plant(sentences, args.share, random.Random(seed))
    folder = args.work / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.conll").write_text("".join(map(conll.written, spoilt)), encoding="utf-8")
    plan = _plan(args, seed)
    plan["tasks"]["ner"] |= {"train": "train.conll", "columns": {"word": 0, "tag": 1}}
    (folder / "plan.toml").write_text(tomli_w.dumps(plan), encoding="utf-8")
    suspects = audit(folder / "plan.toml", output=folder / "audit", say=print).tasks["ner"].suspects
    first = _hits(suspects[: len(planted)], spoilt, planted)
    half = first[: len(planted) // 2]
    arms = {"with errors": spoilt}
    for name, of in (("half as many findings corrected", half), ("as many findings corrected", first)):
        found = {number for number in of if number is not None}
        arms[name] = [sentences[i] if i in found else sentence for i, sentence in enumerate(spoilt)]
    arms["as annotated"] = sentences
    others = {split: list(_read(args, name)) for split, name in SPLITS.items()}
    scores = {name: _scores(args, seed, {"train": of, **others}, folder / name) for name, of in arms.items()}
    right = [sum(number is not None for number in of) for of in (half, first)]
    return Result(seed, len(planted), *right, scores)


def _hits(suspects: Sequence[Suspect], spoilt: Sequence[Sentence], planted: Mapping[int, set[int]]) -> list[int | None]:
    """Of each finding the number of the sentence whose error it is, or None."""
    line, first = 1, {}
    for number, sentence in enumerate(spoilt):
        first[line] = number
        line += len(conll.written(sentence).splitlines())
    found = [(first[suspect.case.lines[0]], suspect.outcome) for suspect in suspects]
    return [number if planted.get(number, set()) & set(range(of.start, of.end)) else None for number, of in found]


def _plan(args: argparse.Namespace, seed: int) -> dict[str, Any]:
    vectors = (args.data / "vectors" / "glove.en.100d.vec.gz").resolve()
    return {
        "size": "small",
        "chars": {"latin": {}},
        "words": {"english": {"vectors": str(vectors)}},
        "tasks": {"ner": {"chars": "latin", "words": "english", "train": "-"}},
        "training": {"recipe": "best", "epochs": args.epochs, "batch_sentences": 8, "seed": seed, "threads": 1},
    }


def _scores(args: argparse.Namespace, seed: int, splits: Mapping[str, Any], output: Path) -> dict[str, float]:
    """F1 of a training that chooses its epoch by the dev split, or of that which is there already."""
    if not (output / REPORT).exists():
        polytag.train(make_plan(_plan(args, seed)), corpora={"ner": splits}, output=output)
    return {split: of["score"] for split, of in read_report(output)["scores"]["ner"].items()}


def _read(args: argparse.Namespace, name: str) -> Iterator[Sentence]:
    for sentence in read(args.data / "conll2003" / name, tags={"ner": 3}):
        tags = schemes.write(schemes.spans(sentence.tags["ner"]), len(sentence), scheme="iob2")
        yield Sentence(sentence.words, {"ner": tags})


def table(results: Sequence[Result]) -> str:
    lines = ["| | mean ± standard deviation | of each seed |", "|---|---|---|"]
    rows = {
        "precision of half as many findings, %": [100 * of.half / (of.planted // 2) for of in results],
        "precision of as many findings, %": [100 * of.all / of.planted for of in results],
    } | {
        f"{split} F1, {arm}": [of.scores[arm][split] for of in results]
        for split in SPLITS for arm in results[0].scores
    }  # fmt: skip
    for name, values in rows.items():
        spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
        lines.append(f"| {name} | {mean(values):.2f}{spread} | {', '.join(f'{value:.2f}' for value in values)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=3000)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("build/audit"))
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    file = args.work / "results.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    results = [Result(**json.loads(line)) for line in lines]
    for seed in range(len(results) + 1, args.seeds + 1):
        results.append(result(args, seed))
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(results[-1])) + "\n")
        print(table(results), flush=True)
    print(table(results[: args.seeds]))


if __name__ == "__main__":
    main()
