"""Without PyTorch everything that runs a model works, and whatever trains says in one sentence what to install."""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from polytag.model import save_model
from tests import tiny
from tests.training import toy
from tests.zygote import zygote

WITHOUT = """\
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *place: None if name == "torch" else find(name, *place)
"""
COMMAND = f"{WITHOUT}from polytag.cli import main\nmain(sys.argv[1:])\n"
SENTENCE = "PyTorch is not installed, expected it for training: pip install 'polytag[train]'"
TAGGED = """\
Ann B-PER
Lee I-PER
saw O
Lima B-LOC

the O
mayor O
of O
Oslo B-LOC

Lima B-LOC
saw O
hills O
"""
PLAN = """
[chars.all]
[words.en]
[tasks.ner]
chars = "all"
words = "en"
train = "en.train"
dev = "en.dev"
columns = { tag = 2 }
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two models, a file with tags, one without, and a plan with its corpora."""
    folder = toy.write_all(tmp_path_factory.mktemp("without"))
    for seed in (1, 2):
        save_model(tiny.model({"ner": "iob2"}, seed=seed, features=True), folder / f"model-{seed}")
    (folder / "tagged.conll").write_text(TAGGED, encoding="utf-8")
    words = (sentence.words for sentence in tiny.texts(30, longest=12))
    (folder / "text.txt").write_text("".join(f"{' '.join(line)}\n" for line in words), encoding="utf-8")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def quickly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PATH whose `polytag` and `python` have no torch, and start at once."""
    with zygote(tmp_path_factory.mktemp("zygote"), WITHOUT) as path:
        yield path


def run(name: str, *arguments: str, at: Path, path: str) -> "subprocess.CompletedProcess[str]":
    program = shutil.which(name, path=path)
    assert program
    return subprocess.run([program, *arguments], cwd=at, capture_output=True, text=True, check=False)


def python(code: str, *arguments: str, at: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=at, capture_output=True, text=True, check=False)


RUNS = {
    "tag": ("tag model-1 text.txt --from tokenised --confidence", "Lima\t"),
    "tag, two processes": ("tag model-1 tagged.conll --workers 2", "Lima"),
    "evaluate": ("evaluate model-1 --data-file tagged.conll --calibration", "processed 11 tokens"),
    "evaluate, a page": ("evaluate model-1 --data-file tagged.conll --html page.html", "processed 11 tokens"),
    "calibrate": ("calibrate model-2 --data-file tagged.conll", "ner"),
    "compare": ("compare model-1 model-2 --data-file tagged.conll", "ner"),
    "suggest": ("suggest model-1 text.txt --from tokenised -n 3", '"text"'),
    "export": ("export model-1 --onnx graph.onnx", "graph.onnx"),
    "show a model": ("show model-1", "tags.ner"),
    "show a plan": ("show plan.toml", "tags.ner"),
    "data check": ("data check tagged.conll", "IOB2"),
    "init": ("init --train tagged.conll --tag ner=1 --holdout 0.3 --language en -o made.toml", ""),
    "train --help": ("train --help", "--resume"),
}


@pytest.mark.parametrize(("line", "expected"), RUNS.values(), ids=RUNS.keys())
def test_what_runs_a_model_works(place: Path, quickly: str, line: str, expected: str) -> None:
    if line.startswith("export"):
        pytest.importorskip("onnx", reason="the extra onnx is not installed")
    done = run("polytag", *line.split(), at=place, path=quickly)
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout


def test_a_server_answers(place: Path) -> None:
    pytest.importorskip("fastapi", reason="the extra serve is not installed")
    line = [sys.executable, "-c", COMMAND, "serve", "model-1", "--port", "0"]
    with subprocess.Popen(line, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            address = next(word for word in server.stderr.readline().split() if word.startswith("http://"))
            body = json.dumps({"words": ["Ann", "saw", "Lima"]}).encode()
            request = urllib.request.Request(f"{address}/tag", body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert len(json.load(answer)["sentences"][0]["tags"]["ner"]) == 3
        finally:
            server.terminate()


def test_from_python(place: Path) -> None:
    code = (
        f"{WITHOUT}import polytag\n"
        "tagger = polytag.load('model-1')\n"
        "assert len(tagger.tag(['Ann', 'saw', 'Lima'], confidence=True, nbest=2).tags['ner']) == 3\n"
        "assert polytag.evaluate('model-1', data_file='tagged.conll')['ner'].tokens['all'].gold == 11\n"
        "import polytag.bulk, polytag.curves, polytag.exporting, polytag.reports, polytag.suggesting\n"
        "import polytag.integrations.sklearn, polytag.integrations.spacy\n"
    )
    done = python(code, at=place)
    assert done.returncode == 0, done.stderr


ASKED = {
    "the folder": "import polytag.training",
    "a file in it": "import polytag.training.network",
    "train": "import polytag; polytag.train('plan.toml', output='new')",
    "train_events": "import polytag; polytag.train_events(polytag.load_plan('plan.toml'), output='new')",
    "what is imported by name": "from polytag import *; train('plan.toml', output='new')",
    "a curve": "from polytag.curves import curve; curve('plan.toml', task='ner', output='new')",
    "the estimator": (
        "from polytag.integrations.sklearn import SequenceTagger; SequenceTagger().fit([['Ann']], [['B-PER']])"
    ),
}


@pytest.mark.parametrize("statement", ASKED.values(), ids=ASKED.keys())
def test_whatever_trains_says_what_to_install(place: Path, quickly: str, statement: str) -> None:
    program = f"from polytag.errors import PolytagError\ntry:\n    {statement}\nexcept PolytagError as error:\n"
    program += "    print(error)\nelse:\n    print('nothing was raised')\n"
    done = run("python", "-c", program, at=place, path=quickly)
    assert done.stdout == f"{SENTENCE}\n", done.stderr
    assert not (place / "new").exists()


def test_it_is_the_same_where_torch_is_barred(place: Path) -> None:
    done = python(
        f"import sys\nsys.modules['torch'] = None\n{COMMAND}", "curve", "plan.toml", "--task", "ner", at=place
    )
    assert (done.returncode, done.stderr) == (1, f"polytag: {SENTENCE}\n")


@pytest.mark.parametrize("line", ["train plan.toml -o new", "train absent.toml -o new", "curve plan.toml --task ner"])
def test_commands_that_train_say_it_in_one_line(place: Path, quickly: str, line: str) -> None:
    done = run("polytag", *line.split(), at=place, path=quickly)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"polytag: {SENTENCE}\n")
    assert not (place / "new").exists()
    assert not (place / "curve-ner").exists()


def test_where_pytorch_is_installed_a_curve_does_not_load_it(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom polytag import PolytagError\nfrom polytag.curves import curve\n"
        "try:\n    curve('none.toml', task='ner', output='out')\n"
        "except PolytagError as error:\n    print(error)\nassert 'torch' not in sys.modules"
    )
    done = python(code, at=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "none.toml" in done.stdout
