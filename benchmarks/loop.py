"""A loop of annotation, simulated: what `polytag suggest` is worth against chance, and a warm training against a cold.

    python benchmarks/loop.py --data DIR [--seeds 3] [--rounds 10] [--work build/loop] [--page docs/benchmarks/loop.md]

For each seed, a model is trained on some sentences of conll2003/eng.train. Then each arm goes round by round: it
chooses sentences from the rest in one of the ways of `CHOICES`, gets the tags that annotators once gave them, and
trains in one of the ways of `TRAININGS` on all that it has. Nothing is chosen by a development set: the last epoch is
scored, on eng.testb. Every round is a line of results.jsonl below ``--work``; called again, it goes on where it was,
and with fewer ``--seeds`` than are there it shows those alone.
"""

import argparse
import json
import random
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain, combinations, product
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import polytag
from polytag.corpus.documents import read
from polytag.corpus.sentence import Sentence
from polytag.curves.forecast import forecast
from polytag.curves.runs import ALONE, Arm, Result
from polytag.files import atomic_write
from polytag.plan_file import make_plan
from polytag.reports.chart import COLOURS, draw
from polytag.suggesting import suggest
from polytag.tagger.tagging import Tagger

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Choose = Callable[[Tagger, Sequence[Sentence], int, random.Random], list[Sentence]]
RESULTS, PLOT = "results.jsonl", "loop.svg"


def drawn(_: Tagger, pool: Sequence[Sentence], count: int, draw: random.Random) -> list[Sentence]:
    return draw.sample(list(pool), count)


def suggested(**options: Any) -> Choose:
    """The first suggestions, with options of `polytag.suggesting.suggest`."""

    def choose(tagger: Tagger, pool: Sequence[Sentence], count: int, _: random.Random) -> list[Sentence]:
        found = suggest(tagger, pool, count=count, **options)
        return [one.candidate.sentence for one in found.suggestions]

    return choose


CHOICES: Mapping[str, Choose] = {
    "random": drawn,
    "suggest": suggested(),
    "suggest --total": suggested(per_word=False),
}
TRAININGS: Mapping[str, Mapping[str, Any]] = {  # what is laid over the settings
    "scratch": {},
    "warm": {"epochs": 5},  # from the model of the round before
}


@dataclass(frozen=True)
class Round:
    """One training of an arm: on how much, the places of what was added, its F1, and seconds of one core."""

    seed: int
    choice: str
    training: str
    round: int
    chosen: Sequence[int]  # places in the seed's order of sentences
    sentences: int
    words: int
    f1: float
    choosing: float
    seconds: float

    @property
    def arm(self) -> tuple[int, str, str]:
        return self.seed, self.choice, self.training


class Loop:
    """Trains, scores and remembers."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.file = options, options.work / RESULTS
        train, test = (
            list(read(options.data / "conll2003" / name, tags={"ner": 3})) for name in ("eng.train", "eng.testb")
        )
        self.test = test
        self.train = list({sentence.words: sentence for sentence in train if len(sentence) >= 3}.values())
        self.done = results(self.file)

    def run(self) -> None:
        for seed in range(1, self.options.seeds + 1):
            order = random.Random(seed).sample(self.train, len(self.train))
            for choice, training in product(self.options.choices, TRAININGS):
                self._arm(seed, order, choice, training)

    def _arm(self, seed: int, order: Sequence[Sentence], choice: str, training: str) -> None:
        mine = [one for one in self.done if one.arm == (seed, choice, training)]
        places = [place for one in mine for place in one.chosen] or list(range(self.options.start))
        folder = self.options.work / f"{choice}-{training}-{seed}".replace(" ", "")
        for number in range(len(mine), self.options.rounds + 1):
            before, began = folder / str(number - 1), time.process_time()
            chosen = places
            if number:
                taken = set(places)
                pool = [sentence for place, sentence in enumerate(order) if place not in taken]
                tagger, draw = Tagger.load(before, threads=1), random.Random(f"{seed} {number}")
                more = CHOICES[choice](tagger, pool, self.options.each, draw)
                where = {sentence.words: place for place, sentence in enumerate(order)}
                chosen = [where[sentence.words] for sentence in more]
                places = [*places, *chosen]
            chose = time.process_time()
            annotated = [order[place] for place in places]
            model = self._trained(annotated, seed, folder / str(number), before if number else None, training)
            ended = time.process_time()
            words, f1 = sum(map(len, annotated)), model.evaluate(self.test, "ner").score
            one = Round(seed, choice, training, number, chosen, len(annotated), words, f1, chose - began, ended - chose)
            self._note(one)
            shutil.rmtree(before, ignore_errors=True)

    def _trained(
        self, sentences: Sequence[Sentence], seed: int, output: Path, before: Path | None, training: str
    ) -> Tagger:
        """The first model of a seed is the same in all arms, and trained once."""
        first = self.options.work / f"first-{seed}"
        if before is None and first.exists():
            shutil.copytree(first, output, dirs_exist_ok=True)
            return Tagger.load(output, threads=1)
        shutil.rmtree(output, ignore_errors=True)
        over = TRAININGS[training] if before else {}
        plan = make_plan({
            "size": "small",
            "chars": {"latin": {}},
            "words": {"english": {"vectors": str(self.options.data.resolve() / "vectors" / "en.vec.gz")}},
            "tasks": {"ner": {"chars": "latin", "words": "english", "train": "-"}},
            "training": {"recipe": "best", "seed": seed, "threads": 1, **over},
            "initialisation": {"from": str(before)} if before and training == "warm" else {},
        })  # fmt: skip
        model = polytag.train(plan, corpora={"ner": {"train": sentences}}, output=output)
        if before is None:
            shutil.copytree(output, first)
        return model

    def _note(self, one: Round) -> None:
        self.done.append(one)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(one)) + "\n")
        print(f"seed {one.seed}, {one.choice}, {one.training}: {one.sentences} sentences, {one.words:,} words, "
              f"F1 {one.f1:.2f}, {one.choosing:.1f} + {one.seconds:.1f} s", flush=True)  # fmt: skip


def results(path: Path) -> list[Round]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [Round(**json.loads(line)) for line in lines]


def by_arm(done: Iterable[Round]) -> dict[tuple[str, str], dict[int, list[Round]]]:
    """Of each choice and training, the rounds of all seeds by their number."""
    found: dict[tuple[str, str], dict[int, list[Round]]] = {}
    for one in done:
        found.setdefault((one.choice, one.training), {}).setdefault(one.round, []).append(one)
    return found


def table(done: Sequence[Round]) -> str:
    """F1 of each arm after each round, mean of the seeds; below it words, seconds, and the gain over chance."""
    arms = by_arm(done)
    rounds = sorted({one.round for one in done})
    lines = [["sentences", *map(", ".join, arms)], ["---:"] * (len(arms) + 1)]
    for number in rounds:
        of_round = [arm.get(number, []) for arm in arms.values()]
        sentences = next(one.sentences for one in done if one.round == number)
        lines.append([str(sentences), *(_spread([one.f1 for one in found], 2) for found in of_round)])
    of_arm = [[one for number, of in arm.items() if number for one in of] for arm in arms.values()]
    last = [arm.get(rounds[-1], []) for arm in arms.values()]
    in_the_end = [one for one in done if one.round == rounds[-1]]
    lines += [
        ["words in the end", *(_spread([one.words for one in found], 0) for found in last)],
        ["seconds to choose", *(_spread([one.choosing for one in found], 1) for found in of_arm)],
        ["seconds to train", *(_spread([one.seconds for one in found], 1) for found in of_arm)],
        ["gain over random, mean of the rounds, seed by seed", *(", ".join(_gains(done, *arm)) for arm in arms)],
        ["gain over random in the end, seed by seed", *(", ".join(_gains(in_the_end, *arm)) for arm in arms)],
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _spread(values: Sequence[float], digits: int) -> str:
    more = f" ± {stdev(values):,.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):,.{digits}f}{more}" if values else ""


def _gains(done: Sequence[Round], choice: str, training: str) -> list[str]:
    """How much more than chance a choice brings in the mean of the rounds, of each seed."""
    scores = {(one.seed, one.choice, one.training, one.round): one.f1 for one in done if one.round}
    found: dict[int, list[float]] = {}
    for (seed, *arm, number), f1 in scores.items():
        other = scores.get((seed, "random", training, number))
        if arm == [choice, training] and choice != "random" and other is not None:
            found.setdefault(seed, []).append(f1 - other)
    return [f"{mean(gains):+.2f}" for gains in found.values()]


def foretold(done: Sequence[Round]) -> str:
    """How forecasts of `polytag curve --more` from three amounts, drawn at random, did for up to twice the highest."""
    of_round = by_arm(done).get(("random", "scratch"), {}).values()
    measured = [
        [Result(Arm(ALONE, float(one.sentences), one.seed), one.f1, "f1", 0, one.sentences) for one in found]
        for found in of_round
    ]
    if len({len(found) for found in measured}) > 1 or len(measured[0]) < 2:
        return "Forecasts need as many rounds of each of several seeds."
    misses, inside = [], 0
    for *known, then in combinations(measured, 4):
        last = known[-1]
        if 1.5 * known[0][0].sentences <= last[0].sentences <= then[0].sentences <= 2 * last[0].sentences:
            gain = forecast([*chain(*known)], then[0].sentences - last[0].sentences).gain
            came = mean(one.score for one in then) - mean(one.score for one in last)
            misses.append(gain.mean - came)
            inside += gain.low <= came <= gain.high
    return (
        f"Forecasts of `polytag curve --more` from three of these amounts (random, scratch; the highest at least half "
        f"as many again as the lowest) for another up to twice the highest: {len(misses)}, wrong by "
        f"{mean(misses):+.2f} in the mean and by {mean(map(abs, misses)):.2f} without sign; "
        f"{100 * inside / len(misses):.0f} % of the intervals held what came."
    )


def plot(done: Sequence[Round]) -> str:
    """F1 against sentences, and against words, for words are what annotation costs."""
    arms = by_arm(done)
    panels = [partial(_panel, arms, by) for by in ("sentences", "words")]
    return draw(panels, title="F1 by what is annotated")


def _panel(arms: Mapping[tuple[str, str], Mapping[int, Sequence[Round]]], by: str, axes: "Axes") -> None:
    choices = list(dict.fromkeys(choice for choice, _ in arms))
    for (choice, training), rounds in arms.items():
        style = "-" if training == "scratch" else "--"
        xs = [mean(getattr(one, by) for one in found) for found in rounds.values()]
        ys = [[one.f1 for one in found] for found in rounds.values()]
        colour = COLOURS[choices.index(choice)]
        axes.plot(xs, list(map(mean, ys)), style, marker=".", color=colour, label=f"{choice}, {training}")
        axes.fill_between(xs, list(map(min, ys)), list(map(max, ys)), color=colour, alpha=0.1, linewidth=0)
    axes.set(title=f"F1 by {by}", xlabel=f"{by} annotated", ylabel="F1")
    axes.legend(loc="lower right")


def page(done: Sequence[Round], options: argparse.Namespace) -> str:
    seeds = options.seeds
    command = f"python benchmarks/loop.py --data DATA --seeds {seeds}"
    return f"""# The loop, simulated

{options.start} sentences of CoNLL-2003, then {options.rounds} rounds of {options.each} more, scored on eng.testb after the last epoch; `{command}`.
Size small, recipe best, the project's vectors of 50 dimensions, one thread. *scratch* trains anew on all
that is annotated so far, for as many epochs as `auto` gives; *warm* goes on from the model of the round before
(`initialisation.from`) for {TRAININGS["warm"]["epochs"]} epochs. F1 and words are {_of_seeds(seeds)}. Seconds are those
of one core, mean of all rounds ± their standard deviation. All arms of a seed begin with the same sentences and model.

![F1 by sentences and by words annotated]({PLOT})

{table(done)}

{foretold(done)}
"""  # noqa: E501


def _of_seeds(seeds: int) -> str:
    if seeds > 1:
        return f"means of {seeds} seeds ± their standard deviation"
    return "those of a single seed, which says nothing of chance"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--start", type=int, default=200, help="sentences that are annotated at first")
    parser.add_argument("--each", type=int, default=50, help="sentences to annotate in a round")
    parser.add_argument("--choices", nargs="+", choices=CHOICES, default=["random", "suggest"])
    parser.add_argument("--work", type=Path, default=Path("build/loop"), help="where results and models are kept")
    parser.add_argument("--page", type=Path, help="write the page there, and the plot beside it")
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    loop = Loop(options)
    loop.run()
    done = [one for one in loop.done if one.seed <= options.seeds]
    print(f"{table(done)}\n\n{foretold(done)}")
    if options.page:
        for path, text in ((options.page, page(done, options)), (options.page.with_name(PLOT), plot(done))):
            with atomic_write(path) as file:
                file.write(text)


if __name__ == "__main__":
    main()
