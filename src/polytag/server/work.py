"""What the tagger's thread does with a batch: split texts, tag all sentences that ask for the same, write replies."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from typing import Any, Protocol

from polytag.corpus.sentence import Sentence
from polytag.errors import nearest
from polytag.server.limits import Limits
from polytag.server.refusals import too_large, unusable
from polytag.server.replies import Ask, reply
from polytag.server.schemas import TagRequest
from polytag.tagging import Tagger

UNSPLIT = (
    "this server cannot split text (it lacks spaCy: pip install 'polytag[text]'), expected 'words', or a text with a "
    "sentence per line and its words parted by blanks, and 'tokenised'"
)
LETTERS = 5  # of a word, for the size of a text that is not split yet


class TextSplitter(Protocol):
    """As `polytag.corpus.rawtext.Splitter`."""

    def sentences(self, text: str) -> Iterator[Sentence]: ...


Splitting = Callable[[str, bool], TextSplitter]  # code of a language, whether its words are parted by blanks


@dataclass(frozen=True, slots=True)
class Job:
    """A request that was found to be one that can be answered."""

    ask: Ask
    code: str
    request: TagRequest

    @property
    def size(self) -> int:
        """Words, about, as often as they are tagged."""
        words = self.request.words
        count = len(self.request.text or "") // LETTERS if words is None else sum(map(len, words))
        return count * max(1, self.request.nbest) + 1


def rawtext(code: str, tokenised: bool) -> TextSplitter:
    """The library's own splitter.

    Raises:
        PolytagError: what it needs is not installed.
    """
    from polytag.corpus.rawtext import Splitter

    if not tokenised and find_spec("spacy") is None:
        raise unusable(UNSPLIT)
    return Splitter(code, tokenised=tokenised)


class Worker:
    """A tagger that answers requests; for one thread, but for `job`, which may be called from another."""

    def __init__(self, tagger: Tagger, limits: Limits, splitting: Splitting = rawtext) -> None:
        self.tagger, self.limits = tagger, limits
        self._span_tasks = tagger.span_tasks()
        self._splitting = splitting
        self._splitters: dict[tuple[str, bool], TextSplitter] = {}

    def job(self, request: TagRequest) -> Job:
        """Check what can be checked without splitting.

        Raises:
            PolytagError: says what cannot be done.
        """
        if (request.text is None) == (request.words is None):
            raise unusable(
                "expected either 'text' or 'words', found " + ("neither" if request.text is None else "both")
            )
        if request.nbest > self.limits.nbest:
            raise unusable(f"nbest: found {request.nbest}, expected at most {self.limits.nbest}")
        tasks = tuple(self._tasks(request))
        part = self.tagger.plan.words[self.tagger.plan.tasks[tasks[0]].words]
        for words in request.words or ():
            self._check_length(len(words))
        self._check_total(sum(map(len, request.words or ())), request.nbest)
        return Job(Ask(tasks, request.confidence, request.nbest), code_of(part), request)

    def __call__(self, jobs: Sequence[Job]) -> list[bytes | Exception]:
        """Answer jobs, each with a body of JSON or with what went wrong with it alone."""
        results: list[bytes | Exception] = [b""] * len(jobs)
        groups: dict[Ask, list[tuple[int, list[Sentence]]]] = {}
        for index, job in enumerate(jobs):
            try:
                groups.setdefault(job.ask, []).append((index, self._sentences(job)))
            except Exception as error:
                results[index] = error
        for ask, members in groups.items():
            for index, result in self._replies(ask, members):
                results[index] = result
        return results

    def _replies(
        self, ask: Ask, members: Sequence[tuple[int, list[Sentence]]]
    ) -> Iterator[tuple[int, bytes | Exception]]:
        try:
            tagged = self._tagged(ask, [sentence for _, sentences in members for sentence in sentences])
        except Exception as error:
            if len(members) == 1:
                yield members[0][0], error
                return
            for member in members:  # whoever is not the reason gets an answer
                yield from self._replies(ask, [member])
            return
        found = iter(tagged)
        for index, sentences in members:
            yield index, reply(ask, list(islice(found, len(sentences))), span_tasks=self._span_tasks)

    def _tagged(self, ask: Ask, sentences: list[Sentence]) -> list[Sentence]:
        return list(self.tagger.tag_all(sentences, tasks=ask.tasks, confidence=ask.confidence, nbest=ask.nbest))

    def _tasks(self, request: TagRequest) -> list[str]:
        """The tasks to tag with, of the language where one is given."""
        plan = self.tagger.plan
        if request.language is None:
            several = not request.tasks and len({task.words for task in plan.tasks.values()}) > 1
            if several:
                names = ", ".join(dict.fromkeys(task.words for task in plan.tasks.values()))
                raise unusable(f"the model reads several languages ({names}), so name the 'language' or the 'tasks'")
            return self.tagger.choose(request.tasks)
        coded = [name for name, part in plan.words.items() if code_of(part) == request.language]
        is_code = request.language not in plan.words and len(coded) == 1
        of_language = plan.users("words", coded[0] if is_code else request.language)
        if not of_language:
            raise unusable(
                f"the model has no language '{request.language:.60}'{nearest(request.language[:60], plan.words)}"
            )
        for task in self.tagger.choose(request.tasks) if request.tasks else ():
            if task not in of_language:
                raise unusable(f"task {task} reads {plan.tasks[task].words}, found language '{request.language}'")
        return self.tagger.choose(request.tasks or of_language)

    def _sentences(self, job: Job) -> list[Sentence]:
        if job.request.words is not None:
            return [Sentence(tuple(words)) for words in job.request.words]
        found, total = [], 0
        for sentence in self._splitter(job).sentences(job.request.text or ""):
            self._check_length(len(sentence))
            total += len(sentence)
            self._check_total(total, job.request.nbest)
            found.append(sentence)
        return found

    def _splitter(self, job: Job) -> TextSplitter:
        key = (job.code, job.request.tokenised)
        if key not in self._splitters:
            self._splitters[key] = self._splitting(*key)
        return self._splitters[key]

    def _check_length(self, words: int) -> None:
        if words > self.limits.sentence_words:
            raise too_large(f"a sentence has {words:,} words, expected at most {self.limits.sentence_words:,}")

    def _check_total(self, words: int, nbest: int) -> None:
        limit = self.limits.words // max(1, nbest)
        if words > limit:
            more = f" with nbest {nbest}" if nbest > 1 else ""
            raise too_large(f"the request has more than {limit:,} words, which is the most at a time{more}")


def code_of(part: Any) -> str:
    """The language by which text is split for a word part; xx, any language, where the plan does not say."""
    return getattr(part, "language", None) or "xx"
