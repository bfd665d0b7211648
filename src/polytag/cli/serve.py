"""``polytag serve``."""

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import click

from polytag.cli.options import PATH, weights_options
from polytag.errors import PolytagError
from polytag.files import locked

BYTES = 50  # of a request for each word that it may hold


@click.command()
@click.argument("models", nargs=-1, required=True, type=PATH, metavar="MODEL...")
@click.option("--reload", "watched", is_flag=True, help="Read a model anew when it is replaced on disk.")
@click.option(
    "--live", "home", type=PATH, metavar="DIR",
    help="Answer Label Studio and INCEpTION, keep what people annotate in DIR, and train MODEL on it.",
)  # fmt: skip
@click.option(
    "--plan", type=PATH, help="What --live trains, besides the annotations; the model's own plan unless given."
)
@click.option("--task", help="The task that people annotate; the model's only one that marks spans unless given.")
@click.option(
    "--every", type=click.IntRange(min=1), default=50, show_default=True, metavar="N",
    help="Train after so many sentences that were annotated.",
)  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 is every one.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="0 takes a free one.")
@click.option(
    "--max-words",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="Words of a request at most.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="Seconds in which a request must have come, and in which it must be answered.",
)
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME",
    help="A name by which clients call the server, as a proxy passes it on (repeatable); any if it listens to other "
    "machines, else the names of this machine.",
)  # fmt: skip
@weights_options()
def serve(
    models: tuple[Path, ...],
    watched: bool,
    home: Path | None,
    plan: Path | None,
    task: str | None,
    every: int,
    host: str,
    port: int,
    precision: str | None,
    threads: int | None,
    max_words: int,
    timeout: float,
    allowed: tuple[str, ...],
    best_for: str | None,
) -> None:
    """Serve MODELs over HTTP: a page at /, JSON by POST /tag, GET /models and /health; the API stands in /openapi.json.

    Requests name one of several models by its directory or file ("model"); the first answers where they name none.
    Requests that come together are tagged together. GET /metrics has numbers for Prometheus. SIGTERM and Ctrl+C let it
    answer what was asked, then end it.
    """
    from polytag.server import Limits, create_app
    from polytag.server import serve as serve_app
    from polytag.server.live import Live, LiveOptions
    from polytag.server.models import Source
    from polytag.server.process import bind

    if home is not None and (watched or len(models) > 1):
        raise click.UsageError("--live makes versions of one MODEL, expected no --reload and no other model")
    if home is None and (plan or task):
        raise click.UsageError("--plan and --task are of --live, expected that too")
    body = max(1 << 20, BYTES * max_words)
    limits = Limits(body=body, words=max_words, seconds=timeout, read_seconds=timeout)
    with bind(host, port) as at, _kept_to_one(home):
        sources = {_name(model): Source(model, best_for, precision, threads) for model in models}
        if len(sources) < len(models):
            raise PolytagError(f"several models are called '{_twice(models)}', expected names that differ")
        live = None
        if home is not None:
            (name, source), *_ = sources.items()
            options = LiveOptions(home=home, plan=plan, task=task, every=every, say=partial(click.echo, err=True))
            live = Live(name, source, options)
        taggers = (
            {name: source.load() for name, source in sources.items()} if live is None else {live.name: live.tagger}
        )
        app = create_app(
            taggers, limits, sources=sources if watched else {}, live=live,
            hosts=_hosts(host, at.getsockname()[0], allowed),
        )  # fmt: skip
        place = f"[{host}]" if ":" in host else host
        told = f"{', '.join(map(str, models))} {'are' if len(models) > 1 else 'is'}"
        url = f"http://{place}:{at.getsockname()[1]}"
        serve_app(app, at=at, limits=limits, ready=lambda: click.echo(f"{told} served at {url}", err=True))


def _kept_to_one(home: Path | None) -> AbstractContextManager[None]:
    """A directory of annotations is one server's."""
    return nullcontext() if home is None else locked(home, doing="serving a live model from")


def _name(model: Path) -> str:
    return click.format_filename(model.resolve().name)


def _twice(models: tuple[Path, ...]) -> str:
    (name, _), *_ = Counter(map(_name, models)).most_common(1)
    return name


def _hosts(host: str, address: str, allowed: tuple[str, ...]) -> list[str]:
    """The names that requests may have as their Host."""
    from ipaddress import ip_address

    if not ip_address(address.partition("%")[0]).is_loopback:
        return list(allowed) or ["*"]
    return [*allowed, "localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host]
