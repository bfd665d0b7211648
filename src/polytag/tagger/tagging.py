"""Tagger: a model that answers requests; strings in, strings out. Bulk is the normal case.

Nothing in it changes after it is made but its memory of known words, which threads share: any number of them may call
it at once, and each gets what it would get alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from os import PathLike
from typing import Any, Unpack

from polytag.corpus.schemes import write_outside
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Block
from polytag.corpus.tokenising import tokeniser as tokeniser_named
from polytag.errors import PolytagError
from polytag.model import Model, load_model, save
from polytag.scoring import Counts
from polytag.scoring.familiarity import Familiarity
from polytag.tagger.batches import chunks, flat
from polytag.tagger.consistency import agreeing
from polytag.tagger.decoding import Prediction, nothing_said, with_predictions
from polytag.tagger.engine import Engine
from polytag.tagger.familiarity import familiarity
from polytag.tagger.inputs import checked, chosen_tasks, lengths_of, sentence_of
from polytag.tagger.judging import counted
from polytag.tagger.lattice import Lattice, View
from polytag.tagger.packing import Ints
from polytag.tagger.precision import choose_precision
from polytag.tagger.predicting import available_cores, predicted, views
from polytag.tagger.request import ANYTHING, Options, Request


class Tagger:
    """Tags sentences with the tasks of one plan."""

    def __init__(self, model: Model, *, precision: str | None = None, threads: int | None = None) -> None:
        """Make a tagger of a model in memory.

        Args:
            model: plan, vocabularies and arrays.
            precision: of the matrix products: float32, bfloat16, int8, or auto for what the processor is fast at with
                next to no loss (float32 or bfloat16); the model's own unless given.
            threads: that a call may use, which end with it; as many as there are cores unless given.

        Raises:
            PolytagError: this machine has no instructions for the precision.
        """
        if threads is not None and (type(threads) is not int or threads < 1):
            raise PolytagError(f"{threads!r} threads, expected 1 or more")
        self.model, self.plan, self.vocabularies = model, model.plan, model.vocabularies
        self._asked, self.precision = (precision, threads), choose_precision(precision, own=model.precision)
        self.threads = threads or available_cores()
        self.engine = Engine(model, precision=self.precision, threads=self.threads)
        self.outside = {name: task.outside for name, task in self.plan.tasks.items() if task.outside != "O"}

    def __repr__(self) -> str:
        parts = {name: self.engine.part(name).vocabulary for name in self.plan.tasks}
        tasks = (f"{name}: {len(part.types)} {'tags' if part.plain else 'types'}" for name, part in parts.items())
        return f"Tagger({', '.join(tasks)}; {self.precision})"

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        *,
        best_for: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
    ) -> "Tagger":
        """Read a model; arguments and errors are those of `polytag.load`."""
        return cls(load_model(path, best_for=best_for), precision=precision, threads=threads)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model, so that `load` reads it: a directory, or one packed file where the name ends in .polytag.

        A packed file is as `polytag pack` writes it in float32.

        Raises:
            ModelError: the directory is there and holds something, or the name is that of a file.
            PolytagError: it cannot be written.
        """
        save(self.model, path)

    def __reduce__(self) -> tuple[object, ...]:
        # As it was asked for: where it is restored, there may be other instructions, and more cores or fewer.
        return _restored, (self.model, *self._asked)

    def tag(self, words: Sequence[str], request: Request = ANYTHING, **options: Unpack[Options]) -> Sentence:
        """Tag the words of one sentence.

        Args:
            words: one by one, as a list or another series of strings.
            request: what to say of it.
            options: fields of the request by name.

        Raises:
            PolytagError: as `tag_all`; also, if ``words`` is one text or no series of words, or has one word only and
                that has blanks in it, which is a text that nobody split.
        """
        return next(self._tagged([sentence_of(words)], self.checked(request.with_options(options))))

    def tag_text(
        self, text: str, request: Request = ANYTHING, *, tokeniser: str | None = None, **options: Unpack[Options]
    ) -> Iterator[Sentence]:
        """Tag raw text, cut into sentences and words; `Sentence.offsets` says where in the text each word stands.

        Args:
            text: of any length; a blank line ends a sentence, a single line end does not.
            request: what to say of each sentence.
            tokeniser: what cuts the text into words, instead of that of the model's plan.
            options: fields of the request by name.

        Raises:
            PolytagError: at once, as `tag_all`; or no one tokeniser is named, or it is spaCy's, which is not installed.
        """
        request = self.checked(request.with_options(options))
        return self.tag_all(self.sentences(text, request.tasks, tokeniser=tokeniser), request)

    def sentences(self, text: str, tasks: Sequence[str] = (), *, tokeniser: str | None = None) -> Iterator[Sentence]:
        """The sentences of raw text as `tag_text` has them, not tagged; arguments and errors are the same."""
        return tokeniser_named(tokeniser or self.tokeniser(tasks)).load().sentences(text)

    def tokeniser(self, tasks: Sequence[str] = ()) -> str:
        """What cuts text into words for tasks: that of the words that they read; where these differ, all of them.

        Raises:
            PolytagError: as `choose`.
        """
        parts = [self.plan.words[self.plan.tasks[task].words] for task in self.choose(tasks)]
        return " and ".join(dict.fromkeys(part.tokeniser for part in parts))

    def tag_all(
        self, sentences: Iterable[Sentence], request: Request = ANYTHING, **options: Unpack[Options]
    ) -> Iterator[Sentence]:
        """Tag a stream of sentences, in order, in constant memory; names are consistent in some 262,144 words each.

        Args:
            sentences: words; tags that they carry are ignored.
            request: what to say of each.
            options: fields of the request by name.

        Raises:
            PolytagError: at once, for an unknown task, or none named where the model holds several languages, or more
                alternatives than can be had; while iterating, for an item that is no `Sentence` (a text, a list) and a
                word that is no string or is empty, told with its value and the numbers, from 0, of sentence and word.
        """
        request = self.checked(request.with_options(options))
        stretches = chunks(checked(sentences), consistent=request.consistent)
        return chain.from_iterable(self._tagged(chunk, request) for chunk in stretches)

    def tag_blocks(
        self, blocks: Iterable[Block], request: Request = ANYTHING, **options: Unpack[Options]
    ) -> Iterator[str]:
        """Tag a document block by block and render it: whatever is no sentence goes through untouched.

        Lines and words get probabilities and alternatives as further columns, the latter as tag and probability of the
        sequence by turns; records of JSONL get all as `polytag.corpus.asjson` has it. A ``consistent`` document is read
        as a whole.

        Raises:
            PolytagError: at once, as `tag_all`; while iterating, what the reader of the blocks raises.
        """
        request = self.checked(request.with_options(options))
        stretches = [list(blocks)] if request.consistent else chunks(blocks)
        return chain.from_iterable(self._rendered(chunk, request) for chunk in stretches)

    def tag_columns(
        self, words: Sequence[str], lengths: Sequence[int] | Ints, request: Request = ANYTHING
    ) -> dict[str, list[str]]:
        """The tags of many sentences as one list for each task: the fast path from file to file, where outside is O.

        Args:
            words: of all sentences, one after the other; strings of a character or more.
            lengths: how many words each sentence has; their sum is that of the words.
            request: its tasks, whether only valid sequences are allowed, how probable spans are, and whether they are
                consistent; nothing else is said here.

        Raises:
            PolytagError: as `tag_all`, at once; or the lengths are not those of the words.
        """
        found = predicted(self.engine, words, lengths_of(words, lengths), self.checked(request), threads=self.threads)
        return {task: predictions.columns() for task, predictions in found.items()}

    def evaluate(
        self, sentences: Iterable[Sentence], task: str, *, calibration: bool = False, consistent: bool = False
    ) -> Counts:
        """Tag sentences that carry gold tags of ``task`` and count as conlleval does (accuracy for plain tags).

        Spans that do not fit the words (`Sentence.misfits`) count as missed. ``calibration`` also counts how far the
        probabilities can be believed; ``consistent`` is that of a `Request`.

        Raises:
            PolytagError: there is no such task, its tags mark no spans that could be consistent, or a sentence or a
                word is none, as in `tag_all`.
            CorpusError: a tag marks no span, where the task has spans.
        """
        return counted(self, sentences, task, calibration=calibration, consistent=consistent)

    def familiarity(self, sentences: Iterable[Sentence], task: str, *, confidence: bool = True) -> Familiarity:
        """How well the tagger knows a text: words and characters that training has not, mean probability of its tags.

        ``tagger.model.texts[task]`` says the same of the dev split, and ``Familiarity.told`` if both are far apart.
        Without ``confidence`` nothing is tagged.

        Raises:
            PolytagError: as `tag_all`.
        """
        return familiarity(self, sentences, self.choose(task)[0], confidence=confidence)

    def lattices(
        self, sentences: Iterable[Sentence], task: str, *, constrained: bool | None = None
    ) -> Iterator[tuple[list[int], Lattice]]:
        """What decoding sees of sentences, batch by batch: their numbers and the scores of all their tag sequences.

        A lattice gives its results in the order of the numbers. Sentences without words are in no batch.
        """
        for view in self.views(sentences, tasks=[task], constrained=constrained):
            yield list(view.indices), view.lattices[task]

    def views(
        self, sentences: Iterable[Sentence], *, tasks: Sequence[str] = (), constrained: bool | None = None
    ) -> Iterator[View]:
        """What the network makes of sentences, batch by batch and language by language, before anything is decoded.

        Raises:
            PolytagError: when the first is asked for, as `tag_all`.
        """
        yield from views(self.engine, checked(sentences), self.choose(tasks), constrained=constrained)

    def choose(self, tasks: Sequence[str] | None) -> list[str]:
        """Check names of tasks, or of one; without any, all tasks if they read one language.

        Raises:
            PolytagError: names the tasks to choose from.
        """
        return chosen_tasks(self.plan, tasks)

    def checked(self, request: Request) -> Request:
        """The same request with the tasks that it is about.

        Raises:
            PolytagError: as `choose`; or spans are to be left out where the tasks have none, or none of the type, or to
                be consistent where they have none.
        """
        tasks = self.choose(request.tasks)
        if request.consistent and not agreeing(self.engine, tasks):
            raise PolytagError("consistent is True, but the tasks have no spans to be consistent")
        if request.min_probability:
            vocabularies = [self.engine.part(task).vocabulary for task in tasks]
            request.check_types(set().union(*(found.types for found in vocabularies if not found.plain)))
        return replace(request, tasks=tasks)

    def span_tasks(self) -> list[str]:
        """The tasks whose tags mark spans."""
        return [name for name, task in self.plan.tasks.items() if not self.vocabularies.tags[task.tags].plain]

    def _tagged(self, chunk: Sequence[Sentence], request: Request) -> Iterator[Sentence]:
        words, lengths = flat(chunk)
        found = predicted(self.engine, words, lengths, request, threads=self.threads)
        each = {task: predictions.each() for task, predictions in found.items()}
        for sentence in chunk:
            yield with_predictions(sentence, {task: next(of) for task, of in each.items()})

    def _rendered(self, chunk: Sequence[Block], request: Request) -> Iterator[str]:
        tagged = self._tagged([block.sentence for block in chunk if block.sentence is not None], request)
        outside: dict[str, Prediction] = dict.fromkeys(request.tasks, nothing_said(request))
        spanning = self.span_tasks()
        for block in chunk:
            found = with_predictions(Sentence(()), outside) if block.sentence is None else next(tagged)
            written = write_outside(found, self.outside)
            yield block.answered(written, span_tasks=spanning, alternatives=request.nbest)


def as_tagger(model: Tagger | str | PathLike[str], **options: Any) -> Tagger:
    """A tagger as it is; that of a model directory or packed file with options of `Tagger.load`.

    Raises:
        PolytagError: the model cannot be read, or options are given of a tagger, which has its own.
    """
    if not isinstance(model, Tagger):
        return Tagger.load(model, **options)
    if given := [name for name, value in options.items() if value is not None]:
        raise PolytagError(f"{given[0]} = {options[given[0]]!r}: a Tagger has its own; give the path of its model")
    return model


def load(
    path: str | PathLike[str], *, best_for: str | None = None, precision: str | None = None, threads: int | None = None
) -> Tagger:
    """Read a model: a directory, one file that `polytag pack` wrote, or one of the Hugging Face Hub.

    Args:
        path: what `polytag.train` or `polytag pack` wrote; or ``"hf:USER/NAME"``, with ``@REVISION`` where another than
            the newest is meant, which needs huggingface_hub.
        best_for: take the weights kept for one task (`training.best_per_task`).
        precision: of the matrix products: ``"float32"``, ``"bfloat16"``, ``"int8"``, or ``"auto"`` for what the
            processor is fast at with next to no loss; the model's own unless given.
        threads: that a call may use; as many as there are cores unless given.

    Raises:
        ModelError: it is missing, damaged or of another version.
        PolytagError: this machine has no instructions for the precision.
    """
    return Tagger.load(path, best_for=best_for, precision=precision, threads=threads)


def _restored(model: Model, precision: str | None, threads: int | None) -> Tagger:
    return Tagger(model, precision=precision, threads=threads)
