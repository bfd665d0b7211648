"""``polytag data get``: show the licence, ask, fetch, and say how to train."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from polytag.cli.options import PATH

if TYPE_CHECKING:
    from polytag.downloads import Dataset, Fetcher, Got
    from polytag.downloads.fetch import Progress

EXAMPLES = "conll2000, ud:UD_English-EWT, fasttext:sw; --list shows all"


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--data", type=PATH, metavar="DIR", envvar="POLYTAG_DATA", show_envvar=True, help="The data directory.")
@click.option("--list", "only_list", is_flag=True, help="List what can be downloaded, with sizes and licences.")
@click.option("--accept-licence", "--accept-license", "accept", is_flag=True, help="Accept the licences shown.")
@click.option(
    "--mirror",
    metavar="URL",
    default="",
    envvar="POLYTAG_MIRROR",
    show_envvar=True,
    help="Takes the place of scheme and host of every address: a local copy.",
)
def get(names: tuple[str, ...], data: Path | None, only_list: bool, accept: bool, mirror: str) -> None:
    """Download corpora and word vectors into the data directory, made where there is none, each with its plan.

    The licence is shown and must be accepted first. A download that was interrupted goes on when it is called again;
    checksums are checked, those of first downloads are kept in downloads.lock.toml.

    NAME is, for example, conll2000, conll2002, ud:UD_English-EWT, masakhaner:swa, senna, polyglot:nl or fasttext:sw.
    """
    from polytag.downloads import Fetcher, check_httpx, is_there, lookup
    from polytag.downloads import get as fetch

    if only_list:
        _list()
        return
    if not names:
        raise click.UsageError(f"name what to download, such as {EXAMPLES}")
    if data is None:
        raise click.UsageError("no data directory: name one with --data or POLYTAG_DATA")
    datasets = [lookup(name) for name in dict.fromkeys(names)]
    missing = [dataset for dataset in datasets if not is_there(dataset, data)]
    if missing:
        check_httpx()  # before anybody is asked anything
    with _bar() as progress:
        fetcher = Fetcher(mirror=mirror, progress=progress)
        _accept(missing, fetcher, accepted=accept)
        for dataset in datasets:
            _say(fetch(dataset, data, fetcher=fetcher, waiting=lambda: _wait(data)), data)


def _list() -> None:
    from polytag.downloads import names

    for name, dataset in names().items():
        size = sum(file.size or 0 for file in dataset.files)
        click.echo(f"{name}{f' ({size / 1e6:.1f} MB)' if size else ''}\n    {dataset.what}")
        click.echo(f"    licence: {dataset.licence.name}. {dataset.licence.terms} {dataset.licence.url}")


def _accept(datasets: "Sequence[Dataset]", fetcher: "Fetcher", *, accepted: bool) -> None:
    """Show every licence and go on only where each is accepted."""
    from polytag.downloads import licence_text
    from polytag.errors import PolytagError

    for dataset in datasets:
        licence = dataset.licence
        click.echo(f"{dataset.name}: {dataset.what}", err=True)
        click.echo(f"licence: {licence.name}. {licence.terms}\n{licence.url}", err=True)
        if text := licence_text(dataset, fetcher):
            click.echo(text, err=True)
        if accepted:
            continue
        if not sys.stdin.isatty():
            raise PolytagError(
                f"{dataset.name}: its licence must be accepted first ({licence.name}; {licence.url}): "
                "read it and give --accept-licence"
            )
        if not click.confirm("Do you accept it?", err=True):
            raise PolytagError(f"{dataset.name}: the licence was not accepted, nothing is downloaded")


def _say(got: "Got", data: Path) -> None:
    """What is in place, and how to train on it."""
    name = got.dataset.name
    if got.already and got.checked:
        click.echo(f"{name}: already there, complete and unchanged", err=True)
    elif got.already:
        click.echo(f"{name}: already there, not downloaded by polytag and left as it is", err=True)
    for file, sha256 in got.believed.items():
        note = "no checksum is published; kept in downloads.lock.toml"
        click.echo(f"{name}: {file} has SHA-256 {sha256} ({note})", err=True)
    for path in (*got.files, *got.plans):
        click.echo(str(path))
    for plan in got.plans:
        click.echo(f"polytag train {shlex.quote(str(plan))} --output {shlex.quote(plan.stem)}")
    if got.dataset.vectors:
        place = shlex.quote(str((data / got.dataset.vectors).resolve()))
        click.echo(f"polytag train PLAN.toml --output MODEL --set words.NAME.vectors={place}")


def _wait(data: Path) -> None:
    click.echo(f"{data}: another polytag is downloading into it; waiting for it to end", err=True)


@contextmanager
def _bar() -> "Iterator[Progress]":
    """A bar per file in a terminal; a line per file in a log."""
    from tqdm import tqdm

    bars: dict[str, tqdm[None]] = {}
    in_terminal = sys.stderr.isatty()

    def progress(name: str, done: int, total: int | None) -> None:
        if name not in bars:
            if not in_terminal:
                click.echo(f"{name}: {'' if total is None else f'{total / 1e6:,.1f} MB, '}from byte {done:,}", err=True)
            bars[name] = tqdm(desc=name, unit="B", unit_scale=True, disable=not in_terminal)
        bar = bars[name]
        bar.total = total
        bar.update(done - bar.n)

    try:
        yield progress
    finally:
        for bar in bars.values():
            bar.close()
