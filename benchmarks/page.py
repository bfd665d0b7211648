"""Pages of tables: written of the runs at hand, they keep what earlier runs, made elsewhere, had put there."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SEEDS = "seeds"  # the column behind those that name a row
Row = dict[str, str]  # column -> cell


@dataclass(slots=True)
class Section:
    """A heading with text, perhaps a table, and text behind it."""

    before: list[str] = field(default_factory=list)  # the heading is its first line
    columns: list[str] = field(default_factory=list)
    rows: dict[tuple[str, ...], Row] = field(default_factory=dict)
    after: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield from self.before
        if self.columns:
            yield from (line(self.columns), "|---" * len(self.columns) + "|")
            yield from (line(row.get(column, "") for column in self.columns) for row in self.rows.values())
        yield from self.after


def line(cells: Iterable[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def sections(text: str) -> dict[str, Section]:
    """Heading -> its section; a section has one table."""
    found: dict[str, Section] = {}
    for given in text.splitlines():
        if given.startswith("#") or not found:
            section = found.setdefault(given, Section())
        cells = [cell.strip() for cell in given.removeprefix("|").removesuffix("|").split("|")]
        if not given.startswith("|"):
            (section.after if section.columns else section.before).append(given)
        elif not section.columns:
            section.columns = cells
        elif not given.startswith("|---"):
            row = dict(zip(section.columns, cells, strict=True))
            section.rows[_name(section.columns, row)] = row
    return found


def processors(runs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The section of what the runs were made on."""
    yield from ("", "## Processors", "", "| processor |", "|---|")
    yield from (*map(line, dict.fromkeys((run["processor"],) for run in runs)), "")


def without(page: str, heading: str) -> str:
    """The page without a section."""
    kept = [section for each, section in sections(page).items() if each != heading]
    return "\n".join(line for section in kept for line in section.lines()).rstrip("\n") + "\n"


def merged(old: str, new: str) -> str:
    """The new page with the rows and the sections that only the old one has; of a row, the one of more seeds."""
    known, made = sections(old), sections(new)
    for heading, section in made.items():
        if heading in known:
            section.rows = _merged(known[heading].rows, section.rows)
    lines = (line for section in (known | made).values() for line in section.lines())
    return "\n".join(lines).strip("\n") + "\n"


def _merged(old: Mapping[tuple[str, ...], Row], new: Mapping[tuple[str, ...], Row]) -> dict[tuple[str, ...], Row]:
    """The rows of both, each new one behind the one that it follows in the new table."""
    names = list(old)
    last = -1
    for name in new:
        if name not in old:
            names.insert(last + 1, name)
        last = names.index(name)
    return {name: _newer(old.get(name, {}), new.get(name, {})) for name in names}


def _newer(old: Row, new: Row) -> Row:
    if len(of_seeds(new)) < len(of_seeds(old)) or not new:
        return old
    same = sorted(of_seeds(new)) == sorted(of_seeds(old))  # what these runs do not say, the same seeds have said before
    return {column: cell or (old.get(column, "") if same else "") for column, cell in new.items()}


def of_seeds(row: Row) -> list[str]:
    """The seeds of a row."""
    return re.findall(r"\d+", row.get(SEEDS, ""))


def _name(columns: list[str], row: Row) -> tuple[str, ...]:
    named = columns[: columns.index(SEEDS)] if SEEDS in columns else columns
    return tuple(row[column] for column in named)
