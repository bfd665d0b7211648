"""A damaged, foreign or outdated model is refused with one sentence; no single flipped bit goes unseen."""

import json
import pickle
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from polytag.errors import ModelError
from polytag.model.checkpoint import load_model
from polytag.plan_file import load_plan
from polytag.training import Step, train_events
from tests.cli.conftest import PLAN, contents, run

WEIGHTS, WORDS, TAGS = "weights.safetensors", "vocabulary/words.english.json", "vocabulary/tags.ner.json"
Damage = Callable[[Path], object]


def cut(name: str, keep: float) -> Damage:
    """Keep a share of a file."""
    return lambda model: _rewrite(model / name, lambda content: content[: int(len(content) * keep)])


def flip(name: str, find: bytes, bit: int = 0) -> Damage:
    """Flip a bit of the first byte of a text in a file."""
    return lambda model: _rewrite(model / name, lambda content: flipped(content, content.index(find), bit))


def put(name: str, content: bytes) -> Damage:
    return lambda model: (model / name).write_bytes(content)


def remove(name: str) -> Damage:
    return lambda model: (model / name).unlink()


def flipped(content: bytes, position: int, bit: int) -> bytes:
    return content[:position] + bytes([content[position] ^ 1 << bit]) + content[position + 1 :]


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def _stored_again(model: Path, **metadata: str) -> None:
    """The same tensors, with metadata of one's own."""
    save_file(load_file(model / WEIGHTS), model / WEIGHTS, metadata)


def _body(model: Path) -> None:
    _rewrite(model / WEIGHTS, lambda content: flipped(content, len(content) - 5, 3))


DAMAGED, CHANGED, FOREIGN = "the file is damaged", "the file was changed or damaged after training", "expected format"
CASES: dict[str, tuple[Damage, str, str]] = {
    "weights cut to nothing": (put(WEIGHTS, b""), WEIGHTS, DAMAGED),
    "weights cut in their length": (put(WEIGHTS, b"\x10\x00\x00"), WEIGHTS, DAMAGED),
    "weights cut in the header": (cut(WEIGHTS, 0.1), WEIGHTS, DAMAGED),
    "weights cut in half": (cut(WEIGHTS, 0.5), WEIGHTS, DAMAGED),
    "weights cut by the last byte": (cut(WEIGHTS, 0.99999), WEIGHTS, DAMAGED),
    "weights with more behind them": (lambda m: _rewrite(m / WEIGHTS, lambda c: c + b"\0"), WEIGHTS, DAMAGED),
    "a bit of the length": (flip(WEIGHTS, b"", 2), WEIGHTS, DAMAGED),
    "a bit of the header": (flip(WEIGHTS, b'"dtype"', 1), WEIGHTS, DAMAGED),
    "a bit of a name": (flip(WEIGHTS, b"words.english"), WEIGHTS, DAMAGED),
    "a bit of a shape": (flip(WEIGHTS, b'shape":[', 3), WEIGHTS, DAMAGED),
    "a bit of the checksum": (flip(WEIGHTS, b'checksum":"'), WEIGHTS, DAMAGED),
    "a bit of the metadata": (flip(WEIGHTS, b"plan.toml"), WEIGHTS, DAMAGED),
    "a bit of a tensor": (_body, WEIGHTS, DAMAGED),
    "a bit of the words": (flip(WORDS, b"lima"), WORDS, CHANGED),
    "a bit of the tags": (flip(TAGS, b"LOC"), TAGS, CHANGED),
    "a bit of the alphabet": (flip("vocabulary/chars.latin.json", b"alphabet"), "vocabulary/chars.latin.json", CHANGED),
    "a bit of the plan": (flip("plan.toml", b"hidden"), "plan.toml", CHANGED),
    "the plan edited": (put("plan.toml", PLAN.encode()), "plan.toml", CHANGED),
    "words cut": (cut(WORDS, 0.5), WORDS, CHANGED),
    "words empty": (put(WORDS, b""), WORDS, CHANGED),
    "words binary": (put(WORDS, bytes(range(256))), WORDS, CHANGED),
    "words gone": (remove(WORDS), WORDS, "the model needs this file: No such file or directory"),
    "a directory for words": (lambda m: (remove(WORDS)(m), (m / WORDS).mkdir()), WORDS, "Is a directory"),
    "vocabulary gone": (lambda m: shutil.rmtree(m / "vocabulary"), "vocabulary/", "the model needs this file"),
    "plan gone": (remove("plan.toml"), "", "this is not a model directory: plan.toml is missing"),
    "weights gone": (remove(WEIGHTS), "", "weights.safetensors is missing"),
    "a directory for weights": (lambda m: (remove(WEIGHTS)(m), (m / WEIGHTS).mkdir()), WEIGHTS, DAMAGED),
    "a foreign file": (lambda m: save_file({"x": torch.ones(3)}, m / WEIGHTS), WEIGHTS, FOREIGN),
    "the tensors alone": (_stored_again, WEIGHTS, "expected format 'polytag-model', found 'none'"),
    "another version": (
        lambda m: _stored_again(m, format="polytag-model", version="2"), WEIGHTS,
        "written in version 2 of the format; this polytag reads version 1",
    ),
    "no checksum": (lambda m: _stored_again(m, format="polytag-model", version="1"), WEIGHTS, DAMAGED),
    "a pickle": (put(WEIGHTS, pickle.dumps({"x": 1})), WEIGHTS, DAMAGED),
    "a file of torch.save": (lambda m: torch.save({"x": torch.ones(3)}, m / WEIGHTS), WEIGHTS, DAMAGED),
    "a text": (put(WEIGHTS, b"version https://git-lfs.github.com/spec/v1\n"), WEIGHTS, DAMAGED),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_sentence(case, model):
    damage, file, expected = CASES[case]
    damage(model)
    before = contents(model)
    for command in ("show", "evaluate", "tag"):
        done = run([command, model], stdin="Lima\n")
        assert (done.code, done.out) == (1, "")
        assert done.sentence.startswith(f"{model / file}" if file else f"{model}: ")
        assert expected in done.sentence
    assert contents(model) == before


@pytest.mark.parametrize("name", [WEIGHTS, WORDS, TAGS, "vocabulary/chars.latin.json", "plan.toml"])
def test_every_flipped_bit_is_seen(name, model):
    whole = (model / name).read_bytes()
    source = random.Random(7)
    header = 8 + int.from_bytes((model / WEIGHTS).read_bytes()[:8], "little")
    # Half of them in the first part, which is small in weights, yet says what all the rest is.
    positions = [source.randrange(min(header, len(whole))) for _ in range(60)]
    positions += [source.randrange(len(whole)) for _ in range(240 if name == WEIGHTS else 20)]
    for position in positions:
        (model / name).write_bytes(flipped(whole, position, source.randrange(8)))
        with pytest.raises(ModelError):
            load_model(model)
    (model / name).write_bytes(whole)
    load_model(model)


def test_weights_of_another_model_are_refused(model, bilingual):
    shutil.copy(bilingual / WEIGHTS, model / WEIGHTS)
    assert CHANGED in run(["tag", model]).sentence


@pytest.mark.parametrize("content", [b"", b"{", b'{"scores": 3}', b"\xff", b"[]"])
def test_a_damaged_report_is_told(model, content):
    (model / "report.json").write_bytes(content)
    done = run(["show", model])
    assert done.code == 1
    assert "report.json" in done.sentence
    assert run(["tag", model], stdin="Lima\n").code == 0, "tagging needs no report"


@pytest.fixture
def stopped(workplace):
    """A training that was stopped after three steps."""
    events = train_events(load_plan("plan.toml"), output="out", save_seconds=0)
    for event in events:
        if isinstance(event, Step) and event.step == 3:
            break
    events.close()
    return Path("out")


@pytest.mark.parametrize("case", ["cut", "bit", "foreign"])
def test_a_damaged_state_is_not_resumed_from(stopped, case):
    state = stopped / "resume" / "state.safetensors"
    whole = state.read_bytes()
    content = {"cut": whole[:-9], "bit": flipped(whole, len(whole) // 2, 5), "foreign": b"mine"}[case]
    state.write_bytes(content)
    before = contents(stopped)
    done = run("train plan.toml -o out --resume")
    assert done.code == 1
    assert f"{state}: {DAMAGED}" in done.sentence
    assert contents(stopped) == before


def test_a_training_of_another_plan_is_not_resumed(stopped):
    before = contents(stopped)
    done = run("train plan.toml -o out --resume --set training.batch_sentences=7")
    assert done.code == 1
    assert "training.batch_sentences was 10 when the training began, now it is 7" in done.sentence
    assert contents(stopped) == before
    assert "holds a training already; continue it with --resume" in run("train plan.toml -o out").sentence
    assert run("train plan.toml -o out --resume").code == 0
    assert json.loads((stopped / "report.json").read_text())["epochs"] == 1
