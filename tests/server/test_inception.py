"""The external recommender: requests as INCEpTION's documentation has them, with documents as it sends them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.test_live import Loop
from tests.server.test_live import trained as trained

cassis = pytest.importorskip("cassis", reason="the extra inception is not installed")

LAYER = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
SEGMENTATION = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type."
METADATA = {"layer": LAYER, "feature": "value", "projectId": 1337, "anchoringMode": "tokens", "crossSentence": False}
TEXT = "Ann saw the 🏆 in Lima .\nTomas Lindqvist left ."


def type_system() -> Any:
    made = cassis.TypeSystem()
    layer = made.create_type(LAYER, "uima.tcas.Annotation")
    for name, kind in (("value", "String"), ("inception_internal_predicted", "Boolean"), ("value_score", "Double")):
        made.create_feature(layer, name, f"uima.cas.{kind}")
    for name in ("Sentence", "Token"):
        made.create_type(SEGMENTATION + name, "uima.tcas.Annotation")
    return made


def document(text: str = TEXT, *spans: tuple[int, int, str], is_cut: bool = True) -> Any:
    """A document with its sentences, tokens and annotations."""
    made = cassis.Cas(typesystem=type_system(), sofa_string=text, sofa_mime="text/plain")
    start = 0
    for line in text.split("\n") if is_cut else ():
        made.add(made.typesystem.get_type(SEGMENTATION + "Sentence")(begin=start, end=start + len(line)))
        for word in line.split(" "):
            made.add(made.typesystem.get_type(SEGMENTATION + "Token")(begin=start, end=start + len(word)))
            start += len(word) + 1
    for begin, end, label in spans:
        made.add(made.typesystem.get_type(LAYER)(begin=begin, end=end, value=label))
    return {"xmi": made.to_xmi(), "documentId": 42, "userId": "testuser"}


def request(*documents: Any, **metadata: Any) -> Any:
    one = {"document": documents[0]} if len(documents) == 1 else {}
    shared = {"metadata": {**METADATA, **metadata}, "typeSystem": type_system().to_xml()}
    return {**shared, **one, "documents": list(documents)}


@pytest.fixture
def loop(trained: Path, tmp_path: Path) -> Iterator[Loop]:
    with Loop(trained, tmp_path / "live", every=1_000) as made:
        yield made


@pytest.mark.parametrize("is_cut", [True, False])
def test_predictions_stand_on_the_documents_own_tokens_with_their_scores(loop: Loop, is_cut: bool) -> None:
    xmi = loop.post("/inception/predict", request(document(is_cut=is_cut)))["document"]
    found = cassis.load_cas_from_xmi(xmi, typesystem=type_system())
    words = {"words": [line.split(" ") for line in TEXT.split("\n")]} if is_cut else {"text": TEXT}
    said = loop.post("/tag", {**words, "tasks": ["ner"], "confidence": True})["sentences"]
    expected = [
        (" ".join(s["words"][span["start"] : span["end"]]), span["type"], span["probability"])
        for s in said
        for span in s["predicted_spans"]["ner"]
    ]
    assert expected
    predicted = list(found.select(LAYER))
    assert [(one.get_covered_text(), one.value, one.value_score) for one in predicted] == expected
    assert all(one.inception_internal_predicted for one in predicted)


def test_the_documented_example_is_answered(loop: Loop) -> None:
    xmi = (
        '<?xml version="1.0" encoding="UTF-8"?> <xmi:XMI xmlns:tcas="http:///uima/tcas.ecore" '
        'xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore" xmi:version="2.0"> '
        '<cas:NULL xmi:id="0"/> <tcas:DocumentAnnotation xmi:id="8" sofa="1" begin="0" end="47" '
        'language="x-unspecified"/> <cas:Sofa xmi:id="1" sofaNum="1" sofaID="mySofa" mimeType="text/plain" '
        'sofaString="Joe waited for the train . The train was late ."/> <cas:View sofa="1" members="8"/> </xmi:XMI>'
    )
    reply = loop.post("/inception/predict", request({"xmi": xmi, "documentId": 42, "userId": "testuser"}))
    assert "Joe waited for the train" in reply["document"]


def test_annotated_sentences_are_kept_once_and_taken_back(loop: Loop) -> None:
    spans = ((0, 3, "PER"), (17, 21, "LOC"))
    for _ in range(2):
        assert loop.post("/inception/train", request(document(TEXT, *spans)), 204) is None
    (task,) = loop.tasks  # of the second sentence nobody has said a thing
    assert task["data"]["text"] == "Ann saw the 🏆 in Lima ."
    regions = [region["value"] for region in task["annotations"][0]["result"]]
    assert [task["data"]["text"][value["start"] : value["end"]] for value in regions] == ["Ann", "Lima"]
    loop.post("/inception/train", request(document(TEXT, (24, 39, "PER"))), 204)
    (task,) = loop.tasks
    assert task["data"]["text"] == "Tomas Lindqvist left ."
    loop.post("/inception/train", request(document(TEXT)), 204)
    assert loop.tasks == []


def test_a_second_annotator_of_a_document_and_spans_over_sentences_are_told(loop: Loop) -> None:
    loop.post("/inception/train", request(document(TEXT, (0, 3, "PER"), (17, 39, "LOC"))), 204)
    assert loop.told == ["document 1337/42: LOC [17, 39] is in no sentence and is left out"]
    other = {**document(TEXT, (0, 3, "LOC")), "userId": "other"}
    loop.post("/inception/train", request(other), 204)
    assert loop.told[-1] == "document 1337/42 by other is left out, as it is here by testuser already"
    assert [task["annotations"][0]["completed_by"] for task in loop.tasks] == ["testuser"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"typeSystem": "<x"}, "no CAS of its type system"),
        ({"typeSystem": "<!DOCTYPE x>"}, "typeSystem: found a document type"),
        ({"metadata": {**METADATA, "layer": "a.B"}}, "the type system has no layer 'a.B'"),
        ({"metadata": {**METADATA, "feature": "valu"}}, "has no feature 'valu'; did you mean 'value'?"),
        ({"document": {"xmi": "<x/>", "documentId": 1}}, "document 1337/1: no CAS"),
        ({"document": {}}, "document.xmi"),
        ({"document": document("Ann  left .")}, "document 1337/42: token [4, 4] is not within the text, expected 0 <="),
    ],
)
def test_what_is_no_document_is_refused(loop: Loop, change: Any, sentence: str) -> None:
    reply = loop.client.post("/inception/predict", content=json.dumps({**request(document()), **change}))
    assert reply.status_code == 422
    assert sentence in reply.json()["error"]
