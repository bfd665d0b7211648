"""Training with one thread and with two, by the size of the network and of the batch: what to set training.threads to.

    python -m benchmarks.training_threads [--data DIR] [--batches 10 16 32 128] [--steps 8] [--rounds 5]

Of each size two processes train, a round of steps of one while the other waits. A ratio above 1 speaks for two threads.
Nothing else may run: a second thread that has to share its core is slower than none.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks import training_step
from benchmarks.goals.training import in_turn
from benchmarks.training_step import Settings, plan_for
from polytag.plan import Plan

# layers and units of the word GRU, then of the character GRU
SIZES = ((1, 100, 1, 40), (1, 200, 1, 40), (1, 300, 1, 40), (2, 150, 2, 80), (2, 300, 2, 80))
TINY = ((1, 6, 1, 4),)


def sized(plan: Plan, size: tuple[int, int, int, int]) -> Plan:
    """The plan with GRUs of this size."""
    shape = {"words": size[:2], "chars": size[2:]}
    return plan.model_copy(
        update={
            kind: {
                name: part.model_copy(update={"layers": layers, "hidden": hidden})
                for name, part in getattr(plan, kind).items()
            }
            for kind, (layers, hidden) in shape.items()
        }
    )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, help="directory with conll2003/eng.train; without it, examples/news")
    parser.add_argument("--batches", type=int, nargs="+", default=[10, 16, 32, 128], help="sentences per step")
    parser.add_argument("--steps", type=int, default=8, help="steps per round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tiny", action="store_true", help="layers of a few units, to see that the script works")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    print(f"{'words':>8}{'chars':>8}{'batch':>7}{'1 thread':>11}{'2 threads':>11} words/s{'ratio':>8}")
    for batch in options.batches:
        settings = Settings(batch, options.steps, options.rounds, options.tiny)
        with training_step.corpus(options.data, settings) as (path, _):
            for size in TINY if options.tiny else SIZES:
                speeds = in_turn(sized(plan_for(path, settings), size), settings)
                ratio = median(two / one for one, two in zip(speeds[1], speeds[2], strict=True))
                names = f"{size[0]}x{size[1]}", f"{size[2]}x{size[3]}"
                one, two = (median(speeds[count]) for count in (1, 2))
                print(f"{names[0]:>8}{names[1]:>8}{batch:>7}{one:>11,.0f}{two:>11,.0f} {ratio:>15.2f}", flush=True)


if __name__ == "__main__":
    main()
