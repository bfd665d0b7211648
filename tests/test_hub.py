"""Models of the Hugging Face Hub, against a server of its protocol on this machine: pushed, fetched, refused."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from polytag.errors import PolytagError
from polytag.model import hub, load_model, save_model
from polytag.tagger.tagging import Tagger
from tests import tiny

pytest.importorskip("huggingface_hub", reason="the extra hub is not installed")
pytestmark = pytest.mark.usefixtures("quick_start")

WORDS = ["Ann", "saw", "Lima"]


class Server(ThreadingHTTPServer):
    """Repositories by name: their files, and whether they are private."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.files: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def commit(self, name: str) -> str:
        return hashlib.sha1(repr(sorted(self.files[name].items())).encode()).hexdigest()


class Answers(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(?:revision|tree)/[^/]+)?", path):
            name = found[1]
            if name not in self.server.files:
                return self.missing()
            files = self.server.files[name]
            if "/tree/" in path:
                return self.json([{"type": "file", "path": f, "size": len(c), "oid": "0"} for f, c in files.items()])
            siblings = [{"rfilename": file} for file in files]
            return self.json({"id": name, "sha": self.server.commit(name), "siblings": siblings, "private": True})
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path)
        if found is None or found[2] not in self.server.files.get(found[1], {}):
            return self.missing()
        content = self.server.files[found[1]][found[2]]
        tag = f'"{hashlib.sha1(content).hexdigest()}"'
        return self.reply(200, content, {"ETag": tag, "X-Repo-Commit": self.server.commit(found[1])})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Authorization") != "Bearer secret":
            return self.reply(401, b'{"error": "Invalid credentials"}', {})
        if self.path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked.get('organization', 'me')}/{asked['name']}"
            self.server.files.setdefault(name, {})
            self.server.private.setdefault(name, asked.get("private") or asked.get("visibility") == "private")
            return self.json({"url": f"{self.server.url}/{name}", "id": name, "name": name})
        if self.path == "/api/validate-yaml":
            return self.json({"errors": [], "warnings": []})
        found = re.match(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", self.path)
        assert found, self.path
        if found[2] == "preupload":
            paths = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in paths]
            return self.json({"files": modes})
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                self.server.files[found[1]][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        commit = self.server.commit(found[1])
        url = f"{self.server.url}/{found[1]}/commit/{commit}"
        return self.json({"success": True, "commitOid": commit, "commitUrl": url, "hookOutput": ""})

    def json(self, content: Any) -> None:
        self.reply(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def missing(self) -> None:
        self.reply(404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})

    def reply(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "m"
    save_model(tiny.model({"ner": "iob2"}), directory)
    for name in ("README.md", "report.json"):
        (directory / name).write_text("{}", encoding="utf-8")
    return directory


def polytag(server: Server, home: Path, *arguments: object, token: str = "secret") -> subprocess.CompletedProcess[str]:
    """In a process of its own: the library reads where the Hub is when it is imported."""
    environment = {**os.environ, "HF_ENDPOINT": server.url, "HF_HOME": str(home), "HF_TOKEN": token}
    return subprocess.run(
        [sys.executable, "-m", "polytag", *map(str, arguments)], env=environment, input="\n".join([*WORDS, "", ""]),
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_what_is_pushed_is_a_model_for_every_command(server: Server, model: Path, tmp_path: Path) -> None:
    done = polytag(server, tmp_path / "home", "push", model, "somebody/ner")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{model}: written to {server.url}/somebody/ner\n"
    assert server.private["somebody/ner"]
    own = {str(path.relative_to(model)): path.read_bytes() for path in model.rglob("*") if path.is_file()}
    del own["report.json"]
    assert server.files["somebody/ner"] == own
    done = polytag(server, tmp_path / "home", "tag", "hf:somebody/ner", "--from", "conll")
    assert (done.returncode, done.stderr) == (0, "")
    expected = Tagger(load_model(model)).tag(WORDS).tags["ner"]
    assert [line.split()[-1] for line in done.stdout.splitlines() if line] == list(expected)
    server.files["somebody/ner"]["weights.safetensors"] = b"no weights"
    done = polytag(server, tmp_path / "elsewhere", "show", "hf:somebody/ner")
    assert done.returncode == 1
    assert "weights.safetensors" in done.stderr


def test_a_repository_is_public_where_that_is_said(server: Server, model: Path, tmp_path: Path) -> None:
    assert polytag(server, tmp_path / "home", "push", model, "somebody/ner", "--public").returncode == 0
    assert server.private["somebody/ner"] is False


@pytest.mark.parametrize(
    ("arguments", "token", "message"),
    [
        (["show", "hf:nobody/none"], "secret", "hf:nobody/none: cannot be fetched: the Hub has no such model"),
        (["show", "hf:a/b/c"], "secret", "hf:a/b/c: a model of the Hub is USER/NAME, found 'a/b/c'"),
        (["push", "MODEL", "me/x"], "wrong", "me/x: cannot be written: the Hub does not know who you are"),
        (["push", "MODEL", "x"], "secret", "x: a model of the Hub is USER/NAME, found 'x'"),
        (["push", "MODEL/plan.toml", "me/x"], "secret", "plan.toml: this is a file, expected a model directory"),
        (["push", "none", "me/x"], "secret", "none: there is no such model directory"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    server: Server, model: Path, tmp_path: Path, arguments: list[str], token: str, message: str
) -> None:
    given = [argument.replace("MODEL", str(model)) for argument in arguments]
    done = polytag(server, tmp_path / "home", *given, token=token)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not any(server.files.values())


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(PolytagError, match=re.escape(hub.MISSING)):
        load_model("hf:somebody/ner")
