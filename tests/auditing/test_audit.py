"""Real trainings, tiny ones: what is planted is found, and what is interrupted goes on."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from polytag.auditing import Audit, audit
from polytag.errors import PlanError, PolytagError
from polytag.plan_file import load_plan
from tests.cli.conftest import run

PLAN = """
[chars.all]
dimension = 4
hidden = 4
layers = 1
[words.en]
dimension = 8
hidden = 8
layers = 1
[tasks.ner]
chars = "all"
words = "en"
train = "train.conll"
test = "test.conll"
columns = { tag = 1 }
[training]
threads = 1
batch_sentences = 2
epochs = 8
learning_rate = 0.1
"""
AUDIT = (
    "audit train.conll --folds 2 --quiet --set training.epochs=1 --set words.any.hidden=4 --set chars.shared.hidden=4"
)
PLANTED = "anna O\nsees O\nlima B-LOC\n\n"


pytestmark = pytest.mark.usefixtures("quick_start")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two names in many sentences, one of which is once in no span; a sentence of test stands in training."""
    folder = tmp_path_factory.mktemp("audit")
    names = [f"anna B-PER\n{verb} O\nlima B-LOC\n" for verb in ("sees", "likes", "leaves") for _ in range(8)]
    long = "bob B-PER\ngoes O\nto O\noslo B-LOC\n"
    (folder / "train.conll").write_text("\n".join([*names, PLANTED.rstrip("\n") + "\n", long]), encoding="utf-8")
    (folder / "test.conll").write_text(f"carla B-PER\nsees O\n\n{long}", encoding="utf-8")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def audited(place: Path) -> Audit:
    return audit(place / "plan.toml", output=place / "out", folds=2)


def records(found: Audit) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found.records.read_text(encoding="utf-8").splitlines()]


def test_planted_error_comes_first(audited: Audit) -> None:
    first = records(audited)[0]
    assert (first["kind"], first["annotated"], first["line"]) == ("spurious", None, 97)
    assert first["predicted"] == {"words": ["anna"], "start": 0, "end": 1, "label": "PER"}
    assert first["suspicion"] > 0.5


def test_every_training_sentence_is_tagged_once_and_stands_as_in_its_file(audited: Audit) -> None:
    assert [case.lines[0] for case in audited.tasks["ner"].cases.cases] == list(range(1, 102, 4))


def test_other_labels_of_the_same_words_are_told(audited: Audit) -> None:
    odd = [record for record in records(audited) if record["kind"] == "odd label"]
    assert [(r["line"], r["annotated"]["label"], r["times"], r["usual"], r["usual_times"]) for r in odd] == [
        (97, "O", 1, "PER", 24)
    ]


def test_sentences_of_test_that_stand_in_training_are_told(audited: Audit) -> None:
    told = [record for record in records(audited) if record["kind"] == "overlap"]
    assert [(Path(r["file"]).name, r["line"], r["split"]) for r in told] == [("test.conll", 4, "test")]
    assert [Path(at).name for at in told[0]["places"]] == ["train.conll:101"]


def test_page_has_the_most_suspicious_first(place: Path, audited: Audit) -> None:
    page = audited.page.read_text(encoding="utf-8")
    assert page.index("most suspicious first") < page.index("as in the files")
    assert "1 test sentence in training too" in page
    assert f"{place / 'test.conll'}:4 is {place / 'train.conll'}:101</li>" in page
    assert f"{place / 'train.conll'}:97: anna is O here, PER 24 times</li>" in page
    assert f'data-sure="{audited.tasks["ner"].suspects[0].suspicion:.6f}"' in page


def test_goes_on_where_it_was_interrupted(place: Path, audited: Audit) -> None:
    shutil.copytree(place / "out", place / "again")
    shutil.rmtree(place / "again" / "models" / "fold2")
    said: list[str] = []
    again = audit(place / "plan.toml", output=place / "again", folds=2, say=said.append)
    assert said == ["1 of 2 trainings are done already", "fold2: started"]
    assert again.records.read_bytes() == audited.records.read_bytes()


def test_command_prints_suspects(place: Path, audited: Audit) -> None:
    done = run(f"audit {place / 'plan.toml'} --output {place / 'out'} --folds 2 --limit 1 --quiet")
    assert f"{place / 'train.conll'}:97: none -> anna PER (spurious)" in done.out
    assert done.out.count("->") == 1


@pytest.fixture
def bare(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An annotated file without a plan, audited with networks so small that they learn nothing."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(place / "train.conll", tmp_path)
    assert run(AUDIT).code == 0
    return tmp_path / "train.conll"


def test_files_without_a_plan_are_read_as_init_reads_them(bare: Path) -> None:
    plan = load_plan("audit/plan.toml")
    assert (list(plan.tasks), plan.tasks["ner"].train, plan.tasks["ner"].columns.tag) == (["ner"], (str(bare),), 1)
    found = Path("audit/audit.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["file"] for line in found} == {"train.conll"}
    other = run("audit train.conll train.conll --quiet")
    assert "audit/plan.toml: is there already, and of other files" in other.sentence
    assert "expected nothing said of others" in run("audit audit/plan.toml train.conll").err
    assert "expected nothing said of others" in run("audit audit/plan.toml --tag ner=1").err


def test_models_of_a_file_that_has_changed_are_not_used(bare: Path) -> None:
    with bare.open("a", encoding="utf-8") as file:
        file.write("\nlima B-LOC\n")
    done = run(AUDIT)
    assert (done.code, "train.conll: has changed since" in done.sentence) == (1, True)


def test_other_folds_in_the_same_directory_are_refused(place: Path, audited: Audit) -> None:
    with pytest.raises(PolytagError, match="folds"):
        audit(place / "plan.toml", output=place / "out", folds=3)


def test_missing_test_file_is_told_before_any_training(place: Path) -> None:
    (place / "bad.toml").write_text(PLAN.replace("test.conll", "none.conll"), encoding="utf-8")
    with pytest.raises(PlanError, match=r"none\.conll"):
        audit(place / "bad.toml", output=place / "none", folds=2)
    assert not (place / "none").exists()


def test_tasks_that_read_a_higher_layer_than_small_models_have_keep_their_size(place: Path) -> None:
    deep = PLAN.replace("hidden = 8\nlayers = 1", "hidden = 8").replace("epochs = 8", "epochs = 1")
    (place / "deep.toml").write_text(f"{deep}\n[tags.ner]\nlayer = 2\n", encoding="utf-8")
    found = audit(place / "deep.toml", output=place / "deep", folds=2)
    assert len(found.tasks["ner"].cases.cases) == 26
    assert load_plan(place / "deep" / "models" / "fold1" / "plan.toml").words["en"].layers == 2
