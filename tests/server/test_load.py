"""A real server process under load and under fire: nothing lost, nothing mixed up, memory bounded."""

import asyncio
import json
import random
import signal
import socket
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from polytag.corpus.sentence import Sentence
from tests import tiny
from tests.cli.conftest import run
from tests.server.clients import Reply, ends, get, head, post, read, send
from tests.server.conftest import LIMITS, Running, process
from tests.server.process import tagger as make_tagger

REQUESTS = 300
GOOD = {"words": ["Ann", "saw", "Lima"], "tasks": ["en-ner"]}
MEGABYTE = 1 << 20


async def gathered(*jobs: Awaitable[Any]) -> list[Any]:
    return list(await asyncio.gather(*jobs))


def is_alive(server: Running) -> None:
    reply = asyncio.run(post(server.port, GOOD))
    assert reply.status == 200
    assert asyncio.run(get(server.port, "/health")).body["running"] == 0


class TestLoad:
    def test_hundreds_at_once_get_what_the_tagger_says_of_their_own_words(self, server: Running) -> None:
        source, tagger = random.Random(5), make_tagger()
        asked = [_random_request(source, number) for number in range(REQUESTS)]
        replies = asyncio.run(gathered(*(post(server.port, request) for request in asked)))
        for request, reply in zip(asked, replies, strict=True):
            assert reply.status == 200
            assert reply.body["tasks"] == request["tasks"]
            sentences = [Sentence(tuple(words)) for words in _words(request)]
            expected = tagger.tag_all(sentences, tasks=request["tasks"], confidence=request["confidence"])
            for entry, one in zip(reply.body["sentences"], expected, strict=True):
                assert tuple(entry["words"]) == one.words
                assert {task: tuple(tags) for task, tags in entry["tags"].items()} == one.tags
                for task, probabilities in one.confidence.items():
                    assert entry["confidence"][task] == pytest.approx(probabilities, abs=1e-5)

    def test_more_than_the_queue_takes_is_refused_and_nothing_is_lost(self, server: Running) -> None:
        request = {"words": ["the"] * 1_000, "tasks": ["en-ner", "es-ner"]}
        before = asyncio.run(get(server.port, "/health")).body["answered"]
        jobs = (post(server.port, request if i < 30 else GOOD) for i in range(int(LIMITS["queue"]) + 80))
        replies: list[Reply] = asyncio.run(gathered(*jobs))
        refused = [reply for reply in replies if reply.status != 200]
        assert {reply.status for reply in refused} <= {503}
        assert all(set(reply.body) == {"error"} for reply in refused)
        assert all(reply.headers["retry-after"] == "1" for reply in refused if reply.status == 503)
        after = asyncio.run(get(server.port, "/health")).body["answered"]
        assert after - before >= len(replies) - len(refused)
        is_alive(server)


class TestBrokenClients:
    def test_a_client_that_leaves_in_the_middle_of_its_body(self, server: Running) -> None:
        async def leave() -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(head(1_000) + b'{"words": [')
            await writer.drain()
            writer.transport.abort()

        asyncio.run(gathered(*(leave() for _ in range(50))))
        is_alive(server)

    def test_a_client_that_leaves_before_the_answer_leaves_the_queue(self, server: Running) -> None:
        request = json.dumps({"words": [["the"] * 1_000] * 2, "tasks": ["en-ner"]}).encode()

        async def leave() -> int:
            writers = []
            for _ in range(60):
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(head(len(request)) + request)
                await writer.drain()
                writers.append(writer)
            for writer in writers:
                writer.transport.abort()
            before: int = (await get(server.port, "/health")).body["answered"]
            assert (await post(server.port, GOOD)).status == 200
            after: int = (await get(server.port, "/health")).body["answered"]
            return after - before

        assert asyncio.run(leave()) < 60

    def test_a_body_that_does_not_end_is_answered_and_cut(self, server: Running) -> None:
        async def slow() -> Reply:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(head(100) + b"{")
            reply = await asyncio.wait_for(read(reader), 10)
            writer.close()
            return reply

        reply = asyncio.run(slow())
        assert (reply.status, reply.body) == (408, {"error": "the body took longer than 2 seconds to come"})

    def test_slow_clients_do_not_hold_up_others(self, server: Running) -> None:
        async def both() -> float:
            opened = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(200)]
            for _, writer in opened:
                writer.write(head(100) + b"{")
            started = time.monotonic()
            assert (await post(server.port, GOOD)).status == 200
            took = time.monotonic() - started
            for _, writer in opened:
                writer.transport.abort()
            return took

        assert asyncio.run(both()) < float(LIMITS["read_seconds"])

    @pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such timeout")
    def test_a_client_that_does_not_read_is_cut(self, server: Running) -> None:
        asked = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 1_000  # answers of more than buffers between us hold
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            deaf.connect(("127.0.0.1", server.port))
            deaf.settimeout(0.5)
            with suppress(TimeoutError):
                deaf.sendall(asked)
            time.sleep(0.2)
            assert server.files > server.idle_files
            deadline = time.monotonic() + 30
            while server.files > server.idle_files:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        is_alive(server)

    def test_more_connections_than_there_may_be(self, server: Running) -> None:
        async def crowd() -> tuple[Reply, int]:
            opened = [
                await asyncio.open_connection("127.0.0.1", server.port) for _ in range(int(LIMITS["connections"]))
            ]
            await asyncio.sleep(0.1)
            refusal = await post(server.port, GOOD)
            for _, writer in opened:
                writer.transport.abort()
            await asyncio.sleep(0.2)
            return refusal, (await post(server.port, GOOD)).status

        refusal, status = asyncio.run(crowd())
        assert refusal.status == 503
        assert status == 200


class TestHostileInput:
    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (head(10**12), 413),
            (b"GET /%00%ff/../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", 404),
            (b"DELETE /tag HTTP/1.1\r\nhost: x\r\n\r\n", 405),
        ],
        ids=["long body", "path", "method"],
    )  # fmt: skip
    def test_requests_that_are_no_good(self, server: Running, sent: bytes, status: int) -> None:
        reply = asyncio.run(send(server.port, sent))
        assert reply.status == status
        assert list(reply.body) == ["error"]
        is_alive(server)

    @pytest.mark.parametrize(
        "sent",
        [
            b"garbage\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"POST /tag HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
            b"POST /tag HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 70_000,
            head(None) + b"zz\r\n",
            b"POST /tag HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
            b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n",
        ],
        ids=["words", "TLS", "negative", "two lengths", "long head", "bad chunk", "a length and chunks"],
    )
    def test_bytes_that_are_no_http(self, server: Running, sent: bytes) -> None:
        async def answer() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(sent)
            found = await ends(reader, 10)
            writer.close()
            return found

        found = asyncio.run(answer())
        assert found.startswith(b"HTTP/1.1 400 ")
        assert found.count(b"HTTP/1.1 ") == 1, "what followed was answered"
        is_alive(server)

    def test_texts_that_are_meant_to_hurt(self, server: Running) -> None:
        texts = ["(" * 30_000, "a" * 150_000, "." * 30_000, "a." * 15_000, "\u0000" * 20_000, "\u0301" * 60_000]
        texts += [
            "<script>" * 3_000,
            "🏳️‍🌈" * 3_000,
            " \n" * 60_000,
            "'s" * 15_000,
            "http://a/" * 3_000,
            "\u202e" * 60_000,
        ]

        async def all_of_them() -> list[tuple[Reply, float]]:
            found = []
            for text in texts:
                started = time.monotonic()
                reply = await post(server.port, {"text": text, "language": "en"})
                found.append((reply, time.monotonic() - started))
            return found

        for reply, seconds in asyncio.run(all_of_them()):
            assert reply.status in (200, 413), reply.body
            assert seconds < float(LIMITS["seconds"])

    def test_memory_stays_bounded(self, server: Running) -> None:
        huge, chunk = 4 * MEGABYTE, b"10000\r\n" + b"[" * 0x10000 + b"\r\n"

        async def chunked() -> int:
            """A body without end, until the server closes the connection."""
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(head(None))
            try:
                for _ in range(huge // 0x10000):
                    writer.write(chunk)
                    await writer.drain()
                return (await asyncio.wait_for(read(reader), 10)).status
            except ConnectionError:
                return 0
            finally:
                writer.close()

        def fire() -> set[int]:
            nested = b'{"words": ' + b"[" * 130_000
            words = {"words": ["".join(random.sample("abcdefghijklmnop", 9)) for _ in range(1_400)], "language": "en"}
            jobs = [chunked() for _ in range(20)] + [_status(server.port, nested) for _ in range(20)]
            return set(asyncio.run(gathered(*jobs, *(_status(server.port, words) for _ in range(20)))))

        assert fire() == {413, 400, 200}
        before = server.memory
        for _ in range(2):
            fire()
        assert server.memory - before < 40 * MEGABYTE
        is_alive(server)


async def _status(port: int, content: Any) -> int:
    return (await post(port, content)).status


class TestCommand:
    def test_a_told_server_answers_what_it_has_accepted_and_ends_well(self, tmp_path: Path) -> None:
        from polytag.model import save_model

        tagger = make_tagger()
        save_model(tagger.model, tmp_path)
        request = {
            "words": [["the", "mayor", "of", "Lima"] * 100] * 8,
            "tasks": ["en-ner", "en-pos"],
            "confidence": True,
        }
        with process("-m", "polytag", "serve", str(tmp_path), "--port", "0", "--threads", "1") as started:
            assert started.stderr is not None
            line = started.stderr.readline()
            assert line.startswith(f"{tmp_path} is served at http://127.0.0.1:")
            port = int(line.rsplit(":", 1)[1])

            async def stop_in_the_middle() -> list[Reply]:
                jobs = [asyncio.create_task(post(port, request)) for _ in range(12)]
                while True:
                    health = (await get(port, "/health")).body
                    if sum(health[key] for key in ("waiting", "running", "answered")) == len(jobs):
                        break
                assert health["answered"] < len(jobs)
                started.send_signal(signal.SIGTERM)
                return await asyncio.gather(*jobs)

            replies = asyncio.run(stop_in_the_middle())
            assert [reply.status for reply in replies] == [200] * len(replies)
            assert all(len(reply.body["sentences"]) == 8 for reply in replies)
            assert started.wait(10) == 0
            assert started.stderr.read() == ""

    @pytest.mark.parametrize("kind", ["half a body", "deaf"])
    def test_a_client_that_is_stuck_does_not_keep_the_server(self, kind: str) -> None:
        limits = {**LIMITS, "read_seconds": 60.0, "grace_seconds": 1.0}
        with process("-m", "tests.server.process", json.dumps(limits)) as started, socket.socket() as stuck:
            assert started.stdout is not None
            assert started.stderr is not None
            port = int(started.stdout.readline())
            stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            stuck.connect(("127.0.0.1", port))
            stuck.settimeout(1)
            with suppress(TimeoutError):
                asked = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 1_000
                stuck.sendall(head(1_000) + b'{"words": [' if kind == "half a body" else asked)
            assert asyncio.run(post(port, GOOD)).status == 200
            started.send_signal(signal.SIGTERM)
            assert started.wait(30) == 0  # not the 65 seconds that an answer may take
            assert "Traceback" not in started.stderr.read()

    @pytest.mark.parametrize(
        ("host", "address", "allowed", "expected"),
        [
            ("127.0.0.1", "127.0.0.1", (), ["localhost", "127.0.0.1", "[::1]", "127.0.0.1"]),
            ("::1", "::1", ("tags.example",), ["tags.example", "localhost", "127.0.0.1", "[::1]", "[::1]"]),
            ("0.0.0.0", "0.0.0.0", (), ["*"]),
            ("0.0.0.0", "0.0.0.0", ("tags.example",), ["tags.example"]),
        ],
    )
    def test_the_names_of_a_server(
        self, host: str, address: str, allowed: tuple[str, ...], expected: list[str]
    ) -> None:
        from polytag.cli.serve import _hosts

        assert _hosts(host, address, allowed) == expected

    def test_a_port_in_use_is_one_sentence(self, server: Running) -> None:
        done = run(["serve", "nowhere", "--port", server.port])
        assert done.code == 1
        assert done.sentence == f"cannot serve at 127.0.0.1:{server.port}: address already in use"

    def test_a_host_of_others_is_one_sentence(self) -> None:
        done = run(["serve", "nowhere", "--host", "192.0.2.1"])
        assert done.code == 1
        assert done.sentence.startswith("cannot serve at 192.0.2.1:8000: ")

    def test_a_missing_model_is_one_sentence(self) -> None:
        done = run(["serve", "nowhere", "--port", "0"])
        assert done.code == 1
        assert done.sentence == "nowhere: there is no such model directory"

    def test_without_the_extra_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import sys

        for name in [name for name in sys.modules if name.startswith("polytag.server.")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "fastapi", None)
        done = run(["serve", "nowhere", "--port", "0"])
        assert done.code == 1
        assert done.sentence.endswith("pip install 'polytag[serve]'")


def _random_request(source: random.Random, number: int) -> dict[str, Any]:
    sentences = [list(s.words) for s in tiny.texts(source.randint(0, 12), seed=number, longest=30)]
    tasks = source.choice((["en-ner"], ["en-pos", "en-ner"], ["es-ner"], ["es-ner", "en-pos"]))
    request = {"tasks": tasks, "confidence": source.random() < 0.5}
    if source.random() < 0.5:
        return {**request, "words": sentences}
    return {**request, "text": "\n".join(map(" ".join, sentences)), "tokenised": True}


def _words(request: dict[str, Any]) -> Sequence[Sequence[str]]:
    if "words" in request:
        words: list[list[str]] = request["words"]
        return words
    return [line.split() for line in request["text"].splitlines()]
