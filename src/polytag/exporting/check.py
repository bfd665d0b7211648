"""Does a graph say what polytag says? Sentences through both, word by word."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError
from polytag.exporting.description import KEY, description_of
from polytag.tagger.batches import by_length
from polytag.tagger.packing import Ints
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger

MISSING = "onnxruntime is not installed, expected it to run a graph: pip install 'polytag[onnx]'"
BATCH_SENTENCES, BATCH_WORDS = 64, 2_048


@dataclass(frozen=True)
class Agreement:
    """How many words of a task got the same tag from both."""

    words: int
    same: int


class OnnxTagger:
    """Tags with an exported graph; strings become numbers through the tagger that it comes from."""

    def __init__(self, path: str | PathLike[str], tagger: Tagger, *, threads: int = 0) -> None:
        """``threads``: of onnxruntime; as many as there are cores unless given.

        Raises:
            PolytagError: onnxruntime is not installed, or the file is no graph of polytag's.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise PolytagError(MISSING) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.tasks: Mapping[str, Any] = description_of(self.session.get_modelmeta().custom_metadata_map[KEY])["tasks"]
        self._tagger = tagger
        self._inputs = {value.name for value in self.session.get_inputs()}

    def run(self, sentences: Sequence[Sentence]) -> dict[str, Any]:
        """All outputs of the graph, by name; sentences without words have no place in a batch."""
        names = [output.name for output in self.session.get_outputs()]
        inputs = feeds(self._tagger, sentences, next(iter(self.tasks)))
        given = {name: inputs[name] for name in self._inputs}
        return dict(zip(names, self.session.run(names, given), strict=True))

    def tag(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The sentences, in order, with the tags of each task."""
        tags: list[dict[str, tuple[str, ...]]] = [dict.fromkeys(self.tasks, ()) for _ in sentences]
        lengths = np.array([len(sentence) for sentence in sentences])
        for indices in by_length(lengths, sentences=BATCH_SENTENCES, words=BATCH_WORDS):
            found = self.run([sentences[index] for index in indices])
            for task, about in self.tasks.items():
                for index, row in zip(indices, found[f"tags.{task}"].tolist(), strict=True):
                    tags[index][task] = tuple(about["tags"][tag] for tag in row[: lengths[index]])
        return [Sentence(sentence.words, of) for sentence, of in zip(sentences, tags, strict=True)]


def feeds(tagger: Tagger, sentences: Sequence[Sentence], task: str) -> dict[str, Any]:
    """Every input that a graph may have, for sentences of at least a word each."""
    encoder = tagger.engine.language(task).inputs
    distinct = {word: number for number, word in enumerate(dict.fromkeys(w for s in sentences for w in s.words))}
    inputs = {
        "words": np.array([encoder.words.index(word) for word in distinct], dtype=np.int64),
        "sentences": _padded([[distinct[word] for word in s.words] for s in sentences]),
        "lengths": np.array([len(s) for s in sentences], dtype=np.int64),
    }
    if encoder.chars is not None:
        characters = [encoder.chars.indices(word, encoder.max_characters) for word in distinct]
        inputs["characters"] = _padded(characters)
        inputs["character_lengths"] = np.array([len(ids) for ids in characters], dtype=np.int64)
    for part, vocabulary in tagger.vocabularies.tags.items():
        if vocabulary.features:
            rows = [vocabulary.features.indices(word, encoder.words.cluster_features(word)) for word in distinct]
            inputs[f"features.{part}"] = np.array(rows, dtype=np.int64)
        if vocabulary.gazetteer:
            inputs[f"gazetteer.{part}"] = _padded([vocabulary.gazetteer.match(s.words) for s in sentences])
    return inputs


def agreement(
    path: str | PathLike[str], tagger: Tagger, sentences: Iterable[Sentence], *, constrained: bool | None = None
) -> dict[str, Agreement]:
    """Tag sentences with both and count, for each task of the graph.

    Args:
        path: an exported file.
        tagger: the model that it comes from.
        sentences: words; tags that they carry are ignored.
        constrained: how the file decodes, if it was given.

    Raises:
        PolytagError: onnxruntime is not installed.
    """
    other, given = OnnxTagger(path, tagger), list(sentences)
    expected = tagger.tag_all(given, Request(tuple(other.tasks), constrained=constrained))
    pairs = list(zip(expected, other.tag(given), strict=True))
    words = sum(map(len, given))
    return {
        task: Agreement(words, sum(a == b for x, y in pairs for a, b in zip(x.tags[task], y.tags[task], strict=True)))
        for task in other.tasks
    }


def check_export(
    path: str | PathLike[str], tagger: Tagger, *, sentences: int = 32, constrained: bool | None = None
) -> dict[str, Agreement]:
    """The same on random sentences of words that the model knows, words that it does not, and long ones."""
    return agreement(path, tagger, _random_sentences(tagger, sentences), constrained=constrained)


def _random_sentences(tagger: Tagger, count: int) -> Iterator[Sentence]:
    draw = random.Random(13)
    known = [word for vocabulary in tagger.vocabularies.words.values() for word in vocabulary.words[:10_000]]
    letters = "".join(vocabulary.alphabet for vocabulary in tagger.vocabularies.chars.values()) or "abc"

    def word() -> str:
        if known and draw.random() < 0.7:
            found = draw.choice(known)
            return draw.choice([found, found.title()])
        return "".join(draw.choice(letters + "☃") for _ in range(draw.choice([1, 3, 8, 60])))

    for _ in range(count):
        yield Sentence(tuple(word() for _ in range(draw.randint(1, 40))))


def _padded(rows: Sequence[Sequence[int] | Ints]) -> Ints:
    """Ragged rows as one table, with zeros where they end."""
    table = np.zeros((len(rows), max(map(len, rows))), dtype=np.int64)
    for row, values in zip(table, rows, strict=True):
        row[: len(values)] = np.asarray(values)
    return table
