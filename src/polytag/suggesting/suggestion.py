"""A sentence to annotate, with the model's own tags as a first draft."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from polytag.corpus.schemes import UNKNOWN
from polytag.corpus.sentence import CharSpan, Sentence, Span
from polytag.corpus.tag_rules import parse_any
from polytag.suggesting.reading import Candidate
from polytag.tagger.request import ANYTHING, Request


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A sentence to annotate: where it stands, how the model tags it, and how unsure it is."""

    candidate: Candidate
    tagged: Sentence
    score: float

    @property
    def place(self) -> str:
        """The file and the line of the first word."""
        sentence = self.candidate.sentence
        return f"{sentence.source}:{sentence.lines[0]}" if len(sentence.lines) else sentence.source

    def spans(self, task: str, *, request: Request = ANYTHING) -> Iterator[tuple[Span, CharSpan]]:
        """The spans of a task, as words and as characters; a task of plain tags has one for each word."""
        for span in self._spans(task):
            if (1.0 if span.probability is None else span.probability) >= request.least(span.type):
                places = self.candidate.offsets[span.start : span.end]
                yield span, CharSpan(places[0].start, places[-1].end, span.type)

    def _spans(self, task: str) -> Sequence[Span]:
        if task in self.tagged.predicted_spans:
            return self.tagged.predicted_spans[task]
        pairs = zip(self.tagged.tags[task], self.tagged.confidence[task], strict=True)
        return [Span(tag, at, at + 1, probability) for at, (tag, probability) in enumerate(pairs)]

    def known_tags(self, task: str, *, request: Request = ANYTHING) -> tuple[str, ...]:
        """The tags of a task, ``?`` for those that are less probable than the request's ``min_probability``."""
        is_plain = task not in self.tagged.predicted_spans
        pairs = zip(self.tagged.tags[task], self.tagged.confidence[task], strict=True)
        return tuple(
            tag if probability >= request.least(tag if is_plain else parse_any(tag).type or tag) else UNKNOWN
            for tag, probability in pairs
        )
