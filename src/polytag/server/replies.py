"""What is said of tagged sentences, as JSON."""

import json
from collections.abc import Collection, Sequence
from typing import NamedTuple

from polytag.corpus.asjson import as_json
from polytag.corpus.sentence import Sentence


class Ask(NamedTuple):
    """What is said of sentences; those with the same ask are tagged together."""

    tasks: tuple[str, ...]
    confidence: bool = False
    nbest: int = 0


def reply(ask: Ask, sentences: Sequence[Sentence], *, span_tasks: Collection[str]) -> bytes:
    """A `TagReply` as JSON in UTF-8; ``span_tasks`` are the tasks that mark spans."""
    found = [as_json(sentence, span_tasks=span_tasks) for sentence in sentences]
    return json.dumps({"tasks": ask.tasks, "sentences": found}, ensure_ascii=False, separators=(",", ":")).encode()
