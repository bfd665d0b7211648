"""A model that learns while people annotate: requests of Label Studio 1.23.2, recorded, and INCEpTION's documented."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from polytag.corpus import read
from polytag.errors import PolytagError
from polytag.server import Limits, create_app
from polytag.server.live import Live, LiveOptions
from polytag.server.live.label_studio import Control
from polytag.server.live.training import Versions
from polytag.server.models import Source
from polytag.server.refusals import RefusedError
from tests.cli.conftest import fill, run
from tests.server.clients import Local

RECORDED = [
    json.loads(line) for line in (Path(__file__).parent / "label_studio.jsonl").read_text(encoding="utf-8").splitlines()
]
CONFIG = '<View><Labels name="who" toName="t"><Label value="PER"/></Labels><Text name="t" value="$article"/></View>'
WAIT = 1_200  # looks at a training, each after a quarter of a second, which leaves the processor to it


@pytest.fixture(autouse=True)
def _as_soon_as_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings are not behind what else a busy machine does."""
    monkeypatch.setattr("polytag.server.live.training._NICE", os.getpriority(os.PRIO_PROCESS, 0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of entities and parts of speech, beside what it was trained on."""
    place = tmp_path_factory.mktemp("live")
    fill(place)
    assert run(["train", place / "plan.toml", "--output", place / "model"]).code == 0
    return place / "model"


class Loop:
    """A live model, its server, and what it told."""

    def __init__(self, model: Path, home: Path, **options: Any) -> None:
        home.mkdir(exist_ok=True)
        self.told, self.home = list[str](), home
        self.live = Live("m", Source(model), LiveOptions(home=home, say=self.told.append, **options))
        self.client = Local(create_app({"m": self.live.tagger}, Limits(live_body=60_000, queue=20), live=self.live))

    def __enter__(self) -> "Loop":
        self.client.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.client.__exit__(*error)

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        reply = self.client.post(path, json=body)
        assert reply.status_code == status, reply.text
        return reply.json() if reply.content else None

    @property
    def health(self) -> Any:
        return self.client.get("/health").json()["live"]

    @property
    def tasks(self) -> list[Any]:
        found: list[Any] = json.loads((self.home / "annotations.json").read_text(encoding="utf-8"))
        return found

    def wait(self, until: Callable[[Any], bool]) -> Any:
        for _ in range(WAIT):
            if until(found := self.health):
                return found
            self.client.run(asyncio.sleep(0.25))
        raise AssertionError(found)


@pytest.fixture
def loop(trained: Path, tmp_path: Path) -> Iterator[Loop]:
    with Loop(trained, tmp_path / "live", every=1_000) as made:
        yield made


def annotated(
    number: int, text: str, *spans: tuple[int, int, str], action: str = "ANNOTATION_CREATED", **more: Any
) -> Any:
    """An event about the annotation ``number`` of the task of that number."""
    regions = [
        {"type": "labels", "from_name": "label", "to_name": "text",
         "value": {"start": start, "end": end, "text": text[start:end], "labels": [label]}}
        for start, end, label in spans
    ]  # fmt: skip
    task = {"id": number, "data": {"text": text}}
    return {"action": action, "annotation": {"id": number, "task": number, "result": regions, **more}, "task": task}


ANN = annotated(1, "Ann left Lima.", (0, 3, "PER"), (9, 13, "LOC"))


def test_what_label_studio_sends_is_answered_kept_and_read_again(loop: Loop) -> None:
    replies = [loop.post(one["path"], one["body"]) for one in RECORDED]
    assert replies[0] == {"model_version": "m-0"}
    predicted = next(reply for one, reply in zip(RECORDED, replies, strict=True) if one["path"] == "/predict")
    assert predicted["model_version"] == "m-0"
    assert len(predicted["results"]) == 6
    for result in predicted["results"]:
        assert 0 < result["score"] <= 1
        assert all(0 < region["score"] <= 1 for region in result["result"])
    # Task 2 was annotated otherwise later, the annotation of 3 and task 6 were deleted, 4 was skipped.
    assert [task["id"] for task in loop.tasks] == [1, 2, 4, 5]
    assert [len(task["annotations"]) for task in loop.tasks] == [1, 1, 1, 1]
    assert loop.health["annotated"] == 3
    found = list(read(loop.home / "annotations.json", tags={"ner": "spans"}))
    assert [tag for sentence in found for tag in sentence.tags["ner"] if tag != "O"] == [
        "B-PER", "I-PER", "B-LOC", "B-LOC", "B-ORG", "B-PER", "I-PER", "B-LOC",
    ]  # fmt: skip
    assert any("task 4" in told for told in loop.told)


def test_predictions_are_in_the_projects_own_names_and_say_what_tag_says(loop: Loop) -> None:
    text = "Tomas Lindqvist visited Rotterdam 🏆. Amina Diallo left Lima."
    asked = {"tasks": [{"id": 1, "data": {"article": text}}], "label_config": CONFIG}
    (result,) = loop.post("/predict", asked)["results"]
    said = loop.post("/tag", {"text": text, "tasks": ["ner"], "confidence": True})
    spans = [span for s in said["sentences"] for span in s["predicted_spans"]["ner"] if span["type"] == "PER"]
    assert spans
    assert [[region["value"]["start"], region["value"]["end"]] for region in result["result"]] == [
        span["characters"] for span in spans
    ]
    for region, span in zip(result["result"], spans, strict=True):
        assert (region["from_name"], region["to_name"], region["score"]) == ("who", "t", span["probability"])
        assert region["value"]["text"] == text[slice(*span["characters"])]
    sure = [p for s in said["sentences"] for p in s["confidence"]["ner"]]
    assert result["score"] == pytest.approx(sum(sure) / len(sure), abs=1e-6)


def test_a_task_without_text_is_told_and_the_others_are_answered(loop: Loop) -> None:
    tasks = [
        {"id": 7, "data": {"image": "x.png"}},
        {"id": 8, "data": {"text": "Lima."}},
        {"id": 9, "data": {"text": " "}},
    ]
    tasks.append({"id": 10, "data": {"text": "word " * 3_000}})
    replies = loop.post("/predict", {"tasks": tasks})["results"]
    assert [len(reply["result"]) for reply in (replies[0], *replies[2:])] == [0, 0, 0]
    assert [next(n for n in ("7", "8", "9", "10") if f"task {n}:" in told) for told in loop.told] == ["7", "9", "10"]


def test_more_tasks_than_can_wait_are_refused_for_good(loop: Loop) -> None:
    tasks = [{"id": number, "data": {"text": "Ann left."}} for number in range(21)]
    said = loop.post("/predict", {"tasks": tasks}, 413)
    assert said == {"error": "the request has 21 tasks, expected at most 20 at a time"}
    assert len(loop.post("/predict", {"tasks": tasks[1:]})["results"]) == 20


def test_an_annotation_is_there_once_whatever_comes_twice(loop: Loop) -> None:
    for _ in range(2):
        loop.post("/webhook", ANN)
    loop.post("/webhook", annotated(1, "Ann left Lima.", (9, 13, "LOC"), action="ANNOTATION_UPDATED"))
    (task,) = loop.tasks
    assert [region["value"]["labels"] for region in task["annotations"][0]["result"]] == [["LOC"]]
    other = json.loads(json.dumps(ANN))
    other["annotation"]["id"] = 99
    loop.post("/webhook", other)
    assert any("task 1" in told and "2 annotations mark" in told for told in loop.told)
    loop.post("/webhook", {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 1}]})
    assert [one["id"] for one in loop.tasks[0]["annotations"]] == [99]
    loop.post("/webhook", {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 99}]})
    assert loop.tasks == []


def test_annotations_that_come_together_are_all_kept(loop: Loop) -> None:
    def asked(number: int) -> Any:
        event = json.loads(json.dumps(ANN))
        event["annotation"]["id"] = number
        return loop.client.ask("/webhook", event)

    async def together() -> list[Any]:
        return await asyncio.gather(*map(asked, range(20)))

    assert {reply.status_code for reply in loop.client.run(together())} == {200}
    assert sorted(one["id"] for one in loop.tasks[0]["annotations"]) == list(range(20))


BROKEN = [
    (annotated(5, "Lima.", (0, 99, "LOC")), "task 5: span [0, 99, 'LOC'] is not within the text"),
    ({**ANN, "task": {"id": 1, "data": {"n": 1}}}, "task 1: no text among its data"),
    ({**ANN, "task": None}, "task 1: annotation 1 comes without the task's data"),
    ({**ANN, "annotation": {"task": 1}}, "found the id None in an event"),
    ({**ANN, "annotation": 3}, "found 3 in an event"),
    (
        {"action": "ANNOTATION_CREATED"},
        "ANNOTATION_CREATED comes without an annotation; does the webhook send its payload",
    ),
    ({**ANN, "annotation": {"id": 1, "task": 1}}, "annotation 1 comes without its result"),
    (
        annotated(5, "Lima.") | {"annotation": {"id": 5, "task": 5, "result": [{"value": {"start": "0", "end": 4}}]}},
        "task 5: a region from '0' to 4",
    ),
]


@pytest.mark.parametrize(("event", "sentence"), BROKEN)
def test_what_cannot_be_read_is_refused_by_task_and_changes_nothing(loop: Loop, event: Any, sentence: str) -> None:
    loop.post("/webhook", annotated(4, "Ann left.", (0, 3, "PER")))
    before = (loop.home / "annotations.json").read_bytes()
    assert sentence in loop.post("/webhook", event, 422)["error"]
    assert sentence in loop.told[-1]
    assert (loop.home / "annotations.json").read_bytes() == before
    assert loop.health["annotated"] == 1


def test_overlaps_duplicates_and_empty_spans_are_told_by_task(loop: Loop) -> None:
    spans = [(0, 3, "PER"), (0, 3, "PER"), (0, 8, "LOC"), (8, 9, "LOC")]
    loop.post("/webhook", annotated(3, "Ann left Lima.", *spans))
    told = "\n".join(loop.told)
    for what in ("is there twice", "overlaps", "holds no word"):
        assert what in told
    assert all("task 3" in one for one in loop.told)


@pytest.mark.parametrize("body", ["{", "[]", '{"tasks": {}}', '{"tasks": [1]}'])
def test_bodies_that_are_none_of_the_protocol(loop: Loop, body: str) -> None:
    reply = loop.client.post("/predict", content=body)
    assert reply.status_code in (400, 422)
    assert set(reply.json()) == {"error"}


def test_bad_requests_are_refused_as_everywhere(loop: Loop) -> None:
    reply = loop.client.post("/webhook", content=json.dumps(ANN), headers={"content-type": "text/plain"})
    assert reply.status_code == 415
    assert loop.client.post("/webhook", json={**ANN, "x": "y" * 60_000}).status_code == 413
    assert loop.client.get("/predict").status_code == 405
    assert "label_config: not XML" in loop.post("/setup", {"schema": "<View"}, 422)["error"]
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><View>&a;</View>'
    assert "found a document type" in loop.post("/setup", {"schema": bomb}, 422)["error"]
    assert not (loop.home / "annotations.json").exists()


def test_a_labelling_configuration() -> None:
    assert Control.of(CONFIG) == ("who", "t", "article", frozenset({"PER"}))
    assert Control.of("") == ("label", "text", "text", frozenset())
    with pytest.raises(RefusedError, match="no <Labels> of a <Text>"):
        Control.of('<View><Choices name="c" toName="t"/><Text name="t" value="$t"/></View>')


def test_setup_tells_how_labels_and_types_differ(loop: Loop) -> None:
    loop.post("/setup", {"schema": CONFIG.replace("<Label ", '<Label value="VERB"/><Label ')})
    assert loop.told == [
        "label_config: no label is called LOC, so these types of ner are left out",
        "label_config: ner has no type VERB yet, and learns it once it is annotated",
    ]


def test_without_the_option_there_is_no_backend(trained: Path) -> None:
    with Local(create_app(Source(trained).load())) as client:
        assert client.post("/predict", json={"tasks": []}).status_code == 404
        assert "live" not in client.get("/health").json()


def test_it_trains_swaps_without_a_lost_request_and_goes_on_after_a_restart(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the plan lies elsewhere
    with Loop(trained, Path("live"), every=3) as loop:
        for number in range(2):
            loop.post("/webhook", annotated(number, "Zoe Quist left Lima.", (0, 9, "PER"), (15, 19, "LOC")))
        assert loop.health["pending"] == 2
        assert not loop.health["training"]
        loop.post("/webhook", annotated(2, "Zoe saw Acme.", (0, 3, "PER"), (8, 12, "ORG")))
        seen = set()

        def is_new(health: Any) -> bool:
            seen.add(loop.post("/predict", {"tasks": [{"id": 1, "data": {"text": "Zoe left."}}]})["model_version"])
            return bool(health["version"] == "m-1")

        health = loop.wait(is_new)
        assert (health["pending"], health["training"], health.get("failure")) == (0, False, None)
        assert seen <= {"m-0", "m-1"}
        assert "m-1 answers now; it was trained on 3 annotated tasks" in loop.told
        # The new type was learnt by name; the version holds what it was trained on, and began from the last model.
        assert "ORG" in loop.client.get("/model").json()["tasks"][0]["types"]
        version = loop.home / "versions" / "0001"
        assert json.loads((version / "annotations.json").read_text()) == loop.tasks
        assert "from = " in (version / "model" / "plan.toml").read_text()
        loop.post("/webhook", annotated(3, "Ann left.", (0, 3, "PER")))
    with Loop(trained, tmp_path / "live", every=3) as again:
        assert (again.health["version"], again.health["annotated"], again.health["pending"]) == ("m-1", 4, 1)
        assert again.client.get("/versions").json() == {"versions": ["m-0", "m-1"]}


def test_a_training_that_fails_is_told_and_the_old_model_stays(trained: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text((trained.parent / "plan.toml").read_text().replace("train.conll", "gone.conll"))
    with Loop(trained, tmp_path / "live", plan=plan) as loop:
        loop.post("/webhook", ANN)
        loop.post("/webhook", {"action": "START_TRAINING", "project": {"id": 1}})
        health = loop.wait(lambda health: "failure" in health)
        assert "gone.conll" in health["failure"]
        assert health["failure"].startswith("training failed, and m-0 goes on answering: ")
        assert loop.told[-1] == health["failure"]
        assert loop.post("/predict", {"tasks": [{"id": 1, "data": {"text": "Ann"}}]})["model_version"] == "m-0"
        assert "gone.conll" in (loop.home / "training.log").read_text()
        assert sorted(path.name for path in loop.home.iterdir()) == ["annotations.json", "training.log"]
        assert loop.health["pending"] == 0  # not again and again with the same


def test_a_server_that_ends_leaves_no_training_behind(trained: Path, tmp_path: Path) -> None:
    with Loop(trained, tmp_path / "live", every=1) as loop:
        loop.post("/webhook", ANN)
        loop.wait(lambda health: bool(health["training"]))
    assert [path.name for path in loop.home.iterdir()] == ["annotations.json"]
    (loop.home / ".training-killed").mkdir()
    assert Versions(loop.home).newest == 0
    assert not (loop.home / ".training-killed").exists()


def test_without_pytorch_it_predicts_keeps_and_says_what_is_missing(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polytag.server.live.loop.find_spec", lambda _: None)
    with Loop(trained, tmp_path / "live") as loop:
        assert loop.told == [
            "PyTorch is not installed, so annotations are kept but not trained on: pip install 'polytag[train]'"
        ]
        assert loop.post("/predict", {"tasks": [{"id": 1, "data": {"text": "Ann left."}}]})["results"]
        loop.post("/webhook", ANN)
        assert len(loop.tasks) == 1


def test_what_cannot_be_annotated_is_said_at_once(trained: Path, tmp_path: Path) -> None:
    for options, sentence in (
        ({"task": "pos"}, "task pos marks no spans"),
        ({"task": "nre"}, "no task 'nre'"),
        ({"plan": tmp_path / "no.toml"}, "no.toml"),
    ):
        with pytest.raises(PolytagError, match=sentence):
            Loop(trained, tmp_path / "live", **options)
    kept = tmp_path / "live" / "annotations.json"
    task = {"id": 1, "data": {"text": "Ann"}, "annotations": []}
    overlong = {"id": 1, "result": annotated(1, "Ann", (0, 9, "PER"))["annotation"]["result"]}
    for found, sentence in (
        ({"a": 1}, "expected a list of tasks"),
        ([{"id": 1, "annotations": []}], "expected a list of tasks"),
        ([task | {"data": "Ann"}], "expected a list of tasks"),
        ([task | {"annotations": 1}], "expected a list of tasks"),
        ([task | {"annotations": [1]}], "expected a list of tasks"),
        ([task | {"annotations": [overlong]}], r"annotations.json: task 1: span \[0, 9, 'PER'\]"),
    ):
        kept.write_text(json.dumps(found))
        with pytest.raises(PolytagError, match=sentence):
            Loop(trained, tmp_path / "live")


def test_the_command_takes_one_model_and_a_directory_of_its_own(trained: Path, tmp_path: Path) -> None:
    live = ["--live", tmp_path / "live", "--port", "0"]
    copy = shutil.copytree(trained, tmp_path / "other")
    assert "versions of one MODEL" in run(["serve", trained, copy, *live]).sentence
    assert "versions of one MODEL" in run(["serve", trained, "--reload", *live]).sentence
    assert "of --live" in run(["serve", trained, "--plan", "x.toml"]).sentence
