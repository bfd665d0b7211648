"""What a tagger can do, for `GET /model`."""

from importlib.metadata import version

from polytag.plan.task import Task
from polytag.server.limits import Limits
from polytag.server.schemas import LanguageReply, LimitsReply, ModelReply, TaskReply
from polytag.server.work import code_of
from polytag.tagger.tagging import Tagger
from polytag.vocabulary.vocabularies import WordVocabulary

EXAMPLE = 30  # words


def describe(tagger: Tagger, *, name: str, limits: Limits) -> ModelReply:
    """The model as it is loaded."""
    return ModelReply(
        polytag=version("polytag"),
        model=name,
        precision=tagger.precision,
        parameters=tagger.model.parameters,
        languages=[_language(tagger, part) for part in tagger.plan.words if tagger.plan.users("words", part)],
        tasks=[_task(tagger, name, task) for name, task in tagger.plan.tasks.items()],
        limits=LimitsReply(
            body_bytes=limits.body,
            words=limits.words,
            sentence_words=limits.sentence_words,
            nbest=limits.nbest,
            seconds=limits.seconds,
        ),
    )


def _language(tagger: Tagger, name: str) -> LanguageReply:
    return LanguageReply(
        name=name,
        code=code_of(tagger.plan.words[name]),
        tokeniser=tagger.plan.words[name].tokeniser,
        words=len(tagger.vocabularies.words[name]),
        tasks=tagger.plan.users("words", name),
        example=_example(tagger.vocabularies.words[name]),
    )


def _example(words: WordVocabulary) -> str:
    """Words in the order in which training first read them, which is nearly a text of its language and domain.

    A packed model has them sorted: then some of all.
    """
    known = list(words.words[: words.trained])
    if known[:EXAMPLE] == sorted(known[:EXAMPLE]):
        known = [word for word in known if word.isalpha()]
        known = known[:: len(known) // EXAMPLE + 1]
    return " ".join(known[:EXAMPLE]).replace(" . ", " .\n")


def _task(tagger: Tagger, name: str, task: Task) -> TaskReply:
    vocabulary = tagger.vocabularies.tags[task.tags]
    return TaskReply(
        name=name,
        language=task.words,
        kind="tags" if vocabulary.plain else "spans",
        types=sorted(vocabulary.types),
        scheme=task.scheme,
        tags=len(vocabulary.tags),
    )
