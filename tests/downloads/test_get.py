"""From a server to the data directory: every row of the catalogue, and what may stand in the way."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from polytag.corpus.check import check
from polytag.downloads import Dataset, Fetcher, datasets, get, is_there, licence_text, lookup, names
from polytag.downloads.record import NAME
from polytag.errors import PolytagError
from polytag.vocabulary.vectors import load_vectors
from tests.downloads import archives
from tests.downloads.server import Site

pytestmark = pytest.mark.usefixtures("catalogue")
TREEBANK = "ud:UD_Galician-TreeGal"
LOCK = ".downloads/lock"


def offered(site: Site, name: str) -> Dataset:
    dataset = lookup(name)
    site.files |= archives.published(dataset)
    return dataset


def tree(data: Path) -> set[str]:
    """The files of a data directory, less the lock."""
    return {p.relative_to(data).as_posix() for p in data.rglob("*") if p.is_file()} - {LOCK}


@pytest.mark.parametrize("name", names())
def test_every_row_arrives_and_can_be_read(name: str, site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, name)
    got = get(dataset, tmp_path, fetcher=fetcher)
    assert not got.already
    assert tree(tmp_path) == {NAME, *(path.relative_to(tmp_path).as_posix() for path in (*got.files, *got.plans))}
    if dataset.vectors:
        vectors = load_vectors(tmp_path / dataset.vectors)
        assert len(vectors.words) == len(archives.WORDS)
    else:
        for path in got.files:
            if path.name not in ("README", "LICENSE.txt"):
                assert not check(path).problems
    assert is_there(dataset, tmp_path)


def test_what_is_there_is_not_fetched_again(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, "conll2000")
    got = get(dataset, tmp_path, fetcher=fetcher)
    site.requests.clear()
    again = get(dataset, tmp_path, fetcher=fetcher)
    assert (again.already, again.checked) == (True, True)
    assert (set(again.files), again.plans) == (set(got.files), got.plans)
    assert not site.requests


def test_the_record_says_what_came_from_where(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, "conll2000")
    got = get(dataset, tmp_path, fetcher=fetcher)
    record = tomllib.loads((tmp_path / NAME).read_text(encoding="utf-8"))
    (url,) = record["sources"]
    assert url == dataset.files[0].url
    assert got.believed == {"conll2000.zip": record["sources"][url]}
    assert set(record["datasets"]["conll2000"]["targets"]) == set(dataset.files[0].targets)


def test_what_is_fetched_later_must_be_what_was_fetched_first(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, "fasttext-wiki:sw")
    (path,) = get(dataset, tmp_path, fetcher=fetcher).files
    path.unlink()
    get(dataset, tmp_path, fetcher=fetcher)
    path.unlink()
    site.files = dict.fromkeys(site.files, b"1 1\nevil 1\n")
    with pytest.raises(PolytagError, match=f"as it was when first fetched .remove its line in {NAME}"):
        get(dataset, tmp_path, fetcher=fetcher)
    assert not path.exists()


def test_a_published_checksum_is_not_a_belief(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, "conll2000")
    real = dataset.files[0].model_copy(update={"md5": "9529b285edd5fe47271da69df1052301"})
    with pytest.raises(PolytagError, match=r"its MD5 is .*, expected 9529b285edd5fe47271da69df1052301"):
        get(dataset.model_copy(update={"files": (real,)}), tmp_path, fetcher=fetcher)
    assert tree(tmp_path) == set()


def test_a_treebank_without_development_set(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, TREEBANK)
    site.files = {path: content for path, content in site.files.items() if "-dev" not in path}
    got = get(dataset, tmp_path, fetcher=fetcher)
    assert len(got.files) == 3
    (plan,) = got.plans
    assert "holdout = 0.1" in plan.read_text(encoding="utf-8")
    site.requests.clear()
    assert get(dataset, tmp_path, fetcher=fetcher).already
    assert not site.requests


def test_a_treebank_that_is_not_there_leaves_nothing_in_place(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, TREEBANK)
    site.files = {path: content for path, content in site.files.items() if "-train" not in path}
    with pytest.raises(PolytagError, match=r"gl_treegal-ud-train.conllu: HTTP 404 Not Found"):
        get(dataset, tmp_path, fetcher=fetcher)
    assert all(name.startswith(".downloads/") for name in tree(tmp_path))


def test_the_licence_beside_a_treebank_is_read(site: Site, fetcher: Fetcher) -> None:
    dataset = offered(site, TREEBANK)
    assert licence_text(dataset, fetcher) == "This work is licensed under CC BY-SA 4.0."
    assert licence_text(lookup("conll2000"), fetcher) == ""


def test_a_file_that_was_changed_is_told(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, "conll2000")
    get(dataset, tmp_path, fetcher=fetcher)
    (tmp_path / "conll2000/train.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(PolytagError, match=r"train.txt: differs from what was fetched .*move it away"):
        get(dataset, tmp_path, fetcher=fetcher)
    assert (tmp_path / "conll2000/train.txt").read_text(encoding="utf-8") == "mine"


def test_a_file_that_was_removed_is_fetched_again(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, "conll2000")
    get(dataset, tmp_path, fetcher=fetcher)
    before = (tmp_path / "conll2000/test.txt").read_bytes()
    (tmp_path / "conll2000/test.txt").unlink()
    assert not get(dataset, tmp_path, fetcher=fetcher).already
    assert (tmp_path / "conll2000/test.txt").read_bytes() == before


def test_what_the_user_has_put_there_is_left_alone(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, "masakhaner:swa")
    folder = tmp_path / "masakhaner2/swa"
    folder.mkdir(parents=True)
    (folder / "train.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(PolytagError, match=r"train.txt: is there, but was not fetched by polytag, and .*dev.txt"):
        get(dataset, tmp_path, fetcher=fetcher)
    for name in ("dev.txt", "test.txt"):
        (folder / name).write_text("mine", encoding="utf-8")
    got = get(dataset, tmp_path, fetcher=fetcher)
    assert (got.already, got.checked) == (True, False)
    assert (folder / "train.txt").read_text(encoding="utf-8") == "mine"
    assert not site.requests
    assert got.plans


def test_a_plan_that_was_edited_is_kept(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, "conll2000")
    (plan,) = get(dataset, tmp_path, fetcher=fetcher).plans
    written = plan.read_text(encoding="utf-8")
    plan.write_text(written + "# mine\n", encoding="utf-8")
    assert get(dataset, tmp_path, fetcher=fetcher).plans == (plan,)
    assert plan.read_text(encoding="utf-8").endswith("# mine\n")
    plan.unlink()
    get(dataset, tmp_path, fetcher=fetcher)
    assert plan.read_text(encoding="utf-8") == written


def test_a_plan_that_stood_there_before_is_kept(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    (tmp_path / "conll2000.toml").write_text("# mine\n", encoding="utf-8")
    get(offered(site, "conll2000"), tmp_path, fetcher=fetcher)
    assert (tmp_path / "conll2000.toml").read_text(encoding="utf-8") == "# mine\n"


def test_an_archive_of_another_layout_leaves_nothing(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    dataset = offered(site, "conll2000")
    site.files = dict.fromkeys(site.files, archives.zipped({"conll2000/README": b"CONLL"}))
    with pytest.raises(PolytagError, match=r"conll2000.zip: there is no conll2000/train.txt in it"):
        get(dataset, tmp_path, fetcher=fetcher)
    assert not (tmp_path / "conll2000").exists()
    site.files |= archives.published(dataset)
    get(dataset, tmp_path, fetcher=fetcher)


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_stopped_while_files_are_put_in_place(fails: int, site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    """What a kill between two files leaves is neither taken for the user's own nor fetched again."""
    dataset = offered(site, "conll2000")
    place = mock.Mock(side_effect=_put_until(fails))
    with mock.patch("polytag.downloads.datasets._put", place), pytest.raises(KeyboardInterrupt):
        get(dataset, tmp_path, fetcher=fetcher)
    site.requests.clear()
    assert not get(dataset, tmp_path, fetcher=fetcher).already
    assert not site.requests
    assert is_there(dataset, tmp_path)


def _put_until(fails: int) -> Callable[[Path, Path], None]:
    real, count = datasets._put, iter(range(1, 99))

    def put(source: Path, target: Path) -> None:
        if next(count) == fails:
            raise KeyboardInterrupt
        real(source, target)

    return put


def test_a_folder_on_another_file_system(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if "conll2000" in target.parts and ".downloads" in self.parts and ".downloads" not in target.parts:
            raise OSError(18, "Invalid cross-device link")
        return real(self, target)

    with mock.patch.object(Path, "replace", replace):
        got = get(offered(site, "conll2000"), tmp_path, fetcher=fetcher)
    assert tree(tmp_path) == {NAME, *(path.relative_to(tmp_path).as_posix() for path in (*got.files, *got.plans))}


@pytest.mark.parametrize(
    ("text", "message"), [("version = 9\n", "its version is 9, expected 1"), ("x", "cannot be read")]
)
def test_a_record_that_is_damaged_is_told(
    text: str, message: str, site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    (tmp_path / NAME).write_text(text, encoding="utf-8")
    with pytest.raises(PolytagError, match=f"{NAME}: {message}"):
        get(offered(site, "conll2000"), tmp_path, fetcher=fetcher)


def test_a_data_directory_that_is_a_file_is_told(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("", encoding="utf-8")
    with pytest.raises(PolytagError, match=r"data: cannot be written"):
        get(offered(site, "conll2000"), tmp_path / "data", fetcher=fetcher)
