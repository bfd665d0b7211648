"""A spaCy pipeline component.

    nlp = spacy.blank("en")
    nlp.add_pipe("polytag", config={"model": "MODEL"})
    nlp("Angela Merkel visited Lima.").ents

Sentences are those that an earlier component has found, or else the whole Doc is one. `nlp.to_disk` stores the model
with the pipeline.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

try:
    import spacy
except ImportError as error:
    raise ImportError("spaCy is not installed, expected it for this component: pip install 'polytag[spacy]'") from error
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span, Token
from spacy.training import Example

from polytag.corpus.sentence import Sentence
from polytag.errors import PolytagError
from polytag.integrations import targets
from polytag.model import save_model
from polytag.model.packed import load_packed, save_packed
from polytag.tagger.request import Request
from polytag.tagger.tagging import Tagger

PACKED = "model.polytag"
_SETTINGS = {
    "model": None, "tasks": None, "overwrite_ents": True, "probabilities": False, "min_probability": 0.0,
    "consistent": False, "precision": None,
}  # fmt: skip

for _kind in (Token, Span):
    if not _kind.has_extension(targets.PROBABILITIES):
        _kind.set_extension(targets.PROBABILITIES, default=None)


class PolytagPipe(Pipe):
    """Tags Docs with a polytag model, which is read when it is first needed.

    Words are the tokens that are not white space. With ``probabilities``, the extension ``polytag_probabilities`` of
    each token and each span is a dict from task to probability.
    """

    def __init__(
        self,
        name: str = "polytag",
        *,
        model: str | None = None,
        tasks: Mapping[str, str] | None = None,
        overwrite_ents: bool = True,
        probabilities: bool = False,
        min_probability: float | dict[str, float] = 0.0,
        consistent: bool = False,
        precision: str | None = None,
    ) -> None:
        """
        Args:
            name: of the component in its pipeline.
            model: the model directory or packed file; a stored pipeline brings its own.
            tasks: where each task goes: ``"ents"``, ``"tag"``, ``"pos"``, or a group of ``doc.spans`` by any other
                name; may be left out where the model has at most one task of spans and one of plain tags.
            overwrite_ents: entities that an earlier component set are replaced; else they are kept, and those found
                here that overlap none of them are added.
            probabilities: also give the probability of each tag and each span.
            min_probability: of a span; one for all types, or by type. What is less probable is left out.
            consistent: tag names with an eye to their other mentions in the Doc.
            precision: as for `Tagger.load`.
        """
        self.name = name
        # Absolute, for the working directory may be another one when the model is read.
        self.model = None if model is None else str(Path(model).absolute())
        self.tasks = dict(tasks) if tasks else None
        self.overwrite_ents = overwrite_ents
        self.probabilities, self.min_probability, self.precision = probabilities, min_probability, precision
        self.consistent = consistent
        self._tagger: Tagger | None = None
        self._targets: dict[str, str] = {}

    @property
    def tagger(self) -> Tagger:
        """The tagger itself.

        Raises:
            PolytagError: the model is not given or cannot be read, or ``tasks`` does not fit it.
        """
        if self._tagger is None:
            if self.model is None:
                raise PolytagError(f'{self.name}: no model, expected config={{"model": "DIRECTORY"}}')
            self._use(Tagger.load(self.model, precision=self.precision))
        assert self._tagger is not None
        return self._tagger

    @property
    def labels(self) -> tuple[str, ...]:
        """Plain tags and types of spans; none before the model is read, for spaCy asks while it makes a pipeline."""
        return () if self._tagger is None else targets.labels(self._tagger, self._targets)

    def __call__(self, doc: Doc) -> Doc:
        """Tag one Doc in place."""
        try:
            self._annotate([doc])
        except Exception as error:  # what to do about it is the pipeline's to say
            self.get_error_handler()(self.name, self, [doc], error)
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Tag a stream of Docs, so many at a time, in order; ``consistent`` ones one by one."""
        for batch in spacy.util.minibatch(stream, size=1 if self.consistent else batch_size):  # type: ignore[no-untyped-call]
            docs = list(batch)
            try:
                self._annotate(docs)
            except Exception as error:
                self.get_error_handler()(self.name, self, docs, error)
            else:
                yield from docs

    def _annotate(self, docs: Sequence[Doc]) -> None:
        tagger = self.tagger
        sentences = [_sentences(doc) for doc in docs]
        words = (Sentence(tuple(token.text for token in tokens)) for of in sentences for tokens in of)
        tagged = tagger.tag_all(words, self._request())
        for doc, of in zip(docs, sentences, strict=True):
            answers = [(tokens, next(tagged)) for tokens in of]
            targets.annotate(
                doc, answers, self._targets, overwrite_ents=self.overwrite_ents, probabilities=self.probabilities
            )

    def score(self, examples: Iterable[Example], **_: Any) -> dict[str, Any]:
        """What `nlp.evaluate` says of this component, 0 to 1 as spaCy has it: of entities, tags and groups of spans."""
        assert self.tagger  # which knows where its answers go
        return targets.score(list(examples), self._targets.values())

    def to_disk(self, path: str | Path, **_: Any) -> None:
        """Write the model into a directory, as a model directory of polytag."""
        save_model(self.tagger.model, path)

    def from_disk(self, path: str | Path, **_: Any) -> "PolytagPipe":
        """Use the model that `to_disk` wrote, wherever it came from."""
        return self._use(Tagger.load(path, precision=self.precision))

    def to_bytes(self, **_: Any) -> bytes:
        """The model as the bytes of a packed file, in float32 and so exactly."""
        with tempfile.TemporaryDirectory() as place:
            save_packed(Path(place, PACKED), self.tagger.model)
            return Path(place, PACKED).read_bytes()

    def from_bytes(self, bytes_data: bytes, **_: Any) -> "PolytagPipe":
        """Use the model that `to_bytes` gave.

        Raises:
            ModelError: the bytes are damaged, or of something else.
        """
        with tempfile.TemporaryDirectory() as place:
            Path(place, PACKED).write_bytes(bytes_data)
            model = load_packed(Path(place, PACKED))
            # Copies: the file is to go, which it cannot everywhere while it is mapped.
            model = replace(model, arrays={name: np.array(array) for name, array in model.arrays.items()})
        return self._use(Tagger(model, precision=self.precision))

    def _use(self, tagger: Tagger) -> "PolytagPipe":
        self._targets = targets.choose(tagger, self.tasks)
        tagger.checked(self._request())
        self._tagger = tagger
        return self

    def _request(self) -> Request:
        return Request(
            tuple(self._targets), confidence=self.probabilities, min_probability=self.min_probability,
            consistent=self.consistent,
        )  # fmt: skip

    def __reduce__(self) -> tuple[Any, ...]:
        """For processes that are started anew; the tagger goes along as the files of its model."""
        settings = {key: getattr(self, key) for key in ("name", *_SETTINGS)}
        return _restored, (settings, None if self._tagger is None else self.to_bytes())


def _restored(settings: dict[str, Any], model: bytes | None) -> PolytagPipe:
    pipe = PolytagPipe(**settings)
    return pipe if model is None else pipe.from_bytes(model)


def _sentences(doc: Doc) -> list[list[Token]]:
    """The words of each sentence; the whole Doc is one where nobody has found sentences."""
    parts = doc.sents if doc.has_annotation("SENT_START") else [doc]
    return [[token for token in part if not token.is_space] for part in parts]


@Language.factory(
    "polytag",
    assigns=["doc.ents", "doc.spans", "token.ent_iob", "token.ent_type", "token.tag", "token.pos"],
    default_config=_SETTINGS,
)
def make(
    nlp: Language,
    name: str,
    model: str | None,
    tasks: dict[str, str] | None,
    overwrite_ents: bool,
    probabilities: bool,
    min_probability: float | dict[str, float],
    consistent: bool,
    precision: str | None,
) -> PolytagPipe:
    """What `nlp.add_pipe` calls with the component's config."""
    del nlp
    return PolytagPipe(
        name, model=model, tasks=tasks, overwrite_ents=overwrite_ents, probabilities=probabilities,
        min_probability=min_probability, consistent=consistent, precision=precision,
    )  # fmt: skip
