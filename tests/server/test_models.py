"""Several models in one server, models that are replaced while it runs, and numbers for Prometheus."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polytag.corpus.sentence import Sentence
from polytag.model import save_model
from polytag.server import Limits, create_app
from polytag.server.description import describe
from polytag.server.models import Source
from polytag.tagger.tagging import Tagger
from tests import tiny
from tests.cli.conftest import run
from tests.server.clients import Local

LIMITS = Limits(reload_seconds=0.005)
WORDS = [list(sentence.words) for sentence in tiny.texts(20)]
ROUNDS = 2_000  # of requests until a replaced model answers, at most


def tagger(seed: int = 1) -> Tagger:
    return tiny.tagger({"ner": "iob2"}, seed=seed)


def expected(of: Tagger) -> list[list[str]]:
    return [list(s.tags["ner"]) for s in of.tag_all([Sentence(tuple(words)) for words in WORDS])]


def tags(client: Local, **more: Any) -> list[list[str]]:
    reply = client.post("/tag", json={"words": WORDS, **more})
    assert reply.status_code == 200, reply.text
    return [sentence["tags"]["ner"] for sentence in reply.json()["sentences"]]


@pytest.fixture(scope="module")
def several() -> Iterator[Local]:
    with Local(create_app({"news": tagger(1), "law": tagger(2)}, LIMITS)) as client:
        yield client


def test_each_model_answers_those_who_name_it(several: Local) -> None:
    news, law = expected(tagger(1)), expected(tagger(2))
    assert news != law
    assert tags(several) == tags(several, model="news") == news
    assert tags(several, model="law") == law


def test_models_are_shown(several: Local) -> None:
    assert [of["model"] for of in several.get("/models").json()] == ["news", "law"]
    assert several.get("/model").json()["model"] == "news"
    assert several.get("/model?name=law").json()["model"] == "law"


def test_a_packed_model_has_its_words_sorted_and_shows_some_of_them_without_the_signs(tmp_path: Path) -> None:
    whole = tagger()
    whole.save(tmp_path / "m.polytag")
    known = {word for word in whole.vocabularies.words["en"].words if word.isalpha()}
    (language,) = describe(Tagger.load(tmp_path / "m.polytag"), name="m", limits=LIMITS).languages
    assert len(known) > 5
    assert {*language.example.split()} == known


@pytest.mark.parametrize("asked", ["post", "get"])
def test_a_model_that_is_not_there(several: Local, asked: str) -> None:
    body = {"words": WORDS, "model": "lax"}
    reply = several.post("/tag", json=body) if asked == "post" else several.get("/model?name=lax")
    assert reply.status_code == 422
    assert "there is no model 'lax'" in reply.json()["error"]
    assert "law" in reply.json()["error"]


def served(path: Path) -> Local:
    source = Source(path)
    return Local(create_app({"m": source.load()}, LIMITS, sources={"m": source}))


def replace(path: Path, by: Tagger) -> None:
    """As `mv` does: there is no time at which a part of the new one stands there."""
    new = path.with_name("new")
    save_model(by.model, new)
    if path.exists():
        path.rename(path.with_name("old"))
    new.rename(path)


def test_a_model_that_is_replaced_answers_from_then_on_and_no_request_is_lost(tmp_path: Path) -> None:
    old, new = expected(tagger(1)), expected(tagger(2))
    save_model(tagger(1).model, tmp_path / "m")
    with served(tmp_path / "m") as client:
        assert tags(client) == old
        replace(tmp_path / "m", tagger(2))
        seen = [tags(client)]
        while seen[-1] == old and len(seen) < ROUNDS:
            seen.append(tags(client))
        assert seen[-1] == new
        assert all(one in (old, new) for one in seen)


def test_what_cannot_be_read_leaves_the_old_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    old, new = expected(tagger(1)), expected(tagger(2))
    save_model(tagger(1).model, tmp_path / "m")
    with served(tmp_path / "m") as client:
        (tmp_path / "m" / "weights.safetensors").unlink()
        for _ in range(ROUNDS):
            assert tags(client) == old
            if caplog.records:
                break
        assert "the old one stays" in caplog.text
        shutil.rmtree(tmp_path / "m")
        replace(tmp_path / "m", tagger(2))
        assert any(tags(client) == new for _ in range(ROUNDS))


def test_numbers_for_prometheus(tmp_path: Path) -> None:
    parser = pytest.importorskip("prometheus_client.parser", reason="the extra metrics is not installed")
    save_model(tagger(1).model, tmp_path / "m")
    with served(tmp_path / "m") as client:
        for _ in range(3):
            tags(client)
        client.post("/tag", json={"words": WORDS, "model": "x"})
        client.get("/nowhere")
        replace(tmp_path / "m", tagger(2))
        assert any(tags(client) == expected(tagger(2)) for _ in range(ROUNDS))
        reply = client.get("/metrics")
        assert reply.headers["content-type"].startswith("text/plain")
        found = {
            (sample.name, *sample.labels.values()): sample.value
            for family in parser.text_string_to_metric_families(reply.text)
            for sample in family.samples
            if not sample.name.endswith("_created")
        }
        assert found["polytag_requests_total", "/tag", "422"] == 1
        assert found["polytag_requests_total", "/tag", "200"] >= 4
        assert found["polytag_requests_total", "other", "404"] == 1
        assert found["polytag_request_seconds_count", "/tag"] == found["polytag_requests_total", "/tag", "200"] + 1
        assert found["polytag_reloads_total", "m", "read"] == 1
        assert found["polytag_waiting",] == found["polytag_running",] == 0


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polytag.server.metrics.find_spec", lambda _: None)
    with Local(create_app(tagger())) as client:
        assert tags(client)
        reply = client.get("/metrics")
        assert reply.status_code == 501
        assert "pip install 'polytag[metrics]'" in reply.json()["error"]


def test_two_models_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save_model(tagger().model, tmp_path / folder / "m")
    done = run(["serve", tmp_path / "a" / "m", tmp_path / "b" / "m", "--port", "0"])
    assert done.code == 1
    assert "several models are called 'm', expected names that differ" in done.sentence
