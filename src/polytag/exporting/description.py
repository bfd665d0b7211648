"""What a graph carries beside its weights: how strings become its inputs and what its outputs stand for, as JSON.

words         words as they are looked up, or else in lower case: their indices count from 1, 0 is any other; null
              without word embeddings
lowercase     whether words are lower-cased before
zero_digits   whether each digit 0-9 is replaced by 0 before
alphabet      characters, whose indices count from 3; 0 is any other; null without characters
boundaries    whether 1 and 2 stand before and after the characters of each word
characters    how many characters of a word are read, the two above included
tasks         by name: "emissions", the tags of the network, and "tags", those that are written
gazetteers    by input: entries as pairs of words and columns; the longest that matches at a word takes its words
features      by input: "own" features, which count from 1, and those "around", from 2; 0 is any other. The columns of a
              word: ten of "own", the word (w=), its shape (s=), its first 1, 2, 3, 4 characters (p=) and its last (x=);
              two of "around", the word in lower case (l=) and whether it is upper case, title case and digits (c=010);
              and one more "around" for each set of clusters that the word is in (NAME=NUMBER)
clusters      "names" of the sets, and of "words", looked up as they are and then as above, the number in each set; 0 is
              none; null without clusters
"""

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from polytag.tagger.tagging import Tagger
from polytag.vocabulary.gazetteer import Gazetteer

KEY, VERSION = "polytag", 1


def describe(tagger: Tagger, tasks: Sequence[str]) -> str:
    """The JSON for tasks of one language; what is not ASCII is escaped: a word may hold half of a surrogate pair."""
    inputs = tagger.engine.language(tasks[0]).inputs
    words, chars = inputs.words, inputs.chars
    embedded = tagger.plan.words[tagger.plan.tasks[tasks[0]].words].embedding
    parts = {task: tagger.engine.part(task) for task in tasks}
    vocabularies = {part.name: part.vocabulary for part in parts.values()}
    return json.dumps({
        "version": VERSION,
        "polytag": version("polytag"),
        "words": list(words.words) if embedded else None,
        "lowercase": words.lowercase,
        "zero_digits": words.zero_digits,
        "clusters": words.clusters and {"names": words.clusters.names, "words": dict(words.clusters.items())},
        "alphabet": None if chars is None else chars.alphabet,
        "boundaries": chars is not None and chars.boundaries,
        "characters": inputs.max_characters,
        "tasks": {
            task: {"emissions": part.vocabulary.tags, "tags": tagger.engine.rewritings[task].written}
            for task, part in parts.items()
        },
        "gazetteers": {
            f"gazetteer.{part}": _entries(v.gazetteer)
            for part, v in vocabularies.items()
            if v.gazetteer
        },
        "features": {f"features.{part}": v.features.to_json() for part, v in vocabularies.items() if v.features},
    })  # fmt: skip


def _entries(gazetteer: Gazetteer) -> list[tuple[tuple[str, ...], list[int]]]:
    return [(words, gazetteer.match(words)) for entries in gazetteer.entries.values() for words in entries]


def description_of(text: str) -> dict[str, Any]:
    """The inverse, as plain tables."""
    found: dict[str, Any] = json.loads(text)
    return found
