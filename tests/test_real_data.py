"""The corpora of the paper, where they are: counted through the command line, and found by the plans."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from polytag.cli import cli
from polytag.plan_file import load_plan

pytestmark = pytest.mark.data

PLANS = sorted((Path(__file__).parents[1] / "examples" / "plans").glob("*.toml"))
TOKENS = {  # the paper's Table 1, which counts -DOCSTART- lines
    "conll2000/train.txt": 211_727,
    "conll2000/test.txt": 47_377,
    "conll2002/ned.train": 202_931,
    "conll2002/ned.testa": 37_761,
    "conll2002/ned.testb": 68_994,
    "conll2002/esp.train": 264_715,
    "conll2002/esp.testa": 52_923,
    "conll2002/esp.testb": 51_533,
    "conll2003/eng.train": 204_567,
    "conll2003/eng.testa": 51_578,
    "conll2003/eng.testb": 46_666,
}


@pytest.fixture(scope="module")
def data() -> Path:
    path = Path(os.environ.get("POLYTAG_DATA", ""))
    if not (path / "conll2003").is_dir():
        pytest.skip("the licensed corpora are not here: POLYTAG_DATA names no directory with conll2003 in it")
    return path


def printed(*arguments: object) -> str:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(("file", "tokens"), TOKENS.items(), ids=list(TOKENS))
def test_data_check_counts_the_tokens_of_the_paper(data: Path, file: str, tokens: int) -> None:
    output = printed("data", "check", data / file)
    assert f" {tokens:,} tokens" in output
    assert ("IOB1" if "conll2003" in file else "IOB2") in output


@pytest.mark.parametrize("plan", PLANS, ids=lambda path: path.stem)
def test_the_plans_find_their_files(data: Path, plan: Path) -> None:
    loaded = load_plan(plan, data=data)
    for task, settings in loaded.tasks.items():
        for split in ("train", "dev", "test"):
            for path in getattr(settings, split) or ():
                assert loaded.find(path, f"tasks.{task}.{split}").is_file()
    for name, words in loaded.words.items():
        assert words.vectors is None or loaded.find(words.vectors, f"words.{name}.vectors").is_file()


@pytest.mark.parametrize("plan", PLANS, ids=lambda path: path.stem)
def test_the_plans_are_shown(data: Path, plan: Path) -> None:
    output = printed("show", plan, "--data", data)
    loaded = load_plan(plan, data=data)
    for kind in ("chars", "words", "tags"):
        for name in getattr(loaded, kind):
            assert f"{kind}.{name} " in output
    assert "[training]" in printed("show", plan, "--data", data, "--all")
