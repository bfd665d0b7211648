"""What the queue's thread does with a batch: split texts, tag all sentences that ask for the same, write replies."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from polytag.corpus.asjson import as_json
from polytag.corpus.sentence import Sentence
from polytag.errors import nearest
from polytag.server.limits import Limits
from polytag.server.refusals import too_large, unusable
from polytag.server.schemas import TagRequest
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger

LETTERS = 5  # of a word, for the size of a text that is not split yet


@dataclass(frozen=True, slots=True)
class Job:
    """A request that was found to be one that can be answered."""

    worker: "Worker"
    request: Request
    body: TagRequest

    @property
    def size(self) -> int:
        """Words, about, as often as they are tagged."""
        words = self.body.words
        count = len(self.body.text or "") // LETTERS if words is None else sum(map(len, words))
        return count * max(1, self.request.nbest) + 1


class Worker:
    """A tagger that answers requests.

    Any thread may call it.
    """

    def __init__(self, tagger: Tagger, limits: Limits) -> None:
        self.tagger, self.limits = tagger, limits
        self._span_tasks = tagger.span_tasks()

    def job(self, body: TagRequest) -> Job:
        """Check what can be checked without splitting.

        Raises:
            PolytagError: says what cannot be done.
        """
        if (body.text is None) == (body.words is None):
            raise unusable("expected either 'text' or 'words', found " + ("neither" if body.text is None else "both"))
        if body.nbest > self.limits.nbest:
            raise unusable(f"nbest: found {body.nbest}, expected at most {self.limits.nbest}")
        tasks = self._tasks(body)
        for words in body.words or ():
            self._check_length(len(words))
        self._check_total(sum(map(len, body.words or ())), body.nbest)
        least, consistent = body.min_probability, body.consistent
        request = Request(tasks, body.confidence, body.nbest, min_probability=least, consistent=consistent)
        return Job(self, self.tagger.checked(request), body)

    def __call__(self, jobs: Sequence[Job]) -> list[bytes | Exception]:
        """Answer jobs, each with a body of JSON or with what went wrong with it alone."""
        results: list[bytes | Exception] = [b""] * len(jobs)
        groups: dict[Request, list[tuple[int, list[Sentence]]]] = {}
        for index, job in enumerate(jobs):
            try:
                groups.setdefault(job.request, []).append((index, self._sentences(job)))
            except Exception as error:
                results[index] = error
        for request, members in groups.items():
            # Consistent are the sentences of one text, not those of others who happen to ask at the same time.
            apart = [[member] for member in members] if request.consistent else [members]
            for together in apart:
                for index, result in self._replies(request, together):
                    results[index] = result
        return results

    def _replies(
        self, request: Request, members: Sequence[tuple[int, list[Sentence]]]
    ) -> Iterator[tuple[int, bytes | Exception]]:
        try:
            sentences = [sentence for _, sentences in members for sentence in sentences]
            tagged = list(self.tagger.tag_all(sentences, request))
        except Exception as error:
            if len(members) == 1:
                yield members[0][0], error
                return
            for member in members:  # whoever is not the reason gets an answer
                yield from self._replies(request, [member])
            return
        found = iter(tagged)
        for index, sentences in members:
            yield index, self._reply(request, islice(found, len(sentences)))

    def _reply(self, request: Request, sentences: Iterable[Sentence]) -> bytes:
        """A `TagReply` as JSON in UTF-8."""
        said = {"tasks": request.tasks, "sentences": [as_json(s, span_tasks=self._span_tasks) for s in sentences]}
        return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

    def _tasks(self, body: TagRequest) -> list[str]:
        """The tasks to tag with, of the language where one is given."""
        plan = self.tagger.plan
        if body.language is None:
            several = not body.tasks and len({task.words for task in plan.tasks.values()}) > 1
            if several:
                names = ", ".join(dict.fromkeys(task.words for task in plan.tasks.values()))
                raise unusable(f"the model reads several languages ({names}), so name the 'language' or the 'tasks'")
            return self.tagger.choose(body.tasks)
        coded = [name for name, part in plan.words.items() if code_of(part) == body.language]
        is_code = body.language not in plan.words and len(coded) == 1
        of_language = plan.users("words", coded[0] if is_code else body.language)
        if not of_language:
            raise unusable(f"the model has no language '{body.language:.60}'{nearest(body.language[:60], plan.words)}")
        for task in self.tagger.choose(body.tasks) if body.tasks else ():
            if task not in of_language:
                raise unusable(f"task {task} reads {plan.tasks[task].words}, found language '{body.language}'")
        return self.tagger.choose(body.tasks or of_language)

    def _sentences(self, job: Job) -> list[Sentence]:
        if job.body.words is not None:
            return [Sentence(tuple(words)) for words in job.body.words]
        found, total = [], 0
        tokeniser = "blanks" if job.body.tokenised else None
        for sentence in self.tagger.sentences(job.body.text or "", job.request.tasks, tokeniser=tokeniser):
            self._check_length(len(sentence))
            total += len(sentence)
            self._check_total(total, job.request.nbest)
            found.append(sentence)
        return found

    def _check_length(self, words: int) -> None:
        if words > self.limits.sentence_words:
            raise too_large(f"a sentence has {words:,} words, expected at most {self.limits.sentence_words:,}")

    def _check_total(self, words: int, nbest: int) -> None:
        limit = self.limits.words // max(1, nbest)
        if words > limit:
            more = f" with nbest {nbest}" if nbest > 1 else ""
            raise too_large(f"the request has more than {limit:,} words, which is the most at a time{more}")


def answer(jobs: Sequence[Job]) -> list[bytes | Exception]:
    """Answer jobs of several models, each by the worker that it was checked by."""
    by_worker: dict[Worker, list[int]] = {}
    for index, job in enumerate(jobs):
        by_worker.setdefault(job.worker, []).append(index)
    results: list[bytes | Exception] = [b""] * len(jobs)
    for worker, indices in by_worker.items():
        for index, result in zip(indices, worker([jobs[index] for index in indices]), strict=True):
            results[index] = result
    return results


def code_of(part: Any) -> str:
    """The code of the language of a word part; xx, any language, where the plan does not say."""
    return getattr(part, "language", None) or "xx"
