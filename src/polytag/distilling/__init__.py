"""Raw text that models tag, for another to learn from: self-training, an ensemble made one network, a large one small.

Marginal probabilities are averaged over the models (`averaging`). What is not probable enough is ``?``, over which
training sums. A plan trains on that and on the labelled files (`student`).
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path

from polytag.corpus.formats import WRITERS
from polytag.corpus.formats.column_shape import DOCSTART
from polytag.corpus.notes import Notes
from polytag.corpus.raw_lines import Source
from polytag.corpus.schemes import UNKNOWN, types_of
from polytag.corpus.sentence import Sentence
from polytag.distilling.averaging import FLOOR, Teachers
from polytag.distilling.student import CORPUS, PLAN, labelled_plan, student_plan
from polytag.errors import CorpusError, PolytagError
from polytag.files import atomic_write, nothing_left_on_failure
from polytag.raw_text.counting import Remembered
from polytag.raw_text.reading import names_of, raw_sentences, sources_of
from polytag.tagger.request import Request
from polytag.vocabulary.vocabularies import TagVocabulary

MIN_PROBABILITY = 0.9
SENTENCES = 20_000
_DRAW = 13  # seed of the draw, which no training's seed touches
_LONGEST = 300  # words; a "sentence" of more is a list or a table
_TOLD_EACH = 500  # sentences

Progress = Callable[[str, int, int | None], None]  # what is done, sentences so far, sentences in all where known


@dataclass(slots=True)
class Distilled:
    """What was written: the plan, and how much of the raw text the corpus beside it has."""

    plan: Path
    corpus: Path
    sentences: int = 0
    words: int = 0
    known: int = 0  # tags of all tasks that are not ``?``
    tags: int = 0
    unsure: int = 0  # sentences of which no tag was probable enough, left out
    seen: dict[str, set[str]] = field(default_factory=dict, repr=False)  # tags of each task that are not ``?``

    def take(self, sentence: Sentence) -> bool:
        """Count a tagged sentence; whether there is something to learn from it."""
        for task, tags in sentence.tags.items():
            self.seen.setdefault(task, set()).update({*tags} - {UNKNOWN})
        known = sum(len(tags) - tags.count(UNKNOWN) for tags in sentence.tags.values())
        if not known:
            self.unsure += 1
            return False
        self.sentences += 1
        self.words += len(sentence)
        self.known += known
        self.tags += len(sentence) * len(sentence.tags)
        return True


def distill(
    teachers: str | PathLike[str] | Sequence[str | PathLike[str]],
    texts: Source | Iterable[Source],
    *,
    output: str | PathLike[str],
    tasks: Sequence[str] = (),
    min_probability: float | Mapping[str, float] = MIN_PROBABILITY,
    consistent: bool = False,
    sentences: int | None = SENTENCES,
    size: str | None = None,
    tokeniser: str | None = None,
    encoding: str = "auto",
    data: str | PathLike[str] | None = None,
    precision: str | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    notes: Notes | None = None,
) -> Distilled:
    """Tag raw text with models, and write it with a plan that trains on it and on the labelled files of the first.

    Sentences that come again, or have more than 300 words, are left out, and so are those of which no tag is probable
    enough. The same models and texts give the same files. Memory grows with ``sentences`` alone.

    Args:
        teachers: a model, a directory or packed, or several whose marginal probabilities are averaged.
        texts: a file, folder or open stream, or several: raw text, plain or packed with gzip or xz.
        output: the directory for the corpus and the plan.
        tasks: of the first model; all unless given.
        min_probability: words whose tag is less probable get ``?``: over 0.5; one for all types, or by type, of which O
            and, in tasks without spans, each tag is one.
        consistent: whether names are tagged with an eye to their other mentions, as in a `Request`.
        sentences: how many are tagged, drawn at random from all; None for all.
        size: of the plan's parts; as in the first model unless given.
        tokeniser: what cuts text into words; the models' own unless given.
        encoding: a codec; "auto" is UTF-8, or latin-1 where a text can be nothing else.
        data: where the files of the first model's plan are looked up besides.
        precision: in which models compute, as `polytag.load` has it.
        threads: as for `polytag.load`.
        progress: is told what is done, and how many sentences of how many.
        notes: takes what is odd in the texts but can be read.

    Raises:
        PolytagError: models cannot be read or do not have the same types, a number is none of those that can be, or the
            output cannot be written.
        PlanError: a file of the plan is not there, or there is no such size.
        CorpusError: a text cannot be read, with its line, or no tag of any sentence is probable enough.
    """
    if sentences is not None and sentences < 1:
        raise PolytagError(f"sentences is {sentences}, expected at least 1")
    tell, notes = progress or (lambda *_: None), Notes() if notes is None else notes
    paths = [teachers] if isinstance(teachers, str | PathLike) else list(teachers)
    models = Teachers.load(paths, tasks, precision=precision, threads=threads)
    request, folder = replace(_checked(min_probability), consistent=consistent), Path(output)
    models.taggers[0].checked(Request(models.tasks, consistent=consistent))
    request.check_types({"O"}.union(*(of.types for of in models.vocabularies.values())))
    _check_free(folder)
    plan = labelled_plan(models.taggers[0].plan, models.tasks, name=models.names[0], data=data)
    text = student_plan(plan, models.vocabularies, folder=folder, size=size)
    sources = sources_of(texts)
    raw = raw_sentences(sources, tokeniser=tokeniser or models.tokeniser(), encoding=encoding, notes=notes)
    read = _new(_told(raw, "reading", None, tell))
    chosen = read if sentences is None else _drawn(read, sentences)
    total = len(chosen) if isinstance(chosen, list) else None
    tagged = _told(models.tag(chosen, request), "tagging", total, tell)
    with nothing_left_on_failure(folder):
        _make(folder)
        found = _written(tagged, folder, names_of(sources))
        _tell_lacking(found, models.vocabularies, notes)
        with atomic_write(found.plan) as file:
            file.write(text)
    return found


def _written(sentences: Iterable[Sentence], folder: Path, names: str) -> Distilled:
    """Write the corpus, of sentences with something to learn from, and count.

    Raises:
        CorpusError: there is none.
    """
    found = Distilled(folder / PLAN, folder / CORPUS)
    with atomic_write(found.corpus) as file:
        file.writelines(WRITERS["tsv"](sentence) for sentence in sentences if found.take(sentence))
        if not found.sentences:
            said = f"no sentence of {found.unsure:,} has a tag that is probable enough, expected some to learn from"
            raise CorpusError(said, path=names)
    return found


def _tell_lacking(found: Distilled, vocabularies: Mapping[str, TagVocabulary], notes: Notes) -> None:
    """Say which types no word of the corpus has: all of it would teach that there are none."""
    for task, vocabulary in vocabularies.items():
        lacking = [] if vocabulary.plain else sorted(vocabulary.types - types_of(found.seen[task]))
        if lacking:
            text = f"{task}: no word has a tag of {', '.join(lacking)} that is probable enough: the text teaches none"
            notes.tell(f"lacking {task}", text, path=str(found.corpus))


def _checked(min_probability: float | Mapping[str, float]) -> Request:
    """How probable tags have to be.

    Raises:
        PolytagError: a number is not from 0.5 to 1.
    """
    request = Request(min_probability=min_probability)
    for value in min_probability.values() if isinstance(min_probability, Mapping) else (min_probability,):
        if value < FLOOR:
            raise PolytagError(f"min_probability is {value}, expected a number from {FLOOR} to 1")
    return request


def _check_free(folder: Path) -> None:
    """See to it that nothing is overwritten.

    Raises:
        PolytagError: the directory holds a plan or a corpus, or the path is that of a file.
    """
    if folder.exists() and not folder.is_dir():
        raise PolytagError(f"{folder}: this is a file, expected a directory to write")
    for name in (PLAN, CORPUS):
        if (folder / name).exists():
            raise PolytagError(f"{folder / name}: is there already, expected a directory without it")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PolytagError(f"{folder}: cannot be written: {error.strerror or error}") from None


def _new(sentences: Iterable[Sentence]) -> Iterator[Sentence]:
    """Sentences that did not come before, and that a model can learn from."""
    met = Remembered()
    for sentence in sentences:
        if len(sentence) <= _LONGEST and DOCSTART not in sentence.words and not met.has(sentence.words):
            yield Sentence(sentence.words)


def _drawn(sentences: Iterable[Sentence], count: int) -> list[Sentence]:
    """So many of a stream, each as likely as any other, in its order."""
    draw, drawn = random.Random(_DRAW), list[tuple[int, Sentence]]()
    for number, sentence in enumerate(sentences):
        if number < count:
            drawn.append((number, sentence))
        elif (place := draw.randrange(number + 1)) < count:
            drawn[place] = number, sentence
    return [sentence for _, sentence in sorted(drawn, key=lambda one: one[0])]


def _told(sentences: Iterable[Sentence], does: str, total: int | None, tell: Progress) -> Iterator[Sentence]:
    for number, sentence in enumerate(sentences, 1):
        yield sentence
        if number % _TOLD_EACH == 0:
            tell(does, number, total)
