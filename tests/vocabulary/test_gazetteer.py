"""Gazetteers: match() against a brute-force matcher, reading of the CoNLL lists, and storage as JSON."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytag.errors import VectorsError
from polytag.vocabulary.gazetteer import Entry, Gazetteer
from tests.licensed import licensed

ENTRIES: list[Entry] = [
    ("LOC", ("New", "York")),
    ("LOC", ("York",)),
    ("ORG", ("New", "York", "Stock", "Exchange")),
    ("PER", ("York",)),
    ("PER", ("Angela", "Merkel")),
]


def tags(gazetteer: Gazetteer, sentence: str) -> list[str]:
    return [gazetteer.tags[column] for column in gazetteer.match(sentence.split())]


def test_longest_entry_from_the_left() -> None:
    gazetteer = Gazetteer.from_entries(ENTRIES)
    assert tags(gazetteer, "New York Stock Exchange") == ["B-ORG", "I-ORG", "I-ORG", "E-ORG"]
    assert tags(gazetteer, "in New York Stock") == ["O", "B-LOC", "E-LOC", "O"]
    assert tags(gazetteer, "York New York York") == ["S-LOC", "B-LOC", "E-LOC", "S-LOC"]
    assert tags(gazetteer, "new york YORK Merkel Angela") == ["O"] * 5
    assert gazetteer.match([]) == []


def test_tags_are_sorted_after_o() -> None:
    assert Gazetteer.from_entries([("PER", ("a",)), ("LOC", ("b",))]).tags == [
        *("O", "B-LOC", "B-PER", "E-LOC", "E-PER", "I-LOC", "I-PER", "S-LOC", "S-PER")
    ]


def test_the_first_type_in_the_list_wins() -> None:
    gazetteer = Gazetteer.from_entries([*ENTRIES, ("MISC", ("York",)), ("LOC", ("York",))])
    assert tags(gazetteer, "York") == ["S-LOC"]
    assert (len(gazetteer), gazetteer.shadowed) == (4, 2)
    assert gazetteer.types == ("LOC", "MISC", "ORG", "PER")
    assert gazetteer.entries["LOC"] == [("New", "York"), ("York",)]
    assert gazetteer.entries["MISC"] == []


def brute_force(entries: Sequence[Entry], words: Sequence[str]) -> list[str]:
    """At each place try every entry: the longest, of equals the first listed."""
    found, place = [], 0
    while place < len(words):
        fits = [e for e in entries if tuple(words[place : place + len(e[1])]) == e[1]]
        if not fits:
            found.append("O")
            place += 1
            continue
        type, entry = max(fits, key=lambda e: len(e[1]))  # max() keeps the first of equals
        inner = ["S"] if len(entry) == 1 else ["B", *"I" * (len(entry) - 2), "E"]
        found += [f"{prefix}-{type}" for prefix in inner]
        place += len(entry)
    return found


WORDS = st.sampled_from(["a", "b", "c", "A"])
ENTRY_LISTS = st.lists(
    st.tuples(st.sampled_from(["LOC", "PER", "ORG"]), st.lists(WORDS, min_size=1, max_size=4).map(tuple)), min_size=1
)


@given(ENTRY_LISTS, st.lists(WORDS, max_size=12))
def test_match_is_the_brute_force_match(entries: list[Entry], words: list[str]) -> None:
    gazetteer = Gazetteer.from_entries(entries)
    assert [gazetteer.tags[column] for column in gazetteer.match(words)] == brute_force(entries, words)


@given(ENTRY_LISTS, st.lists(WORDS, max_size=12))
def test_json_keeps_everything(entries: list[Entry], words: list[str]) -> None:
    gazetteer = Gazetteer.from_entries(entries)
    again = Gazetteer.from_json(json.loads(json.dumps(gazetteer.to_json(), sort_keys=True)))
    assert again == gazetteer
    assert hash(again) == hash(gazetteer)
    assert (again.tags, again.shadowed, again.match(words)) == (
        gazetteer.tags,
        gazetteer.shadowed,
        gazetteer.match(words),
    )


@pytest.mark.parametrize(
    "value",
    [
        *(None, [], {}, {"types": []}, {"types": {}, "shadowed": 0}, {"types": {"A": "bc"}, "shadowed": 0}),
        *(
            {"types": {"A": [["b", 3]]}, "shadowed": 0},
            {"types": {"A": [[]]}, "shadowed": 0},
            {"types": {"A": [["b"]]}},
        ),
    ],
)
def test_damaged_json(value: object) -> None:
    with pytest.raises(VectorsError, match="the stored gazetteer is damaged"):
        Gazetteer.from_json(value)


def load(directory: Path, content: bytes, encoding: str = "utf-8") -> Gazetteer:
    path = directory / "eng.list"
    path.write_bytes(content)
    return Gazetteer.load(path, encoding=encoding)


def test_files(tmp_path: Path) -> None:
    content = "LOC New York\r\n\nPER  Moyà \nMISC a\u00a0b\nLOC Delémont".encode()
    expected = [("LOC", ("New", "York")), ("PER", ("Moyà",)), ("MISC", ("a\u00a0b",)), ("LOC", ("Delémont",))]
    for variant in (content, gzip.compress(content), b"\xef\xbb\xbf" + content):
        assert load(tmp_path, variant) == Gazetteer.from_entries(expected)
    assert load(tmp_path, content.decode().encode("latin-1"), "latin-1") == Gazetteer.from_entries(expected)


@pytest.mark.parametrize("encoding", ["latin-x", "hex", "", "utf\0"])
def test_an_unknown_encoding_is_one_sentence(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(VectorsError, match=r"unknown encoding '.*', expected a Python codec$"):
        load(tmp_path, b"LOC Lima\n", encoding)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"LOC Lima\nPER\n", r"eng.list:2: a type without words \(b'PER'\), expected both"),
        (b"", r"eng.list: the gazetteer is empty, expected lines of a type and an entry's words"),
        (b"\n \n", r"eng.list: the gazetteer is empty"),
        (b"LOC Lima\nLOC Del\xe9mont\n", r"eng.list:2: LOC Del.xe9mont is not utf-8, expected a file in it .*latin-1"),
        (gzip.compress(b"LOC Lima\n", mtime=0)[:-3], r"eng.list: the gzip data end too early"),
    ],
)
def test_damaged_files(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(VectorsError, match=message):
        load(tmp_path, content)


def test_wrong_calls(tmp_path: Path) -> None:
    with pytest.raises(VectorsError, match="cannot be read"):
        Gazetteer.load(tmp_path / "missing.list")
    with pytest.raises(VectorsError, match="cannot be read"):
        Gazetteer.load(tmp_path)
    with pytest.raises(VectorsError, match="the gazetteer is empty"):
        Gazetteer.from_entries([])
    for entry in (("LOC", ()), ("", ("Lima",)), ("LOC", ("",))):
        with pytest.raises(VectorsError, match="lacks a type or words"):
            Gazetteer.from_entries([entry])


@pytest.mark.data
@pytest.mark.parametrize(("name", "lines"), [("eng", 8214), ("ned", 54384)])
def test_the_lists_of_the_shared_tasks(name: str, lines: int) -> None:
    gazetteer = Gazetteer.load(licensed(f"gazetteers/{name}.list"))
    assert gazetteer.types == ("LOC", "MISC", "ORG", "PER")
    assert len(gazetteer.tags) == 17
    assert 0.98 * lines < len(gazetteer) <= lines
    words = [word for of in gazetteer.entries.values() for entry in of for word in (*entry, "said")] * 2
    columns = gazetteer.match(words)
    assert sum(column > 0 for column in columns) > len(words) / 3


@pytest.mark.parametrize("encoding", ["klingon", "hex", "a\0b"])
def test_an_encoding_that_is_none(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "g").write_text("LOC Lima\n", encoding="utf-8")
    with pytest.raises(VectorsError, match="g: unknown encoding "):
        Gazetteer.load(tmp_path / "g", encoding=encoding)
