"""The shipped catalogue is whole, and each row's plan differs from its table's in what the row says."""

from pathlib import Path
from typing import Any

import pytest

from experiments.catalogue import HERE, Catalogue, expand
from experiments.queued import runs, stages_of
from experiments.training import Place, Run, settings, vectors
from polytag.errors import PlanError
from polytag.plan import Plan
from polytag.plan_file import load_plan, make_plan

CATALOGUE = Catalogue()
TRAININGS = list(CATALOGUE.trainings())


def plan(home: str) -> Plan:
    return load_plan(CATALOGUE.plan(home))


def flat(tables: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tables.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


def differences(one: str, other: str) -> set[str]:
    """Settings in which two plans differ, less how long they are trained."""
    a, b = flat(plan(one).to_dict()), flat(plan(other).to_dict())
    return {key for key in {*a, *b} if a.get(key) != b.get(key)} - {"search", "training.epochs", "training.patience"}


@pytest.mark.parametrize("home", TRAININGS)
def test_every_plan_can_be_read_and_says_what_all_must(home: str) -> None:
    checked = plan(home)
    assert checked.training.recipe == "paper"
    assert checked.training.threads == 1
    assert checked.training.track_test
    assert all(task.test for task in checked.tasks.values())


def test_every_plan_file_has_a_row_and_every_row_the_task_that_it_names() -> None:
    files = {f"{p.parent.name}/{p.stem}" for p in HERE.glob("*/*.toml") if p.stem != "table"}
    assert files == set(TRAININGS)
    for table in CATALOGUE.tables.values():
        for row in table.rows:
            assert row.task in plan(table.home(row)).tasks


def test_rows_without_development_data_name_a_row_that_has_it() -> None:
    for table in CATALOGUE.tables.values():
        for row in table.rows:
            target = plan(table.home(row)).tasks[row.task]
            has_dev = bool(target.dev or target.holdout)
            assert has_dev == (row.epochs_from is None)
            if row.epochs_from:
                source = plan(row.epochs_from).tasks[row.task]
                assert source.dev or source.holdout


def test_the_queue_names_rows_that_there_are_and_reaches_all_but_the_licensed_ones(tmp_path: Path) -> None:
    queued = {run.home for run in runs(CATALOGUE.stages, Place(CATALOGUE, tmp_path))}
    assert {home for home in TRAININGS if not home.startswith("table7/ptb")} == queued


@pytest.mark.parametrize("table", ["table2", "table3", "table4", "table5", "table6"])
def test_no_words_leaves_out_embedding_and_vectors_and_nothing_else(table: str) -> None:
    changed = {key.split(".")[-1] for key in differences(f"{table}/ours", f"{table}/no-words")}
    assert changed == {"vectors", "embedding", "vector_std", "dimension"} - {"dimension"} | changed & {"dimension"}
    assert vectors(Run(f"{table}/no-words", 1), Place(CATALOGUE, Path())) == "none"


@pytest.mark.parametrize("table", ["table2", "table3", "table4", "table5", "table6"])
def test_no_chars_leaves_out_the_characters_and_nothing_else(table: str) -> None:
    changed = differences(f"{table}/ours", f"{table}/no-chars")
    assert all(key.startswith("chars.") or key.endswith(".chars") for key in changed)


@pytest.mark.parametrize("home", [home for home in TRAININGS if home.startswith(("table8/", "low-resource/"))])
def test_a_rate_is_that_of_the_target_alone_and_as_its_name_says(home: str) -> None:
    target, rate = home.split("/")[1].split("-")[:2]
    for name, task in plan(home).tasks.items():
        assert task.rate == (float(rate) if name.startswith(target) else 1.0)


@pytest.mark.parametrize("name", sorted(CATALOGUE.variants))
@pytest.mark.parametrize("home", ["table4/no-words", "table2/ours", "table6/no-chars", "joint/both"])
def test_every_variant_goes_with_every_row(name: str, home: str) -> None:
    run = Run(home, 1, name)
    assert load_plan(CATALOGUE.plan(home), settings=settings(run, Place(CATALOGUE, Path())))


def test_a_star_stands_for_each_part(place: Place) -> None:
    path = CATALOGUE.plan("joint/cross-lingual")
    assert expand(["words.*.layers=1", "training.epochs=1"], path) == [
        "words.english.layers=1",
        "words.dutch.layers=1",
        "words.spanish.layers=1",
        "training.epochs=1",
    ]
    assert expand(["tags.*.features=true"], CATALOGUE.plan("table4/no-words")) == ["tags.nl-ner.features=true"]


def test_other_vectors_take_the_place_of_ours(tmp_path: Path) -> None:
    place = Place(CATALOGUE, tmp_path, vectors={"polyglot": tmp_path})
    run = Run("joint/cross-lingual", 1)
    assert vectors(run, place) == "ours+polyglot"
    assert {setting.partition("=")[0] for setting in settings(run, place)} == {
        "words.dutch.vectors",
        "words.spanish.vectors",
    }


def test_a_row_that_takes_its_epoch_from_another_comes_after_it(tmp_path: Path) -> None:
    queue = runs(stages_of("table3", CATALOGUE, rows=["ours"], seeds=[2]), Place(CATALOGUE, tmp_path))
    assert queue == [Run("table2/ours", 2), Run("table3/ours", 2)]


@pytest.mark.parametrize(
    ("folder", "rows", "variants", "message"),
    [
        ("tabel4", [], [], "did you mean 'table4'"),
        ("table4", ["our"], [], "did you mean 'ours'"),
        ("table4", [], ["reset-aftr"], "did you mean 'reset-after'"),
    ],
)
def test_unknown_names_are_told_with_the_nearest(
    folder: str, rows: list[str], variants: list[str], message: str
) -> None:
    with pytest.raises(PlanError, match=message):
        stages_of(folder, CATALOGUE, rows=rows, variants=variants)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('label = "ours"', 'labl = "ours"', "labl"),
        ('epochs_from = "toy/ours"', 'epochs_from = "toy/our"', "did you mean 'ours'"),
        ('name = "train-dev"', 'name = "train-de"', "there is no plan toy/train-de.toml"),
    ],
)
def test_mistakes_in_a_table_are_told(place: Place, old: str, new: str, message: str) -> None:
    path = place.catalogue.root / "toy" / "table.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(PlanError, match=message):
        Catalogue(place.catalogue.root)


def test_make_plan_takes_the_toy(place: Place) -> None:
    assert make_plan(load_plan(place.catalogue.plan("toy/ours")).to_dict())
