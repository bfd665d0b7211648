"""What is said of tagged sentences, as JSON."""

import json
from collections.abc import Collection, Sequence

from polytag.corpus.asjson import as_json
from polytag.corpus.sentence import Sentence
from polytag.tagger.request import Request


def reply(request: Request, sentences: Sequence[Sentence], *, span_tasks: Collection[str]) -> bytes:
    """A `TagReply` as JSON in UTF-8; ``span_tasks`` are the tasks that mark spans."""
    found = [as_json(sentence, span_tasks=span_tasks) for sentence in sentences]
    said = {"tasks": request.tasks, "sentences": found}
    return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
