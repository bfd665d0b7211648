"""The results as a page of Markdown: a table for each corpus, and what a reader must know to judge it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.peers.rows import CORPORA

Result = Mapping[str, Any]
NOTHING = "-"
METHOD = (
    "Made by `{command}` on {date}: {machine}; every contender in a process of its own, with one thread, {core}. "
    "All read the same files and are scored by one scorer. Load of the machine: {load_before} before, {load_after} "
    "after. Absolute figures drift from run to run on a shared machine; the ratios are of one run.",
    "Seconds are the processor's, as others may share the machine; training's are from token lists in memory to a "
    "model on disk, scoring of the development set included; words/s "
    "counts the words of every pass, and leaves that scoring out. Contenders train as long as is said below each "
    "table, so a score is comparable only where training was complete.",
    "Tagging: from lists of tokens to lists of tags, in {rounds} rounds, all contenders in turn in each, in a fresh "
    "process that has tagged other text before; the median, with lowest and highest. *Again* is the same text a second "
    "time, where caches know all its words. *polytag is* says how many times as fast polytag tags the same words: the "
    "median of the rounds' ratios. One sentence: 17 words, by itself, warm; the median and the 95th percentile. MB: "
    "the process's largest resident set, Python and all libraries included. Installed: site-packages of an environment "
    "that has only what runs the contender, without pip and setuptools; for flair without the CUDA libraries.",
)


def _number(*keys: str, digits: int = 0) -> Callable[[Result], str]:
    def cell(result: Result) -> str:
        value: Any = result
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return NOTHING if value is None else f"{value:,.{digits}f}"

    return cell


def _range(result: Result) -> str:
    return f"{_number('tagging', 'lowest')(result)} to {_number('tagging', 'highest')(result)}"


def _ratio(result: Result) -> str:
    ratio = _number("tagging", "polytag_is_times_as_fast", digits=2)(result)
    return ratio if ratio == NOTHING else f"{ratio} x"


FILES = (
    "A text of {words:,} words, the development and the test file four times over, from columns to columns, on one "
    "core. Words/s are by seconds of the processor, less what the same command takes with an empty file (loading); "
    "the median, with lowest and highest. *Times CRFsuite*: the median of the rounds' own ratios, by seconds of the "
    "processor and by the clock. F1 is that of all of the text."
)

COLUMNS: Mapping[str, Callable[[Result], str]] = {
    "score": _number("scores", "score", digits=2),
    "training, s": _number("training", "seconds"),
    "words/s": _number("training", "words_per_second"),
    "MB": _number("training", "memory_mb"),
    "tagging, words/s": _number("tagging", "words_per_second"),
    "lowest to highest": _range,
    "again": _number("tagging", "again"),
    "polytag is": _ratio,
    "one sentence, ms": _number("tagging", "p50_ms", digits=2),
    "95 %": _number("tagging", "p95_ms", digits=2),
    "loading, s": _number("tagging", "loading_s", digits=1),
    "MB ": _number("tagging", "memory_mb"),
    "model, MB": _number("model_mb", digits=1),
    "installed, MB": _number("installed_mb"),
}


FILE_COLUMNS: Mapping[str, Callable[[Result], str]] = {
    "F1": _number("f1", digits=2),
    "words/s": _number("words_per_second"),
    "lowest to highest": lambda result: f"{_number('lowest')(result)} to {_number('highest')(result)}",
    "times CRFsuite": _number("times_crfsuite", digits=2),
    "by the clock": _number("times_crfsuite_wall", digits=2),
    "loading, s": _number("loading", digits=2),
}


def page(about: Mapping[str, Any], results: Sequence[Result], files: Sequence[Result] = ()) -> str:
    """The whole page, ending in a line end."""
    parts = ["# polytag and its peers", *(paragraph.format(**about) for paragraph in METHOD)]
    for corpus in dict.fromkeys(result["corpus"] for result in results):
        ours = [result for result in results if result["corpus"] == corpus]
        parts += [f"## {CORPORA[corpus].title}", "\n".join(_table(corpus, ours)), "\n".join(_notes(ours))]
    if files:
        parts += ["## From file to file", FILES.format(**files[0]), "\n".join(_rows(FILE_COLUMNS, files))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(corpus: str, results: Sequence[Result]) -> Iterator[str]:
    metric = "F1" if CORPORA[corpus].spans else "accuracy"
    named = {f"test {metric}" if name == "score" else name: cell for name, cell in COLUMNS.items()}
    return _rows(named, results)


def _rows(columns: Mapping[str, Callable[[Result], str]], results: Sequence[Result]) -> Iterator[str]:
    yield _line("", *(name.strip() for name in columns))
    yield _line("---", *["---:"] * len(columns))
    for result in results:
        if result["failure"] is not None:
            cells = [f"failed: {_escaped(result['failure'])}", *[NOTHING] * (len(columns) - 1)]
        else:
            cells = [cell(result) for cell in columns.values()]
        yield _line(result["title"], *cells)


def _notes(results: Sequence[Result]) -> Iterator[str]:
    for result in results:
        versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        trained = result["training"].get("settings")
        tagged = f"; tagged with a model given: {result['given_model']}" if result["given_model"] else ""
        if trained:
            yield f"* {result['title']}: trained here: {trained}{tagged}. {versions}."


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
