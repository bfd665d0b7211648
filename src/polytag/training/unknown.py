"""Training on partly annotated sentences: what of them is trained on, and how their tags stand in a batch."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from polytag.corpus.offsets import is_scored
from polytag.corpus.schemes import UNKNOWN
from polytag.corpus.sentence import Sentence
from polytag.errors import CorpusError
from polytag.tagger.packing import Ints
from polytag.training.batch import Mask


class Gold(TypedDict, total=False):
    """The tags of a batch: one per word, or, where some are open, all that each may be."""

    tags: Sequence[Ints]
    allowed: Sequence[Mask]


def gold_of(tags: Sequence[Ints | Mask], n_tags: int) -> Gold:
    """What `TagVocabulary.encoded` gave for the sentences of a batch, as `Encoder.batch` takes it.

    A batch in which everything is known stays as it is, and so does its loss.
    """
    if all(of.ndim == 1 for of in tags):
        return {"tags": [of.astype(np.int64, copy=False) for of in tags]}
    one_hot = np.eye(n_tags, dtype=np.bool_)
    return {"allowed": [one_hot[of] if of.ndim == 1 else of.astype(np.bool_, copy=False) for of in tags]}


def annotated(sentences: Sequence[Sentence], task: str, notes: list[str]) -> list[Sentence]:
    """The training sentences in which a tag is known; the others would teach nothing. Notes say what is unknown.

    Raises:
        CorpusError: not one tag is known.
    """
    unknown = sum(sentence.tags[task].count(UNKNOWN) for sentence in sentences)
    if not unknown:
        return list(sentences)
    kept = [sentence for sentence in sentences if set(sentence.tags[task]) - {UNKNOWN}]
    if not kept:
        raise CorpusError(f"every tag of '{task}' is {UNKNOWN}, expected some known ones", path=sentences[0].source)
    words, left_out = sum(map(len, sentences)), len(sentences) - len(kept)
    more = f"; {left_out:,} sentences without any other tag are left out" if left_out else ""
    notes.append(f"{task}: train: {unknown:,} of {words:,} tags are {UNKNOWN}, unknown, and summed over{more}")
    return kept


def refuse_unknown(sentences: Sequence[Sentence], task: str) -> None:
    """See to it that all tags of sentences to be scored are known.

    Raises:
        CorpusError: holds the file and the line of the first that is not.
    """
    for sentence in sentences:
        if not is_scored(sentence, task):
            line = sentence.lines[sentence.tags[task].index(UNKNOWN)] if len(sentence.lines) else 0
            message = f"the tag of '{task}' is {UNKNOWN}, unknown, expected known tags in a file that scores are from"
            raise CorpusError(message, path=sentence.source, line=line)
