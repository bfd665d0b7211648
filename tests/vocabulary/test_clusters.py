"""Clusters of words: how they are looked up, put together and stored, and the files that they are read from."""

import gzip
import json
import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.corpus.notes import Notes
from polytag.errors import VectorsError
from polytag.vocabulary import cluster_files
from polytag.vocabulary.cluster_files import load_clusters
from polytag.vocabulary.clusters import Clustering, Clusters, build_clusters
from polytag.vocabulary.features import EDGE, NONE, build_features
from polytag.vocabulary.vocabularies import WordVocabulary

BROWN = "0\tthe\t90\n0110110111011\tLima\t3\n01101100\tOslo\t2\n"


def clustering(words: Sequence[str], *ids: Sequence[int]) -> Clustering:
    return Clustering(words, np.array(ids, np.uint16))


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, content: str | bytes, notes: Notes | None = None) -> dict[str, list[int]]:
    found = load_clusters(written(path, content), notes=notes or Notes())
    return dict(zip(found.words, found.ids.tolist(), strict=True))


def features_of(words: Iterable[str], clusters: Clusters, *, lowercase: bool = True) -> dict[str, list[str]]:
    vocabulary = WordVocabulary((), 0, lowercase=lowercase, clusters=clusters)
    return {word: list(vocabulary.cluster_features(word)) for word in words}


class TestLookUp:
    def test_a_word_as_it_is_then_as_its_embedding_is(self) -> None:
        clusters = build_clusters("en", [clustering(["Lima", "lima", "oslo", "0000"], [1], [2], [3], [4])])
        lower = features_of(["Lima", "LIMA", "Oslo", "1999", "x"], clusters)
        assert lower == {"Lima": ["k1.en=1"], "LIMA": ["k1.en=2"], "Oslo": ["k1.en=3"], "1999": ["k1.en=4"], "x": [""]}
        assert features_of(["Oslo", "OSLO"], clusters, lowercase=False) == {"Oslo": ["k1.en=3"], "OSLO": ["k1.en=3"]}

    def test_a_word_that_a_set_lacks_has_none_of_it(self) -> None:
        both = build_clusters("en", [clustering(["a", "b"], [1, 0], [2, 5]), clustering(["c", "b"], [8], [9])])
        assert both.names == ("k1.en", "k2.en", "k3.en")
        assert [both.find(word) for word in "abcd"] == [[1, 0, 0], [2, 5, 9], [0, 0, 8], (0, 0, 0)]
        assert features_of("ac", both) == {"a": ["k1.en=1", "", ""], "c": ["", "", "k3.en=8"]}

    @given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, min_size=1), st.text())
    def test_as_in_a_dictionary(self, words: list[str], other: str) -> None:
        clusters = build_clusters("en", [Clustering(words, np.arange(1, len(words) + 1, dtype=np.uint16)[:, None])])
        expected = {word: number for number, word in enumerate(words, 1) if "\n" not in word}
        assert len(clusters) == len(expected)
        assert {word: ids[0] for word, ids in clusters.items()} == expected or not expected
        for word in (*words, other, "\ud800", "", "\uffff"):
            assert clusters.find(word)[0] == expected.get(word, 0)

    def test_they_come_back_as_they_were(self) -> None:
        clusters = build_clusters("en", [clustering(["ж", "a", "日本", "é"], [65535], [1], [2], [3])])
        for again in (
            Clusters.from_json(json.loads(json.dumps(clusters.to_json()))),
            pickle.loads(pickle.dumps(clusters)),
        ):
            assert again == clusters
            assert [again.find(word) for word in ("ж", "a", "日本", "é")] == [[65535], [1], [2], [3]]

    def test_they_are_features_of_the_places_around(self) -> None:
        clusters = build_clusters("en", [clustering(["a", "b"], [1, 0], [2, 7])])
        words = WordVocabulary((), 0, clusters=clusters)
        vocabulary = build_features([["a"]] * 2, {"k1.en=1": 2, "k2.en=7": 2, "k1.en=2": 1})
        found = {word: list(vocabulary.indices(word, words.cluster_features(word)))[-2:] for word in ("a", "b", "c")}
        first, second = (vocabulary.around.index(name) + EDGE + 1 for name in ("k1.en=1", "k2.en=7"))
        assert found == {"a": [first, NONE], "b": [NONE, second], "c": [NONE, NONE]}


class TestFiles:
    def test_brown_paths_with_their_prefixes(self, tmp_path: Path) -> None:
        """Of 4, 6 and 10 bits and whole; numbered as they come."""
        found = read(tmp_path / "paths", BROWN)
        assert found == {"the": [1, 1, 1, 1], "Lima": [2, 2, 2, 2], "Oslo": [2, 2, 3, 3]}

    @pytest.mark.parametrize(
        "content", ["a 7\nb x\nc 7\n", "a\t7\nb\tx\nc\t7", "\ufeffa 7 0.25\r\n\nb  x 1e-05\nc 7 1\n"]
    )
    def test_a_class_for_each_word(self, tmp_path: Path, content: str) -> None:
        assert read(tmp_path / "classes", content) == {"a": [1], "b": [2], "c": [1]}
        assert read(tmp_path / "classes.gz", gzip.compress(content.encode())) == {"a": [1], "b": [2], "c": [1]}

    def test_words_may_hold_blanks_where_tabs_part(self, tmp_path: Path) -> None:
        assert list(read(tmp_path / "paths", "01\tNew York\t3\n00\t0\u00a0m\t3\n")) == ["New York", "0\u00a0m"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "the file is empty, expected clusters"),
            (b"PK\x03\x04abc", "a zip archive, expected a plain file, gzip or xz"),
            ("a 1\nb 2\nthe 0.1 0.2 0.3\n", ":3: found 'the 0.1 0.2 0.3', expected a word and its class"),
            ("a 1\nb\n", ":2: found 'b', expected a word and its class"),
            (BROWN + "02\tx\t1\n", ":4: found '02\\\\tx\\\\t1', expected a path, a word and a count"),
            (BROWN + "01\tx\n", ":4: found '01\\\\tx', expected a path, a word and a count"),
            (b"a 1\nb\xff 2\n", ":2: byte 0xff, expected UTF-8 text"),
            (b"a 1\nb 2" + b"x" * (1 << 21), ":2: a line of over 2,097,152 bytes"),
            (gzip.compress(b"a 1\n" * 99, mtime=0)[:-9], "the gzip data end too early"),
        ],
    )
    def test_what_cannot_be_read_is_one_sentence(self, tmp_path: Path, content: str | bytes, message: str) -> None:
        with pytest.raises(VectorsError, match=message) as raised:
            read(tmp_path / "clusters", content)
        assert str(raised.value).startswith(str(tmp_path / "clusters"))

    def test_more_classes_than_there_are_numbers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cluster_files, "MOST", 2)
        with pytest.raises(VectorsError, match=r":4: more than 2 classes, expected far fewer than words"):
            read(tmp_path / "classes", "a 1\nb 2\nc 1\nd 3\n")

    def test_what_is_odd_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "classes"
        for content, message in (
            (
                "a 1\nb 1\na 2\na 1\n",
                f"{path}:3: left out lines of words that had come before, such as 'a' (and 1 more",
            ),
            ("1 a\n2 b\n3 c\n", f"{path}: each of the 3 words is a class of its own: is the class in the column"),
        ):
            notes = Notes()
            read(path, content, notes)
            assert [str(note)[: len(message)] for note in notes] == [message]
