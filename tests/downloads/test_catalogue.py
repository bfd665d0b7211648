"""The catalogue: every row is whole, names and parameters are checked, plans train on what is fetched."""

import re
from pathlib import Path

import pytest

from polytag.downloads import lookup, names
from polytag.downloads.catalogue import NONE
from polytag.downloads.plans import write_plans
from polytag.downloads.record import Record
from polytag.errors import PolytagError
from polytag.plan_file import load_plan
from tests.licensed import licensed

ROWS = names()


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_whole(name: str) -> None:
    dataset = ROWS[name]
    assert dataset.what
    assert all((dataset.licence.name, dataset.licence.terms.endswith("."), dataset.licence.url.startswith("https://")))
    for file in dataset.files:
        assert re.fullmatch(r"https?://[^$ ]+", file.url)
        assert bool(file.target) != bool(file.members)
        assert bool(file.unpacked) == bool(file.members)
        for target in (*file.targets, *file.extras.values()):
            assert "$" not in target
            assert not Path(target).is_absolute()
            assert ".." not in target
        assert re.fullmatch(f"{NONE}|[0-9a-f]{{32}}", file.md5)
        assert re.fullmatch(f"{NONE}|[0-9a-f]{{64}}", file.sha256)
    assert len({file.name for file in dataset.files}) == len(dataset.files)


@pytest.mark.parametrize("name", [*ROWS, "polyglot:es", "ud:UD_Galician-TreeGal"])
def test_a_plan_names_what_is_fetched_and_can_be_read(name: str, tmp_path: Path) -> None:
    dataset = lookup(name)
    targets = {target for file in dataset.files for target in file.targets}
    for path in write_plans(dataset, tmp_path, Record(path=tmp_path / "lock"), absent=()):
        plan = load_plan(path)
        if dataset.vectors:
            assert {words.vectors for words in plan.words.values()} == {dataset.vectors}
        else:
            used = {
                path for task in plan.tasks.values() for path in (*task.train, *(task.dev or ()), *(task.test or ()))
            }
            assert used <= targets


def test_a_plan_without_development_set_holds_some_sentences_out(tmp_path: Path) -> None:
    dataset = lookup("ud:UD_Galician-TreeGal")
    (path,) = write_plans(
        dataset, tmp_path, Record(path=tmp_path / "lock"), absent=["ud/Galician-TreeGal/gl_treegal-ud-dev.conllu"]
    )
    (task,) = load_plan(path).tasks.values()
    assert (task.dev, task.holdout) == (None, 0.1)
    assert task.test


def test_the_parameter_may_leave_the_prefix_out() -> None:
    assert lookup("ud:English-EWT") == lookup("ud:UD_English-EWT")
    assert lookup("ud:UD_Ancient_Greek-PROIEL").fields["code"] == "grc"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("polyglott:nl", "nothing to download named 'polyglott'; did you mean 'polyglot'"),
        ("ud", "ud needs a parameter, such as ud:UD_English-EWT"),
        ("ud:ewt", "ud:ewt: expected a parameter such as ud:UD_English-EWT"),
        ("ud:UD_Englisch-EWT", "knows no language 'Englisch'; did you mean 'English'"),
        ("ud:UD_English-EWT/../x", "expected a parameter"),
        ("masakhaner:swh", "there is no 'swh'; did you mean 'swa'"),
        ("fasttext:english", "expected a parameter such as fasttext:sw"),
        ("senna:en", "senna takes no parameter, found 'en'"),
    ],
)
def test_an_unknown_name_is_told(name: str, message: str) -> None:
    with pytest.raises(PolytagError, match=re.escape(message)):
        lookup(name)


@pytest.mark.data
@pytest.mark.parametrize("name", ["conll2000", "conll2002"])
def test_the_members_are_those_of_the_real_archive(name: str) -> None:
    """Names and bytes in all: those that the index of the NLTK data archive states for what it holds unpacked."""
    (file,) = lookup(name).files
    assert file.unpacked == sum(licensed(target).stat().st_size for target in file.targets)
