"""What a model says of a text as Label Studio takes it: a prediction, of a file to import or of a live backend."""

from collections.abc import Iterable
from typing import Any

from polytag.corpus.asjson import rounded
from polytag.corpus.sentence import CharSpan

VERSION = "polytag"  # of the model, unless another is named


def prediction(
    text: str,
    spans: Iterable[tuple[CharSpan, float | None]],
    *,
    score: float,
    version: str = VERSION,
    control: str = "label",
    field: str = "text",
) -> dict[str, Any]:
    """A prediction with a region for each span.

    Args:
        text: in which the spans count characters.
        spans: each with its probability, 0 to 1, where it is known.
        score: how sure the model is of all of it, 0 to 1: Label Studio puts the tasks of the lowest first.
        version: of the model.
        control: the name of the ``<Labels>`` of the labelling configuration.
        field: the name of its ``<Text>``.
    """
    regions = [
        {"id": str(number), "from_name": control, "to_name": field, "type": "labels",
         "value": {"start": span.start, "end": span.end, "text": text[span.start : span.end], "labels": [span.type]},
         "score": None if probability is None else rounded(probability)}
        for number, (span, probability) in enumerate(spans)
    ]  # fmt: skip
    return {"model_version": version, "score": rounded(score), "result": regions}
