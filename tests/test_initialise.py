"""polytag init: what a plan file gets for files and answers, and that it is one."""

import re
import shutil
from pathlib import Path

import pytest

from polytag.errors import CorpusError, PlanError, PolytagError
from polytag.initialise import Speed, TaskChoice, check_files, choose, guessed_name, look, plan_text, write_plan
from polytag.plan_file import load_plan
from tests.cli.conftest import run

NEWS = Path(__file__).parent.parent / "examples" / "news"


@pytest.fixture
def news(tmp_path, monkeypatch) -> Path:
    for name in ("en.train.conll", "en.test.conll", "es.train.conll"):
        shutil.copy(NEWS / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLYTAG_DATA", raising=False)
    return tmp_path


def test_a_plan_from_options_is_shown_and_trained(news):
    done = run("init --train en.train.conll --test en.test.conll --language en -o plans/ner.toml")
    assert (done.code, done.sentence) == (1, "plans/ner.toml: cannot be written: No such file or directory")
    done = run("init --train en.train.conll --test en.test.conll --language en -o ner.toml")
    assert done.code == 0, done.err
    assert "en.train.conll: conll, 228 sentences, 3,144 tokens" in done.err
    assert "column 2: O, B-LOC" in done.err
    plan = load_plan("ner.toml")
    task = plan.tasks["ner"]
    assert (task.train, task.test, task.dev, task.holdout) == (("en.train.conll",), ("en.test.conll",), None, 0.2)
    assert (task.columns.tag, task.words, plan.words["en"].language, plan.training.recipe) == (2, "en", "en", "best")
    assert "words.en" in run("show ner.toml").out
    written = Path("ner.toml").read_text()
    why = "# holdout: no development file was named, so 46 of 228 training sentences choose the epoch"
    assert why in written
    assert "holdout: no development file" in done.err
    assert '# size: 228 training sentences, fewer than 1,000: enough for them\nsize = "small"' in written
    assert "holdout = 0.2                         # share of the training sentences held out as" in written
    small = ("training.epochs=1", "words.en.hidden=4", "words.en.layers=1", "chars.shared.hidden=4")
    done = run(["train", "ner.toml", "-o", "model", *(word for s in small for word in ("--set", s))])
    assert done.code == 0, done.err
    assert "language en" in run("show model").out


def test_a_task_for_each_tag_with_words_of_one_language(news):
    done = run("init --train en.train.conll --tag ner=2 --tag pos=1 --holdout 0.2 --language en")
    assert done.code == 0, done.err
    plan = load_plan("plan.toml")
    assert {name: (task.words, task.chars, task.columns.tag) for name, task in plan.tasks.items()} == {
        "ner": ("en", "shared", 2), "pos": ("en", "shared", 1)
    }  # fmt: skip
    assert (plan.tasks["ner"].holdout, plan.training.recipe) == (0.2, "best")


def test_minutes_choose_size_and_epochs_by_a_measured_speed(news, monkeypatch):
    monkeypatch.setattr("polytag.training.speed.SECONDS", 0.2)
    done = run("init --train en.train.conll --minutes 9 -o slow.toml")
    assert done.code == 0, done.err
    assert re.search(
        r"size: 228 training .* enough for them; 23 epochs take about .*; [\d,]+ words/s were measured", done.err
    )
    assert load_plan("slow.toml").training.epochs == "auto"
    done = run("init --train en.train.conll --minutes 0.0001 -o quick.toml")
    plan = load_plan("quick.toml")
    assert (plan.size, plan.training.epochs) == ("small", 1)
    assert "# epochs: for 0.0001 minutes; the recipe's 23 would take about" in Path("quick.toml").read_text()
    assert "fewer than 3 teach little" in done.err
    assert run("init --train en.train.conll --minutes 0 -o none.toml").code == 2


@pytest.mark.parametrize(("suffix", "tag"), [("conllu", "upos"), ("jsonl", "spans")])
def test_the_speed_is_measured_on_files_that_name_their_tags(news, monkeypatch, suffix, tag):
    monkeypatch.setattr("polytag.training.speed.SECONDS", 0.1)
    to = "jsonl-spans" if suffix == "jsonl" else "conllu"
    layer = "ner=2" if suffix == "jsonl" else "upos=1"
    assert run(f"data convert en.train.conll train.{suffix} --tag {layer} --to {to}").code == 0
    done = run(f"init --train train.{suffix} --tag it={tag} --minutes 9")
    assert (done.code, "words/s were measured here" in done.err) == (0, True)


def measured(asked: list[str], **speeds: float):
    """What `choose` asks of each size, words/s, of 60,000 words in 10 epochs."""

    def speed(size: str) -> Speed:
        asked.append(size)
        return Speed(speeds[size], 60_000 / speeds[size], 10)

    return speed


def test_the_largest_size_that_fits_is_chosen():
    asked: list[str] = []
    of_both = measured(asked, medium=1000.0, small=5000.0)
    assert choose(4000, has_dev=True, minutes=10, speed=of_both).size == "medium"
    assert asked == ["medium"]
    found = choose(4000, has_dev=True, minutes=9.9, speed=of_both)
    assert (found.size, found.epochs, found.holdout) == ("small", None, 0.0)
    assert found.reasons == {"size": "10 epochs take about 2 min; 5,000 words/s were measured here"}
    found = choose(4000, has_dev=True, minutes=1, speed=of_both)
    assert (found.size, found.epochs) == ("small", 5)
    assert found.reasons["epochs"] == "for 1 minute; the recipe's 10 would take about 2 min"
    asked.clear()
    assert choose(4000, has_dev=True, size="medium", minutes=1, speed=of_both).epochs == 1
    assert asked == ["medium"]


def test_more_is_held_out_of_few_sentences_and_never_more_than_tells_epochs_apart():
    shares = [choose(n, has_dev=False).holdout for n in (100, 1999, 2000, 20_000, 200_000)]
    assert shares == [0.2, 0.2, 0.1, 0.1, 0.01]
    assert choose(100, has_dev=False, holdout=0.3).holdout == 0.3
    assert (choose(5000, has_dev=True).size, choose(5000, has_dev=True).reasons) == (None, {})


def test_entities_of_few_sentences_take_each_others_places(news):
    done = run("init --train en.train.conll --tag pos=1 --tag ner=2 -o few.toml")
    assert "mention_replacement: 228 training sentences, no more than 3,000: each entity" in done.err
    tasks = load_plan("few.toml").tasks
    assert (tasks["pos"].mention_replacement, tasks["ner"].mention_replacement) == (0.0, 0.3)
    assert (tasks["pos"].case_augmentation, tasks["ner"].case_augmentation) == (0.1, 0.1)
    assert load_plan("few.toml").training.learning_rate == 0.006
    assert "\nlearning_rate: 228 training sentences: few steps, so each is twice as long\n" in done.err
    assert (choose(999, has_dev=True).learning_rate, choose(1000, has_dev=True).learning_rate) == (0.006, None)
    assert choose(999, has_dev=True, size="medium").learning_rate is None
    assert choose(3000, has_dev=True, has_entities=True).mention_replacement == 0.3
    assert choose(3001, has_dev=True, has_entities=True).mention_replacement is None


def test_words_without_capitals_are_left_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lower.conll").write_text("lima B-LOC\nrocks O\n\n" * 20)
    assert "case_augmentation" not in run("init --train lower.conll").err
    assert load_plan("plan.toml").tasks["ner"].case_augmentation == 0.0


def test_names_with_blanks_are_quoted_where_commands_are_told(news):
    shutil.copy("en.test.conll", "my dev.conll")
    done = run(["init", "--train", "en.train.conll", "--dev", "my dev.conll", "-o", "my plan.toml"])
    assert "`polytag show 'my plan.toml'`" in done.out
    assert load_plan("my plan.toml").tasks["ner"].dev == ("my dev.conll",)


def test_a_plan_that_is_there_is_kept(news):
    Path("plan.toml").write_text("mine")
    done = run("init --train en.train.conll")
    assert (done.code, Path("plan.toml").read_text()) == (1, "mine")
    assert done.sentence == "plan.toml: is there already; name another file with -o, or overwrite it with --force"
    with pytest.raises(PolytagError, match="is there already"):
        write_plan("x", Path("plan.toml"))
    assert run("init --train en.train.conll --force").code == 0
    assert load_plan("plan.toml").tasks["ner"].train == ("en.train.conll",)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("init --train none.conll", "none.conll: no such file"),
        ("init --train one.conll", "1 training sentence, expected at least 2, or a development file"),
        ("init --train words.txt", "words.txt: no column but the words, expected words with tags"),
        ("init --train en.train.conll --tag ner=7", "en.train.conll:1: 3 columns, expected at least 8"),
        ("init --train en.train.conll --test words.txt", "words.txt:1: 1 column, expected at least 3"),
        ("init --train en.train.conll --vectors none.vec", "none.vec: no such file"),
        ("init --train en.train.conll --language english", "language 'english': a code is two or three small letters"),
        ("init --train en.train.conll --tag 'a b=2'", "name 'a b': a name holds letters of a to z, digits, _ and -"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_no_plan(news, command, message):
    Path("words.txt").write_text("Lima\nrocks\n")
    Path("one.conll").write_text("Lima B-LOC\nrocks O\n")
    done = run(command)
    assert done.code == 1
    assert done.sentence.startswith(message)
    assert not Path("plan.toml").exists()


def test_options_of_a_task_need_its_file(news):
    assert run("init --tag ner=2").code == 2
    assert run("init --train en.train.conll --holdout 1").code == 2


def test_paths_are_told_as_the_plan_finds_them(news, tmp_path):
    (tmp_path / "plans").mkdir()
    assert (
        run(["init", "--train", "en.train.conll", "--test", tmp_path / "en.test.conll", "-o", "plans/a.toml"]).code == 0
    )
    plan = load_plan("plans/a.toml")
    assert plan.tasks["ner"].train == ("../en.train.conll",)
    assert plan.tasks["ner"].test == (str(tmp_path / "en.test.conll"),)
    assert plan.find("../en.train.conll", "train").samefile("en.train.conll")


@pytest.mark.parametrize(
    ("name", "content", "tag", "task"),
    [
        ("a.conllu", "1\tLima\t_\tPROPN\t_\t_\t0\troot\t_\t_\n", "upos", "pos"),
        ("a.jsonl", '{"words": ["Lima"], "tags": {"places": ["B-LOC"]}}\n', "places", "ner"),
        ("b.jsonl", '{"text": "Lima.", "label": [[0, 4, "LOC"]]}\n', "spans", "ner"),
        ("c.conll", "Lima N B-NP\nrocks V B-VP\n", "2", "chunk"),
    ],
)
def test_tags_are_found_in_every_format(tmp_path, name, content, tag, task):
    path = tmp_path / name
    path.write_text(content)
    seen = look(path)
    assert (seen.tag, guessed_name(seen, seen.tag)) == (tag, task)
    choice = TaskChoice(name=task, train=[path], tag=tag)
    check_files(choice)
    target = tmp_path / "plan.toml"
    write_plan(plan_text([choice], directory=tmp_path), target)
    assert str(load_plan(target).tasks[task].columns.tag) == tag


def test_columns_from_the_end(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("Lima N B-LOC\n")
    assert guessed_name(look(path), "-1") == "ner"
    assert guessed_name(look(path), "-2") == "pos"


def test_tasks_of_one_language_share_words_and_all_share_characters(tmp_path):
    tasks = [TaskChoice(name=n, train=[Path("x")], tag="1", language=code) for n, code in zip("abc", ["en", "en", ""])]  # noqa: B905
    target = tmp_path / "plan.toml"
    write_plan(plan_text(tasks, directory=tmp_path), target)
    plan = load_plan(target)
    assert [task.words for task in plan.tasks.values()] == ["en", "en", "any"]
    assert {task.chars for task in plan.tasks.values()} == {"shared"}


def test_two_tasks_of_one_name_and_empty_files(tmp_path):
    task = TaskChoice(name="a", train=[Path("x")], tag="1")
    with pytest.raises(PlanError, match="two tasks are named 'a'"):
        plan_text([task, task], directory=tmp_path)
    (tmp_path / "empty").write_text("")
    with pytest.raises(CorpusError, match="empty: no sentence in it"):
        look(tmp_path / "empty")
