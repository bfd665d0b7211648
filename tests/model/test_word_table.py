"""The cache of character vectors shows in nothing but time, and follows the weights."""

import pytest
import torch

from polytag.batching import encoder
from polytag.corpus.sentence import Sentence
from polytag.model import word_table
from polytag.tagging import Tagger
from tests import tiny


def probabilities(tagger: Tagger, sentences: list[Sentence]) -> list[object]:
    return [sentence.confidence["ner"] for sentence in tagger.tag_all(sentences, tasks=["ner"], confidence=True)]


def test_a_warm_table_gives_what_a_cold_one_gives() -> None:
    tagger, texts = tiny.tagger(), list(tiny.texts(30))
    cold = probabilities(tagger, texts)
    assert probabilities(tagger, texts) == cold
    for ours, theirs in zip(probabilities(tagger, texts[::-1])[::-1], cold, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("characters", [1, 7, 100])
def test_words_learned_in_pieces(monkeypatch: pytest.MonkeyPatch, characters: int) -> None:
    texts = list(tiny.texts(30))
    expected = probabilities(tiny.tagger(), texts)
    monkeypatch.setattr(word_table, "_CHARACTERS", characters)
    found = probabilities(tiny.tagger(), texts)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_words_are_forgotten_and_learned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = list(tiny.texts(30))
    expected = probabilities(tiny.tagger(), texts)
    monkeypatch.setattr(encoder, "_MOST_FORMS", 3)
    tagger = tiny.tagger()
    for sentence, theirs in zip(texts, expected, strict=True):
        assert probabilities(tagger, [sentence])[0] == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("part", ["chars", "words", "tags"])
def test_new_weights_are_noticed(part: str) -> None:
    tagger, texts = tiny.tagger(), list(tiny.texts(10))
    before = probabilities(tagger, texts)
    with torch.no_grad():
        for parameter in getattr(tagger.network, part).parameters():
            parameter.add_(torch.randn_like(parameter))
    after = probabilities(tagger, texts)
    assert after != before
    fresh = Tagger(tagger.plan, tagger.vocabularies, tagger.network)
    for ours, theirs in zip(after, probabilities(fresh, texts), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)
