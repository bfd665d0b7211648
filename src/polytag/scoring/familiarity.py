"""How well a model knows a text: its words and characters that training has not, and how sure the model is of its tags.

Held against the text that the model's probabilities were calibrated on, its dev split, this says whether scores hold.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, Self

# Measured on texts of 2,000 words, unknown words of dev -> of others like it, and of others: CoNLL-2003 6 % -> 3 to 15,
# tweets 20 to 25, Dutch 61 to 65; CoNLL-2002 Dutch 11 % -> 6 to 13, English 29 to 49; Yoruba of MasakhaNER 10 % -> 7 to
# 20, Swahili 67 to 70. Of characters all of these have 0.2 % at most where the language is the same.
MORE_WORDS, TIMES = 0.10, 2.0  # by so much, and so many times as many, with two standard deviations of chance
MORE_CHARACTERS = 0.01
LESS_SURE = 0.03
FEWEST = 500  # words, of fewer nothing is said


@dataclass(frozen=True)
class Familiarity:
    """What was counted in a text; ``confidence`` is the mean probability of its tags, where that was asked for."""

    words: int = 0
    unknown_words: int = 0
    characters: int = 0
    unknown_characters: int = 0
    confidence: float | None = None

    @classmethod
    def of(cls, words: Sequence[str], known: Sequence[bool], alphabet: Collection[str] | None) -> Self:
        """Count words, of each of which is told whether training has it; without an alphabet, no characters."""
        text = "".join(words) if alphabet is not None else ""
        unknown = sum(character not in (alphabet or ()) for character in text)
        return cls(len(words), len(known) - sum(known), len(text), unknown)

    @classmethod
    def from_dict(cls, numbers: Any) -> "Familiarity":
        """The inverse of `as_dict`.

        Raises:
            ValueError: it is something else.
        """
        found = cls(**numbers)
        sure, *counts = found.confidence, *list(asdict(found).values())[:4]
        if not all(type(count) is int and count >= 0 for count in counts) or not isinstance(sure, float | None):
            raise ValueError(f"found {numbers!r:.80}, expected counts of words and characters")
        return found

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    def __add__(self, more: "Familiarity") -> "Familiarity":
        """Of both texts; the confidence is lost."""
        return Familiarity(
            self.words + more.words,
            self.unknown_words + more.unknown_words,
            self.characters + more.characters,
            self.unknown_characters + more.unknown_characters,
        )

    @property
    def word_rate(self) -> float:
        """The share of words that training has not."""
        return self.unknown_words / max(self.words, 1)

    @property
    def character_rate(self) -> float:
        """The share of characters that training has not."""
        return self.unknown_characters / max(self.characters, 1)

    def is_far(self, dev: "Familiarity") -> bool:
        """Whether the text is unlike another, on which the model was judged."""
        if self.words < FEWEST or not dev.words:
            return False
        rate, usual = self.word_rate, dev.word_rate
        chance = 2 * sqrt(rate * (1 - rate) / self.words)
        sure = None not in (self.confidence, dev.confidence)
        return (
            (rate >= TIMES * usual and rate - usual >= MORE_WORDS + chance)
            or self.character_rate - dev.character_rate >= MORE_CHARACTERS
            or (sure and (dev.confidence or 0.0) - (self.confidence or 0.0) >= LESS_SURE)
        )

    def line(self, dev: "Familiarity | None" = None) -> str:
        """All numbers in a line for people, beside those of dev."""
        here, there = self._numbers(), dev._numbers() if dev else {}
        usual = {name: f" (dev {number})" for name, number in there.items()}
        return ", ".join(f"{name} {number}{usual.get(name, '')}" for name, number in here.items())

    def _numbers(self) -> dict[str, str]:
        found = {"unknown words": f"{100 * self.word_rate:.1f} %"}
        if self.characters:
            found["unknown characters"] = f"{100 * self.character_rate:.2f} %"
        if self.confidence is not None:
            found["mean probability of tags"] = f"{self.confidence:.3f}"
        return found

    def told(self, dev: "Familiarity") -> str:
        """What to say of a text that is far off; nothing of others."""
        if not self.is_far(dev):
            return ""
        return f"unlike the text that the model was judged on, so its scores do not hold here; {self.line(dev)}"
