"""Load on ``polytag serve``: requests and words per second, latency, processor time, errors, peak memory.

    python -m benchmarks.serve MODEL [--text FILE] [--clients 1,16,256] [--seconds 10] [--serve-option --threads=1]...
    python -m benchmarks.serve MODEL --text FILE --plan PLAN    # each round once more while PLAN is trained (--live)

The server is a process of its own, the clients are coroutines of this one; each sends a sentence as words on a
connection that stays open, reads the answer, checks that it is of its own words, and goes on.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import click

from polytag.corpus import read

CLIENTS = "1,16,256"
COLUMNS = ("clients", "requests/s", "words/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms/request", "errors", "peak MB")
WARM_UP = 1.0  # seconds that are not counted, but for the processor's time


@dataclass
class Counts:
    """What the clients of one round saw."""

    seconds: float = 0.0
    words: int = 0
    errors: int = 0
    latencies: list[float] = field(default_factory=list)

    def row(self, clients: int, *, cpu: float, peak: float) -> str:
        """A row of the table."""
        requests = len(self.latencies)
        cuts = quantiles(self.latencies, n=100) if requests > 1 else [0.0] * 99
        return (
            f"| {clients} | {requests / self.seconds:,.0f} | {self.words / self.seconds:,.0f} | {1_000 * cuts[49]:.1f} "
            f"| {1_000 * cuts[94]:.1f} | {1_000 * cuts[98]:.1f} "
            f"| {1_000 * cpu / max(1, requests):.2f} | {self.errors} | {peak:.0f} |"
        )


HEAD = b"POST /tag HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


async def client(port: int, texts: list[tuple[str, ...]], counts: Counts, *, start: float, end: float) -> None:
    """Ask again and again until the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (begun := time.monotonic()) < end:
        words = random.choice(texts)
        body = json.dumps({"words": words}).encode()
        writer.write(HEAD % len(body) + body)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        reply = json.loads(await reader.readexactly(length))
        if begun < start:
            continue
        if not head.startswith(b"http/1.1 200") or reply["sentences"][0]["words"] != list(words):
            counts.errors += 1
            continue
        counts.latencies.append(time.monotonic() - begun)
        counts.words += len(words)
    writer.close()


async def measure(port: int, texts: list[tuple[str, ...]], *, clients: int, seconds: float) -> Counts:
    """One round."""
    counts, now = Counts(seconds), time.monotonic()
    start, end = now + WARM_UP, now + WARM_UP + seconds
    await asyncio.gather(*(client(port, texts, counts, start=start, end=end) for _ in range(clients)))
    return counts


def ask(port: int, path: str, body: object = None) -> Any:
    """What the server says, to JSON where some is given."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"http://localhost:{port}{path}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(asked) as reply:
        return json.load(reply)


def train(port: int, number: int, words: tuple[str, ...]) -> None:
    """Begin a training of a live model, by an annotation without a span."""
    task = {"id": number, "data": {"text": " ".join(words)}}
    ask(port, "/webhook", {"action": "ANNOTATION_CREATED", "task": task, "annotation": {"id": number, "result": []}})
    ask(port, "/webhook", {"action": "START_TRAINING"})
    while not ask(port, "/health")["live"]["training"]:
        time.sleep(0.1)


def cpu_seconds(process: int) -> float:
    """What a process has used of processors so far."""
    used = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def peak_megabytes(process: int) -> float:
    """The most memory that a process had resident so far."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--text", type=click.Path(path_type=Path), required=True, help="Annotated file whose words are sent.")
@click.option("--clients", default=CLIENTS, show_default=True, help="Concurrent clients of each round.")
@click.option("--seconds", default=10.0, show_default=True, help="Length of a round.")
@click.option("--plan", type=click.Path(path_type=Path), help="Also measure while this is trained: serve --live.")
@click.option("--serve-option", multiple=True, help="Passed on to polytag serve (repeatable).")
def main(
    model: Path, text: Path, clients: str, seconds: float, plan: Path | None, serve_option: tuple[str, ...]
) -> None:
    """Serve MODEL and measure."""
    texts = [sentence.words for sentence in read(text) if sentence.words]
    home = TemporaryDirectory()
    live = ["--live", home.name, "--plan", str(plan), "--every", "1000000"] if plan else []
    command = [sys.executable, "-m", "polytag", "serve", str(model), "--port", "0", *live, *serve_option]
    with home, subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        if "is served at" not in line:
            raise click.ClickException(line.strip())
        try:
            click.echo(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
            port, numbers = int(line.rsplit(":", 1)[1]), [int(number) for number in clients.split(",")]
            for number, trains in [
                (number, trains) for trains in ([False, True] if plan else [False]) for number in numbers
            ]:
                if trains and not ask(port, "/health")["live"]["training"]:
                    train(port, number, texts[number % len(texts)])
                before = cpu_seconds(server.pid)
                counts = asyncio.run(measure(port, texts, clients=number, seconds=seconds))
                row = counts.row(number, cpu=cpu_seconds(server.pid) - before, peak=peak_megabytes(server.pid))
                click.echo(row + (f" training {ask(port, '/health')['live']['training']} |" if trains else ""))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
