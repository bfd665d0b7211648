"""What one request, and all together, may take: time, memory, words."""

from dataclasses import dataclass

from polytag.corpus.sentence import MOST_ALTERNATIVES


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one request: ``body`` bytes, ``words``, ``sentence_words``, ``nbest``, ``seconds`` until its answer.

    ``words`` are shared by the tag sequences that are asked for: of 5, a fifth of the words.

    Of an annotation tool: ``live_body`` bytes of a request, as documents of INCEpTION have fifty times their text.

    Of a client: ``read_seconds`` to send the body of a request, and to read what the server cannot send before;
    ``linger_seconds`` in which what is left of a refused body is read.

    Of the server: ``queue`` requests that wait, ``held`` bytes of requests and answers in memory, ``connections`` that
    may be open when a request comes, ``batch_words`` that are tagged together, ``grace_seconds`` more than the others
    in which it comes to its end when told to stop, ``reload_seconds`` between looks at whether a model was replaced.
    """

    body: int = 1 << 20
    live_body: int = 32 << 20
    words: int = 20_000
    sentence_words: int = 2_000
    nbest: int = MOST_ALTERNATIVES
    seconds: float = 30.0
    read_seconds: float = 30.0
    linger_seconds: float = 10.0
    queue: int = 1_024
    held: int = 128 << 20
    connections: int = 1_000
    batch_words: int = 4_096
    reload_seconds: float = 2.0
    grace_seconds: float = 5.0
