"""From a dataset of the catalogue to files in the data directory: fetch, check, unpack, record, put in place."""

import errno
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from polytag.downloads.catalogue import NONE, Dataset, File
from polytag.downloads.fetch import Expected, Fetcher
from polytag.downloads.part import digest_of
from polytag.downloads.plans import write_plans
from polytag.downloads.record import NAME, Record, read_record
from polytag.downloads.unpack import unpack
from polytag.errors import PolytagError
from polytag.files import locked

WORK = ".downloads"  # in the data directory: parts of files, and what is not in place yet


@dataclass(frozen=True, kw_only=True)
class Got:
    """What `get` did: the files in place, the plans, and the SHA-256 of what no published checksum covers.

    ``already`` says that nothing was fetched, ``checked`` that the files are those fetched before.
    """

    dataset: Dataset
    files: tuple[Path, ...]
    plans: tuple[Path, ...]
    believed: dict[str, str] = field(default_factory=dict)
    already: bool = False
    checked: bool = True


def is_there(dataset: Dataset, data: Path) -> bool:
    """Whether all of a dataset is in the data directory, as it was fetched or as its user has put it there.

    Raises:
        PolytagError: a file differs from what was fetched, or some of the user's own files are in the way.
    """
    record = read_record(data)
    targets = record.targets(dataset)
    if not targets:
        return _is_users_own(dataset, data)
    for target, sha256 in targets.items():
        if (data / target).exists() and digest_of(data / target, "sha256") != sha256:
            raise PolytagError(
                f"{data / target}: differs from what was fetched (its SHA-256 in {NAME}); "
                "move it away to fetch it again"
            )
    return all((data / target).exists() for target in targets)


def _is_users_own(dataset: Dataset, data: Path) -> bool:
    needed = [target for file in dataset.files if not file.optional for target in file.targets]
    there = [target for target in needed if (data / target).exists()]
    if there and len(there) < len(needed):
        missing = next(target for target in needed if target not in there)
        raise PolytagError(
            f"{data / there[0]}: is there, but was not fetched by polytag, and {missing} is missing; "
            "move it away or name another data directory"
        )
    return bool(there)


def licence_text(dataset: Dataset, fetcher: Fetcher) -> str:
    """The text of a licence that stands beside the data at their source; empty where the catalogue says all there is.

    Raises:
        PolytagError: it cannot be fetched.
    """
    texts = (fetcher.text(file.url) for file in dataset.files if file.is_licence)
    return "\n".join(text.strip() for text in texts if text)


def get(
    dataset: Dataset, data: Path, *, fetcher: Fetcher | None = None, waiting: Callable[[], None] = lambda: None
) -> Got:
    """Bring a dataset into the data directory, with its plans; whoever calls has accepted its licence.

    Interrupted or killed, it goes on where it stopped when it is called again. Files appear under their names only
    when all of the dataset is fetched and checked.

    Args:
        waiting: called once if another process is fetching into the same directory, which is then waited for.

    Raises:
        PolytagError: a file cannot be had, is not what it must be, or cannot be written.
    """
    with locked(data, doing="downloading into", lock=f"{WORK}/lock", waiting=waiting):
        record = read_record(data)
        if is_there(dataset, data):
            targets = record.targets(dataset) or {
                target: "" for file in dataset.files for target in file.targets if (data / target).exists()
            }
            absent = dataset.optional_targets - set(targets)
            plans = write_plans(dataset, data, record, absent=absent)
            if plans:
                record.write()
            return Got(
                dataset=dataset,
                files=tuple(data / target for target in targets),
                plans=tuple(plans),
                already=True,
                checked=bool(record.targets(dataset)),
            )
        try:
            return _fetch_all(dataset, data, record, fetcher or Fetcher())
        finally:
            with suppress(OSError):
                _work(dataset, data).rmdir()  # if nothing came


def _fetch_all(dataset: Dataset, data: Path, record: Record, fetcher: Fetcher) -> Got:
    work = _work(dataset, data)
    ready, sources, absent = dict[str, Path](), dict[str, str](), list[str]()
    for file in dataset.files:
        sha256 = _fetched(file, work / file.name, _expected(file, record), fetcher)
        if sha256 is None:
            absent += file.targets
        else:
            sources[file.url] = sha256
            ready |= _unpacked(file, work)
    targets = {target: digest_of(path, "sha256") for target, path in ready.items()}
    believed = {
        file.name: sources[file.url]
        for file in dataset.files
        if file.url in sources and not _expected(file, record).is_checked
    }
    record.add(dataset, sources=sources, targets=targets, absent=absent)
    record.write()  # first: a kill between two files below must not make the user's own of them
    for target, path in ready.items():
        if not (data / target).exists():  # of a dataset that lacked one file, the others are there and checked
            _put(path, data / target)
    plans = write_plans(dataset, data, record, absent=absent)
    record.write()
    shutil.rmtree(work, ignore_errors=True)
    files = tuple(data / target for target in targets)
    return Got(dataset=dataset, files=files, plans=tuple(plans), believed=believed)


def _work(dataset: Dataset, data: Path) -> Path:
    """Where a dataset's files lie while they come."""
    return data / WORK / dataset.name.replace(":", "-")


def _expected(file: File, record: Record) -> Expected:
    """What the catalogue knows of a file, and what the first download has told."""
    first = record.expected(file.url)
    if file.sha256 != NONE or first == NONE:
        return Expected(size=file.size, md5=file.md5, sha256=file.sha256)
    note = f", as it was when first fetched (remove its line in {NAME} if the change is right)"
    return Expected(size=file.size, md5=file.md5, sha256=first, note=note)


def _fetched(file: File, place: Path, expected: Expected, fetcher: Fetcher) -> str | None:
    """The SHA-256 of a file that is whole in the working directory; None where an optional one is not to be had."""
    if place.exists():  # from before a kill
        return digest_of(place, "sha256")
    sha256 = fetcher.file(file.url, place, expected=expected)
    if sha256 is None and not file.optional:
        raise PolytagError(f"{fetcher.address(file.url)}: HTTP 404 Not Found: the file is not there (any more)")
    return sha256


def _unpacked(file: File, work: Path) -> dict[str, Path]:
    """The targets of a file, and where they lie ready."""
    if not file.members:
        return {file.target: work / file.name}
    ready = work / "unpacked"
    places = {member: ready / target for member, target in file.members.items()}
    extras = {member: ready / target for member, target in file.extras.items()}
    try:
        written = unpack(work / file.name, places, extras=extras, limit=file.unpacked)
    except PolytagError:
        (work / file.name).unlink(missing_ok=True)  # it would be no better the next time
        raise
    return {path.relative_to(ready).as_posix(): path for path in written}


def _put(source: Path, target: Path) -> None:
    """Move a file to its place, over the border of a file system where a folder is a link to another."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            near = target.with_name(f".{target.name}.part")
            shutil.copyfile(source, near)
            near.replace(target)
    except OSError as error:
        raise PolytagError(f"{target}: cannot be written: {error.strerror or error}") from error
