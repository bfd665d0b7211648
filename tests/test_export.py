"""An exported graph says what polytag says: for every kind of network, whatever the text, with nothing of polytag."""

import json
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.cli import main
from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError
from polytag.exporting import agreement, check_export, export
from polytag.model import save_model
from polytag.plan_file import make_plan
from polytag.tagger.tagging import Tagger
from polytag.vocabulary.clusters import Clusters
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.vocabularies import Vocabularies, build_chars, build_words
from tests.tiny import SPANS, WORDS, clusters, drawn, tag_vocabularies, tagger, texts

pytestmark = pytest.mark.filterwarnings("ignore:polytag's compiled core has no LSTM")

pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

EXAMPLE = Path(__file__).parents[1] / "examples" / "onnx_tag.py"
LIST = Gazetteer.from_entries([("LOC", ("Lima",)), ("PER", ("Ann", "Lee")), ("PER", ("Ann", "Lee", "of", "Oslo"))])
STRANGE = ["", "İx", "ß", "x" * 300, "\udcff", "日本", "Ann Lee", "007"]


def made(
    tasks: Mapping[str, str] = {"ner": "iob2"},
    *,
    chars: Mapping[str, Any] | None = {},
    words: Mapping[str, Any] = {},
    tags: Mapping[str, Any] = {},
    reads: Mapping[str, int] = {},
    scheme: str = "bioes",
    gazetteer: Gazetteer | None = None,
    clusters: Clusters | None = None,
) -> Tagger:
    """A tagger of any shape, with random weights."""
    plan = make_plan({
        "chars": {} if chars is None else {"c": {"dimension": 3, "hidden": 4, "layers": 2, **chars}},
        "words": {"w": {"dimension": 4, "hidden": 5, "layers": 2, **words}},
        "tags": {task: {"scheme": scheme, "layer": reads.get(task), **tags} for task in tasks},
        "tasks": {
            task: {"words": "w", "train": "-", "scheme": data, **({} if chars is None else {"chars": "c"})}
            for task, data in tasks.items()
        },
    })  # fmt: skip
    known = [Sentence(tuple(WORDS))]
    vocabularies = Vocabularies(
        chars={name: build_chars(known, boundaries=part.boundaries) for name, part in plan.chars.items()},
        words={
            name: build_words(known, lowercase=part.lowercase, zero_digits=part.zero_digits, clusters=clusters)
            for name, part in plan.words.items()
        },
        tags=tag_vocabularies(
            plan, tasks, scheme=scheme, labels=SPANS, gazetteer=gazetteer, known=known,
            clusters=[clusters] if clusters else [],
        ),
    )  # fmt: skip
    return Tagger(drawn(plan, vocabularies, seed=1))


SHAPES: dict[str, dict[str, Any]] = {
    "both": {},
    "words only": {"chars": None},
    "characters only": {"words": {"embedding": False}},
    "one layer": {"chars": {"layers": 1}, "words": {"layers": 1}},
    "three layers": {"chars": {"layers": 3}, "words": {"layers": 3}},
    "tasks that read several layers": {
        "tasks": {"ner": "iob1", "pos": "plain", "chunk": "bilou"}, "words": {"layers": 3},
        "reads": {"pos": 1, "chunk": 2},
    },
    "the lowest layer alone": {"tags": {"layer": 1}},
    "reset after": {"chars": {"cell": "reset_after"}, "words": {"cell": "reset_after"}},
    "biases": {"chars": {"bias": True}, "words": {"bias": True}},
    "biases, reset after": {
        "chars": {"cell": "reset_after", "bias": True},
        "words": {"cell": "reset_after", "bias": True},
    },
    "LSTM": {"chars": {"cell": "lstm"}, "words": {"cell": "lstm"}},
    "LSTM, biases": {"chars": {"cell": "lstm", "bias": True}, "words": {"cell": "lstm", "bias": True}},
    "no boundaries": {"chars": {"boundaries": False}},
    "words as they are": {"words": {"lowercase": False, "zero_digits": False}},
    "words cut": {"words": {"max_characters": 4}},
    "gazetteer": {"gazetteer": LIST},
    "features": {"tags": {"features": True}},
    "features, words cut": {"tags": {"features": True}, "words": {"max_characters": 4}},
    "clusters": {"tags": {"features": True}, "clusters": clusters("w")},
    "clusters, words as they are": {
        "tags": {"features": True}, "clusters": clusters("w"), "words": {"lowercase": False, "zero_digits": False},
    },
    "constrained": {"tags": {"constrained": True}},
    "softmax, features": {"tags": {"output": "softmax", "features": True}},
    "softmax, constrained": {"tags": {"output": "softmax", "constrained": True}},
    "constrained gazetteer": {"tags": {"constrained": True}, "gazetteer": LIST},
    "several tasks": {"tasks": {"ner": "iob1", "pos": "plain", "chunk": "bilou"}},
    "several tasks, constrained": {"tasks": {"ner": "bioes", "pos": "plain"}, "tags": {"constrained": True}},
    "several tasks, all there is": {
        "tasks": {"ner": "bioes", "pos": "plain"},
        "tags": {"constrained": True, "features": True},
        "gazetteer": LIST,
    },
    "the network in IOB2": {"scheme": "iob2", "tasks": {"ner": "iob1"}},
    "the network in IOB1": {"scheme": "iob1", "tasks": {"ner": "bioes"}, "tags": {"constrained": True}},
}  # fmt: skip


def ragged() -> list[Sentence]:
    """Sentences of one to thirty words, many that no vocabulary holds, entries of the list among them."""
    entries = [Sentence(("Ann", "Lee", "of", "Oslo", "Ann", "Lee", "of", "Lima")), Sentence(("Ann",))]
    return [*texts(12, longest=30, unknown=0.3), *entries, Sentence(tuple(filter(None, STRANGE)))]


@pytest.fixture(scope="module")
def example() -> Any:
    """What examples/onnx_tag.py defines."""
    return runpy.run_path(str(EXAMPLE))["OnnxTagger"]


def outputs(path: Path, source: Tagger, sentences: Sequence[Sentence]) -> dict[str, np.ndarray[Any, Any]]:
    """All outputs of the graph for the sentences as one batch."""
    from polytag.exporting.check import OnnxTagger

    return OnnxTagger(path, source, threads=1).run(sentences)


def emissions(source: Tagger, sentences: Sequence[Sentence], task: str) -> list[np.ndarray[Any, Any]]:
    """The tagger's own, [T, K] for each sentence."""
    found = {}
    for indices, lattice in source.lattices(sentences, task, constrained=False):
        found |= dict(zip(indices, lattice.packing.unpack(lattice.emissions), strict=True))
    return [found[index] for index in range(len(sentences))]


@pytest.mark.parametrize("shape", SHAPES)
def test_emissions_and_tags_are_those_of_polytag(shape: str, tmp_path: Path, example: Any) -> None:
    source, path, sentences = made(**SHAPES[shape]), tmp_path / "m.onnx", ragged()
    export(source, path)
    found = outputs(path, source, sentences)
    standalone = example(str(path)).tag([s.words for s in sentences])
    for task in source.plan.tasks:
        for number, own in enumerate(emissions(source, sentences, task)):
            np.testing.assert_allclose(found[f"emissions.{task}"][number, : len(own)], own, atol=1e-4)
            assert (found[f"tags.{task}"][number, len(own) :] == -1).all()
        expected = [list(s.tags[task]) for s in source.tag_all(sentences)]
        assert standalone[task] == expected
        assert [list(s.tags[task]) for s in _tagged(path, source, sentences)] == expected


def _tagged(path: Path, source: Tagger, sentences: Sequence[Sentence]) -> list[Sentence]:
    from polytag.exporting.check import OnnxTagger

    return OnnxTagger(path, source, threads=1).tag(sentences)


@pytest.mark.parametrize("constrained", [True, False])
def test_the_caller_may_say_whether_tags_must_be_valid(constrained: bool, tmp_path: Path) -> None:
    source, path = made(tags={"constrained": not constrained}, tasks={"ner": "bioes"}), tmp_path / "m.onnx"
    export(source, path, constrained=constrained)
    found = agreement(path, source, ragged(), constrained=constrained)["ner"]
    assert found.same == found.words
    other = agreement(path, source, ragged(), constrained=not constrained)["ner"]
    assert other.same < other.words  # or the test shows nothing


@pytest.mark.parametrize("sentences", [[], [()], [(), ("Lima",), ()], [("Lima",)]])
def test_sentences_without_words_are_no_trouble(sentences: list[tuple[str, ...]], tmp_path: Path) -> None:
    source, path = made(), tmp_path / "m.onnx"
    export(source, path)
    given = [Sentence(words) for words in sentences]
    assert [s.tags for s in _tagged(path, source, given)] == [s.tags for s in source.tag_all(given)]


def test_padding_changes_nothing(tmp_path: Path) -> None:
    source, path = made(gazetteer=LIST), tmp_path / "m.onnx"
    export(source, path)
    together = outputs(path, source, ragged())
    for number, sentence in enumerate(ragged()):
        alone = outputs(path, source, [sentence])
        for name in alone:
            np.testing.assert_allclose(together[name][number, : len(sentence)], alone[name][0], atol=1e-5)


SENTENCES = st.lists(
    st.lists(st.sampled_from([*WORDS, *filter(None, STRANGE)]), min_size=1, max_size=8), min_size=1, max_size=5
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, example: Any) -> tuple[Tagger, Any]:
    """A tagger with everything in it, and its graph in the example's hands."""
    source, path = made(SHAPES["several tasks"]["tasks"], gazetteer=LIST), tmp_path_factory.mktemp("pair") / "m.onnx"
    export(source, path)
    return source, example(str(path))


@settings(max_examples=40)
@given(sentences=SENTENCES)
def test_any_text_gets_the_same_tags(pair: tuple[Tagger, Any], sentences: list[list[str]]) -> None:
    source, other = pair
    tagged = list(source.tag_all(Sentence(tuple(words)) for words in sentences))
    assert other.tag(sentences) == {task: [list(s.tags[task]) for s in tagged] for task in source.plan.tasks}


def test_the_file_says_how_to_use_it(tmp_path: Path) -> None:
    import onnx

    source, path = made(gazetteer=LIST), tmp_path / "m.onnx"
    export(source, path)
    about = json.loads(next(p.value for p in onnx.load(path).metadata_props if p.key == "polytag"))
    assert about["words"] == [word.lower().replace("7", "0").replace("1999", "0000") for word in WORDS]
    assert about["tasks"]["ner"]["tags"] == ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
    assert [["Lima"], [7]] in about["gazetteers"]["gazetteer.ner"]


def test_the_example_imports_nothing_of_polytag(tmp_path: Path) -> None:
    source, path = made({"ner": "iob2", "pos": "plain"}), tmp_path / "m.onnx"
    export(source, path)
    code = f"import sys, runpy; sys.argv = ['x', {str(path)!r}]; runpy.run_path({str(EXAMPLE)!r}, run_name='__main__')"
    code += "; assert not {'polytag', 'torch', 'onnx'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], input="Ann Lee saw Lima\n\nthe hills\n", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    tagged = source.tag_all([Sentence(("Ann", "Lee", "saw", "Lima")), Sentence(("the", "hills"))])
    assert done.stdout == "".join(
        "".join("\t".join(row) + "\n" for row in zip(s.words, s.tags["ner"], s.tags["pos"], strict=True)) + "\n"
        for s in tagged
    )


def test_random_sentences_agree(tmp_path: Path) -> None:
    source, path = made(chars=None), tmp_path / "m.onnx"
    export(source, path)
    found = check_export(path, source)["ner"]
    assert found.words == found.same > 100


@pytest.fixture
def two_languages(tmp_path: Path) -> tuple[Tagger, Path]:
    """A model directory of two tasks in one language and one in another."""
    source = tagger({"ner": "iob1", "pos": "plain", "xx": "iob2"}, languages={"xx": "xx"})
    save_model(source.model, tmp_path / "model")
    return source, tmp_path / "model"


def test_a_file_holds_one_language(two_languages: tuple[Tagger, Path], tmp_path: Path) -> None:
    source, _ = two_languages
    with pytest.raises(PolytagError, match="several languages, so name the tasks"):
        export(source, tmp_path / "m.onnx")
    with pytest.raises(PolytagError, match="expected tasks of one language"):
        export(source, tmp_path / "m.onnx", tasks=["ner", "xx"])
    assert not (tmp_path / "m.onnx").exists()
    for tasks in (["xx"], ["pos", "ner"]):
        export(source, tmp_path / "m.onnx", tasks=tasks)
        found = agreement(tmp_path / "m.onnx", source, ragged())
        assert list(found) == tasks
        assert all(of.same == of.words for of in found.values())


def test_the_command(two_languages: tuple[Tagger, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["export", str(two_languages[1]), "--onnx", str(tmp_path / "m.onnx"), "--task", "ner", "--task", "pos"])
    assert done.value.code == 0
    out = capsys.readouterr().out
    assert f"{(tmp_path / 'm.onnx').stat().st_size:,} bytes; tasks ner, pos" in out
    assert "pos: the same tags as the model at" in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--task", "nre"], "did you mean 'ner'?"),
        ([], "name the tasks to tag with"),
        (["--task", "ner", "--task", "xx"], "one language"),
    ],
)
def test_mistakes_are_one_sentence(
    two_languages: tuple[Tagger, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: str,
) -> None:
    with pytest.raises(SystemExit) as done:
        main(["export", str(two_languages[1]), "--onnx", str(tmp_path / "m.onnx"), *arguments])
    assert done.value.code == 1
    captured = capsys.readouterr()
    assert expected in captured.err
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_a_missing_extra_is_named(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, path = made(), tmp_path / "m.onnx"
    export(source, path)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(PolytagError, match=rf"{missing} is not installed.*pip install 'polytag\[onnx\]'"):
        export(source, path) if missing == "onnx" else check_export(path, source)


def test_a_graph_too_large_for_its_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polytag.exporting.onnx_file.LARGEST", 1_000)
    with pytest.raises(PolytagError, match="expected at most 1,000 in an ONNX file"):
        export(made(), tmp_path / "m.onnx")
