"""Plans: defaults, recipes, overrides, where files are looked up, and one clear sentence for each mistake."""

import math
import re
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from polytag.errors import PlanError
from polytag.plan.commented import commented
from polytag.plan.defaults import recipes, sizes
from polytag.plan_file import load_plan, make_plan, stored_plan

ROOT = Path(__file__).parents[1]
NO_PLANS = {"table.toml", "queue.toml", "variants.toml"}  # what else the experiments keep
SHIPPED = sorted(
    path
    for path in (*ROOT.glob("examples/**/*.toml"), *ROOT.glob("experiments/**/*.toml"))
    if path.name not in NO_PLANS
)
BASE: dict[str, Any] = {
    "chars": {"latin": {}},
    "words": {"english": {}},
    "tasks": {"ner": {"chars": "latin", "words": "english", "train": "x", "dev": "y"}},
}
ALONE = '[words.en]\n[tasks.ner]\nwords = "en"\ntrain = "train.txt"\n'


def changed(key: str, value: Any) -> dict[str, Any]:
    """The base plan with one value changed, or removed where it is ``...``."""
    tables = deepcopy(BASE)
    *parents, last = key.split(".")
    table = tables
    for parent in parents:
        table = table.setdefault(parent, {})
    if value is ...:
        del table[last]
    else:
        table[last] = value
    return tables


def complaint(key: str, value: Any) -> str:
    with pytest.raises(PlanError) as error:
        make_plan(changed(key, value), source="plan.toml")
    text = str(error.value)
    assert text.startswith("plan.toml: ")
    assert "\n" not in text
    return text.removeprefix("plan.toml: ")


UNKNOWN = {
    "task": ({}, "unknown key 'task'; did you mean 'tasks'?"),
    "training.epoch": (3, "unknown key 'training.epoch'; did you mean 'epochs'?"),
    "words.english.hiden": (3, "unknown key 'words.english.hiden'; did you mean 'hidden'?"),
    "chars.latin.layer": (3, "unknown key 'chars.latin.layer'; did you mean 'layers'?"),
    "tags": ({"ner": {"schema": "iob1"}}, "unknown key 'tags.ner.schema'; did you mean 'scheme'?"),
    "tasks.ner.trian": ("x", "unknown key 'tasks.ner.trian'; did you mean 'train'?"),
    "tasks.ner.columns": ({"tags": 1}, "unknown key 'tasks.ner.columns.tags'; did you mean 'tag'?"),
    "initialisation.gur": (1.0, "unknown key 'initialisation.gur'; did you mean 'gru'?"),
    "tasks.ner.columns.q": (1, "unknown key 'tasks.ner.columns.q'; known are word, tag, names"),
}


@pytest.mark.parametrize(("key", "value", "message"), [(k, v, m) for k, (v, m) in UNKNOWN.items()])
def test_an_unknown_key_gets_the_nearest_one(key: str, value: Any, message: str) -> None:
    assert complaint(key, value) == message


@pytest.mark.parametrize(("name", "scheme"), [("BIO", "iob2"), ("iobes", "bioes"), ("bmes", "bmes"), ("auto", "auto")])
def test_a_scheme_has_its_usual_names_too(name: str, scheme: str) -> None:
    assert make_plan(changed("tasks.ner.scheme", name)).tasks["ner"].scheme == scheme


@pytest.mark.parametrize(
    ("key", "name"), [("tasks.ner.scheme", "iob3"), ("tags.ner.scheme", "io"), ("tags.ner.scheme", 2)]
)
def test_a_scheme_that_there_is_not(key: str, name: object) -> None:
    names = "ioe1, ioe2" if key == "tags.ner.scheme" else "io, plain"
    found = complaint(key, name)
    assert found.startswith(f"{key}: expected one of ")
    assert found.endswith(f"{names}, found {name!r}")


def test_an_outside_tag_may_be_a_number() -> None:
    assert make_plan(changed("tasks.ner.outside", 0)).tasks["ner"].outside == "0"
    assert "tasks.ner.outside" in complaint("tasks.ner.outside", "")


PARTS = {
    "tasks.ner.words": ("englsh", "tasks.ner.words: there is no part words.englsh; did you mean 'english'?"),
    "tasks.ner.chars": ("greek", "tasks.ner.chars: there is no part chars.greek; known are latin"),
    "tasks.ner.tags": ("shared", "tasks.ner.tags: there is no part tags.shared; declare it with [tags.shared]"),
    "training.select": ("nr", "training.select: there is no task 'nr'; did you mean 'ner'?"),
    "size": ("smal", "size: there is no size 'smal'; did you mean 'small'?"),
    "training.recipe": ("papr", "training.recipe: there is no recipe 'papr'; did you mean 'paper'?"),
    "words.french": ({}, "words.french is declared, but no task uses it"),
    "chars.greek": ({}, "chars.greek is declared, but no task uses it"),
    "tags.pos": ({}, "tags.pos is declared, but no task uses it"),
}


@pytest.mark.parametrize(("key", "value", "message"), [(k, v, m) for k, (v, m) in PARTS.items()])
def test_a_part_that_is_not_there_or_not_used_is_an_error(key: str, value: str, message: str) -> None:
    assert complaint(key, value) == message


VALUES: list[tuple[str, Any, str]] = [
    ("words", 3, "words: input should be a table, found 3"),
    ("words", ..., "'words' is missing"),
    ("words.english", 3, "words.english: input should be a table, found 3"),
    ("tags", 3, "tags: input should be a table, found 3"),
    ("tasks", ..., "'tasks' is missing"),
    ("tasks", 3, "tasks: input should be a table, found 3"),
    ("tasks.ner", 3, "tasks.ner: input should be a table, found 3"),
    ("tasks.ner.train", ..., "'tasks.ner.train' is missing"),
    ("tasks.ner.train", [], "tasks.ner.train: list should have at least 1 item, found []"),
    ("tasks.ner.train", 3, "tasks.ner.train: input should be a list, found 3"),
    ("tasks.ner.train", ["a", 3], "tasks.ner.train.1: input should be a valid string, found 3"),
    (
        "tasks.ner.train",
        [{"file": "a", "colums": {}}],
        "unknown key 'tasks.ner.train.0.colums'; did you mean 'columns'?",
    ),
    ("tasks.ner.train", {"map": {}}, "'tasks.ner.train.0.file' is missing"),
    ("tasks.ner.dev", {"file": "a", "map": {"O": "X"}}, "tasks.ner: map: found 'O' in O = 'X', expected a type"),
    ("tasks.ner.map", {"a": 3}, "tasks.ner.map.a: input should be a valid string, found 3"),
    ("tasks.ner.rate", 0, "tasks.ner.rate: input should be greater than 0, found 0"),
    ("tasks.ner.rate", 1.5, "tasks.ner.rate: input should be less than or equal to 1, found 1.5"),
    ("tasks.ner.rate_seed", -1, "tasks.ner.rate_seed: input should be greater than or equal to 0, found -1"),
    ("tasks.ner.holdout", 0.1, "tasks.ner: give dev files or holdout, not both"),
    ("tasks.ner.columns.word", 1.5, "tasks.ner.columns.word: expected the number or the name of a column, found 1.5"),
    ("tasks.ner.columns.tag", 1.5, "tasks.ner.columns.tag: expected the number or the name of a column, found 1.5"),
    ("tasks.ner.columns.tag", True, "tasks.ner.columns.tag: expected the number or the name of a column, found True"),
    ("training", 3, "training: input should be a table, found 3"),
    ("training.recipe", ["paper"], "training.recipe: there is no recipe '['paper']'; did you mean 'paper'?"),
    ("training.epochs", 0, "training.epochs: expected a whole number of at least 1, or 'auto', found 0"),
    ("training.epochs", 1.0, "training.epochs: expected a whole number of at least 1, or 'auto', found 1.0"),
    ("training.epochs", True, "training.epochs: expected a whole number of at least 1, or 'auto', found True"),
    ("training.epochs", "5", "training.epochs: expected a whole number of at least 1, or 'auto', found '5'"),
    ("training.seed", 2**64, f"training.seed: input should be less than {2**32}, found {2**64}"),
    ("training.learning_rate", "0.1", "training.learning_rate: input should be a valid number, found '0.1'"),
    ("training.learning_rate", True, "training.learning_rate: input should be a valid number, found True"),
    ("training.learning_rate", 0, "training.learning_rate: input should be greater than 0, found 0"),
    ("training.learning_rate", math.inf, "training.learning_rate: input should be a finite number, found inf"),
    ("training.margin", math.nan, "training.margin: input should be a finite number, found nan"),
    ("training.margin", -1.0, "training.margin: input should be greater than or equal to 0, found -1.0"),
    ("training.optimizer", "sgd", "training.optimizer: input should be 'adagrad' or 'adam', found 'sgd'"),
    ("words.english.dropout", 1.0, "words.english.dropout: input should be less than 1, found 1.0"),
    ("words.english.dropout", math.nan, "words.english.dropout: input should be less than 1, found nan"),
    ("words.english.lowercase", "no", "words.english.lowercase: input should be true or false, found 'no'"),
    (
        "words.english.cell",
        "rnn",
        "words.english.cell: input should be 'reset_before', 'reset_after' or 'lstm', found 'rnn'",
    ),
]


@pytest.mark.parametrize(("key", "value", "message"), VALUES, ids=[f"{k}={v!r:.10}" for k, v, _ in VALUES])
def test_a_wrong_value_is_named_with_its_key_and_what_is_allowed(key: str, value: Any, message: str) -> None:
    assert complaint(key, value) == message


def test_an_lstm_trains_in_float32() -> None:
    tables = changed("words.english.cell", "lstm")
    make_plan(tables)
    tables["training"] = {"precision": "bfloat16"}
    with pytest.raises(
        PlanError, match=r"training.precision: found 'bfloat16', expected 'float32' where a cell is 'lstm'"
    ):
        make_plan(tables)


def test_vectors_need_a_word_embedding() -> None:
    tables = changed("words.english", {"vectors": "v", "embedding": False})
    with pytest.raises(PlanError, match=r"words\.english: vectors need the word embedding"):
        make_plan(tables)


def test_something_must_be_read() -> None:
    tables = changed("words.english.embedding", False)
    assert make_plan(tables).words["english"].embedding is False
    del tables["chars"], tables["tasks"]["ner"]["chars"]
    with pytest.raises(PlanError, match=r"tasks\.ner: neither characters nor word embeddings are left"):
        make_plan(tables)


def test_tasks_that_share_words_share_characters() -> None:
    tables = changed("tasks.pos", {"words": "english", "train": "x"})
    with pytest.raises(PlanError, match=r"tasks ner, pos share words\.english, so they must name the same chars part"):
        make_plan(tables)


def test_an_epoch_is_not_chosen_by_a_task_without_development_data() -> None:
    tables = changed("training.select", "ner")
    assert make_plan(tables).training.select == "ner"
    del tables["tasks"]["ner"]["dev"]
    with pytest.raises(PlanError, match=r"training\.select: the task 'ner' has no development data"):
        make_plan(tables)
    tables["tasks"]["ner"]["holdout"] = 0.1
    assert make_plan(tables).training.select == "ner"


def test_each_task_has_tags_of_its_own_unless_it_names_others() -> None:
    tables = changed("tasks.pos", {"words": "english", "chars": "latin", "train": "x"})
    assert list(make_plan(tables).tags) == ["ner", "pos"]
    for task in tables["tasks"].values():
        task["tags"] = "labels"
    tables["tags"] = {"labels": {}}
    plan = make_plan(tables)
    assert list(plan.tags) == ["labels"]
    assert plan.users("tags", "labels") == plan.users("words", "english") == ["ner", "pos"]
    assert plan.users("chars", "none") == []


def test_a_path_may_be_one_or_several() -> None:
    plan = make_plan(changed("tasks.ner.train", ["a", "b"]))
    assert (plan.tasks["ner"].train, plan.tasks["ner"].dev, plan.tasks["ner"].test) == (("a", "b"), ("y",), None)


def test_a_checked_plan_does_not_change() -> None:
    plan = make_plan(BASE)
    with pytest.raises(ValueError, match="frozen"):
        plan.training.epochs = 3  # type: ignore[misc]


def test_making_a_plan_leaves_the_tables_as_they_were() -> None:
    tables = deepcopy(BASE)
    make_plan(tables)
    assert tables == BASE


@pytest.mark.parametrize("recipe", recipes())
def test_a_recipe_s_values_are_defaults(recipe: str) -> None:
    tables = changed("training.recipe", recipe)
    tables["words"]["english"]["vectors"] = "v"
    plan = make_plan(tables).to_dict()
    for kind, part in (("chars", "latin"), ("words", "english"), ("tags", "ner"), ("tasks", "ner")):
        found = plan[kind][part]
        expected = recipes()[recipe].get(kind, {})
        assert {key: found[key] for key in expected} == expected
    for kind in ("training", "initialisation"):
        expected = recipes()[recipe].get(kind, {})
        assert {key: plan[kind][key] for key in expected} == expected


@pytest.mark.parametrize("size", sizes())
@pytest.mark.parametrize("recipe", recipes())
def test_a_size_wins_over_the_recipe_and_the_plan_over_both(recipe: str, size: str) -> None:
    tables = changed("training.recipe", recipe) | {"size": size}
    tables["words"]["english"] = {"hidden": 7}
    plan = make_plan(tables)
    of = sizes()[size]
    assert (plan.chars["latin"].layers, plan.chars["latin"].hidden) == (of["chars"]["layers"], of["chars"]["hidden"])
    assert (plan.words["english"].layers, plan.words["english"].hidden) == (of["words"]["layers"], 7)
    assert make_plan(plan.to_dict()) == plan


def test_what_a_model_holds_gets_no_defaults_of_recipes() -> None:
    stored = make_plan(changed("training.recipe", "best")).to_dict()
    del stored["training"]["clip"], stored["tags"]["ner"]["features"]
    plan = stored_plan(stored, source="model")
    assert (plan.training.clip, plan.tags["ner"].features) == (None, False)


def test_what_a_plan_sets_itself_wins_over_its_recipe() -> None:
    tables = changed("training", {"recipe": "authors", "patience": 3})
    tables["words"]["english"] = {"cell": "reset_before", "vocabulary": "train"}
    tables["tasks"]["ner"]["rate_draw"] = "nested"
    plan = make_plan(tables)
    assert (plan.training.patience, plan.training.accumulators) == (3, "task")
    assert (plan.words["english"].cell, plan.words["english"].bias) == ("reset_before", True)
    assert plan.tasks["ner"].rate_draw == "nested"


def test_fine_tuning_is_of_vectors() -> None:
    tables = changed("training", {"recipe": "best"})
    tables["words"]["english"] = {"vectors": "v.vec", "fine_tuning": 0.5}
    assert make_plan(tables).words["english"].fine_tuning == 0.5
    tables["words"]["english"] = {"fine_tuning": 0.5}
    with pytest.raises(PlanError, match=r"words\.english.*fine_tuning is of pretrained vectors"):
        make_plan(tables)


def test_the_paper_is_the_default_recipe() -> None:
    training = make_plan(BASE).training
    assert (training.recipe, training.optimizer, training.learning_rate) == ("paper", "adagrad", 0.01)
    assert make_plan(BASE).words["english"].vector_std is None  # there is nothing to rescale without vectors


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "plans" / "plan.toml"
    path.parent.mkdir()
    path.write_text(ALONE)
    return path


SETTINGS: dict[str, tuple[str, Any]] = {
    "training.epochs=5": ("training.epochs", 5),
    "training.optimizer=adam": ("training.optimizer", "adam"),  # a bare word is a string
    'training.optimizer="adam"': ("training.optimizer", "adam"),
    "training.margin=0": ("training.margin", 0.0),
    "words.en.lowercase=false": ("words.en.lowercase", False),
    "tasks.ner.dev=a/b=c.txt": ("tasks.ner.dev", ("a/b=c.txt",)),
    'tasks.ner.train=["a", "b"]': ("tasks.ner.train", ("a", "b")),
    "tasks.ner.columns={tag = 3}": ("tasks.ner.columns.tag", 3),
    "tags.ner.constrained=true": ("tags.ner.constrained", True),
}


@pytest.mark.parametrize(("setting", "key", "value"), [(s, k, v) for s, (k, v) in SETTINGS.items()])
def test_any_value_can_be_overridden(plan_file: Path, setting: str, key: str, value: Any) -> None:
    found: Any = load_plan(plan_file, settings=[setting])
    for step in key.split("."):
        found = found[step] if isinstance(found, dict) else getattr(found, step)
    assert found == value


def test_the_last_override_wins(plan_file: Path) -> None:
    assert load_plan(plan_file, settings=["training.epochs=5", "training.epochs=6"]).training.epochs == 6


BAD_SETTINGS = {
    "training.epochs": "--set training.epochs: expected key=value, such as training.epochs=5",
    "=3": "--set =3: expected key=value",
    "training..epochs=3": "--set training..epochs=3: expected key=value",
    "tasks.ner.words.x=3": "--set tasks.ner.words.x=3: 'words' is a value, not a table",
    "trainin.epochs=3": "unknown key 'trainin'; did you mean 'training'?",
    "training.epochs=many": "training.epochs: expected a whole number of at least 1, or 'auto', found 'many'",
}


@pytest.mark.parametrize(("setting", "message"), BAD_SETTINGS.items())
def test_a_wrong_override_is_an_error(plan_file: Path, setting: str, message: str) -> None:
    with pytest.raises(PlanError) as error:
        load_plan(plan_file, settings=[setting])
    assert message in str(error.value)


@pytest.fixture
def places(tmp_path: Path, plan_file: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    found = {"plan": plan_file.parent, "data": tmp_path / "data", "environment": tmp_path / "environment"}
    for place in ("data", "environment"):
        found[place].mkdir()
    monkeypatch.setenv("POLYTAG_DATA", str(found["environment"]))
    return found


def test_files_are_looked_up_beside_the_plan_then_in_the_data(plan_file: Path, places: dict[str, Path]) -> None:
    for place in ("data", "plan"):  # the one beside the plan wins as soon as it is there
        (places[place] / "train.txt").touch()
        plan = load_plan(plan_file, data=places["data"])
        assert plan.find("train.txt", "key") == places[place].resolve() / "train.txt"


def test_the_environment_names_the_data_unless_an_option_does(plan_file: Path, places: dict[str, Path]) -> None:
    (places["environment"] / "train.txt").touch()
    assert load_plan(plan_file).find("train.txt", "key").parent == places["environment"].resolve()
    with pytest.raises(PlanError):
        load_plan(plan_file, data=places["data"]).find("train.txt", "key")


def test_a_file_that_is_nowhere_names_the_key_and_the_places(plan_file: Path, places: dict[str, Path]) -> None:
    plan = load_plan(plan_file, data=places["data"])
    looked = " and ".join(str(places[p].resolve() / "train.txt") for p in ("plan", "data"))
    hint = "--data names one more directory to look in"
    with pytest.raises(PlanError) as error:
        plan.find("train.txt", "tasks.ner.train")
    assert str(error.value) == f"tasks.ner.train: there is no 'train.txt'; looked for {looked}; {hint}"


def test_absolute_paths_and_suffixes_are_kept(plan_file: Path, places: dict[str, Path]) -> None:
    file = places["environment"] / "words.bin"
    file.touch()
    plan = load_plan(plan_file)
    assert plan.find(str(file), "key") == file
    assert plan.find("words.bin#part", "key") == Path(f"{file.resolve()}#part")


def test_a_plan_that_says_where_to_look_is_looked_up_there(plan_file: Path, places: dict[str, Path]) -> None:
    plan_file.write_text(f'search = ["{places["data"]}"]\n{ALONE}')
    assert load_plan(plan_file).search == (str(places["data"]),)
    extra = str(places["environment"].resolve())
    assert load_plan(plan_file, data=places["environment"]).search == (str(places["data"]), extra)
    plan_file.write_text(f'search = ["../data"]\n{ALONE}')
    assert load_plan(plan_file).search == (str(places["data"].resolve()),)


UNREADABLE = {
    "absent": (None, "No such file"),
    "not TOML": (b"[words.en\n", "Expected ']'"),
    "not UTF-8": (b"\xff", "expected UTF-8 text"),
}


@pytest.mark.parametrize(("content", "message"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_plan_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "plan.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PlanError) as error:
        load_plan(path)
    assert str(error.value).startswith(f"{path}:")
    assert message in str(error.value)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_plan_comes_back_from_toml_as_it_was(path: Path) -> None:
    plan = load_plan(path)
    written = tomli_w.dumps(plan.to_dict())
    assert make_plan(tomllib.loads(written)) == plan


@pytest.mark.parametrize("recipe", recipes())
def test_every_recipe_comes_back_from_toml_as_it_was(recipe: str) -> None:
    tables = changed("training.recipe", recipe)
    tables["words"]["english"]["vectors"] = "v"
    plan = make_plan(tables)
    assert make_plan(tomllib.loads(tomli_w.dumps(plan.to_dict()))) == plan


def test_none_switches_off_what_the_recipe_sets(tmp_path: Path) -> None:
    tables = {
        "chars": {"c": {}},
        "words": {"w": {"vectors": "v.vec", "vector_std": "none"}},
        "tasks": {"t": {"chars": "c", "words": "w", "train": "a.conll", "dev": "none"}},
        "training": {"recipe": "best", "clip": "none", "final_learning_rate": "none"},
    }
    plan = make_plan(tables)
    assert (plan.training.clip, plan.training.final_learning_rate, plan.words["w"].vector_std) == (None, None, None)
    assert plan.tasks["t"].dev is None
    assert make_plan(plan.to_dict()) == plan
    with pytest.raises(PlanError, match=r"training\.epochs: .* found 'none'"):
        make_plan({**tables, "training": {"epochs": "none"}})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a = " + "[" * 5_000, "the plan cannot be read: "),
        ("a = 1" + "0" * 5_000, "the plan cannot be read: "),
        ("a = " + "{b = " * 5_000, "the plan cannot be read: "),
    ],
    ids=["lists", "digits", "tables"],
)
def test_toml_that_is_too_much(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "plan.toml").write_text(content, encoding="utf-8")
    with pytest.raises(PlanError, match=expected):
        load_plan(tmp_path / "plan.toml")


def test_a_setting_that_is_too_much(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("", encoding="utf-8")
    with pytest.raises(PlanError, match="brackets in brackets without end"):
        load_plan(tmp_path / "plan.toml", settings=["training.epochs=" + "[" * 5_000])


def test_texts_that_utf_8_cannot_hold() -> None:
    with pytest.raises(PlanError, match=r"plan: tasks.ner.train: found 'caf\\udce9', expected text that UTF-8 holds"):
        make_plan(
            {
                "words": {"en": {}},
                "chars": {"all": {}},
                "tasks": {"ner": {"chars": "all", "words": "en", "train": "caf\udce9"}},
            }
        )


def test_a_commented_plan_is_the_plan_and_each_line_says_what_it_means() -> None:
    plan = make_plan({
        "words": {"en": {}},
        "tasks": {"a": {"words": "en", "train": ["x", {"file": "y", "map": {'B "x#': "O"}}], "map": {"a b": "PER"}}},
        "training": {"recipe": "best"},
    })  # fmt: skip
    text = commented(plan.to_dict())
    assert make_plan(tomllib.loads(text)) == plan
    settings = [line for line in text.splitlines() if line and not line.startswith("[")]
    assert all(re.search(r"  # ['\w]", line) for line in settings)
    assert "rate = 1.0                            # labeling rate: share of training sentences" in settings
