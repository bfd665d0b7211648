"""``python -m tests.fuzz``."""

import sys
import time
from collections import Counter

import click

from tests.fuzz.running import Fault, case_of, limited, run
from tests.fuzz.subjects import subjects


@click.command()
@click.option("--minutes", default=1.0, show_default=True, help="For all subjects together.")
@click.option("--cases", type=int, help="Of each subject, instead of a time.")
@click.option("--seed", default=1, show_default=True)
@click.option("--only", multiple=True, help="A subject, or the beginning of the names of several.")
@click.option("--case", type=int, help="This case alone, with all that it says.")
def main(minutes: float, cases: int | None, seed: int, only: tuple[str, ...], case: int | None) -> None:
    """Run mutated inputs through all that reads some; exits 1 where one comes to no good end."""
    chosen = [subject for subject in subjects() if not only or subject.name.startswith(only)]
    if case is not None:
        click.echo(repr(case_of(chosen[0], seed, case)[1][:2_000]))
    faults = done = 0
    with limited():
        for subject in chosen:
            whole = range(case, case + 1) if case is not None else range(sys.maxsize if cases is None else cases)
            is_timed = cases is None and case is None
            until = time.monotonic() + 60 * minutes / len(chosen) if is_timed else float("inf")
            began, outcomes = time.monotonic(), Counter[bool]()
            for outcome in run(subject, seed, whole, until=until, says=None if case is None else click.echo):
                outcomes[outcome is True] += 1
                if isinstance(outcome, Fault):
                    faults += 1
                    click.echo(f"\n{outcome}")
            done += outcomes.total()
            share = f"{outcomes.total():>8,} cases, {outcomes[True]:>7,} read"
            click.echo(f"{subject.name:<20} {share}, {time.monotonic() - began:6.1f} s")
    click.echo(f"{done:,} cases, {faults:,} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
