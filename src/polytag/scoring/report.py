"""Counts as text, in conlleval's layout, as a dictionary for JSON, as a table of HTML and of pandas."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from polytag.corpus.frames import pandas_module
from polytag.scoring.counts import Counts, Tally
from polytag.scoring.spans import SpanCounts

if TYPE_CHECKING:
    import pandas

GROUPS = ("known", "unknown")


def table(counts: Counts) -> str:
    """Conlleval's report, line for line; then known and unknown words, and calibration, where these were counted."""
    lines = [*_head(counts), *(_line(name, tally) for name, tally in sorted(counts.types.items()))]
    lines += [_group_line(counts, group) for group in GROUPS if group in counts.tokens]
    return "\n".join([*lines, *([f"calibration error: {counts.calibration}"] if counts.calibration else [])])


def _head(counts: Counts) -> list[str]:
    words, accuracy = counts.tokens["all"].gold, f"accuracy: {counts.accuracy:6.2f}%"
    if not isinstance(counts, SpanCounts):
        correct = counts.tokens["all"].correct
        return [f"processed {words} tokens in {counts.sentences} sentences; correct: {correct}.", accuracy]
    spans = counts.overall
    found = f"{spans.gold} phrases; found: {spans.predicted} phrases; correct: {spans.correct}."
    return [f"processed {words} tokens with {found}", f"{accuracy}; {_percentages(spans)}"]


def _percentages(tally: Tally) -> str:
    return f"precision: {tally.precision:6.2f}%; recall: {tally.recall:6.2f}%; FB1: {tally.f1:6.2f}"


def _line(name: str, tally: Tally) -> str:
    return f"{name:>17}: {_percentages(tally)}  {tally.predicted}"


def _group_line(counts: Counts, group: str) -> str:
    words = counts.tokens[group]
    line = f"{group + ' words':>17}: accuracy: {words.f1:6.2f}% of {words.gold} tokens"
    if not isinstance(counts, SpanCounts):
        return line
    spans = counts.spans[group]
    return f"{line}; {_percentages(spans)}  {spans.predicted}"


def as_dict(counts: Counts) -> dict[str, Any]:
    """All numbers, ready for JSON; rates are percentages, 0 to 100, and are not rounded."""
    numbers: dict[str, Any] = {"metric": counts.metric, "score": counts.score, "sentences": counts.sentences}
    numbers |= _group(counts, "all")
    numbers["types"] = {name: _tally(tally) for name, tally in sorted(counts.types.items())}
    numbers |= {group: _group(counts, group) for group in GROUPS if group in counts.tokens}
    return numbers | ({"calibration": counts.calibration.as_dict()} if counts.calibration else {})


def _group(counts: Counts, group: str) -> dict[str, Any]:
    words = counts.tokens[group]
    numbers = {"tokens": words.gold, "accuracy": words.f1}
    return numbers | (_tally(counts.spans[group]) if isinstance(counts, SpanCounts) else {"correct": words.correct})


def _tally(tally: Tally) -> dict[str, Any]:
    rates = {"precision": tally.precision, "recall": tally.recall, "f1": tally.f1}
    return rates | {"correct": tally.correct, "predicted": tally.predicted, "gold": tally.gold}


def as_html(counts: Counts) -> str:
    """The scores of each type and of all as a table, for notebooks."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{tally.precision:.2f}</td><td>{tally.recall:.2f}</td><td>{tally.f1:.2f}</td>"
        f"<td>{tally.gold:,}</td><td>{tally.predicted:,}</td></tr>"
        for name, tally in _rows(counts).items()
    )
    head = "".join(f"<th>{name}</th>" for name in ("", "precision", "recall", "F1", "gold", "predicted"))
    words = f"{counts.tokens['all'].gold:,} words in {counts.sentences:,} sentences, accuracy {counts.accuracy:.2f} %"
    return f"<table><caption>{words}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def as_frame(counts: Counts) -> "pandas.DataFrame":
    """As `Counts.to_frame`."""
    rows = {name: _tally(tally) for name, tally in _rows(counts).items()}
    frame: pandas.DataFrame = pandas_module().DataFrame.from_dict(rows, orient="index")
    return frame


def _rows(counts: Counts) -> Mapping[str, Tally]:
    whole = counts.overall if isinstance(counts, SpanCounts) else counts.tokens["all"]
    return {**dict(sorted(counts.types.items())), "all": whole}
