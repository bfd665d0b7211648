"""The estimator, against the real scikit-learn: what it learns, its probabilities, what the library does."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytag.corpus.schemes import convert_tags, problems
from polytag.errors import PlanError, PolytagError
from tests.training.toy import sentences

pytest.importorskip("sklearn", reason="the extra sklearn is not installed")

import joblib
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from polytag.integrations.sequences import SequencesError, written_tags
from polytag.integrations.sklearn import SequenceTagger

SMALL: dict[str, Any] = {
    "chars_hidden": 4, "words_hidden": 8, "layers": 1, "dimension": 5, "epochs": 6, "learning_rate": 0.02,
    "batch_sentences": 4, "settings": {"training.threads": 1, "initialisation.words": 0.1},
}  # fmt: skip


def data(count: int, *, task: str = "ner", seed: int = 1, scheme: str = "iob2") -> tuple[list[list[str]], Any]:
    """The toy language as lists."""
    given = list(sentences(count, seed=seed))
    tags = [convert_tags(s.tags[task], scheme) if task == "ner" else s.tags[task] for s in given]
    return [list(s.words) for s in given], [list(of) for of in tags]


@pytest.fixture(scope="module")
def fitted() -> SequenceTagger:
    return SequenceTagger(**SMALL).fit(*data(60))


def test_it_learns(fitted: SequenceTagger) -> None:
    X, y = data(30, seed=2)  # noqa: N806
    assert fitted.score(X, y) > 0.8
    assert fitted.classes_.tolist() == ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
    assert any("tag scheme IOB2" in note for note in fitted.notes_)


def test_predictions_are_the_tagger_s(fitted: SequenceTagger) -> None:
    X, _ = data(20, seed=3)  # noqa: N806
    found = fitted.predict(X)
    assert found == [list(fitted.tagger_.tag(words).tags["y"]) for words in X]
    assert fitted.predict_single(X[0]) == found[0]


def test_whatever_is_a_sequence_will_do(fitted: SequenceTagger) -> None:
    X, y = data(5)  # noqa: N806
    arrays = np.empty(len(X), dtype=object)
    arrays[:] = [np.array(words) for words in X]
    assert fitted.predict(arrays) == fitted.predict(tuple(map(tuple, X))) == fitted.predict(X)
    assert fitted.score(arrays, map(tuple, y)) == fitted.score(X, y)


@pytest.mark.parametrize("given", [[], [[]], [[], ["Lima"], []]])
def test_sequences_without_words(fitted: SequenceTagger, given: list[list[str]]) -> None:
    assert list(map(len, fitted.predict(given))) == list(map(len, given))
    assert list(map(len, fitted.predict_marginals(given))) == list(map(len, given))


def test_marginals_are_those_of_all_sequences(fitted: SequenceTagger) -> None:
    """Against every tag sequence of the network scored one by one."""
    words = ["Anna", "sees", "Oslo"]
    ((_, lattice),) = fitted.tagger_.lattices([_sentence(words)], "y")
    tags = written_tags(fitted.tagger_.vocabularies.tags["y"], fitted.tagger_.plan.tasks["y"].scheme)
    emissions, start, steps = (x.astype(float) for x in (lattice.emissions, lattice.start, lattice.transitions))
    sums = [dict.fromkeys(tags, 0.0) for _ in words]
    total = 0.0
    for path in product(range(len(tags)), repeat=len(words)):
        score = start[path[0]] + sum(emissions[t, tag] for t, tag in enumerate(path))
        weight = np.exp((score + sum(steps[a, b] for a, b in pairwise(path))) / lattice.temperature)
        total += weight
        for place, tag in zip(sums, path, strict=True):
            place[tags[tag]] += weight
    for found, place in zip(fitted.predict_marginals_single(words), sums, strict=True):
        assert found == pytest.approx({tag: weight / total for tag, weight in place.items()}, abs=1e-6)


def _sentence(words: Sequence[str]) -> Any:
    from polytag.corpus.sentence import Sentence

    return Sentence(tuple(words))


def test_marginals_sum_to_one_and_batches_change_nothing(fitted: SequenceTagger) -> None:
    X, _ = data(40, seed=4)  # noqa: N806
    together = fitted.predict_marginals(X)
    assert [len(rows) for rows in together] == [len(words) for words in X]
    for words, rows in zip(X, together, strict=True):
        assert fitted.predict_marginals_single(words) == [pytest.approx(row, abs=1e-5) for row in rows]
        for row in rows:
            assert sorted(row) == fitted.classes_.tolist()
            assert sum(row.values()) == pytest.approx(1)


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "bioes", "bilou"])
def test_tags_come_back_as_they_were_written(scheme: str) -> None:
    X, y = data(40, scheme=scheme)  # noqa: N806
    tagger = SequenceTagger(**{**SMALL, "epochs": 2}, scheme=scheme).fit(X, y)
    assert all(not problems(tags, scheme) for tags in tagger.predict(X))
    letters = {tag[0] for row in tagger.predict_marginals(X[:1])[0] for tag in row}
    assert letters == set({"iob1": "BIO", "iob2": "BIO", "bioes": "BIOES", "bilou": "BILOU"}[scheme])


def test_plain_tags_are_scored_by_accuracy() -> None:
    X, y = data(40, task="pos")  # noqa: N806
    tagger = SequenceTagger(**SMALL).fit(X, y)
    right = [a == b for x, tags in zip(X, y, strict=True) for a, b in zip(tagger.predict_single(x), tags, strict=True)]
    assert tagger.score(X, y) == pytest.approx(sum(right) / len(right))
    assert tagger.classes_.tolist() == ["NAME", "WORD"]


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    SequenceTagger(**{**SMALL, "epochs": 1}).fit(*data(6))
    assert list(tmp_path.iterdir()) == []


def test_one_sequence_is_enough() -> None:
    tagger = SequenceTagger(**SMALL).fit([["Ann", "saw", "Lima"]], [["B-PER", "O", "B-LOC"]])
    assert len(tagger.predict_single(["Ann", "saw"])) == 2


def test_words_may_hold_anything() -> None:
    words = [["New York", "a\tb", "İ", "\u2028", '"', "日本"]]
    tags = [["A", "B", "A", "B", "A", "B"]]
    tagger = SequenceTagger(**SMALL, validation=0).fit(words * 8, tags * 8)
    assert tagger.tagger_.vocabularies.words["all"].seen_in_training("New York")
    assert len(tagger.predict(words)[0]) == 6


def test_the_seed_decides() -> None:
    X, y = data(20)  # noqa: N806

    def weights(state: Any) -> Any:
        tagger = SequenceTagger(**{**SMALL, "epochs": 1}, random_state=state).fit(X, y)
        return tagger.tagger_.model.arrays["tags.y.projection"].tolist()

    assert weights(3) == weights(3) != weights(4)
    assert weights(np.random.RandomState(3)) == weights(np.random.RandomState(3))


def test_parameters_are_scikit_learn_s(fitted: SequenceTagger) -> None:
    parameters = fitted.get_params()
    assert parameters == SequenceTagger(**SMALL).get_params()
    other = clone(fitted).set_params(epochs=3)
    assert other.get_params() == {**parameters, "epochs": 3}
    with pytest.raises(NotFittedError):
        other.predict([["Ann"]])
    assert repr(other).startswith("SequenceTagger(")
    assert not is_classifier(fitted)


@pytest.mark.parametrize("how", ["pickle", "joblib", "deepcopy"])
def test_a_stored_estimator_predicts_the_same(fitted: SequenceTagger, how: str, tmp_path: Path) -> None:
    def joblibbed(estimator: SequenceTagger) -> Any:
        joblib.dump(estimator, tmp_path / "estimator.joblib")
        return joblib.load(tmp_path / "estimator.joblib")

    ways = {"pickle": lambda e: pickle.loads(pickle.dumps(e)), "joblib": joblibbed, "deepcopy": copy.deepcopy}
    X, _ = data(10, seed=5)  # noqa: N806
    again = ways[how](fitted)
    assert again.get_params() == fitted.get_params()
    assert again.predict(X) == fitted.predict(X)
    assert again.predict_marginals(X) == fitted.predict_marginals(X)


def test_a_stored_estimator_predicts_without_pytorch(fitted: SequenceTagger, tmp_path: Path) -> None:
    """Which only `fit` needs; the estimator has tagged before it is stored, and its model's directory is gone."""
    X, y = data(10, seed=6)  # noqa: N806
    expected = fitted.predict(X)
    (tmp_path / "estimator").write_bytes(pickle.dumps((fitted, X, y)))
    code = f"""if True:
        import pickle, sys
        estimator, X, y = pickle.loads(open({str(tmp_path / "estimator")!r}, "rb").read())
        estimator.score(X, y), estimator.predict_marginals(X)
        print(estimator.predict(X), [name for name in sys.modules if name.partition(".")[0] == "torch"])
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{expected} []\n"), done.stderr


def test_an_estimator_without_a_fit_is_stored_too() -> None:
    assert pickle.loads(pickle.dumps(SequenceTagger(epochs=2))).get_params()["epochs"] == 2


def test_search_and_cross_validation() -> None:
    X, y = data(24)  # noqa: N806
    scores = cross_val_score(SequenceTagger(**{**SMALL, "epochs": 1}), X, y, cv=3)
    assert scores.shape == (3,)
    assert ((scores >= 0) & (scores <= 1)).all()
    search = GridSearchCV(SequenceTagger(**SMALL), {"epochs": [1, 6]}, cv=2, error_score="raise").fit(X, y)
    assert search.best_params_["epochs"] in (1, 6)
    assert len(search.predict(X)) == len(X)
    assert search.best_estimator_.score(X, y) == search.score(X, y)


def test_parameters_may_be_numpy_s() -> None:
    X, y = data(12)  # noqa: N806
    base = SequenceTagger(**{**SMALL, "epochs": 1, "validation": 0})
    for grid in (
        {"words_hidden": np.arange(4, 9, 4)},
        {"epochs": np.array([1, 2])},
        {"learning_rate": np.array([0.01, 0.02], dtype=np.float32)},
        {"constrained": np.array([True, False])},
        {"recipe": np.array(["best", "paper"])},
        {"settings": [{"training.clip": np.float64(1), "words.all.layers": np.int8(1)}]},
    ):
        search = GridSearchCV(base, grid, cv=2, error_score="raise").fit(X, y)
        assert search.best_params_.keys() == grid.keys()
    seeds = [clone(base).set_params(random_state=state).fit(X, y).tagger_ for state in (3, np.int64(3))]
    assert np.array_equal(*(tagger.model.arrays["tags.y.projection"] for tagger in seeds))


def test_layers_and_units_are_those_of_the_size_or_the_recipe() -> None:
    X, y = data(6)  # noqa: N806
    for parameters, (units, layers) in (({}, (200, 1)), ({"size": "small"}, (100, 1)), ({"recipe": "paper"}, (300, 2))):
        words = SequenceTagger(epochs=1, validation=0, **parameters).fit(X, y).tagger_.plan.words["all"]  # type: ignore[arg-type]
        assert (words.hidden, words.layers) == (units, layers)


def test_it_ends_a_pipeline(fitted: SequenceTagger) -> None:
    def title(sequences: list[list[str]]) -> list[list[str]]:
        return [[word.title() for word in words] for words in sequences]

    X, y = data(12)  # noqa: N806
    pipeline = make_pipeline(FunctionTransformer(title), SequenceTagger(**{**SMALL, "epochs": 1})).fit(X, y)
    assert [len(tags) for tags in pipeline.predict(X)] == [len(words) for words in X]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"recipe": "bets"}, "there is no recipe 'bets'"),
        ({"size": "tiny"}, "there is no size 'tiny'"),
        ({"words_hidden": 0}, "words.all.hidden: .* found 0"),
        ({"epochs": "many"}, "training.epochs: .* found 'many'"),
        ({"vectors": "no/where.vec"}, "words.all.vectors: there is no 'no/where.vec'"),
        ({"settings": {"training.epoch": 3}}, "unknown key 'training.epoch'; did you mean 'epochs'"),
        ({"settings": {"training.epochs.more": 3}}, "is a value, not a table"),
        ({"chars_hidden": 0, "dimension": 0}, "neither characters nor word embeddings are left"),
        ({"scheme": "bioes"}, "'bioes' does not fit the training files"),
    ],
)
def test_parameters_are_checked(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(PolytagError, match=message) as error:
        SequenceTagger(**{**SMALL, **parameters}).fit(*data(9))
    assert isinstance(error.value, PlanError)


FIT = [
    ("Ann", [["A"]], "X is of str, expected a list of sequences"),
    (["Ann"], [["A"]], r"X\[0\] is 'Ann', expected a list of words"),
    ([["Ann", 3]], [["A", "B"]], r"X\[0\]\[1\] is 3, expected a text"),
    ([["Ann", ""]], [["A", "B"]], r"X\[0\]\[1\] is '', expected a text"),
    ([["\ud800"]], [["A"]], r"X\[0\]\[0\] is .*, expected a text"),
    ([["Ann"]], None, "y is missing"),
    ([["Ann"]], [["A"], ["B"]], "X has 1 sequences and y has 2"),
    ([["Ann"], ["Ann", "Lee"]], [["A"], ["B"]], r"X\[1\] has 2 words and y\[1\] has 1 tags"),
    ([[], []], [[], []], "X holds no words"),
    (3, [["A"]], "X is of int"),
    ([{"Ann": 1}], [["A"]], r"X\[0\] is \{'Ann': 1\}, expected a list of words"),
]


@pytest.mark.parametrize(("X", "y", "message"), FIT)
def test_sequences_are_checked(X: Any, y: Any, message: str) -> None:  # noqa: N803
    with pytest.raises(SequencesError, match=message) as error:
        SequenceTagger(**SMALL).fit(X, y)
    assert isinstance(error.value, ValueError)
    assert isinstance(error.value, PolytagError)


def test_a_wrong_tag_is_told_by_its_place() -> None:
    y = [["B-PER"], [], ["X-PER"]]
    with pytest.raises(SequencesError, match=r"^y\[2\]: tag 'X-PER' marks no span"):
        SequenceTagger(**SMALL, scheme="iob2").fit([["Ann"], [], ["Lee"]], y)


def test_a_missing_scikit_learn_is_one_sentence() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import polytag.integrations.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError: scikit-learn is not installed" in done.stderr
    assert "pip install 'polytag[sklearn]'" in done.stderr


@pytest.mark.parametrize("lengths", [None, 2])
def test_cross_val_predict_gives_a_sequence_of_tags_for_each(lengths: int | None) -> None:
    """In the order of X, also where all sequences are as long as each other."""
    X, y = ([of[:lengths] for of in side] for side in data(24))  # noqa: N806
    found = cross_val_predict(SequenceTagger(**{**SMALL, "epochs": 1}), X, y, cv=2)
    assert found.shape == (len(X),)
    assert [len(tags) for tags in found] == list(map(len, X))
    last = SequenceTagger(**{**SMALL, "epochs": 1}).fit(X[:12], y[:12])
    assert found[12:].tolist() == last.predict(X[12:])
