"""The tag scheme of each task: found in the training files or checked against them; ill-formed tags are told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from polytag.corpus.schemes import REPAIRED, Detection, check_spans, convert_tags, detect, problems
from polytag.corpus.sentence import Sentence
from polytag.corpus.tag_rules import UNKNOWN, parse_any
from polytag.errors import CorpusError, PlanError
from polytag.plan import Plan
from polytag.splits import Corpora

_SHOWN_PROBLEMS = 3
_SHOWN_LABELS = 6


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
        if scheme == "plain" and settings.mention_replacement:
            raise PlanError(f"tasks.{task}.mention_replacement replaces spans, but its tags are plain: leave it out")
        _check_outside(task, settings.outside, scheme, sentences[task]["train"], notes)
        notes += _nothing_to_learn(task, scheme, settings.outside, sentences[task]["train"])
        notes += _marked(task, settings.marks, scheme, sentences[task]["train"])
        if len(files := _by_file(sentences[task]["train"])) <= len(settings.train):  # no folder of documents
            notes += _strangers(task, scheme, files)
        for split in sentences[task].values() if scheme != "plain" else ():
            for sentence in split:
                check_spans(sentence, task, unknown=True)
        notes += _ill_formed(task, scheme, sentences[task])
        tasks[task] = settings.model_copy(update={"scheme": scheme})
    return plan.model_copy(update={"tasks": tasks})


def in_one_scheme(
    task: str, declared: str, splits: Mapping[str, list[Sentence]], notes: list[str]
) -> dict[str, list[Sentence]]:
    """The sentences of all files in the scheme of the training files: those of one task may be written in several.

    Where training files differ, it is IOB2. What is rewritten is told; files with unknown tags stay as they are, and so
    does one training file, which a declared scheme has to fit.
    """
    target = _common(task, declared, splits["train"])
    left = ("train",) if len(_by_file(splits["train"])) == 1 else ()
    return {
        split: sentences
        if target == "plain" or split in left
        else _rewritten(task, target, sentences, notes, tolerated=0 if split == "train" else 1)
        for split, sentences in splits.items()
    }


def _common(task: str, declared: str, sentences: Sequence[Sentence]) -> str:
    """The scheme for the files of a task; plain where nothing can be rewritten."""
    if declared != "auto":
        return declared
    for part in (sentences, *_by_file(sentences).values()):
        try:
            found = detect(sentence.tags[task] for sentence in part).scheme
        except CorpusError:  # of all files: each may be in one of its own; of one, it is told when all are looked at
            if part is not sentences:
                return "plain"
        else:
            if part is sentences or found == "plain":
                return found
    return "iob2"


def _rewritten(
    task: str, scheme: str, sentences: Sequence[Sentence], notes: list[str], *, tolerated: int
) -> list[Sentence]:
    """The sentences, those of files in another scheme rewritten; as many ill-formed ones as tolerated are no scheme."""
    changed: set[str] = set()
    for path, part in _by_file(sentences).items():
        bad = sum(bool(problems(of.tags[task], scheme)) for of in part)
        is_partial = any(UNKNOWN in of.tags[task] for of in part)
        if is_partial or bad <= max(tolerated, tolerated * len(part) // 100):
            continue
        try:
            found = detect(sentence.tags[task] for sentence in part)
        except CorpusError:  # told with its line when all are looked at
            continue
        if found.scheme not in ("plain", scheme):
            place = path or "sentences from memory"
            notes.append(f"{task}: {place}: tag scheme {found.note}, rewritten in {scheme.upper()}")
            notes += _ill_formed(task, found.scheme, {"": part})
            changed.add(path)
    return [
        replace(of, tags={**of.tags, task: convert_tags(of.tags[task], scheme)}) if _file(of) in changed else of
        for of in sentences
    ]


def _file(sentence: Sentence) -> str:
    """The file of a sentence; those from memory are as of one."""
    return sentence.source if len(sentence.lines) else ""


def _by_file(sentences: Sequence[Sentence]) -> dict[str, list[Sentence]]:
    files: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        files.setdefault(_file(sentence), []).append(sentence)
    return files


def _detect(task: str, declared: str, sentences: Sequence[Sentence]) -> Detection:
    try:
        return detect(sentence.tags[task] for sentence in sentences)
    except CorpusError as error:
        if declared != "plain":  # tags of no scheme at all are told with their line
            for sentence in sentences:
                check_spans(sentence, task, unknown=True)
        raise CorpusError(f"tasks.{task}: {error.message}", path=sentences[0].source) from None


def _strangers(task: str, scheme: str, files: Mapping[str, Sequence[Sentence]]) -> Iterator[str]:
    """What to say of training files that have not one label in common with the first."""
    (first, own), *others = ((path, _labels(task, scheme, part)) for path, part in files.items())
    for path, labels in others:
        if own and labels and not own & labels:
            has, of_first = (", ".join(sorted(some)[:_SHOWN_LABELS]) for some in (labels, own))
            yield (
                f"{task}: {path}: none of its labels ({has}) is one of {first} ({of_first}); where some mean the same, "
                f"a map says so: {{ file = ..., map = {{ {min(labels)} = ... }} }}"
            )


def _labels(task: str, scheme: str, sentences: Sequence[Sentence]) -> set[str]:
    """The types of spans, or the tags of single words."""
    tags = {tag for sentence in sentences for tag in sentence.tags[task]} - {UNKNOWN}
    return tags if scheme == "plain" else {parse_any(tag).type for tag in tags} - {""}


def _nothing_to_learn(task: str, scheme: str, outside: str, sentences: Sequence[Sentence]) -> list[str]:
    """What to say of files whose every word is outside of spans, or has the same tag."""
    labels = _labels(task, scheme, sentences)
    if len(labels) == (scheme == "plain"):
        tag = next(iter(labels), outside)
        return [f"{task}: every word of the training files has the tag {tag}: a model learns no other from them"]
    return []


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
        f"{task}: {_place(sentence, position)}: {problem}; {REPAIRED}"
        for split in splits.values()
        for sentence in split
        for position, problem in problems(sentence.tags[task], scheme)
    ]
    more = len(found) - _SHOWN_PROBLEMS
    return found[:_SHOWN_PROBLEMS] + ([f"{task}: {more:,} more ill-formed tags like these"] if more > 0 else [])


def _place(sentence: Sentence, position: int) -> str:
    return f"{sentence.source}:{sentence.lines[position]}" if len(sentence.lines) else sentence.source
