"""Files whose words in no span have another tag than O, from one command to the next."""

import re
from pathlib import Path

from tests.cli.conftest import run


def test_a_file_with_another_outside_tag_goes_through_every_command(workplace: Path) -> None:
    for name in ("train", "dev", "test"):
        path = Path(f"{name}.conll")
        path.write_text(re.sub(r"\bO$", "NONE", path.read_text(), flags=re.M))
    hint = "if it means O, set outside = 'NONE'"
    done = run("data check train.conll")
    assert (done.code, hint in done.out) == (1, True)
    assert run("data check train.conll --outside NONE").code == 0
    assert hint in run("train plan.toml -o plain").err
    trained = run("train plan.toml -o model --set tasks.ner.outside=NONE")
    assert trained.code == 0
    assert hint not in trained.err
    rows = [line.split() for line in run("tag model test.conll --task ner").out.splitlines()]
    assert {row[-1] for row in rows if row} <= {"NONE"} | {
        f"{letter}-{kind}" for letter in "BI" for kind in ("PER", "LOC")
    }
    expected = run("evaluate model --task ner").out
    assert "FB1" in expected
    other = Path("other.conll")
    other.write_text(re.sub("NONE$", "0", Path("test.conll").read_text(), flags=re.M))
    assert run("evaluate model --task ner --data-file other.conll").code == 1
    assert run("evaluate model --task ner --data-file other.conll --outside 0").out == expected
    assert run("evaluate model --task ner --outside 0").code == 1
    assert run("data convert other.conll out.conll --tag ner=2 --outside 0 --scheme bioes").code == 0
    assert {line[-1] for line in Path("out.conll").read_text().splitlines() if line} <= {"O", "R", "C"}


def test_types_that_training_lacks_are_told_when_scoring(workplace: Path, trained: Path) -> None:
    Path("laws.conll").write_text("Angela X B-PER\nsaw X O\nActs X B-LAW\n")
    done = run(f"evaluate {trained} --task ner --data-file laws.conll")
    assert done.err == ("ner: types that training lacks, so that they are never found: LAW 1 (1 span)\n")
    assert done.code == 0
