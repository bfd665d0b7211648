"""The API: what is asked is answered as the tagger answers; what cannot be is refused in one sentence."""

import asyncio
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from polytag.corpus import blocks
from polytag.corpus.sentence import Sentence
from polytag.server import Limits, create_app
from polytag.server.app import FILES
from polytag.tagger.tagging import Tagger
from tests import tiny
from tests.server.clients import Local
from tests.server.process import tagger as make_tagger

LIMITS = Limits(body=5_000, words=60, sentence_words=40, nbest=4)
ENGLISH = ["en-ner", "en-pos"]


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    return make_tagger()


@pytest.fixture(scope="module")
def client(tagger: Tagger) -> Iterator[Local]:
    with Local(create_app(tagger, LIMITS, name="tiny")) as client:
        yield client


def tag(client: Local, **request: Any) -> Any:
    reply = client.post("/tag", json=request)
    assert reply.status_code == 200, reply.text
    return reply.json()


def refused(client: Local, status: int, content: bytes | dict[str, Any], *, expected: str) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    reply = client.post("/tag", content=body)
    assert reply.status_code == status, reply.text
    assert list(reply.json()) == ["error"]
    sentence = reply.json()["error"]
    assert expected in sentence
    assert "\n" not in sentence
    assert "Traceback" not in sentence


class TestTagging:
    def test_words_are_tagged_as_the_tagger_does(self, client: Local, tagger: Tagger) -> None:
        sentences = tiny.texts(6)
        reply = tag(client, words=[s.words for s in sentences], language="en", confidence=True)
        assert reply["tasks"] == ENGLISH
        expectations = tagger.tag_all(sentences, tasks=ENGLISH, confidence=True)
        for entry, expected in zip(reply["sentences"], expectations, strict=True):
            assert entry["words"] == list(expected.words)
            for task in ENGLISH:
                assert entry["tags"][task] == list(expected.tags[task])
                assert entry["confidence"][task] == pytest.approx(expected.confidence[task], abs=1e-5)
            spans = expected.spans("en-ner")
            found = entry["predicted_spans"]["en-ner"]
            assert [(s["type"], s["start"], s["end"]) for s in found] == [(s.type, s.start, s.end) for s in spans]
            assert [s["probability"] for s in found] == pytest.approx([s.probability for s in spans], abs=1e-5)
            assert list(entry["predicted_spans"]) == ["en-ner"]
            assert "offsets" not in entry

    def test_one_sentence_may_come_as_a_list_of_words(self, client: Local) -> None:
        one = tag(client, words=["Ann", "saw"], tasks=["en-pos"])
        assert one == tag(client, words=[["Ann", "saw"]], tasks=["en-pos"])
        assert set(one["sentences"][0]) == {"words", "tags", "predicted_spans"}

    @pytest.mark.parametrize("words", [[], [[]], [["a"], []]], ids=str)
    def test_sentences_without_words(self, client: Local, words: Any) -> None:
        reply = tag(client, words=words, language="en", confidence=True, nbest=2)
        assert [s["words"] for s in reply["sentences"]] == words

    def test_text_keeps_its_offsets_in_code_points(self, client: Local) -> None:
        text = "👩‍🚀 Ann Lee saw Lima. The 🏆 mayor\u00a0of Oslo\r\n\r\nsaw \U00020000 hills"
        reply = tag(client, text=text, language="en", confidence=True)
        assert len(reply["sentences"]) == 3
        for sentence in reply["sentences"]:
            assert [text[a:b] for a, b in sentence["offsets"]] == sentence["words"]
            for span in sentence["predicted_spans"]["en-ner"]:
                first, last = sentence["words"][span["start"]], sentence["words"][span["end"] - 1]
                within = text[slice(*span["characters"])]
                assert within.startswith(first)
                assert within.endswith(last)

    def test_text_that_is_tokenised_is_split_at_line_ends_and_blanks(self, client: Local) -> None:
        reply = tag(client, text="Dr. Ann saw Lima\nwell , well.\n\n", tokenised=True, tasks=["es-ner"])
        assert [s["words"] for s in reply["sentences"]] == [["Dr.", "Ann", "saw", "Lima"], ["well", ",", "well."]]

    def test_alternatives(self, client: Local, tagger: Tagger) -> None:
        words = ["Ann", "saw", "Lima"]
        (entry,) = tag(client, words=words, language="en", nbest=3)["sentences"]
        expected = tagger.tag(words, tasks=ENGLISH, nbest=3)
        for task in ENGLISH:
            found = [(tuple(one["tags"]), one["probability"]) for one in entry["alternatives"][task]]
            assert [tags for tags, _ in found] == [one.tags for one in expected.alternatives[task]]
            assert [p for _, p in found] == pytest.approx(
                [o.probability for o in expected.alternatives[task]], abs=1e-5
            )

    @pytest.mark.parametrize("least", [0.5, {"PER": 0.9, "LOC": 0.1}])
    def test_spans_that_are_not_probable_enough_are_left_out(self, client: Local, tagger: Tagger, least: Any) -> None:
        sentences = tiny.texts(12)
        reply = tag(client, words=[s.words for s in sentences], tasks=["en-ner"], min_probability=least)
        expected = [s.tags["en-ner"] for s in tagger.tag_all(sentences, tasks=["en-ner"], min_probability=least)]
        assert [tuple(entry["tags"]["en-ner"]) for entry in reply["sentences"]] == expected

    def test_a_reply_says_what_a_record_says(self, client: Local, tagger: Tagger) -> None:
        for given in ({"words": ["Ann", "Lee", "saw", "Lima"]}, {"text": "Ann  Lee saw Lima"}):
            (block,) = blocks(io.StringIO(json.dumps(given) + "\n"), format="jsonl")
            (line,) = tagger.tag_blocks([block], tasks=ENGLISH, confidence=True, nbest=2)
            more = {} if "words" in given else {"tokenised": True}
            (entry,) = tag(client, **given, **more, language="en", confidence=True, nbest=2)["sentences"]
            assert json.loads(line) == {**given, **entry}

    def test_what_looks_like_html_stays_text(self, client: Local) -> None:
        word = "<script>alert('1')</script>&amp;\"\\\u2028"
        reply = client.post("/tag", json={"words": [word, "\u0000"], "tasks": ["en-ner"]})
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.json()["sentences"][0]["words"] == [word, "\u0000"]

    def test_a_word_of_many_characters(self, client: Local) -> None:
        tag(client, words=["x" * 4_900], tasks=["en-ner"])


BAD = {
    "no body": (400, b"", "not JSON"),
    "no JSON": (400, b"text=a", "not JSON"),
    "half of it": (400, b'{"text": "a', "not JSON"),
    "no UTF-8": (400, b'{"text": "\xff\xfe"}', "not JSON in UTF-8"),
    "a lone surrogate": (400, b'{"text": "\\ud800"}', "not JSON"),
    "two values": (400, b"{}{}", "not JSON"),
    "deep": (400, b"[" * 4_000, "not JSON"),
    "deep words": (400, b'{"words": ' + b"[" * 2_000, "not JSON"),
    "a list": (422, b"[]", "the body: "),
    "neither": (422, b"{}", "found neither"),
    "both": (422, {"text": "a", "words": ["a"]}, "found both"),
    "text that is none": (422, {"text": 7}, "text: "),
    "words that are none": (422, {"words": "Ann saw"}, "words: "),
    "a word that is none": (422, {"words": [["a"], ["b", None]]}, "words[1][1]: "),
    "an empty word": (422, {"words": ["a", ""]}, "words[0][1]: "),
    "an unknown key": (422, {"word": ["a"]}, "word: there is no such key; did you mean 'words'?"),
    "a flag that is none": (422, {"words": ["a"], "confidence": "yes"}, "confidence: "),
    "no language": (422, {"words": ["a"]}, "the model reads several languages (en, es)"),
    "an unknown language": (422, {"words": ["a"], "language": "english"}, "no language 'english'"),
    "an unknown task": (422, {"words": ["a"], "tasks": ["en-nr"]}, "no task 'en-nr'; did you mean 'en-ner'?"),
    "a foreign task": (422, {"words": ["a"], "language": "es", "tasks": ["en-ner"]}, "task en-ner reads en"),
    "too many sequences": (422, {"words": ["a"], "tasks": ["en-ner"], "nbest": 5}, "at most 4"),
    "no task": (422, {"words": ["a"], "tasks": []}, "tasks: "),
    "no probability": (
        422,
        {"words": ["a"], "language": "en", "min_probability": "a"},
        "is 'a', expected a number from",
    ),
    "a large one": (
        422,
        {"words": ["a"], "language": "en", "min_probability": {"PER": 2}},
        "is 2, expected a number from",
    ),
    "a negative number": (422, {"words": ["a"], "tasks": ["en-ner"], "nbest": -1}, "nbest: "),
    "a long sentence": (413, {"words": ["a"] * 41, "language": "en"}, "41 words, expected at most 40"),
    "spans of no type": (422, {"words": ["a"], "language": "en", "min_probability": {"PRE": 0.5}}, "no type 'PRE'"),
    "many words": (413, {"words": [["a"] * 31] * 2, "language": "en"}, "more than 60 words"),
    "a long sentence of text": (413, {"text": "a " * 41, "tokenised": True, "language": "en"}, "41 words"),
    "many words of text": (413, {"text": "a\n" * 61, "tokenised": True, "language": "en"}, "more than 60 words"),
    "many words for so many sequences": (413, {"words": ["a"] * 31, "language": "en", "nbest": 2}, "30 words"),
    "a large body": (413, b" " * 5_001, "more than 5,000 bytes"),
}


class TestRefusals:
    @pytest.mark.parametrize(("status", "content", "expected"), list(BAD.values()), ids=list(BAD))
    def test_a_bad_request_gets_a_sentence(
        self, client: Local, status: int, content: bytes | dict[str, Any], expected: str
    ) -> None:
        refused(client, status, content, expected=expected)

    @pytest.mark.parametrize("given", ["text/plain", "application/x-www-form-urlencoded", "", "text/html; a=json"])
    def test_types_that_any_web_page_may_send(self, client: Local, given: str) -> None:
        reply = client.post("/tag", content=b'{"words": ["a"]}', headers={"content-type": given} if given else {})
        assert reply.status_code == 415
        assert reply.json() == {"error": f"the content type is {given!r}, expected 'application/json'"}

    def test_json_may_name_its_encoding(self, client: Local) -> None:
        body = json.dumps({"words": ["a"], "tasks": ["en-ner"]}).encode()
        reply = client.post("/tag", content=body, headers={"content-type": "Application/JSON; charset=utf-8"})
        assert reply.status_code == 200

    def test_a_long_name_is_not_said_again(self, tagger: Tagger) -> None:
        with Local(create_app(tagger, Limits(body=2 << 20))) as client:
            for asked in ({"tasks": ["x" * 1_000_000]}, {"language": "y" * 1_000_000}, {"z" * 1_000_000: 1}):
                reply = client.post("/tag", json={"words": ["a"], **asked})
                assert reply.status_code == 422
                assert len(reply.content) < 1_200

    def test_only_by_its_names(self, tagger: Tagger) -> None:
        for hosts, status in ((["localhost"], 400), (["localhost", "test"], 200), (["*"], 200)):
            with Local(create_app(tagger, hosts=hosts)) as client:  # which calls it "test"
                assert client.get("/health").status_code == status

    def test_unknown_places_and_methods(self, client: Local) -> None:
        assert client.get("/tags").json() == {"error": "there is nothing at '/tags'; did you mean '/tag'?"}
        reply = client.get("/tag")
        assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
        assert reply.json() == {"error": "GET is not allowed at '/tag', expected POST"}

    def test_a_fault_of_ours_says_nothing_of_the_inside(self, client: Local, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any, **__: Any) -> Any:
            raise ZeroDivisionError("secret")

        monkeypatch.setattr(Tagger, "tag_all", fail)
        refused(client, 500, {"words": ["a"], "tasks": ["en-ner"]}, expected="the server failed")
        assert "secret" not in client.post("/tag", json={"words": ["a"], "tasks": ["en-ner"]}).text

    def test_an_answer_that_takes_too_long(self, tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
        original = Tagger.tag_all

        def slow(*arguments: Any, **options: Any) -> Any:
            import time

            time.sleep(0.3)
            return original(*arguments, **options)

        monkeypatch.setattr(Tagger, "tag_all", slow)
        with Local(create_app(tagger, Limits(seconds=0.1))) as client:
            refused(client, 504, {"words": ["a"], "tasks": ["en-ner"]}, expected="longer than 0.1 seconds")

    def test_a_language_may_be_named_by_its_code(self) -> None:
        coded = make_tagger()
        coded.plan.words["es"].__dict__["language"] = "pt"
        with Local(create_app(coded)) as client:
            assert tag(client, words=["a"], language="pt") == tag(client, words=["a"], language="es")
            refused(client, 422, {"words": ["a"], "language": "xy"}, expected="no language 'xy'")

    def test_more_text_than_the_server_holds(self, tagger: Tagger) -> None:
        with Local(create_app(tagger, Limits(held=100))) as client:
            for _ in range(3):  # what a refused request held is given back
                refused(client, 503, {"words": ["a" * 200], "tasks": ["en-ner"]}, expected="as much text as it takes")
                tag(client, words=["a"], tasks=["en-ner"])

    def test_without_spacy_text_must_be_tokenised_where_the_plan_wants_its_rules(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("polytag.corpus.spacy_words.find_spec", lambda _: None)
        tagger = make_tagger()
        tagger.plan.words["en"].__dict__["tokeniser"] = "spacy:ga"
        with Local(create_app(tagger)) as client:
            refused(client, 422, {"text": "a", "language": "en"}, expected="pip install 'polytag[text]'")
            tag(client, text="a", language="en", tokenised=True)


class TestDescription:
    def test_the_model(self, client: Local, tagger: Tagger) -> None:
        model = client.get("/model").json()
        assert [language["name"] for language in model["languages"]] == ["en", "es"]
        assert [(t["name"], t["kind"], t["types"]) for t in model["tasks"]] == [
            ("en-ner", "spans", ["LOC", "PER"]),
            ("en-pos", "tags", ["DET", "NOUN", "VERB"]),
            ("es-ner", "spans", ["LOC", "PER"]),
        ]
        assert model["parameters"] == sum(array.size for array in tagger.model.arrays.values())
        assert model["limits"]["words"] == 60

    def test_health_and_what_was_answered(self, client: Local) -> None:
        before = client.get("/health").json()
        tag(client, words=["a"], tasks=["en-ner"])
        after = client.get("/health").json()
        assert after == {"status": "ok", "waiting": 0, "running": 0, "answered": before["answered"] + 1}

    def test_openapi_describes_the_bodies(self, client: Local) -> None:
        api = client.get("/openapi.json").json()
        assert set(api["paths"]) == {"/tag", "/model", "/models", "/health", "/metrics"}
        operation = api["paths"]["/tag"]["post"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert set(body["properties"]) == {
            "text", "words", "model", "tokenised", "language", "tasks", "confidence", "min_probability", "consistent",
            "nbest",
        }  # fmt: skip
        assert {"200", "400", "408", "413", "415", "422", "503", "504"} == set(operation["responses"])

    @pytest.mark.parametrize("path", FILES)
    def test_the_page_loads_nothing_from_elsewhere(self, client: Local, path: str) -> None:
        reply = client.get(path)
        assert reply.status_code == 200
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        content = reply.text.replace("http://127.0.0.1:8000", "").replace("http://www.w3.org/2000/svg", "")
        assert "://" not in content
        assert "innerHTML" not in content


def test_one_bad_request_of_a_batch_fails_alone(tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    from polytag.server.schemas import TagRequest
    from polytag.server.work import Worker
    from polytag.tagger.request import Request

    original = Tagger.tag_all

    def picky(self: Tagger, sentences: Sequence[Sentence], request: Request) -> Any:
        assert all("bad" not in sentence.words for sentence in sentences)
        return original(self, sentences, request)

    monkeypatch.setattr(Tagger, "tag_all", picky)
    worker = Worker(tagger, LIMITS)
    jobs = [worker.job(TagRequest(words=[[word]], tasks=["en-ner"])) for word in ("a", "bad", "b")]
    assert jobs[0].request == Request(["en-ner"])
    first, second, third = worker(jobs)
    assert isinstance(second, AssertionError)
    assert [json.loads(r)["sentences"][0]["words"] for r in (first, third) if isinstance(r, bytes)] == [["a"], ["b"]]


class TestBatcher:
    def test_what_waits_together_is_worked_on_together_and_the_cancelled_is_left_out(self) -> None:
        from polytag.server.batcher import Batcher
        from polytag.server.refusals import RefusedError

        seen: list[list[int]] = []

        def work(jobs: Sequence[int]) -> list[bytes | Exception]:
            seen.append(list(jobs))
            return [b"%d" % job for job in jobs]

        async def run() -> list[bytes]:
            batcher = Batcher[int](work, size=lambda job: job, batch=10, queue=6)
            futures = [batcher.submit(job) for job in (3, 4, 5, 6, 7, 8)]
            with pytest.raises(RefusedError, match="as many requests waiting"):
                batcher.submit(9)
            futures.pop(1).cancel()
            running = asyncio.create_task(batcher.run())
            try:
                return await asyncio.gather(*futures)
            finally:
                running.cancel()
                batcher.close()

        assert asyncio.run(run()) == [b"3", b"5", b"6", b"7", b"8"]
        assert seen == [[3, 5], [6, 7], [8]]

    def test_large_jobs_let_small_ones_pass_but_not_for_ever(self) -> None:
        from polytag.server.batcher import Batcher

        seen: list[list[int]] = []
        now = [0.0]

        def work(jobs: Sequence[int]) -> list[bytes | Exception]:
            seen.append(list(jobs))
            return [b""] * len(jobs)

        async def run() -> None:
            batcher = Batcher[int](
                work, size=lambda job: job, batch=10, queue=99, yields=0.1, clock=lambda: now[0]
            )  # of 100 units, a job yields for ten seconds
            asked = [batcher.submit(100) for _ in range(3)]
            for now[0] in (3.0, 6.0, 9.0, 11.0):
                asked.append(batcher.submit(2))
            assert not batcher.is_idle
            running = asyncio.create_task(batcher.run())
            await asyncio.gather(*asked)
            assert batcher.is_idle
            running.cancel()
            batcher.close()

        asyncio.run(run())
        assert seen == [[2, 2, 2], [100], [100], [100], [2]]
