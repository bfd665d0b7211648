"""From stages to runs: which rows, seeds and variants, each run once, what it waits for before it."""

from collections.abc import Iterable, Iterator, Sequence

from experiments.catalogue import Catalogue, Stage
from experiments.results import latest, read_results
from experiments.training import Place, Run, source


def runs(stages: Iterable[Stage], place: Place) -> list[Run]:
    """All runs of some stages in order, done or not; a run whose epoch another one chooses comes after that one."""
    chosen: dict[Run, None] = {}
    for stage in stages:
        for run in _of_stage(stage, place):
            if (before := source(run, place)) is not None:
                chosen.setdefault(before)
            chosen.setdefault(run)
    return list(chosen)


def stages_of(
    folder: str,
    catalogue: Catalogue,
    *,
    rows: Sequence[str] = (),
    seeds: Sequence[int] = (1,),
    variants: Sequence[str] = (),
) -> list[Stage]:
    """One folder as a queue: all its rows, or some, seed after seed.

    Raises:
        PlanError: there is no such folder, row or variant.
    """
    table = catalogue.table(folder)
    chosen = [table.row(name) for name in rows] if rows else table.rows
    homes = tuple(dict.fromkeys(table.home(row) for row in chosen))
    for variant in variants:
        catalogue.variant(variant)
    return [Stage(about=table.title, rows=homes, seeds=(seed,), variants=tuple(variants)) for seed in seeds]


def shortfall(home: str, catalogue: Catalogue) -> float | None:
    """How far the best measured seed stays below the paper, best-on-test, in the worst of the rows that quote a run.

    None without a figure of the paper or without a result; negative where the paper is surpassed.
    """
    found: dict[str, float] = {}
    folder, _, name = home.partition("/")
    for result in latest(read_results(catalogue.root / folder)):
        if result.row == name and result.best_on_test is not None:
            found[result.task] = max(result.best_on_test, found.get(result.task, 0.0))
    quoting = [
        (row.task, row.paper) for table in catalogue.tables.values() for row in table.rows if table.home(row) == home
    ]
    return max((paper - found[task] for task, paper in quoting if paper is not None and task in found), default=None)


def _of_stage(stage: Stage, place: Place) -> Iterator[Run]:
    for seed in stage.seeds:
        for home in stage.rows:
            place.catalogue.find(home)  # a row that there is not is told, not skipped
            if stage.below is not None:
                short = shortfall(home, place.catalogue)
                if short is None or short <= stage.below:
                    continue
            for variant in stage.variants or ("",):
                yield Run(home, seed, variant)
