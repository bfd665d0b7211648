"""The tag scheme of each task: found in the training files or checked against them; ill-formed tags are told."""

from collections.abc import Mapping, Sequence

from polytag.corpus.schemes import Detection, check_spans, detect, problems
from polytag.corpus.sentence import Sentence
from polytag.corpus.tag_rules import parse_any
from polytag.errors import CorpusError, PlanError
from polytag.plan import Plan
from polytag.splits import Corpora

_SHOWN_PROBLEMS = 3


def with_schemes(plan: Plan, sentences: Corpora, notes: list[str]) -> Plan:
    """Replace ``scheme = "auto"`` by what the training files are written in, and add to the notes what was found.

    Raises:
        PlanError: a declared scheme does not fit the training files.
        CorpusError: tags fit no scheme, or one marks no span; holds file and line.
    """
    tasks = {}
    for task, settings in plan.tasks.items():
        found = _detect(task, settings.scheme, sentences[task]["train"])
        if settings.scheme == "auto":
            notes.append(f"{task}: tag scheme {found.note}")
        elif settings.scheme != found.scheme:
            _check_declared(task, settings.scheme, found, sentences[task]["train"])
        if found.odd:
            notes.append(f"tasks.{task}: {found.odd}")
        scheme = found.scheme if settings.scheme == "auto" else settings.scheme
        _check_outside(task, settings.outside, scheme, sentences[task]["train"], notes)
        notes += _marked(task, settings.marks, scheme, sentences[task]["train"])
        for split in sentences[task].values() if scheme != "plain" else ():
            for sentence in split:
                check_spans(sentence, task, unknown=True)
        notes += _ill_formed(task, scheme, sentences[task])
        tasks[task] = settings.model_copy(update={"scheme": scheme})
    return plan.model_copy(update={"tasks": tasks})


def _detect(task: str, declared: str, sentences: Sequence[Sentence]) -> Detection:
    try:
        return detect(sentence.tags[task] for sentence in sentences)
    except CorpusError as error:
        if declared != "plain":  # tags of no scheme at all are told with their line
            for sentence in sentences:
                check_spans(sentence, task, unknown=True)
        raise CorpusError(f"tasks.{task}: {error.message}", path=sentences[0].source) from None


def _check_declared(task: str, scheme: str, found: Detection, sentences: Sequence[Sentence]) -> None:
    """A declared scheme must fit all but one sentence in a hundred."""
    bad = [(s, problem) for s in sentences for problem in problems(s.tags[task], scheme)[:1]]
    if len(bad) > max(1, len(sentences) // 100) or scheme == "plain":
        where = f", first at {_place(bad[0][0], bad[0][1][0])}: {bad[0][1][1]}" if bad else ""
        hint = f"; {found.odd}" if found.odd else ""
        message = f"'{scheme}' does not fit the training files: found {found.note}{where}{hint}"
        raise PlanError(f"tasks.{task}.scheme: {message}")


def _check_outside(task: str, outside: str, scheme: str, sentences: Sequence[Sentence], notes: list[str]) -> None:
    """An outside tag of one's own is for spans, and some word should have it, which is read as O."""
    if outside == "O":
        return
    if scheme == "plain":
        raise PlanError(f"tasks.{task}.outside: '{outside}' is for tags that mark spans, found plain ones")
    if not any("O" in sentence.tags[task] for sentence in sentences):
        notes.append(f"tasks.{task}.outside: no word of the training files has the tag '{outside}'")


def _marked(task: str, marks: Sequence[str] | None, scheme: str, sentences: Sequence[Sentence]) -> list[str]:
    """Types that files mark are for spans, and some word should be in one; what the others are, nobody says."""
    if marks is None:
        return []
    if scheme == "plain":
        raise PlanError(f"tasks.{task}.marks: {', '.join(marks)} is for tags that mark spans, found plain ones")
    unseen = set(marks) - {parse_any(tag).type for sentence in sentences for tag in sentence.tags[task]}
    if len(unseen) == len(marks):
        raise PlanError(f"tasks.{task}.marks: no training file has a span of {', '.join(marks)}, expected some")
    more = f"; no training file has {', '.join(sorted(unseen))}" if unseen else ""
    return [f"{task}: marks {', '.join(marks)}: other types are open in training, and left out of scores{more}"]


def _ill_formed(task: str, scheme: str, splits: Mapping[str, Sequence[Sentence]]) -> list[str]:
    found = [
        f"{task}: {_place(sentence, position)}: {problem}; read as conlleval reads it"
        for split in splits.values()
        for sentence in split
        for position, problem in problems(sentence.tags[task], scheme)
    ]
    more = len(found) - _SHOWN_PROBLEMS
    return found[:_SHOWN_PROBLEMS] + ([f"{task}: {more:,} more ill-formed tags like these"] if more > 0 else [])


def _place(sentence: Sentence, position: int) -> str:
    return f"{sentence.source}:{sentence.lines[position]}" if len(sentence.lines) else sentence.source
