"""Where in a spaCy Doc a task's answers go: ``ents``, ``tag``, ``pos``, or any other name, a group of ``doc.spans``."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from spacy.parts_of_speech import IDS
from spacy.scorer import Scorer, get_ner_prf
from spacy.tokens import Doc, Span, Token
from spacy.training import Example

from polytag.corpus.schemes import spans
from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError
from polytag.tagger.tagging import Tagger

ENTS, TAG, POS = "ents", "tag", "pos"
UPOS = frozenset(IDS)
PROBABILITIES = "polytag_probabilities"

Tagged = Sequence[tuple[Sequence[Token], Sentence]]  # the words of each sentence of a Doc, and what was said of them


def choose(tagger: Tagger, wanted: Mapping[str, str] | None) -> dict[str, str]:
    """The target of each task; unless given, spans are entities and plain tags are ``pos`` or ``tag``.

    Raises:
        PolytagError: a task is unknown, a target does not fit its task, two tasks have one target, or the model has so
            many tasks that it has to be said.
    """
    targets = dict(wanted) if wanted else {task: _usual(tagger, task) for task in tagger.choose(None)}
    tagger.choose(list(targets))
    for task, target in targets.items():
        plain = _is_plain(tagger, task)
        if plain != (target in (TAG, POS)):
            expected = f"'{TAG}' or '{POS}'" if plain else f"'{ENTS}' or the name of a group in doc.spans"
            raise PolytagError(f"the task '{task}' goes to '{target}', expected {expected}")
    if len(set(targets.values())) < len(targets):
        raise PolytagError(
            f"several tasks go to one place ({', '.join(f'{task}: {target}' for task, target in targets.items())}), "
            'expected a place for each, such as tasks = {"ner": "ents", "chunk": "chunks", "pos": "tag"}'
        )
    return targets


def labels(tagger: Tagger, targets: Mapping[str, str]) -> tuple[str, ...]:
    """Plain tags and types of spans, sorted."""
    found = set()
    for task in targets:
        tags = tagger.vocabularies.tags[tagger.plan.tasks[task].tags].tags
        found |= set(tags) if _is_plain(tagger, task) else {span.type for tag in tags for span in spans([tag])}
    return tuple(sorted(found))


def annotate(
    doc: Doc, tagged: Tagged, targets: Mapping[str, str], *, overwrite_ents: bool, probabilities: bool
) -> None:
    """Write what was said of the sentences of a Doc; what stood in these places before is replaced.

    Unless ``overwrite_ents``, entities are kept, and those found are added that overlap none of them.
    """
    for task, target in targets.items():
        if target in (TAG, POS):
            _write_tags(tagged, task, target)
        else:
            _write_spans(doc, tagged, task, target, overwrite_ents=overwrite_ents)
    if probabilities:
        for tokens, sentence in tagged:
            for task in targets:
                for token, probability in zip(tokens, sentence.confidence[task], strict=True):
                    _note(token, task, probability)


def score(examples: Sequence[Example], targets: Iterable[str]) -> dict[str, Any]:
    """The scores of each place, by the names that spaCy's own components give them."""
    found: dict[str, Any] = {}
    for target in targets:
        if target == ENTS:
            found |= get_ner_prf(examples)
        elif target in (TAG, POS):
            found |= Scorer.score_token_attr(examples, target)
        else:
            found |= Scorer.score_spans(
                examples, f"spans_{target}", getter=_group, has_annotation=partial(_has_group, target),
                allow_overlap=True,
            )  # fmt: skip
    return found


def _has_group(name: str, doc: Doc) -> bool:
    return name in doc.spans


def _group(doc: Doc, attribute: str) -> Sequence[Span]:
    return list(doc.spans.get(attribute.removeprefix("spans_"), []))


def _write_tags(tagged: Tagged, task: str, target: str) -> None:
    for tokens, sentence in tagged:
        for token, tag in zip(tokens, sentence.tags[task], strict=True):
            if target == TAG:
                token.tag_ = tag
            elif tag in UPOS:  # spaCy refuses others
                token.pos_ = tag


def _write_spans(doc: Doc, tagged: Tagged, task: str, target: str, *, overwrite_ents: bool) -> None:
    kept = [] if overwrite_ents or target != ENTS else list(doc.ents)
    taken, found = {token.i for span in kept for token in span}, []
    for tokens, sentence in tagged:
        for span in sentence.spans(task):
            if taken and any(token.i in taken for token in tokens[span.start : span.end]):
                continue
            found.append(Span(doc, tokens[span.start].i, tokens[span.end - 1].i + 1, label=span.type))
            if span.probability is not None:
                _note(found[-1], task, span.probability)
    if target == ENTS:
        doc.set_ents([*kept, *found])
    else:
        doc.spans[target] = found


def _note(place: Token | Span, task: str, probability: float) -> None:
    """A Span's extensions are kept by its place in the text, so two tasks may share one: each has its own key."""
    before = place._.get(PROBABILITIES) or {}
    place._.set(PROBABILITIES, {**before, task: probability})


def _is_plain(tagger: Tagger, task: str) -> bool:
    return tagger.vocabularies.tags[tagger.plan.tasks[task].tags].plain


def _usual(tagger: Tagger, task: str) -> str:
    if not _is_plain(tagger, task):
        return ENTS
    tags = tagger.vocabularies.tags[tagger.plan.tasks[task].tags].tags
    return POS if UPOS.issuperset(tags) else TAG
