"""`polytag pack`: one file that every command takes in place of the model directory."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import run

TEXT = "Angela Merkel visited Lima .\n"


@pytest.fixture
def packed(trained: Path, workplace: Path) -> Path:
    done = run(["pack", trained, "-o", "model.polytag"])
    assert (done.code, done.err) == (0, "")
    return workplace / "model.polytag"


def test_it_says_what_is_in_the_file(trained: Path, workplace: Path) -> None:
    done = run(["pack", trained, "-o", "model.polytag", "--precision", "int8", "--coarse", "--vectors", "0"])
    first, *parts = done.out.splitlines()
    assert first == f"model.polytag: {(workplace / 'model.polytag').stat().st_size:,} bytes, weights in int8"
    assert {line.split()[0] for line in parts} == {
        *["chars.latin", "words.english", "tags.ner", "tags.pos", "vocabularies"]
    }
    assert any(line.startswith("words.english") and line.endswith(" words") for line in parts)


@pytest.mark.parametrize(
    "command",
    ["tag {} test.conll", "tag {} --confidence --task ner", "evaluate {} --data .", "show {} --all",
     "evaluate {} --data-file test.conll --task pos", "suggest {} test.conll --task ner",
     "compare {} {trained} --data-file test.conll --task ner"],
)  # fmt: skip
def test_every_command_takes_it(trained: Path, packed: Path, command: str) -> None:
    ours, theirs = (run(command.format(model, trained=trained), stdin=TEXT) for model in ("model.polytag", trained))
    assert ours.code == 0, ours.err
    if "show" in command:
        assert ours.out.startswith("search = [] ")
        assert ours.out.splitlines()[1:] == theirs.out.splitlines()[1:]
    else:
        assert ours.out.replace("model.polytag", str(trained)) == theirs.out


def test_a_file_of_the_model_itself_is_not_overwritten(trained: Path, workplace: Path) -> None:
    model = Path(shutil.copytree(trained, workplace / "copy"))
    before = {file: file.read_bytes() for file in model.rglob("*") if file.is_file()}
    for name in ("plan.toml", "weights.safetensors", "vocabulary/chars.latin.json"):
        done = run(["pack", model, "-o", model / name])
        assert (done.code, done.out) == (1, "")
        assert "is a file of the model itself, expected another one to write" in done.err
    assert {file: file.read_bytes() for file in model.rglob("*") if file.is_file()} == before
    for _ in range(2):
        assert run(["pack", model, "-o", model / "model.polytag"]).code == 0


def test_it_is_shown(trained: Path, packed: Path) -> None:
    parts, whole = run(["show", packed]).out, run(["show", trained]).out
    assert whole.startswith(parts.rstrip())
    assert "scored" not in parts


def test_a_report_of_it(packed: Path, workplace: Path) -> None:
    pytest.importorskip("jinja2")
    assert run(["evaluate", packed, "--data", ".", "--html", "report.html", "--task", "ner"]).code == 0
    assert 'id="training"' not in (workplace / "report.html").read_text(encoding="utf-8")


def test_python_takes_it(trained: Path, packed: Path) -> None:
    import polytag

    words = TEXT.split()
    assert polytag.load(packed).tag(words).tags == polytag.load(trained).tag(words).tags


def test_data_that_is_not_there_is_told(packed: Path, workplace: Path) -> None:
    (workplace / "data").mkdir()
    shutil.move(workplace / "test.conll", workplace / "data")
    done = run(["evaluate", packed])
    assert done.code == 1
    assert done.sentence.startswith("tasks.ner.test: there is no 'test.conll'; looked for test.conll; --data names")
    assert run(["evaluate", packed, "--data", "data"]).code == 0


def test_nothing_is_written_into_it(packed: Path) -> None:
    before = packed.read_bytes()
    done = run(["calibrate", packed, "--data", "."])
    assert done.code == 1
    assert done.sentence == f"{packed}: nothing is written into a packed file, expected a model directory to calibrate"
    assert packed.read_bytes() == before


def test_one_task_s_weights(bilingual: Path, workplace: Path) -> None:
    assert run(["pack", bilingual, "-o", "ner.polytag", "--best-for", "ner"]).code == 0
    ours, theirs = (
        run(["tag", model, "--task", "ner", *more], stdin=TEXT)
        for model, more in (("ner.polytag", []), (bilingual, ["--best-for", "ner"]))
    )
    assert (ours.code, ours.out) == (0, theirs.out)
    assert "pack with --best-for" in run(["tag", "ner.polytag", "--best-for", "ner"], stdin=TEXT).sentence


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("pack none -o x", 1, "none: there is no such model directory"),
        ("pack plan.toml -o x", 1, "plan.toml: this is a file, expected a model directory"),
        ("pack {packed} -o x", 1, "this is a file, expected a model directory: what is left out is not packed again"),
        ("pack {trained} -o none/x", 1, "none/x: cannot be written: No such file or directory"),
        ("pack {trained} -o x --best-for pos", 1, "best.pos.safetensors is missing"),
        ("pack {trained} -o x --coarse", 2, "--coarse saves nothing in float32: say --precision int8"),
        ("pack {trained} -o x --vectors -1", 2, "--vectors"),
        ("pack {trained} -o x --precision int4", 2, "'int4' is not one of 'float32', 'float16', 'int8'"),
        ("pack {trained}", 2, "missing option"),
    ],
)
def test_what_cannot_be_packed(
    trained: Path, packed: Path, workplace: Path, arguments: str, code: int, message: str
) -> None:
    done = run(arguments.format(trained=trained, packed=packed))
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert not (workplace / "x").exists()


@pytest.mark.parametrize("content", ["cut", "bit", "foreign"])
def test_a_damaged_file_is_one_sentence(packed: Path, content: str) -> None:
    whole = packed.read_bytes()
    middle = len(whole) // 2
    changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    packed.write_bytes({"cut": whole[:-9], "bit": changed, "foreign": b"a b c"}[content])
    for command in ("show", "tag", "evaluate"):
        done = run([command, packed], stdin=TEXT)
        assert (done.code, done.out) == (1, "")
        assert done.sentence.startswith(f"{packed}:")
