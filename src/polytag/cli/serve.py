"""``polytag serve``."""

from pathlib import Path

import click

from polytag.cli.options import model_argument, weights_options


@click.command()
@model_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; 0.0.0.0 is every one.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="0 takes a free one.")
@click.option(
    "--max-body", type=click.IntRange(min=1), default=1 << 20, show_default=True, help="Bytes of a request at most."
)
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
    "--queue", type=click.IntRange(min=1), default=1_024, show_default=True, help="Requests that wait at most."
)
@click.option(
    "--allow-host", "allowed", multiple=True, metavar="NAME",
    help="A name by which clients call the server, as a proxy passes it on (repeatable); any if it listens to other "
    "machines, else the names of this machine.",
)  # fmt: skip
@weights_options()
def serve(
    model: Path,
    host: str,
    port: int,
    precision: str | None,
    threads: int | None,
    max_body: int,
    max_words: int,
    timeout: float,
    queue: int,
    allowed: tuple[str, ...],
    best_for: str | None,
) -> None:
    """Serve MODEL over HTTP: a page at /, JSON by POST /tag, GET /model and /health; the API stands in /openapi.json.

    Requests that come together are tagged together. SIGTERM and Ctrl+C let it answer what was asked, then end it.
    """
    from polytag.server import Limits, create_app
    from polytag.server import serve as serve_app
    from polytag.server.process import bind
    from polytag.tagger.tagging import Tagger

    limits = Limits(body=max_body, words=max_words, seconds=timeout, read_seconds=timeout, queue=queue)
    with bind(host, port) as at:
        tagger = Tagger.load(model, best_for=best_for, precision=precision, threads=threads)
        name = click.format_filename(model.resolve().name)
        app = create_app(tagger, limits, name=name, hosts=_hosts(host, at.getsockname()[0], allowed))
        place = f"[{host}]" if ":" in host else host
        url = f"http://{place}:{at.getsockname()[1]}"
        serve_app(app, at=at, limits=limits, ready=lambda: click.echo(f"{model} is served at {url}", err=True))


def _hosts(host: str, address: str, allowed: tuple[str, ...]) -> list[str]:
    """The names that requests may have as their Host."""
    from ipaddress import ip_address

    if not ip_address(address.partition("%")[0]).is_loopback:
        return list(allowed) or ["*"]
    return [*allowed, "localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host]
