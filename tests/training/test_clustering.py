"""k-means against a plain reference, and clusters on their way from a plan to what is trained, packed and run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.errors import PlanError
from polytag.model import load_model, save_model
from polytag.model.packed import save_packed
from polytag.tagger.tagging import Tagger
from polytag.training import Prepared, clustering, prepare, train
from polytag.training.clustering import LENGTH, ROUNDS, cluster, fit, nearest
from tests.training import toy

Matrix = npt.NDArray[np.float32]


def directions(seed: int, rows: int, width: int) -> Matrix:
    """Rows of whole numbers at about the length that k-means takes; some twice, one of zeros."""
    vectors = np.random.default_rng(seed).normal(size=(rows, width))
    found = np.rint(vectors * LENGTH / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    found[rows // 2] = found[0]
    found[-1] = 0
    return found


def reference(rows: Matrix, count: int) -> tuple[list[list[float]], list[int]]:
    """Centres and the rows' own, in whole numbers of Python, one by one."""
    points = [[int(value) for value in row] for row in rows.tolist()]
    centres = [points[k * len(points) // count] for k in range(count)]

    def own(point: list[int]) -> int:
        scores = [sum(a * b for a, b in zip(point, centre, strict=True)) for centre in centres]
        return scores.index(max(scores))

    for _ in range(ROUNDS):
        groups = [own(point) for point in points]
        for k in range(count):
            total = [
                sum(values) for values in zip(*[p for p, g in zip(points, groups, strict=True) if g == k], strict=True)
            ]
            length = float(np.linalg.norm(total)) if total else 0.0
            centres[k] = [round(value * LENGTH / length) for value in total] if length else centres[k]
    return [[float(value) for value in centre] for centre in centres], [own(point) for point in points]


@given(seed=st.integers(0, 99), rows=st.integers(2, 40), width=st.integers(1, 5), data=st.data())
def test_k_means_is_that_of_a_plain_reference(seed: int, rows: int, width: int, data: st.DataObject) -> None:
    points, count = directions(seed, rows, width), data.draw(st.integers(1, rows))
    centres, groups = reference(points, count)
    found = fit(points, count)
    assert np.abs(found - np.array(centres, np.float32)).max() <= 1  # a length may be rounded in another place
    assert (nearest(points, found) == groups).mean() > 0.8
    if (found == centres).all():
        assert nearest(points, found).tolist() == groups


def test_sums_of_products_are_exact() -> None:
    """So neither threads nor the order in which they are added make another cluster."""
    points = clustering._directions(np.random.default_rng(0).normal(size=(300, 301)) * 1e-30)
    scores = points @ points.T
    exact = points.astype(np.int64) @ points.astype(np.int64).T
    assert (scores == exact).all()
    assert exact.max() < 2**24
    assert np.abs(np.sqrt(np.diag(exact)) / LENGTH - 1).max() < 0.01


def test_words_of_one_direction_are_in_one_cluster() -> None:
    draw = np.random.default_rng(1)
    axes = np.linalg.qr(draw.normal(size=(8, 8)))[0]
    groups = np.arange(90) % 8
    vectors = (axes[groups] + draw.normal(0, 0.05, (90, 8))) * draw.uniform(0.01, 100, (90, 1))
    vectors[7] = 0
    found = cluster(vectors.astype(np.float32))
    assert found.shape == (90, 1)  # a tenth of the words, thrice
    assert found[7] == 0
    kept = np.arange(90) != 7
    assert all(len(set(found[(groups == group) & kept, 0])) <= 2 for group in range(8))
    assert 8 <= len(set(found[kept, 0])) <= 9


def test_sets_are_of_fifty_three_hundred_and_a_tenth() -> None:
    vectors = np.random.default_rng(2).normal(size=(4_000, 6)).astype(np.float32)
    found = cluster(vectors)
    assert found.shape == (4_000, 3)
    for number, size in enumerate((50, 300, 400)):
        assert found[:, number].min() == 1
        assert 0.8 * size < len(set(found[:, number])) <= size
        assert found[:, number].max() <= size
    assert (cluster(vectors) == found).all()


def with_vectors(directory: Path, **words: Any) -> dict[str, Any]:
    """A plan's tables for toy corpora with vectors of their words, and of others."""
    toy.write_vectors(toy.write_all(directory))
    tables = toy.tables("ner", search=directory, features=True)
    tables["words"]["en"] |= {"vectors": "vectors", **words}
    return tables


def around(found: Prepared) -> tuple[str, ...]:
    features = found.vocabularies.tags["ner"].features
    assert features is not None
    return tuple(name for name in features.around if name.startswith("k"))


def test_clusters_of_the_vectors(tmp_path: Path) -> None:
    found = prepare(toy.make_plan(with_vectors(tmp_path, clusters="auto")))
    assert found.plan.words["en"].clusters == ("auto",)
    assert "words.en: 40 words in 4 clusters from their vectors" in found.notes
    assert "ner: train: words in clusters: 100.0 % of tokens" in found.notes
    vocabulary = found.vocabularies.words["en"]
    assert all(vocabulary.cluster_features(word)[0] for word in ("Anna", "anna", "THE", "ezq"))
    assert list(vocabulary.cluster_features("unheard")) == [""]
    assert set(around(found)) <= {f"k1.en={number}" for number in range(1, 5)}
    assert {name for word in ("Anna", "the", "sees") for name in vocabulary.cluster_features(word)} <= set(
        around(found)
    )


def test_clusters_of_files_beside_them(tmp_path: Path) -> None:
    tables = with_vectors(tmp_path, clusters=["auto", "paths", "classes"])
    (tmp_path / "paths").write_text("0\tthe\t9\n0110\tAnna\t1\n0111\tanna\t1\n")
    (tmp_path / "classes").write_text("the 4\nAnna 5\nAnna 5\nBob 5\n")
    found = prepare(toy.make_plan(tables))
    vocabulary = found.vocabularies.words["en"]
    assert list(vocabulary.cluster_features("Anna"))[1:] == ["k2.en=2", "k3.en=2", "k4.en=2", "k5.en=2", "k6.en=2"]
    assert list(vocabulary.cluster_features("ANNA"))[1:] == ["k2.en=3", "k3.en=3", "k4.en=3", "k5.en=3", ""]
    assert "words.en: 3 words in 3, 3, 3, 3 clusters from paths" in found.notes
    left_out = f"words.en: {tmp_path / 'classes'}:3: left out lines of words that had come before, such as 'Anna'"
    assert left_out in found.notes
    assert {"k6.en=2", "k2.en=1"} <= set(around(found))
    assert set(found.checksums) == {"vectors", "paths", "classes", "en.train", "en.dev", "en.test"}


def test_beside_clusters_all_else_is_as_without(tmp_path: Path) -> None:
    plain, found = (
        prepare(toy.make_plan(with_vectors(tmp_path, **clusters))) for clusters in ({}, {"clusters": "auto"})
    )
    ours, theirs = (prepared.vocabularies.tags["ner"].features for prepared in (found, plain))
    assert ours is not None
    assert theirs is not None
    assert ours.own == theirs.own
    assert [name for name in ours.around if not name.startswith("k")] == list(theirs.around)
    assert "clusters" not in plain.vocabularies.words["en"].to_json()
    before = plain.network.state_dict()
    for name, weights in found.network.state_dict().items():
        assert "features.around" in name or weights.equal(before[name]), name


def test_a_language_has_its_own_though_tags_are_shared(tmp_path: Path) -> None:
    toy.write_all(tmp_path)
    (tmp_path / "classes").write_text("the 4\nxthe 5\nanna 5\nxanna 6\nsees 6\nxsees 4\n")
    tables = toy.tables("ner", "xx", search=tmp_path)
    tables["tags"] = {"names": {"features": True}}
    for task in tables["tasks"].values():
        task["tags"] = "names"
    tables["words"]["xx"]["clusters"] = "classes"
    features = prepare(toy.make_plan(tables)).vocabularies.tags["names"].features
    assert features is not None
    assert {name for name in features.around if name.startswith("k")} == {"k1.xx=1", "k1.xx=2", "k1.xx=3"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {"clusters": "auto", "vectors": "none"},
            "words.en: clusters 'auto' are those of word vectors; give 'vectors'",
        ),
        ({"clusters": "nowhere"}, "words.en.clusters: there is no 'nowhere'; looked for"),
        ({"clusters": []}, r"words.en.clusters: .* at least 1 item"),
        ({"clusters": 3}, r"words.en.clusters: .* should be a list, found 3"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, words: Mapping[str, Any], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        prepare(toy.make_plan(with_vectors(tmp_path, **words)))


def test_where_nothing_sees_them_they_are_left_out_and_told(tmp_path: Path) -> None:
    tables = with_vectors(tmp_path, clusters="auto")
    tables["tags"]["ner"]["features"] = False
    found = prepare(toy.make_plan(tables))
    assert found.vocabularies.words["en"].clusters is None
    assert "words.en: left out its clusters: they are features, which no tag part of its tasks has" in found.notes


def test_from_training_to_a_packed_file_without_most_words(tmp_path: Path) -> None:
    """Words that the file leaves out keep their clusters."""
    plan = toy.make_plan(with_vectors(tmp_path, clusters=["auto", str(tmp_path / "classes")]))
    (tmp_path / "classes").write_text("the 4\navq 5\nAnna 5\n")
    train(plan, output=tmp_path / "model")
    model = load_model(tmp_path / "model")
    features = model.vocabularies.tags["ner"].features
    assert features is not None
    rows = [index + 2 for index, name in enumerate(features.around) if name.startswith("k")]
    assert model.arrays["tags.ner.features.around.weight"][rows].any(axis=1).all()  # all were trained
    save_packed(tmp_path / "model.polytag", model, precision="float32", vectors=0)
    small = load_model(tmp_path / "model.polytag")
    assert small.vocabularies.words["en"].index("avq") == 0 < model.vocabularies.words["en"].index("avq")
    assert small.vocabularies.words["en"].clusters == model.vocabularies.words["en"].clusters
    assert small.plan.words["en"].clusters == ("auto", "classes")
    for word in ("avq", "Anna", "the", "unheard"):
        expected = model.vocabularies.words["en"].cluster_features(word)
        assert small.vocabularies.words["en"].cluster_features(word) == expected
    sentences = [["Anna", "sees", "avq", "in", "Lima"], ["avq", "awq"]]
    parts = [Tagger(each).engine.part("ner").feature_scores(words, each.vocabularies.words["en"])
             for each in (model, small) for words in sentences]  # fmt: skip
    for whole, packed in zip(parts[:2], parts[2:], strict=True):
        np.testing.assert_allclose(packed, whole, atol=1e-6)
    save_model(small, tmp_path / "again")
    stored = json.loads((tmp_path / "again" / "vocabulary" / "words.en.json").read_text())["clusters"]
    assert stored["names"] == ["k1.en", "k2.en"]
