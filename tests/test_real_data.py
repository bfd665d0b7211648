"""The corpora of the paper, where they are: counted through the command line, and found by the plans."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from polytag.cli import cli
from polytag.corpus import check, read
from polytag.corpus.notes import Notes
from polytag.plan_file import load_plan
from tests.licensed import TOKENS, licensed

pytestmark = pytest.mark.data

PLANS = sorted((Path(__file__).parents[1] / "examples" / "plans").glob("*.toml"))


@pytest.fixture(scope="module")
def data() -> Path:
    return licensed("conll2003").parent


def printed(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.parametrize(("file", "tokens"), TOKENS.items(), ids=list(TOKENS))
def test_data_check_counts_the_tokens_of_the_paper(data: Path, file: str, tokens: int) -> None:
    output = printed("data", "check", data / file, code=int("esp." in file))  # each Spanish file has an ill-formed tag
    assert f" {tokens:,} tokens" in output
    assert ("IOB1" if "conll2003" in file else "IOB2") in output


COLUMN_FILES = (
    "conll2000/test.txt",
    "masakhaner/yor/dev.txt",
    "twitter/ner.txt",
    "twitter/pos.txt",
    "genia-pos/devel.tsv",
)


@pytest.mark.parametrize("file", COLUMN_FILES)
def test_data_check_says_what_reading_says(data: Path, file: str) -> None:
    if not (data / file).exists():
        pytest.skip(f"no {file} in the data directory")
    report, notes = check(data / file), Notes()
    column = report.columns[-1]
    sentences = list(read(data / file, tags={"task": column.name}, notes=notes))
    assert [str(note) for note in notes] == [str(note) for note in report.notes]
    assert sum(map(len, sentences)) == report.tokens == column.tags.total()


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
