"""Tagging from file to file on one core: polytag against CRFsuite, in turn, by seconds of the processor."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.goals.goals import Figure
from benchmarks.goals.processes import REPOSITORY
from benchmarks.goals.setting import NEWS, NEWS_COLUMNS, REAL_COLUMNS, Setting
from benchmarks.peers import files as contest
from benchmarks.peers.corpora import prepare
from benchmarks.peers.environments import ContenderError
from benchmarks.peers.files import CRFSUITE, Contender
from benchmarks.peers.rows import CORPORA, Corpus

WORK = REPOSITORY / "runs" / "peers"  # where CRFsuite is installed, once
OWN = Corpus("examples/news", train="en.train.conll", test="en.test.conll", dev=None, column=2, spans=True)
LOSS = 0.05  # of F1, that a faster precision may lose
ROUNDS = 3

Results = Mapping[str, Mapping[str, Any]]


def files(setting: Setting) -> dict[str, Figure]:
    """Both networks in each precision; CRFsuite is trained here, from the same file."""
    column = (REAL_COLUMNS if setting.real else NEWS_COLUMNS)["ner"]
    copies = 1 if setting.quick else contest.COPIES
    text = contest.text_of(setting.texts, setting.path / "files.conll", column=column, copies=copies)
    contenders = contest.contenders({name: Path(model) for name, model in setting.models.items()})
    try:
        contenders.insert(0, _crfsuite(setting))
        missing = ""
    except ContenderError as error:
        missing = f"CRFsuite: {error}"
    found = contest.compare(contenders, text, rounds=setting.rounds(ROUNDS))
    results = {result["name"]: result for result in found}
    fastest = {f"{network}-fastest": _fastest(results, network, missing) for network in setting.models}
    return {
        "small-float32": _ratio(results, "small-float32", missing), **fastest,
        "bulk-auto": _speed(results["paper-auto"]), "bulk-int8": _speed(results["paper-int8"]),
    }  # fmt: skip


def _crfsuite(setting: Setting) -> Contender:
    directory = setting.path / "corpus"
    real = setting.real and setting.data
    corpus = prepare(CORPORA["ner"] if real else OWN, Path(setting.data if real and setting.data else NEWS), directory)
    model = contest.trained_crfsuite(corpus, setting.path / "crfsuite", work=WORK, limit=5 if setting.quick else None)
    return contest.crfsuite_contender(model, WORK)


def _fastest(results: Results, network: str, missing: str) -> Figure:
    """The fastest precision that loses next to nothing."""
    mine = {name: result for name, result in results.items() if name.startswith(network) and "f1" in result}
    exact = mine.get(f"{network}-float32")
    if exact is None:
        return Figure(None, f"float32: {results[f'{network}-float32']['failure']}")
    good = [name for name, result in mine.items() if result["f1"] >= exact["f1"] - LOSS]
    best = max(good, key=lambda name: mine[name]["words_per_second"])
    return _ratio(results, best, missing)


def _ratio(results: Results, name: str, missing: str) -> Figure:
    result, crfsuite = results[name], results.get(CRFSUITE, {})
    if (failure := result["failure"] or crfsuite.get("failure") or missing) is not None and failure:
        return Figure(None, failure)
    note = (
        f"{name.split('-')[1]}: {result['words_per_second']:,.0f} words/s against {crfsuite['words_per_second']:,.0f}, "
        f"F1 {result['f1']:.2f} against {crfsuite['f1']:.2f}; by the clock {result['times_crfsuite_wall']:.2f} x; "
        f"all of them: {_all(results, name.split('-')[0])}"
    )
    return Figure(result["times_crfsuite"], note, {"result": result, "crfsuite": crfsuite})


def _all(results: Results, network: str) -> str:
    """The ratios of a network's precisions."""
    mine = {name.split("-")[1]: of for name, of in results.items() if name.startswith(f"{network}-")}
    return ", ".join(
        f"{precision} {of['failure'] or '{:.2f} x'.format(of['times_crfsuite'])}" for precision, of in mine.items()
    )


def _speed(result: Mapping[str, Any]) -> Figure:
    if result["failure"]:
        return Figure(None, result["failure"])
    return Figure(
        result["words_per_second"],
        f"{result['words']:,} words, {result['lowest']:,.0f} to {result['highest']:,.0f} words/s of the processor; "
        f"{result['words_per_second_wall']:,.0f} by the clock; starting and loading, {result['loading']:.2f} s, is not "
        "counted",
        result,
    )
