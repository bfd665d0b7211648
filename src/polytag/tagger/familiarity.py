"""How well a tagger knows a text, counted beside whatever else is made of its sentences."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from polytag.corpus.sentence import Sentence
from polytag.scoring.familiarity import Familiarity

if TYPE_CHECKING:
    from polytag.tagger.tagging import Tagger


class Watched:
    """Sentences on their way, whose words are counted for a task; what was counted is in ``found``."""

    def __init__(self, tagger: "Tagger", task: str) -> None:
        settings, vocabularies = tagger.plan.tasks[task], tagger.vocabularies
        self._words = vocabularies.words[settings.words]
        self._alphabet = None if settings.chars is None else frozenset(vocabularies.chars[settings.chars].alphabet)
        self.found = Familiarity()

    def watch(self, sentences: Iterable[Sentence]) -> Iterator[Sentence]:
        """The same sentences."""
        for sentence in sentences:
            known = list(map(self._words.seen_in_training, sentence.words))
            self.found += Familiarity.of(sentence.words, known, self._alphabet)
            yield sentence


def familiarity(tagger: "Tagger", sentences: Iterable[Sentence], task: str, *, confidence: bool = True) -> Familiarity:
    """What `Tagger.familiarity` gives."""
    watched = Watched(tagger, task)
    passing = watched.watch(sentences)
    if not confidence:
        for _ in passing:
            pass
        return watched.found
    total, count = 0.0, 0
    for sentence in tagger.tag_all(passing, tasks=[task], confidence=True):
        total, count = total + sum(sentence.confidence[task]), count + len(sentence)
    return replace(watched.found, confidence=total / count if count else None)
