"""From stages to runs: which rows, seeds and variants, each run once, what it waits for before it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from experiments.catalogue import Catalogue, Stage
from experiments.tables import lines
from experiments.training import Place, Run, source


def runs(stages: Iterable[Stage], place: Place) -> list[Run]:
    """All runs of some stages in order, done or not; a run whose epoch another one chooses comes after that one."""
    chosen: dict[Run, None] = {}
    short = shortfalls(place.catalogue)
    for stage in stages:
        for run in _of_stage(stage, place, short):
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


def shortfalls(catalogue: Catalogue) -> dict[str, float]:
    """How far the mean over the seeds stays below the paper, best-on-test, in the worst of the rows that quote a run.

    Without a figure of the paper or without a result a run is not there; negative where the paper is surpassed. Of
    several kinds of vectors the best counts.
    """
    of_rows = dict[tuple[str, str, str], float]()
    for table in catalogue.tables.values():
        for line in lines(table, catalogue):
            if line.shortfall is not None:
                key = table.home(line.row), table.folder, line.row.name
                of_rows[key] = min(line.shortfall, of_rows.get(key, line.shortfall))
    worst = dict[str, float]()
    for (home, *_), short in of_rows.items():
        worst[home] = max(short, worst.get(home, short))
    return worst


def _of_stage(stage: Stage, place: Place, short: Mapping[str, float]) -> Iterator[Run]:
    for seed in stage.seeds:
        for home in stage.rows:
            place.catalogue.find(home)  # a row that there is not is told, not skipped
            if stage.below is not None and short.get(home, stage.below) <= stage.below:
                continue
            for variant in stage.variants or ("",):
                yield Run(home, seed, variant)
