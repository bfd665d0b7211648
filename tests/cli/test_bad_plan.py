"""Each kind of bad plan and setting: one sentence on stderr, exit code 1, and nothing written."""

import pytest

from tests.cli.cases import TRAIN, Case, check, folder, gone, nothing, plan, put, task
from tests.cli.conftest import PLAN, SPANISH

WORDS, BEFORE_TASKS = "[words.english]\ndimension = 6\nhidden = 6\nlayers = 1\n", PLAN.partition("[tasks.ner]")[0]
CASES = [
    Case("no plan", gone("plan.toml"), TRAIN, "plan.toml: the plan cannot be read: No such file or directory"),
    Case("a directory for a plan", folder("plan.toml"), TRAIN, "plan.toml: a directory, expected a plan file"),
    Case("plan not UTF-8", put("plan.toml", PLAN.encode() + b"# caf\xe9\n"), TRAIN,
         "plan.toml:29: byte 0xe9, expected UTF-8 text"),
    Case("plan with NUL", put("plan.toml", PLAN + "\0"), TRAIN, "plan.toml"),
    Case("empty plan", put("plan.toml", ""), TRAIN, "plan.toml: 'words' is missing"),
    Case("no TOML", plan("[chars.latin]", "[chars.latin"), TRAIN, "plan.toml: the plan cannot be read:"),
    Case("duplicate key", plan("hidden = 4", "hidden = 4\nhidden = 5"), TRAIN, "plan.toml: the plan cannot be read:"),
    Case("duplicate table", put("plan.toml", PLAN + "[tasks.ner]\n"), TRAIN, "plan.toml: the plan cannot be read:"),
    Case("no [words]", plan(WORDS, ""), TRAIN,
         "plan.toml: 'words' is missing"),
    Case("unknown key", plan("epochs = 1", "epocs = 1"), TRAIN,
         "plan.toml: unknown key 'training.epocs'; did you mean 'epochs'?"),
    Case("unknown table", plan("[training]", "[trainning]"), TRAIN,
         "plan.toml: unknown key 'trainning'; did you mean 'training'?"),
    Case("unknown key of a task", task('langauge = "en"'), TRAIN, "plan.toml: unknown key 'tasks.ner.langauge'"),
    Case("unknown part", plan('words = "english"', 'words = "englisch"'), TRAIN,
         "plan.toml: tasks.ner.words: there is no part words.englisch; did you mean 'english'?"),
    Case("a part of another kind", plan('chars = "latin"', 'chars = "english"'), TRAIN,
         "plan.toml: tasks.ner.chars: there is no part chars.english; known are latin"),
    Case("no such tags part", task('tags = "entities"'), TRAIN, "tasks.ner.tags: there is no part tags.entities"),
    Case("unused part", put("plan.toml", PLAN + "[chars.greek]\n"), TRAIN,
         "plan.toml: chars.greek is declared, but no task uses it"),
    Case("words with two chars",
         put("plan.toml", PLAN.replace('chars = "latin"', 'chars = "greek"', 1) + "[chars.greek]\n"), TRAIN,
         "share words.english, so they must name the same chars part"),
    Case("a layer that is not there", put("plan.toml", PLAN + "[tags.ner]\nlayer = 2\n"), TRAIN,
         "plan.toml: tags.ner.layer: found 2, expected at most 1, the layers of words.english, which tasks.ner reads"),
    Case("a layer below the first", put("plan.toml", PLAN + "[tags.ner]\nlayer = 0\n"), TRAIN,
         "plan.toml: tags.ner.layer: input should be greater than or equal to 1, found 0"),
    Case("negative size", plan("hidden = 6", "hidden = -6"), TRAIN,
         "plan.toml: words.english.hidden: input should be greater than or equal to 1, found -6"),
    Case("huge size", plan("hidden = 6", "hidden = 1000000000"), TRAIN, "words.english.hidden: "),
    Case("text for a number", plan("hidden = 6", 'hidden = "6"'), TRAIN, "words.english.hidden: "),
    Case("a number for a table", plan(WORDS, "[words]\nenglish = 3\n"),
         TRAIN, "words.english"),
    Case("a list for a table", put("plan.toml", "tasks = [1]\n" + BEFORE_TASKS), TRAIN, "tasks"),
    Case("a task that is a number", put("plan.toml", BEFORE_TASKS + "[tasks]\nner = 1\n"), TRAIN,
         "tasks.ner"),
    Case("a name with blanks", plan("[tasks.ner]", '[tasks."n er"]'), TRAIN, "n er"),
    Case("a name that torch keeps", put("plan.toml", PLAN.replace("english", "forward")), TRAIN, "forward"),
    Case("no tasks", put("plan.toml", BEFORE_TASKS + "[tasks]\n"), TRAIN, "tasks"),
    Case("no training files", plan('train = "train.conll"', "train = []"), TRAIN, "tasks.ner.train"),
    Case("a number for a path", plan('train = "train.conll"', "train = 3"), TRAIN, "tasks.ner.train"),
    Case("infinite learning rate", put("plan.toml", PLAN + "learning_rate = inf\n"), TRAIN, "training.learning_rate"),
    Case("dev and holdout", task("holdout = 0.1"), TRAIN,
         "plan.toml: tasks.ner: give dev files or holdout, not both"),
    Case("all held out", plan('dev = "dev.conll"', "holdout = 1.0"), TRAIN, "tasks.ner.holdout: "),
    Case("labeling rate 0", task("rate = 0.0"), TRAIN, "tasks.ner.rate: "),
    Case("unknown recipe", put("plan.toml", PLAN + 'recipe = "papper"\n'), TRAIN,
         "training.recipe: there is no recipe 'papper'; did you mean 'paper'?"),
    Case("an epoch of what every task goes through",
         put("plan.toml", PLAN + 'epoch_of = "smallest"\ntask_sampling = "proportional"\n'), TRAIN,
         "plan.toml: training: an epoch_of 'smallest' needs task_sampling 'round'"),
    Case("select of no task", put("plan.toml", PLAN + 'select = "nr"\n'), TRAIN,
         "training.select: there is no task 'nr'; did you mean 'ner'?"),
    Case("select without dev", put("plan.toml", PLAN + 'select = "pos"\n'), TRAIN, "training.select"),
    Case("tags of two widths", put("plan.toml", PLAN + SPANISH.replace("hidden = 6", "hidden = 7").replace(
         "[tasks.es-ner]", '[tasks.es-ner]\ntags = "ner"')), TRAIN, "tags.ner: its tasks"),
    Case("--set of an unknown key", nothing, f"{TRAIN} --set training.epoch=1", "unknown key 'training.epoch'"),
    Case("--set of a wrong type", nothing, f"{TRAIN} --set training.epochs=many", "training.epochs: "),
    Case("--set below a value", nothing, f"{TRAIN} --set training.epochs.more=1", "'epochs' is a value, not a table"),
    Case("--seed -1", nothing, f"{TRAIN} --seed -1", "training.seed: "),
    Case("show of no plan", nothing, "show none.toml", "none.toml: the plan cannot be read: No such file or directory"),
    Case("show of a directory", folder("empty"), "show empty", "empty: this is not a model directory"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_sentence_and_nothing_written(case, workplace, trained, bilingual):
    check(case, workplace, trained, bilingual)
