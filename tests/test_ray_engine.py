"""Bulk tagging on Ray, here on this machine: the bytes of ``polytag tag``, files whole or absent, and restarts.

Ray is heavy to install and to start, so a stand-in does its part, one row after the other; `make test-all` takes Ray.
"""

import gzip
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from polytag.bulk import Assignment, ray_engine
from polytag.bulk.folder import Input, names_of, opened
from polytag.errors import PolytagError
from polytag.model import save_model
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger
from tests import tiny
from tests.cli.conftest import run

pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'polytag[ray]'")
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'polytag[ray]'"
)
ray_warns = pytest.mark.filterwarnings("default")  # about itself

SENTENCES = [sentence.words for sentence in tiny.texts(300, seed=2)]
CONLL = "".join("".join(f"{word} X\n" for word in words) + "\n" for words in SENTENCES)
TEXT = "".join(" ".join(words) + "\n" for words in SENTENCES)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ray") / "model"
    tagger = tiny.tagger({"ner": "iob2"})
    save_model(tagger.model, directory)
    return directory


class Rows:
    """As much of a ``ray.data.Dataset`` as the engine asks for, of rows as they come."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self.iter_rows = partial(iter, rows)

    def flat_map(self, function: Callable[[Any], Iterable[Any]], **_: Any) -> "Rows":
        return Rows(made for row in self.iter_rows() for made in function(row))

    def map(self, actor: Callable[..., Callable[[Any], Any]], *, fn_constructor_args: Any, **_: Any) -> "Rows":
        return Rows(map(actor(*fn_constructor_args), self.iter_rows()))


def stand_in() -> dict[str, ModuleType]:
    """Modules in the place of Ray's."""
    modules = {name: ModuleType(name) for name in ("ray", "ray.data", "ray.exceptions")}
    ray, data, exceptions = modules.values()
    ray.is_initialized, ray.init, ray.shutdown = lambda: False, lambda **_: None, lambda: None
    ray.cluster_resources, ray.data = lambda: {"CPU": 2.0}, data
    data.DataContext = SimpleNamespace(get_current=SimpleNamespace)
    data.from_items = lambda rows, **_: Rows(rows)
    exceptions.RayError = RuntimeError
    return modules


@pytest.fixture(scope="module", params=["a stand-in", pytest.param("Ray", marks=[needs_ray, pytest.mark.slow])])
def cluster(request: pytest.FixtureRequest) -> Iterator[None]:
    """Ray with two cores, for all tests here: starting it is what takes time."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "Ray":
            ray = ray_engine._imported()
            ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
            yield
            ray.shutdown()
        else:
            for name, module in stand_in().items():
                patch.setitem(sys.modules, name, module)
            yield


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/a.conll").write_text(CONLL * 20)
    Path("in/b.conll.gz").write_bytes(gzip.compress(CONLL.encode()))
    Path("in/c.txt").write_text(TEXT)
    return tmp_path


def tag(model: Path, *names: str, **options: Any) -> list[Path]:
    return ray_engine.tag_files([f"in/{name}" for name in names], "out", Assignment(model=str(model)), **options)


@ray_warns
def test_files_are_tagged_as_one_process_tags_them_and_a_bad_one_stops_no_other(texts, model, cluster):
    Path("in/empty.conll").write_text("")
    Path("in/bad.conllu").write_text("1\tLima\n")
    with pytest.raises(
        PolytagError, match=r"^in/bad\.conllu:1: 2 columns, .*; 1 of 4 files were not tagged: bad\.conllu$"
    ):
        tag(model, "a.conll", "b.conll.gz", "empty.conll", "bad.conllu")
    assert sorted(path.name for path in Path("out").iterdir()) == [".polytag", "a.conll", "b.conll.gz", "empty.conll"]
    for name, given in {"a.conll": CONLL * 20, "b.conll.gz": CONLL}.items():
        written = Path("out", name).read_bytes()
        text = (gzip.decompress(written) if name.endswith(".gz") else written).decode()
        assert text == run(["tag", model], stdin=given).out


@ray_warns
def test_a_restart_goes_on_where_it_was(texts, model, cluster, monkeypatch):
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ray_engine, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            tag(model, "a.conll")
    assert not Path("out/a.conll").exists()
    piece = Path("out/.polytag/pieces/a.conll/00000000")
    piece.write_text("from the first run\n")
    assert tag(model, "a.conll", "b.conll.gz") == [Path("out/a.conll"), Path("out/b.conll.gz")]
    assert Path("out/a.conll").read_text().startswith("from the first run\n")
    assert not piece.exists()
    assert tag(model, "a.conll", "b.conll.gz") == []
    Path("in/a.conll").write_text("another\n")
    with pytest.raises(PolytagError, match=r"out/a\.conll: was tagged from .*; remove the output to tag it anew"):
        tag(model, "a.conll")


@ray_warns
def test_tables_get_columns(texts, model, cluster):
    import pyarrow as pa
    import pyarrow.parquet as pq

    lists = [list(words) for words in SENTENCES]
    columns = {"words": lists, "text": [" ".join(words) for words in SENTENCES]}
    rows = list(range(len(SENTENCES) + 1))
    for name, values in columns.items():
        pq.write_table(pa.table({"id": rows, name: [*values, None], "ner": rows}), f"in/{name}.parquet")
    names = [f"in/{name}.parquet" for name in columns]
    ray_engine.tag_files(names, "out", Assignment(model=str(model), request=Request(confidence=True, nbest=2)))
    found = list(Tagger.load(model).tag_all(tiny.texts(300, seed=2), confidence=True, nbest=2))
    more = ["ner.confidence", "ner.alternatives", "ner.predicted_spans"]
    for name in columns:
        table = pq.read_table(f"out/{name}.parquet")
        assert table.column_names == ["id", name, "ner", *(["words", "offsets"] if name == "text" else []), *more]
        assert table.column("id").to_pylist() == rows
        assert table.column("words").to_pylist() == [*lists, [] if name == "text" else None]
        assert table.column("ner").to_pylist() == [*(list(s.tags["ner"]) for s in found), []]
        for there, here in zip(table.column("ner.confidence").to_pylist(), found, strict=False):
            assert there == pytest.approx(here.confidence["ner"], abs=1e-5)
        for there, here in zip(table.column("ner.alternatives").to_pylist(), found, strict=False):
            assert [tuple(one["tags"]) for one in there] == [one.tags for one in here.alternatives["ner"]]


@needs_ray
@pytest.mark.slow
def test_ray_says_nothing_of_its_own(texts, model):
    command = [sys.executable, "-m", "polytag", "tag", model, "in/c.txt", "--from", "text"]
    command += ["--engine", "ray", "-o", "out"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert Path("out/c.txt").read_text() == run(["tag", model, "--from", "text"], stdin=TEXT).out


def test_without_ray_one_sentence_says_what_to_install(texts, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    done = run(["tag", model, "in/a.conll", "--engine", "ray", "-o", "out"])
    assert (done.code, done.sentence) == (1, ray_engine.MISSING)
    assert not Path("out").exists()


def test_the_engine_wants_files_and_a_directory(texts, model):
    for words in ("--engine ray -o out", "in/a.conll --engine ray"):
        done = run(["tag", model, *words.split()])
        assert (done.code, "--engine ray" in done.sentence) == (2, True)


def test_a_directory_is_for_one_request_and_one_process(tmp_path):
    place = tmp_path / "out"
    same, other = ({"model": "a", "confidence": confidence} for confidence in (False, True))
    with opened(place, same), pytest.raises(PolytagError, match="another process"), opened(place, same):
        pass
    with pytest.raises(PolytagError, match="begun with another confidence"), opened(place, other):
        pass
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "text").write_text("mine")
    for path, found in {"mine": "other files", "mine/text": "a file"}.items():
        with pytest.raises(PolytagError, match=f"found {found}, expected"), opened(tmp_path / path, {}):
            pass
    assert (tmp_path / "mine" / "text").read_text() == "mine"
    assert len(list((tmp_path / "mine").iterdir())) == 1


def test_an_output_is_whole_while_it_and_its_input_stay_as_they_are(tmp_path):
    text = tmp_path / "a.conll"
    text.write_text("Lima\n")
    with opened(tmp_path / "out", {}) as folder:
        source = Input.of(text)
        assert not folder.is_whole("a.conll", source)
        folder.output("a.conll").write_text("Lima O\n")
        folder.finish("a.conll", source)
        assert folder.is_whole("a.conll", source)
        folder.output("a.conll").write_text("Li")
        assert not folder.is_whole("a.conll", source)


def test_pieces_of_an_earlier_content_are_not_taken(tmp_path):
    text = tmp_path / "a.conll"
    text.write_text("Lima\n")
    with opened(tmp_path / "out", {}) as folder:
        folder.prepare("a.conll", Input.of(text))
        folder.piece("a.conll", 0).write_text("old")
        folder.prepare("a.conll", Input.of(text))
        assert folder.piece("a.conll", 0).exists()
        text.write_text("Lima\nOslo\n")
        folder.prepare("a.conll", Input.of(text))
        assert not folder.piece("a.conll", 0).exists()


def test_names_that_would_clash_are_refused(tmp_path):
    with pytest.raises(PolytagError, match="y/a: has the name of x/a"):
        names_of([Path("x/a"), Path("y/a")], tmp_path)
    with pytest.raises(PolytagError, match="lies in the output directory"):
        names_of([tmp_path / "a"], tmp_path)
