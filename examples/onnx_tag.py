"""Tag with a graph that `polytag export` wrote, without polytag: examples/onnx_tag.py MODEL.onnx < SENTENCES."""

import json
import re
import sys
from pathlib import Path

try:
    import numpy as np
    import onnxruntime
except ImportError as error:
    sys.exit(f"{error.name} is not installed, expected it for this script: pip install numpy onnxruntime")

FEATURES = (("own", 1), ("around", 2))


def padded(rows):
    table = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = values
    return table


class OnnxTagger:
    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.about = json.loads(self.session.get_modelmeta().custom_metadata_map["polytag"])
        self.words = {word: index for index, word in enumerate(self.about["words"] or [], 1)}
        self.alphabet = {character: index for index, character in enumerate(self.about["alphabet"] or [], 3)}
        self.features = {
            name: tuple({feature: index for index, feature in enumerate(found[of], first)} for of, first in FEATURES)
            for name, found in self.about.get("features", {}).items()  # older graphs have none
        }
        self.clusters = self.about.get("clusters") or {"names": [], "words": {}}
        self.lists = {name: {tuple(w): c for w, c in found} for name, found in self.about["gazetteers"].items()}

    def tag(self, sentences):
        """Lists of words, at least one each -> for each task the lists of their tags."""
        distinct = {word: number for number, word in enumerate(dict.fromkeys(w for s in sentences for w in s))}
        characters = [self.characters(word) for word in distinct]
        inputs = {
            "characters": padded(characters),
            "character_lengths": np.array([len(ids) for ids in characters]),
            "words": np.array([self.index(word) for word in distinct]),
            "sentences": padded([[distinct[word] for word in sentence] for sentence in sentences]),
            "lengths": np.array([len(sentence) for sentence in sentences]),
            **{
                name: np.array([features(*of, word, self.clusters_of(word)) for word in distinct])
                for name, of in self.features.items()
            },
            **{name: padded([matches(entries, s) for s in sentences]) for name, entries in self.lists.items()},
        }
        wanted = {value.name for value in self.session.get_inputs()}
        names = [f"tags.{task}" for task in self.about["tasks"]]
        found = self.session.run(names, {name: inputs[name] for name in wanted})
        return {
            task: [[about["tags"][tag] for tag in row if tag >= 0] for row in rows.tolist()]
            for (task, about), rows in zip(self.about["tasks"].items(), found, strict=True)
        }

    def looked_up(self, word):
        word = word.lower() if self.about["lowercase"] else word
        return re.sub("[0-9]", "0", word) if self.about["zero_digits"] else word

    def index(self, word):
        form = self.looked_up(word)
        return self.words.get(form) or self.words.get(form.lower(), 0)

    def clusters_of(self, word):
        """A feature for each set of clusters."""
        form, known = self.looked_up(word), self.clusters["words"]
        numbers = next((known[f] for f in (word, form, form.lower()) if f in known), [0] * len(self.clusters["names"]))
        return [f"{name}={number}" for name, number in zip(self.clusters["names"], numbers, strict=True)]

    def characters(self, word):
        edges = self.about["boundaries"]
        kept = word[: max(1, self.about["characters"] - 2 * edges)]
        ids = [self.alphabet.get(character, 0) for character in kept] or [0]
        return [1, *ids, 2] if edges else ids


def features(own, around, word, clusters):
    """The indices of a word's features; what each of them is stands in polytag's export/description.py."""
    kinds = ("X" if c.isupper() else "x" if c.isalpha() else "d" if c.isdigit() else c for c in word)
    affixes = [f"p={word[:size]}" for size in (1, 2, 3, 4)] + [f"x={word[-size:]}" for size in (1, 2, 3, 4)]
    seen = [f"l={word.lower()}", f"c={word.isupper():d}{word.istitle():d}{word.isdigit():d}", *clusters]
    return [own.get(f, 0) for f in (f"w={word}", f"s={''.join(kinds)}", *affixes)] + [around.get(f, 0) for f in seen]


def matches(entries, words):
    """The column of each word: from the left, the longest entry that matches takes its words."""
    columns, longest, at = [0] * len(words), max(map(len, entries)), 0
    while at < len(words):
        sizes = (size for size in range(longest, 0, -1) if tuple(words[at : at + size]) in entries)
        size = next(sizes, 0)
        columns[at : at + size] = entries.get(tuple(words[at : at + size]), [])
        at += size or 1
    return columns


def loaded(path):
    """The tagger of a file; where it is none, one sentence says why."""
    if not Path(path).is_file():
        sys.exit(f"{path}: no such file, expected a graph that 'polytag export' wrote")
    try:
        return OnnxTagger(path)
    except KeyError:
        sys.exit(f"{path}: a graph without the metadata 'polytag', expected one that 'polytag export' wrote")
    except Exception:  # onnxruntime's own errors share no base
        sys.exit(f"{path}: cannot be read as a graph, expected one that 'polytag export' wrote")


def words_of(lines):
    """The words of each line; a line of blanks has none."""
    try:
        yield from map(str.split, lines)
    except UnicodeDecodeError as error:
        sys.exit(f"standard input: byte {error.object[error.start]:#04x}, expected UTF-8 text")


def main(arguments):
    if len(arguments) != 1:
        sys.exit(f"{len(arguments)} arguments, expected one: {sys.argv[0]} MODEL.onnx < SENTENCES")
    tagger = loaded(arguments[0])
    sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    sys.stdout.reconfigure(encoding="utf-8")
    for words in words_of(sys.stdin):
        if words:
            tags = tagger.tag([words])
            print(*("\t".join(row) for row in zip(words, *(of[0] for of in tags.values()), strict=True)), "", sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
