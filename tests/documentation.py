"""Code blocks of Markdown pages: found, checked, run in order. With three back quotes for ~~~:

~~~toml title="plan.toml"           is written to that file (README, which others render: "# plan.toml" first)
~~~sh, ~~~python                    runs; the blocks of a page share a directory
~~~text                             after one that ran: its lines stand in what that printed, whatever the numbers
<!-- not run: needs the corpora --> before a block: its commands are only parsed
<!-- after quick-start.md -->       anywhere: the page begins in the directory that another one left
"""

import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from polytag.cli import cli

_FENCE = re.compile(r'^```(?P<language>\w*)(?:.*?title="(?P<title>[^"]+)")?.*$')
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")
_AFTER = re.compile(r"<!-- after (\S+) -->")
_LONG = re.compile(r"(?<=\bepochs = )(?:[6-9]|\d\d+)\b")  # trainings of more than five epochs
RUN = ("sh", "python")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    code: str
    title: str
    not_run: str  # the reason

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order; fences begin in the first column."""
    found: list[Block] = []
    opened: tuple[int, re.Match[str]] | None = None
    body: list[str] = []
    reason = ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if opened is None and (fence := _FENCE.match(line)):
            opened, body = (number, fence), []
        elif opened is None:
            marker = _NOT_RUN.search(line)
            reason = marker[1] if marker else reason if not line.strip() else ""
        elif line == "```":
            fence = opened[1]
            code = "\n".join(body) + "\n"
            named = re.match(r"# (\S+\.toml)\n", code) if fence["language"] == "toml" else None
            title = fence["title"] or (named[1] if named else "")
            found.append(Block(page, opened[0], fence["language"], code, title, reason))
            opened, reason = None, ""
        else:
            body.append(line)
    assert opened is None, f"{page}: a block without end"
    return found


def before(page: Path) -> Path | None:
    """The page in whose directory this one begins."""
    found = _AFTER.search(page.read_text(encoding="utf-8"))
    return (page.parent / found[1]).resolve() if found else None


def run_page(page: Path, folder: Path, path: str) -> None:
    """Run all blocks of a page in a directory.

    Raises:
        AssertionError: a block fails, or does not print what the page says; with its place and all that it printed.
    """
    port, printed, ran = free_port(), "", False
    for block in blocks(page):
        if block.language == "text" and not block.title:
            if ran and not block.not_run:
                check_output(block, printed)
            continue
        ran = block.language in RUN and not block.not_run
        code = _LONG.sub("1", block.code.replace("8000", str(port)))
        if block.title and not block.not_run:
            target = folder / block.title
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(code, encoding="utf-8")
        if ran and not (block.title and block.language == "python"):
            printed = run_block(block, code, folder, path)


def run_block(block: Block, code: str, folder: Path, path: str) -> str:
    command = ["bash", "-euo", "pipefail", "-c", code] if block.language == "sh" else ["python", "-c", code]
    if block.language == "python":
        command[0] = shutil.which("python", path=path) or "python"
    environment = {"PATH": path, "HOME": str(folder), "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block.place} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def check_output(block: Block, printed: str) -> None:
    """Every line that the page shows was printed, but for its numbers; "..." stands for what is left out."""
    lines = {_without_numbers(line) for line in printed.splitlines()}
    for line in block.code.splitlines():
        if line.strip() not in ("", "..."):
            expected = ".*".join(map(re.escape, _without_numbers(line).split("...")))
            assert any(re.fullmatch(expected, found) for found in lines), (
                f"{block.place}: nothing printed {line!r}:\n{printed}"
            )


def _without_numbers(line: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[-+]?\d[\d,.]*", "0", line)).strip()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def commands(code: str) -> Iterator[list[str]]:
    """The arguments of each ``polytag`` in a shell script; torchrun's too."""
    for line in code.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        words = list(lexer)
        for at, word in enumerate(words):
            if word == "polytag" and (at == 0 or words[at - 1] in ("|", "&&", ";", "-m", "exec", "&")):
                end = next((i for i in range(at + 1, len(words)) if set(words[i]) <= set("|&;<>")), len(words))
                of_redirection = words[end : end + 1] == [">"] and words[end - 1] == "2"
                yield words[at + 1 : end - of_redirection]


def parse(arguments: list[str]) -> None:
    """Parse a command line without running it.

    Raises:
        click.UsageError: it is none.
    """
    context = cli.make_context("polytag", list(arguments))
    command: click.Command = cli
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        assert name is not None
        command = found
        context = command.make_context(name, rest, parent=context)
