"""Characters that look like nothing or like a blank, yet make another word of a word."""

import re

from polytag.corpus.notes import Notes
from polytag.corpus.sentence import Sentence

_UNSEEN = re.compile("[\x00-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028\u2029\u2060\ufeff\ufffd]")


def tell_unseen(sentence: Sentence, notes: Notes) -> None:
    """Say of each word that holds such a character."""
    if not _UNSEEN.search(" ".join(sentence.words)):
        return
    for word, line in zip(sentence.words, sentence.lines, strict=True):
        for character in sorted(set(_UNSEEN.findall(word))):
            text = f"word {word!a:.60} holds the unseen character U+{ord(character):04X}"
            notes.tell("unseen", text, path=sentence.source, line=line)
