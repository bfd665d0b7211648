"""Files with other labels, in other columns and formats than a model's own, from one command to the next."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import run


@pytest.fixture
def renamed(workplace: Path) -> str:
    """The test file with other names for its types, in columns of other numbers, with another tag outside."""
    rows = [line.split() for line in Path("test.conll").read_text().splitlines()]
    text = "".join(f"{number}\t{row[0]}\t{row[2]}\n" if row else "\n" for number, row in enumerate(rows))
    text = re.sub(r"\tO$", "\t_", text.replace("PER", "person").replace("LOC", "Place"), flags=re.M)
    Path("other.tsv").write_text(text)
    return "--data-file other.tsv --word 1 --tag ner=2 --outside _"


def test_another_file_is_scored_in_its_own_columns_and_labels(trained: Path, renamed: str) -> None:
    expected = run(f"evaluate {trained} --task ner")
    assert "FB1" in expected.out
    done = run(f"evaluate {trained} {renamed}")
    assert (done.code, "--map person=PER (in a plan: map) would read them" in done.err) == (0, True)
    done = run(f"evaluate {trained} {renamed} --map person=PER --map Place=LOC")
    assert (done.out, done.err) == (expected.out, "")
    done = run("data convert other.tsv other.jsonl --word 1 --tag ner=2 --outside _ --map person=PER --map Place=LOC")
    assert done.code == 0
    assert run(f"evaluate {trained} --task ner --data-file other.jsonl").out == expected.out  # the tags of its name
    score = run(f"calibrate {trained} {renamed} --map person=PER --map Place=LOC --json")
    assert json.loads(score.out)["ner"]["sentences"] == 12


def test_several_tasks_are_scored_on_one_file_where_each_has_a_column(workplace: Path, trained: Path) -> None:
    both = run(f"evaluate {trained} --data-file test.conll --tag ner=2 --tag pos=1")
    assert both.err == ""
    assert both.out == run(f"evaluate {trained}").out


def test_a_removed_type_is_scored_no_more(trained: Path) -> None:
    counts = json.loads(run(f"evaluate {trained} --task ner --map PER=O --json").out)["ner"]["types"]
    assert counts.get("PER", {"gold": 0})["gold"] == 0 < counts["LOC"]["gold"]


def test_models_with_other_labels_are_compared(trained: Path, renamed: str) -> None:
    plan = Path("plan.toml").read_text().replace('train = "train.conll"', 'train = "named.conll"')
    text = Path("train.conll").read_text().replace("PER", "person")
    Path("named.conll").write_text(text)
    Path("named.toml").write_text(plan)
    assert run("train named.toml -o named --task ner").code == 0
    done = run(f"compare {trained} named --task ner --json")
    assert "B: types that training lacks, so that they are never found: PER" in done.err
    found = json.loads(run(f"compare {trained} named --task ner --json --map person=PER").out)
    assert "person" not in found["types"]
    mapped = Path("plan.toml").read_text().replace("columns = { word = 0, tag = 2 }", MAPPED)
    Path("mapped.toml").write_text(mapped.replace('train = "train.conll"', 'train = "named.conll"'))
    for name in ("mapped", "plan"):
        assert run(f"train {name}.toml -o {name} --task ner").code == 0
    assert run("evaluate mapped").out == run("evaluate plan").out


MAPPED = 'columns = { word = 0, tag = 2 }\nmap = { person = "PER" }'


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ("--map person", 2, "--map person: expected LABEL=NEW, such as person=PER or Chemical=O"),
        ("--map a=b --map a=c", 2, "--map a=c: 'a' is named twice, expected names that differ"),
        ("--map person=B-PER", 1, "map: found the tag 'B-PER' in person = 'B-PER', expected a type such as 'PER'"),
        ("--word 1", 1, "word of no file (1), expected a file that is so written (--data-file)"),
        ("--data-file test.conll --tag nr=2", 1, "no task 'nr'; did you mean 'ner'?"),
        ("--task pos --data-file test.conll --tag ner=2", 1, "tags of 'ner', expected those of pos"),
        (
            "--task ner --data-file two.jsonl",
            1,
            "jsonl with tags a, b, expected to be told which are those of 'ner' (--tag)",
        ),
    ],
)
def test_what_cannot_be_meant(workplace: Path, trained: Path, options: str, code: int, message: str) -> None:
    Path("two.jsonl").write_text('{"words": ["Ann"], "tags": {"a": ["O"], "b": ["O"]}}\n')
    done = run(f"evaluate {trained} {options}")
    assert (done.code, message in done.sentence) == (code, True), done.err
