"""A packed file is the model: bit for bit in float32, rounded as the core rounds in int8, smaller where asked."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from polytag.errors import ModelError, PolytagError
from polytag.model import Model, load_model
from polytag.model.packed import save_packed
from polytag.model.stored import STEPS, quantised, restored, stored
from polytag.plan_file import make_plan
from polytag.tagger.tagging import Tagger
from polytag.vocabulary.features import FeatureVocabulary
from polytag.vocabulary.vocabularies import Vocabularies
from tests import tiny
from tests.model.models import FEATURES, GAZETTEER, WORDS, make_model

VECTORS, OWN, AROUND = "words.en.embedding.weight", "tags.ner.features.own.weight", "tags.ner.features.around.weight"


@pytest.fixture
def model() -> Model:
    return make_model()


def packed(model: Model, path: Path, **options: object) -> Model:
    save_packed(path, model, **options)  # type: ignore[arg-type]
    return load_model(path)


def vector_of(model: Model, word: str) -> object:
    return model.arrays[VECTORS][model.vocabularies.words["en"].index(word)].tolist()


def scores_of(model: Model, name: str) -> dict[str, list[float]]:
    """The weights of each feature by its name."""
    features = model.vocabularies.tags["ner"].features
    assert features is not None
    names, first = (features.own, 1) if name == OWN else (features.around, 2)
    return {feature: model.arrays[name][row].tolist() for row, feature in enumerate(names, first)}


def test_in_float32_nothing_is_lost(model: Model, tmp_path: Path) -> None:
    found = packed(model, tmp_path / "x.polytag")
    assert found.plan == model.plan
    assert found.temperatures == model.temperatures
    assert found.precision == "float32"
    assert found.vocabularies.chars == model.vocabularies.chars
    assert found.vocabularies.tags["ner"].gazetteer == GAZETTEER
    for word in (*WORDS.words, "unknown"):
        assert vector_of(found, word) == vector_of(model, word), word
        assert found.vocabularies.words["en"].seen_in_training(word) == WORDS.seen_in_training(word), word
    for name, array in model.arrays.items():
        if name in (OWN, AROUND):
            assert scores_of(found, name) == scores_of(model, name)
        elif name != VECTORS:
            assert found.arrays[name].tobytes() == array.tobytes(), name


def test_words_and_features_stand_in_alphabetical_order(model: Model, tmp_path: Path) -> None:
    vocabularies = packed(model, tmp_path / "x.polytag").vocabularies
    words, features = vocabularies.words["en"], vocabularies.tags["ner"].features
    assert words.words == ("Ada", "lima", "the", "a", "apple", "in", "of", "zebra")
    assert features == FeatureVocabulary(tuple(sorted(FEATURES.own)), tuple(sorted(FEATURES.around)))


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_arrays_are_float32_that_nobody_can_write_to(model: Model, tmp_path: Path, precision: str) -> None:
    found = packed(model, tmp_path / "x.polytag", precision=precision)
    for name, array in found.arrays.items():
        assert array.dtype == np.float32, name
        assert not array.flags.writeable, name
    assert found.precision == ("int8" if precision == "int8" else "float32")


def test_equal_models_are_equal_files(model: Model, tmp_path: Path) -> None:
    for name in "ab":
        save_packed(tmp_path / name, make_model(), precision="int8", coarse=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(("precision", "error"), [("float16", 2**-11), ("int8", 1 / 254)])
def test_values_are_rounded(model: Model, tmp_path: Path, precision: str, error: float) -> None:
    found = packed(model, tmp_path / "x.polytag", precision=precision)
    for name in ("chars.latin.embedding.weight", "words.en.gru.input_weight.0", "words.en.gru.recurrent_weight.0"):
        off = np.abs(found.arrays[name] - model.arrays[name])
        assert 0 < off.max() <= error * np.abs(model.arrays[name]).max() * 1.001, name
    for name in ("tags.ner.projection", "tags.ner.transitions", "tags.ner.start", "tags.ner.gazetteer"):
        assert found.arrays[name].tobytes() == model.arrays[name].tobytes(), name


@pytest.mark.filterwarnings("ignore:polytag's compiled core has no LSTM", "ignore:the model is of int8")
@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_an_lstm_is_rounded_too_and_a_softmax_stays_one(tmp_path: Path, precision: str) -> None:
    model = tiny.model(output="softmax", recurrent={"cell": "lstm", "bias": True})
    found = packed(model, tmp_path / "x.polytag", precision=precision)
    for name in ("chars.all.lstm.recurrent_weight.0", "words.en.lstm.input_weight.1"):
        off = np.abs(found.arrays[name] - model.arrays[name])
        assert 0 < off.max() <= np.abs(model.arrays[name]).max() / 200, name
    assert not found.arrays["tags.ner.transitions"].any()
    sentences = tiny.texts(30)
    tagged = [[list(s.tags["ner"]) for s in Tagger(of).tag_all(sentences)] for of in (model, found)]
    same = [one == other for one, other in zip(*tagged, strict=True)]
    assert sum(same) > 20, "rounding changes few tags"


@pytest.mark.parametrize("shape", [(2, 180, 300), (5, 7), (1, 3), (0, 4)])
def test_rounded_twice_is_rounded_once(shape: tuple[int, ...]) -> None:
    """So the core makes of a file in int8 what it makes of the weights: columns of largest values of every kind."""
    draw = np.random.default_rng(3)
    array = (draw.normal(size=shape) * 10.0 ** draw.uniform(-8, 3, shape[-1])).astype(np.float32)
    name = "words.en.gru.input_weight.0"
    once, largest = quantised(name, array)
    values = restored({name: once, f"{name}.largest": largest}, {name: shape})[name]
    twice, again = quantised(name, values)
    assert once.tobytes() == twice.tobytes()
    assert largest.tobytes() == again.tobytes()


def test_int8_is_what_the_core_computes(tmp_path: Path) -> None:
    """largest / 127 and the nearest whole number, each operation in float32; a column of zeros stays one."""
    array = np.float32([[0.5, -3, 0], [-0.25, 1, 0], [0.1, 2.99, 0]])
    steps, largest = quantised("x", array)
    for column in range(3):
        top = np.abs(array[:, column]).max()
        scale = top / np.float32(127) if top > 0 else np.float32(1)
        assert steps[:, column].tolist() == [round(float(value / scale)) for value in array[:, column]]
    assert largest.tolist() == [0.5, 3, 0]


def test_the_others_are_left_out(model: Model, tmp_path: Path) -> None:
    found = packed(model, tmp_path / "x.polytag", vectors=2)
    words = found.vocabularies.words["en"]
    assert words.words == ("Ada", "lima", "the", "a", "of")
    assert words.trained == 3
    for word in words.words:
        assert vector_of(found, word) == vector_of(model, word)
    assert vector_of(found, "zebra") == vector_of(model, "unknown")
    assert packed(model, tmp_path / "x.polytag", vectors=0).vocabularies.words["en"].words == ("Ada", "lima", "the")
    assert len(packed(model, tmp_path / "x.polytag", vectors=99).vocabularies.words["en"].words) == len(WORDS.words)


def test_features_that_are_nothing_are_left_out(model: Model, tmp_path: Path) -> None:
    own, around = model.arrays[OWN].copy(), model.arrays[AROUND].copy()
    own[2], around[3] = 1e-9, 0
    less = replace(model, arrays={**model.arrays, OWN: own, AROUND: around})
    for precision, left in (("float32", ("s=x", "w=a", "w=b")), ("float16", ("s=x", "w=a")), ("int8", ("s=x", "w=a"))):
        features = packed(less, tmp_path / "x.polytag", precision=precision).vocabularies.tags["ner"].features
        assert features == FeatureVocabulary(left, ("l=a",)), precision


def test_coarse_vectors_are_smaller_and_nearly_the_same(tmp_path: Path) -> None:
    model = with_many_words(make_model())
    sizes, errors = {}, {}
    for coarse in (False, True):
        sizes[coarse] = save_packed(tmp_path / "x.polytag", model, precision="int8", coarse=coarse).bytes["words.en"]
        found = load_model(tmp_path / "x.polytag")
        off = [np.subtract(vector_of(found, w), vector_of(model, w)) for w in model.vocabularies.words["en"].words]
        errors[coarse] = np.square(off).mean() / model.arrays[VECTORS].var()
    assert sizes[True] < sizes[False] / 2
    assert errors[False] < 0.001
    assert 0.03 < errors[True] < 0.06


def with_many_words(model: Model) -> Model:
    words = replace(WORDS, words=tuple(f"w{number}" for number in range(3000)))
    vectors = np.random.default_rng(5).normal(0, 0.3, (3001, 50)).astype(np.float32)
    vocabularies = replace(model.vocabularies, words={"en": words})
    return replace(model, vocabularies=vocabularies, arrays={**model.arrays, VECTORS: vectors})


def test_no_directory_is_in_it(model: Model, tmp_path: Path) -> None:
    tables = model.plan.to_dict()
    tables["search"] = [str(tmp_path), "/secret"]
    tables["tasks"]["ner"]["train"] = ["/secret/train.conll#sections=2-21", "kept/dev.conll"]
    tables["words"]["en"] |= {"vectors": "/secret/vectors.gz"}
    tables["tags"]["ner"]["gazetteer"] = "/secret/list"
    tables["initialisation"]["from"] = "/secret/older"
    plan = make_plan(tables)
    found = packed(replace(model, plan=plan), tmp_path / "x.polytag").plan
    assert b"/secret" not in (tmp_path / "x.polytag").read_bytes()
    assert str(tmp_path).encode() not in (tmp_path / "x.polytag").read_bytes()
    assert found.search == ()
    assert found.tasks["ner"].train == ("train.conll#sections=2-21", "kept/dev.conll")
    assert found.initialisation.model == "older"
    assert (found.words["en"].vectors, found.tags["ner"].gazetteer) == ("vectors.gz", "list")


@pytest.mark.parametrize("embedding", [True, False])
def test_every_part_of_a_plan(tmp_path: Path, embedding: bool) -> None:
    tables = {
        "words": {
            "en": {"hidden": 6, "layers": 2, "bias": True},
            "nl": {"hidden": 5, "embedding": embedding, "lowercase": False},
        },
        "chars": {"latin": {"hidden": 4, "layers": 2, "bias": True}, "other": {"hidden": 3}},
        "tasks": {
            "ner": {"chars": "latin", "words": "en"},
            "pos": {"chars": "latin", "words": "en"},
            "ned": {"chars": "other", "words": "nl"},
        },
    }
    model = make_model(tables)
    for precision in ("float32", "float16", "int8"):
        found = packed(model, tmp_path / "x.polytag", precision=precision)
        assert found.arrays.keys() == model.arrays.keys()
        for name, array in model.arrays.items():
            assert np.abs(np.sort(found.arrays[name].ravel()) - np.sort(array.ravel())).max() < 0.01, name


def test_sizes_are_those_of_the_parts(model: Model, tmp_path: Path) -> None:
    result = save_packed(tmp_path / "x.polytag", model)
    assert list(result.bytes) == ["chars.latin", "words.en", "tags.ner", "vocabularies"]
    assert sum(result.bytes.values()) < (tmp_path / "x.polytag").stat().st_size
    assert result.model.vocabularies == load_model(tmp_path / "x.polytag").vocabularies


def test_a_precision_that_there_is_not(model: Model, tmp_path: Path) -> None:
    with pytest.raises(PolytagError, match="unknown precision 'int4' of a packed file; did you mean 'int8'"):
        save_packed(tmp_path / "x.polytag", model, precision="int4")


@pytest.mark.parametrize(
    ("precision", "value", "message"),
    [
        ("float16", 7e4, "holds values that float16 cannot, expected none beyond 65,504"),
        ("float16", np.nan, "holds values that float16 cannot"),
        ("int8", np.inf, "holds values that are not finite"),
        ("int8", np.nan, "holds values that are not finite"),
    ],
)
def test_weights_that_do_not_fit(precision: str, value: float, message: str) -> None:
    with pytest.raises(ModelError, match=f"^words.en.embedding.weight {message}"):
        stored({"words.en.embedding.weight": np.float32([[1, value]])}, precision)


def test_there_is_one_set_of_weights(model: Model, tmp_path: Path) -> None:
    save_packed(tmp_path / "x.polytag", model)
    with pytest.raises(ModelError, match="has one set of weights; to have those kept for 'ner', pack with --best-for"):
        load_model(tmp_path / "x.polytag", best_for="ner")


def test_the_largest_values_are_exact() -> None:
    array = np.float32([[0.1, -0.3], [0.05, 0.2]])
    steps, largest = quantised("x", array)
    name = "words.en.embedding.weight"
    values = restored({name: steps, f"{name}.largest": largest}, {name: (2, 2)})[name]
    assert np.abs(steps).max() == STEPS
    assert values[0].tolist() == array[0].tolist()


def test_a_model_keeps_its_vocabularies(model: Model) -> None:
    """What packing leaves out is left out of the file, not of the model."""
    assert model.vocabularies == Vocabularies(**vars(make_model().vocabularies))


def test_a_loaded_model_pickles(model: Model, tmp_path: Path) -> None:
    for precision in ("float32", "int8"):
        found = packed(model, tmp_path / "x.polytag", precision=precision)
        again = pickle.loads(pickle.dumps(found))
        assert (again.plan, again.vocabularies) == (found.plan, found.vocabularies)
        assert all(again.arrays[name].tobytes() == array.tobytes() for name, array in found.arrays.items())
