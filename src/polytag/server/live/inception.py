"""INCEpTION's protocol of external recommenders: documents as UIMA CAS, of which one layer and feature are spans.

Needs dkpro-cassis.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from polytag.errors import PolytagError, nearest
from polytag.server.live.annotations import Annotations, Change, Task
from polytag.server.live.label_studio import undeclared
from polytag.server.refusals import unusable

MISSING = "dkpro-cassis is not installed, expected it for INCEpTION: pip install 'polytag[inception]'"
PREDICTED = "inception_internal_predicted"
_SEGMENTATION = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type."
SENTENCE, TOKEN = f"{_SEGMENTATION}Sentence", f"{_SEGMENTATION}Token"


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, populate_by_name=True)


class Metadata(_Asked):
    """What is annotated, and where."""

    layer: str
    feature: str
    project: int | str = Field(alias="projectId")


class Document(_Asked):
    """A document as CAS XMI."""

    xmi: str
    name: int | str = Field("", alias="documentId")
    user: str = Field("", alias="userId")


class PredictRequest(_Asked):
    """A document to predict annotations for."""

    metadata: Metadata
    document: Document
    type_system: str = Field(alias="typeSystem")


class TrainRequest(_Asked):
    """All documents of a user that have annotations."""

    metadata: Metadata
    documents: list[Document]
    type_system: str = Field(alias="typeSystem")


class PredictReply(BaseModel):
    """The document with predictions, as CAS XMI."""

    document: str


@dataclass(frozen=True, slots=True)
class Annotated:
    """A document and the layer of it that is annotated."""

    cas: Any
    layer: Any  # the type
    feature: str
    name: str
    user: str

    @classmethod
    def of(cls, document: Document, metadata: Metadata, type_system: str) -> "Annotated":
        """Read a document.

        Raises:
            RefusedError: it is no CAS, or has no such layer or feature.
            PolytagError: dkpro-cassis is not installed.
        """
        try:
            from cassis import load_cas_from_xmi, load_typesystem
        except ModuleNotFoundError:
            raise PolytagError(MISSING) from None
        name = f"{metadata.project}/{document.name}"
        undeclared(type_system, "typeSystem")
        undeclared(document.xmi, f"document {name}")
        try:
            cas = load_cas_from_xmi(document.xmi, typesystem=load_typesystem(type_system))
        except Exception as error:  # whatever the library says of what is XML, but no CAS
            raise unusable(f"document {name}: no CAS of its type system: {error!s:.200}") from None
        if not cas.typesystem.contains_type(metadata.layer):
            raise unusable(f"the type system has no layer '{metadata.layer:.80}'")
        # INCEpTION has its text in the view of that name; the example of its documentation in another.
        cas = next((cas.get_view(sofa.sofaID) for sofa in cas.sofas if sofa.sofaString), cas)
        layer = cas.typesystem.get_type(metadata.layer)
        features = [feature.name for feature in layer.all_features]
        if metadata.feature not in features:
            raise unusable(
                f"layer {layer.name} has no feature '{metadata.feature:.60}'{nearest(metadata.feature, features)}"
            )
        return cls(cas, layer, metadata.feature, name, document.user)

    @property
    def text(self) -> str:
        """All of the document."""
        return self.cas.sofa_string or ""

    def sentences(self) -> list[list[tuple[int, int]]]:
        """Where the tokens of each sentence stand; none where the document is not cut into any.

        Raises:
            RefusedError: a token holds no characters of the text.
        """
        if not (self._has(SENTENCE) and self._has(TOKEN)):
            return []
        size = len(self.text)
        for of in self.cas.select(TOKEN):
            if not 0 <= of.begin < of.end <= size:
                at = f"token [{of.begin}, {of.end}]"
                raise unusable(
                    f"document {self.name}: {at} is not within the text, expected 0 <= start < end <= {size}"
                )
        found = (
            [(of.begin, of.end) for of in self.cas.select_covered(TOKEN, one)] for one in self.cas.select(SENTENCE)
        )
        return [tokens for tokens in found if tokens]

    def with_predictions(self, spans: Sequence[tuple[int, int, str, float]]) -> str:
        """The document as XMI, with a prediction for each start, end, label and probability.

        Raises:
            RefusedError: the layer has no place to say that something is predicted.
        """
        features = {feature.name for feature in self.layer.all_features}
        if PREDICTED not in features:
            raise unusable(f"layer {self.layer.name} has no feature '{PREDICTED}', which INCEpTION gives it to ask")
        for begin, end, label, probability in spans:
            values = {"begin": begin, "end": end, self.feature: label, PREDICTED: True}
            if (score := f"{self.feature}_score") in features:
                values[score] = probability
            self.cas.add(self.layer(**values))
        return str(self.cas.to_xmi())

    def tasks(self, say: Callable[[str], None]) -> list[Task]:
        """A task of Label Studio's for each sentence with an annotation; the others may be read by nobody yet.

        Annotations over the end of a sentence are left out, which is told.
        """
        text, starts = self.text, self._sentences()
        found = dict[tuple[int, int], list[dict[str, Any]]]()
        for one in self.cas.select(self.layer.name):
            label = getattr(one, self.feature)
            if label is None or getattr(one, PREDICTED, False):
                continue
            place = next((place for place in starts if place[0] <= one.begin and one.end <= place[1]), None)
            if place is None:
                say(f"document {self.name}: {label} [{one.begin}, {one.end}] is in no sentence and is left out")
                continue
            value = {"start": one.begin - place[0], "end": one.end - place[0], "labels": [str(label)]}
            region = {"from_name": "label", "to_name": "text", "type": "labels", "value": value}
            found.setdefault(place, []).append(region)
        return [
            {"id": (name := f"{self.name}#{begin}"), "data": {"text": text[begin:end]},
             "annotations": [{"id": name, "was_cancelled": False, "completed_by": self.user, "result": result}]}
            for (begin, end), result in found.items()
        ]  # fmt: skip

    def _sentences(self) -> list[tuple[int, int]]:
        if not self._has(SENTENCE):
            return [(0, len(self.text))]
        return [(one.begin, one.end) for one in self.cas.select(SENTENCE)]

    def _has(self, name: str) -> bool:
        return bool(self.cas.typesystem.contains_type(name))


def change(documents: Iterable[Annotated], annotations: Annotations, say: Callable[[str], None]) -> Change:
    """What documents say now takes the place of what they said; those of a second annotator are left out and told."""
    put, remove = list[Task](), list[object]()
    for document in documents:
        known = [task for task in annotations if str(task["id"]).startswith(f"{document.name}#")]
        if others := {one["completed_by"] for task in known for one in task["annotations"]} - {document.user}:
            by = f"as it is here by {', '.join(others)} already"
            say(f"document {document.name} by {document.user} is left out, {by}")
            continue
        put += document.tasks(say)
        remove += [task["id"] for task in known]
    return Change(put, remove)
