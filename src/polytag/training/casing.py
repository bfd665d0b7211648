"""Sentences in small letters or in capitals alone: case augmentation, as of Mayhew et al. (2019)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from polytag.corpus.sentence import Sentence

Words = tuple[str, ...]


def in_cases(words: Sequence[str]) -> tuple[Words, Words]:
    """The words in small letters and in capitals."""
    return tuple(map(str.lower, words)), tuple(map(str.upper, words))


def recased(sentence: Sentence, probability: float, draw: np.random.Generator) -> Sentence:
    """The sentence in small letters or, as likely, in capitals alone; itself where it stays."""
    if draw.random() >= probability:
        return sentence
    return replace(sentence, words=in_cases(sentence.words)[draw.integers(2)])
