"""Whether what `polytag suggest` chooses teaches more than sentences drawn at random, with annotation simulated.

    python benchmarks/suggestions.py --data DIR [--seeds 3] [--start 3000] [--more 3000] [--markdown FILE]

For each seed: a model is trained on some sentences of conll2003/eng.train; then sentences are added from the rest,
chosen in one of the ways of `WAYS`, with the tags that annotators once gave them, and a new model is trained on all.
Every way gets the same number of words, for words are what annotation costs. Nothing is chosen by a development set:
the last epoch is scored, on eng.testb.
"""

import argparse
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import mean, stdev

import polytag
from polytag.corpus.documents import read
from polytag.corpus.formats import conll
from polytag.corpus.sentence import Sentence
from polytag.plan_file import make_plan
from polytag.suggesting import candidates, suggest
from polytag.tagger.tagging import Tagger

EPOCHS = 15
Choose = Callable[[Tagger, Sequence[Sentence], random.Random], list[Sentence]]


def drawn(_: Tagger, pool: Sequence[Sentence], draw: random.Random) -> list[Sentence]:
    return draw.sample(list(pool), len(pool))


def suggested(**options: float) -> Choose:
    """The first 1,000 suggestions, with options of `polytag.suggesting.suggest`."""

    def choose(tagger: Tagger, pool: Sequence[Sentence], _: random.Random) -> list[Sentence]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pool.conll"
            write(path, pool)
            found = suggest(tagger, candidates(path), count=1000, min_words=3, **options)  # type: ignore[arg-type]
        by_words = {sentence.words: sentence for sentence in pool}
        return [by_words[one.tagged.words] for one in found.suggestions]

    return choose


WAYS: dict[str, Choose] = {
    "at random": drawn,
    "`suggest`": suggested(),
    "`suggest --diversity 0`": suggested(diversity=0.0),
    "`suggest --total`": suggested(per_word=False),
}


def write(path: Path, sentences: Sequence[Sentence]) -> None:
    path.write_text("".join(map(conll.written, sentences)), encoding="utf-8")


def worth(sentences: Sequence[Sentence], words: int) -> list[Sentence]:
    """The first sentences that have so many words together, or as good as."""
    totals = accumulate(map(len, sentences))
    return [sentence for sentence, total in zip(sentences, totals, strict=True) if total <= words]


def trained(data: Path, sentences: Sequence[Sentence], seed: int) -> Tagger:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "train.conll", sentences)
        plan = make_plan({
            "chars": {"latin": {}},
            "words": {"english": {"vectors": str(data / "vectors" / "en.vec.gz")}},
            "tasks": {"ner": {
                "chars": "latin", "words": "english", "train": [str(Path(folder) / "train.conll")],
                "columns": {"word": 0, "tag": 1},
            }},
            "training": {"recipe": "best", "epochs": EPOCHS, "batch_sentences": 8, "seed": seed, "threads": 1},
        })  # fmt: skip
        return polytag.train(plan, output=Path(folder) / "model")


def rounds(options: argparse.Namespace) -> Iterator[dict[str, float]]:
    """F1 of the first model and after each way of going on, seed by seed."""
    files = (options.data / "conll2003" / name for name in ("eng.train", "eng.testb"))
    train, test = (list(read(path, tags={"ner": 3})) for path in files)
    train = list({sentence.words: sentence for sentence in train if len(sentence) >= 3}.values())
    for seed in range(1, options.seeds + 1):
        order = random.Random(seed).sample(train, len(train))
        first = worth(order, options.start)
        tagger, pool = trained(options.data, first, seed), order[len(first) :]
        scores = {"before": tagger.evaluate(test, "ner").score}
        for name, choose in WAYS.items():
            more = worth(choose(tagger, pool, random.Random(seed)), options.more)
            scores[name] = trained(options.data, [*first, *more], seed).evaluate(test, "ner").score
            print(f"seed {seed}, {name}: {len(more)} sentences, F1 {scores[name]:.2f}", flush=True)
        yield scores


def table(scores: Sequence[dict[str, float]]) -> str:
    lines = ["| trained on | F1 | against random, seed by seed |", "|---|---|---|"]
    for name in scores[0]:
        values = [of[name] for of in scores]
        gains = ", ".join(f"{of[name] - of['at random']:+.2f}" for of in scores)
        spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
        lines.append(f"| {name} | {mean(values):.2f}{spread} | {'' if name in ('before', 'at random') else gains} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--start", type=int, default=3000, help="words that are annotated at first")
    parser.add_argument("--more", type=int, default=3000, help="words to annotate then")
    parser.add_argument("--markdown", type=Path, help="write the table there too")
    options = parser.parse_args()
    text = table(list(rounds(options)))
    print(text)
    if options.markdown:
        command = f"`python benchmarks/suggestions.py --data DATA --seeds {options.seeds}`"
        about = (
            f"{options.start:,} words of CoNLL-2003, then {options.more:,} more, in one step and by the same number of "
            f"words for each way to choose; {EPOCHS} epochs; {command}. Measured earlier than [the loop, round by "
            "round](loop.md), which counts sentences."
        )
        options.markdown.write_text(f"# What suggestions are worth\n\n{about}\n\n{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
