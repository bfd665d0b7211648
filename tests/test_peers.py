"""The driver of the comparison with peers: contenders that are a few lines each, nothing installed, nothing learned."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.peers import cli, corpora, environments, files, measure, report, rows
from benchmarks.peers.contenders import protocol
from polytag.corpus.schemes import convert_tags
from polytag.corpus.schemes import spans as spans_of
from polytag.model import save_model
from tests import tiny

PEERS = Path(__file__).parent.parent / "benchmarks" / "peers"

MEMORISING = """
import json, sys
from pathlib import Path
sys.path.insert(0, {contenders!r})
from protocol import Trained, run

def train(request, directory):
    known = {{word: tag for words, tags in request.train for word, tag in zip(words, tags)}}
    (directory / "known.json").write_text(json.dumps(known))
    return Trained(sum(len(words) for words, _ in request.train) * request.limit, f"{{request.limit}} passes")

def load(directory):
    known = json.loads((directory / "known.json").read_text())
    tag = lambda words: [known.get(word, "O") for word in words]
    return (lambda sentences: [tag(words) for words in sentences]), tag

{extra}
run(train, load, packages=[])
"""
NER = (
    "Ann NNP I-NP I-PER\nsees VBZ I-VP O\nBob NNP I-NP I-PER\nLee NNP B-NP B-PER\n\n"
    + "-DOCSTART- -X- O O\n\nLima NNP I-NP I-LOC\n\n"
)
ABOUT = ("command", "date", "machine", "core", "load_before", "load_after", "rounds")
POS = "Ann NNP B-NP\nsees VBZ B-VP\n. . O\n\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name, text in {"conll2003/eng.{}": NER, "conll2000/{}": POS}.items():
        for split in ("train", "testa", "testb", "train.txt", "test.txt"):
            path = tmp_path / "data" / name.format(split)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return tmp_path / "data"


def contender(directory: Path, tool: str, *, extra: str = "", corpus: str = "ner") -> rows.Row:
    script = directory / f"{tool}.py"
    script.write_text(MEMORISING.format(contenders=str(PEERS / "contenders"), extra=extra))
    return rows.Row(tool, tool.title(), corpus, script, limit=3, unit="passes")


def run(tmp_path: Path, data: Path, contenders: list[rows.Row], *options: str) -> tuple[int, dict, str]:
    out, page = tmp_path / "out.json", tmp_path / "page.md"
    places = ["--data", data, "--work", tmp_path / "work", "--out", out, "--markdown", page]
    status = cli.main([*map(str, places), "--rounds", "2", *options], rows=contenders)
    return status, json.loads(out.read_text()), page.read_text()


def test_every_contender_is_trained_tagged_and_scored(tmp_path: Path, data: Path) -> None:
    ours, theirs = (
        contender(tmp_path, "polytag"),
        contender(tmp_path, "other", extra="load = lambda d, old=load: old(d)"),
    )
    status, written, page = run(tmp_path, data, [ours, theirs, contender(tmp_path, "pos", corpus="pos")])
    assert status == 0
    first, second, third = written["results"]
    assert first["scores"]["score"] == second["scores"]["score"] == 100
    assert (first["scores"]["metric"], third["scores"]["metric"]) == ("f1", "accuracy")
    assert first["training"]["words"] == 3 * 5
    assert len(first["tagging"]["rounds"]) == 2
    assert first["tagging"]["lowest"] <= first["tagging"]["words_per_second"] <= first["tagging"]["highest"]
    assert first["tagging"]["polytag_is_times_as_fast"] == 1
    assert second["tagging"]["polytag_is_times_as_fast"] > 0
    assert "polytag_is_times_as_fast" not in third["tagging"]
    assert first["model_mb"] > 0
    assert "| Polytag | 100.00 |" in page
    assert str(tmp_path) not in page
    assert "--data DATA" in written["command"]


FAILURES = {
    "raises": ("def train(*_): raise ValueError('no | luck')", "train: exit code 1: ValueError: no \\| luck"),
    "killed": ("def train(*_): import os; os.kill(os.getpid(), 9)", "train: killed by signal 9"),
    "empty": ("def load(*_): raise ValueError('no model')", "tag: exit code 1: ValueError: no model"),
    "silent": ("def run(*_, **__): pass", "train: ended without an answer"),
    "odd": ("load = lambda _: (lambda sentences: [['?'] * len(s) for s in sentences], len)", "cannot be scored"),
    "short": ("load = lambda _: (lambda sentences: sentences[1:], len)", "tag: exit code 1: ValueError"),
}


def test_contenders_that_die_are_told_in_their_rows_and_the_others_go_on(tmp_path: Path, data: Path) -> None:
    bad = [contender(tmp_path, tool, extra=extra) for tool, (extra, _) in FAILURES.items()]
    status, written, page = run(tmp_path, data, [*bad, contender(tmp_path, "good")])
    assert status == 1
    *failed, good = written["results"]
    assert good["failure"] is None
    assert len(good["tagging"]["rounds"]) == 2
    table = {line.split(" | ")[0]: line for line in page.splitlines() if line.startswith("| ")}
    for result, (_, said) in zip(failed, FAILURES.values(), strict=True):
        row = table[f"| {result['title']}"]
        assert result["failure"] is not None
        assert "| failed: " in row
        assert said in row
        assert row.replace("\\|", "").count("|") == table["| Good"].count("|")


def test_predictions_for_other_words_are_no_score(tmp_path: Path, data: Path) -> None:
    extra = """
import protocol
right = protocol.write
protocol.write = lambda path, sentences, tags: right(path, sentences[:1], tags[:1])
"""
    _, written, _ = run(tmp_path, data, [contender(tmp_path, "short", extra=extra)])
    assert "not of the 2 test sentences" in written["results"][0]["failure"]


def test_a_contender_that_takes_too_long_is_stopped(tmp_path: Path, data: Path) -> None:
    slow = contender(tmp_path, "slow", extra="def train(*_): import time; time.sleep(60)")
    _, written, _ = run(tmp_path, data, [slow], "--timeout", "0.5")
    assert written["results"][0]["failure"] == "train: not done after 0 s"


def test_packages_that_cannot_be_installed_are_a_failure_too(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(command: list[str], log: Path) -> None:
        raise environments.ContenderError("not installed: ERROR: No matching distribution")

    monkeypatch.setattr(environments, "_run", refuse)
    row = replace(contender(tmp_path, "far"), requirements=PEERS / "requirements" / "nltk.txt")
    _, written, _ = run(tmp_path, data, [row])
    assert written["results"][0]["failure"] == "not installed: ERROR: No matching distribution"


def test_all_tag_in_turn_and_nobody_is_always_first(tmp_path: Path, data: Path) -> None:
    said: list[str] = []
    names = ["one", "two", "three"]
    settings = measure.Settings(work=tmp_path / "work", data=data, core=None, timeout=60)
    prepared = corpora.prepare(rows.CORPORA["ner"], data, tmp_path / "prepared")
    contests = [measure.Contest(contender(tmp_path, name), prepared, settings) for name in names]
    measure.compare(contests, rounds=2, tell=said.append)
    tagging = [line.split("-")[0] for line in said if "tagging" in line]
    assert tagging == ["one", "two", "three", "two", "three", "one"]


def test_corpora_are_written_in_one_scheme_without_document_lines(tmp_path: Path, data: Path) -> None:
    prepared = corpora.prepare(rows.CORPORA["ner"], data, tmp_path)
    first = (["Ann", "sees", "Bob", "Lee"], ["B-PER", "O", "B-PER", "B-PER"])
    assert protocol.read(str(prepared.train)) == [first, (["Lima"], ["B-LOC"])]
    assert prepared.words == 5


def test_scores_are_conlleval_s_whatever_the_scheme_of_the_predictions(tmp_path: Path, data: Path) -> None:
    prepared = corpora.prepare(rows.CORPORA["ner"], data, tmp_path)
    gold = protocol.read(str(prepared.test))
    words = [sentence for sentence, _ in gold]
    for scheme in ("iob1", "bioes"):
        protocol.write(tmp_path / "found", words, [convert_tags(tags, scheme) for _, tags in gold])
        assert corpora.score(prepared, tmp_path / "found").score == 100
    protocol.write(tmp_path / "found", words, [["B-PER", "O", "B-PER", "I-PER"], ["O"]])
    assert corpora.score(prepared, tmp_path / "found").score == pytest.approx(100 * 2 * 1 / (2 + 4))


def test_single_sentences_have_seventeen_words_or_are_cut_to_them(tmp_path: Path, data: Path) -> None:
    def lengths(*wanted: int) -> set[int]:
        text = "\n".join("".join(f"w{i} X O O\n" for i in range(length)) for length in wanted)
        (data / "conll2003" / "eng.testb").write_text(text)
        return {len(words) for words in corpora.prepare(rows.CORPORA["ner"], data, tmp_path / "prepared").singles}

    assert lengths(3, 17, 30) == {17}
    assert lengths(30, 5) == {17}
    assert lengths(4) == set()


@pytest.mark.parametrize("tags", [["O", "B-X", "I-X", "B-X", "O", "B-Y"], ["B-X"], ["O"], ["B-X", "I-X", "B-Y", "I-Y"]])
def test_the_contenders_read_and_write_spans_as_the_library_does(tags: list[str]) -> None:
    found = list(protocol.spans(tags))
    assert found == [(span.start, span.end, span.type) for span in spans_of(tags)]
    assert protocol.iob2(len(tags), found) == tags


def test_a_process_has_one_thread_and_none_of_the_driver_s_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    found = environments.variables()
    assert found["OMP_NUM_THREADS"] == found["MKL_NUM_THREADS"] == "1"
    assert "PYTHONPATH" not in found


def test_requirements_are_exact_and_every_row_has_its_files() -> None:
    for row in rows.ROWS:
        assert row.script.exists()
        if row.requirements is not None:
            lines = row.requirements.read_text().splitlines()
            assert lines
            assert all("==" in line and "+" not in line for line in lines)
    assert "torch==2.13.0" in (PEERS / "requirements" / "flair.txt").read_text().splitlines()


def test_contenders_are_chosen_by_tool_or_by_row() -> None:
    assert {row.name for row in rows.chosen(["polytag"])} == {f"polytag-{corpus}" for corpus in rows.CORPORA}
    assert [row.name for row in rows.chosen(["polytag-pos"])] == ["polytag-pos"]
    assert rows.chosen([]) == list(rows.ROWS)
    with pytest.raises(ValueError, match="no contender 'spacey', expected some of crfsuite"):
        rows.chosen(["spacey"])


def test_a_page_says_how_it_was_made() -> None:
    about = dict.fromkeys(("command", "date", "machine", "core", "rounds", "load_before", "load_after"), "SAID")
    empty = {"name": "x-ner", "tool": "x", "title": "X", "corpus": "ner", "failure": None, "versions": {}}
    page = report.page(about, [{**empty, "training": {}, "given_model": None, "scores": {}}])
    assert "SAID" in page
    assert page.endswith("\n")
    assert "| X | - |" in page


COPYING = """
import sys
source, target = sys.argv[-2:]
text = open(source).read()
{extra}
open(target, "w").write("".join(f"{{line}} {{tag(line)}}\\n" if line.strip() else "\\n" for line in text.splitlines()))
"""


def tagging(directory: Path, name: str, extra: str) -> files.Contender:
    script = directory / f"{name}.py"
    script.write_text(COPYING.format(extra=extra))
    return files.Contender(name, name.title(), (sys.executable, str(script), files.INPUT, files.OUTPUT))


def test_files_are_tagged_in_turn_scored_and_compared_with_crfsuite(tmp_path: Path) -> None:
    source = tmp_path / "gold"
    source.write_text("Ann NNP I-PER\nsees VBZ O\n\n")
    text = files.text_of([source, source], tmp_path / "text", column=2, copies=3)
    assert text.words == 12
    assert text.path.read_text() == source.read_text() * 6
    said: list[str] = []
    gold = "tag = lambda line: line.split()[2].replace('I-', 'B-')"  # the same spans in another scheme
    contenders = [
        tagging(tmp_path, "slow", f"{gold}\nif text: sum(i * i for i in range(1_000_000))"),
        tagging(tmp_path, files.CRFSUITE, gold),
        tagging(tmp_path, "wrong", "tag = lambda line: 'O'"),
        tagging(tmp_path, "broken", "raise SystemExit('out of luck')"),
    ]
    slow, crfsuite, wrong, broken = files.compare(contenders, text, rounds=2, tell=said.append)
    assert [line.split(":")[0] for line in said] == ["slow", "crfsuite", "wrong", "broken", "crfsuite", "wrong", "slow"]
    assert broken["failure"] == "exit code 1: out of luck"
    assert (slow["f1"], crfsuite["f1"], wrong["f1"]) == (100, 100, 0)
    assert slow["lowest"] <= slow["words_per_second"] <= slow["highest"]
    assert slow["loading"] > 0
    assert crfsuite["times_crfsuite"] == crfsuite["times_crfsuite_wall"] == 1
    page = report.page(dict.fromkeys(ABOUT, ""), [], [slow, crfsuite, wrong, broken])
    (row,) = [line for line in page.splitlines() if line.startswith("| Slow")]
    assert f"| {slow['times_crfsuite']:.2f} |" in row
    assert "failed: exit code 1: out of luck" in page


def test_polytag_tags_a_file_by_its_command_line(tmp_path: Path) -> None:
    save_model(tiny.model(), tmp_path / "model")
    (tmp_path / "gold").write_text("Ann B-PER\nsaw O\n\n")
    text = files.text_of([tmp_path / "gold"], tmp_path / "text", column=1, copies=1)
    (result,) = files.compare([files.polytag_contender("small", tmp_path / "model", "float32")], text, rounds=1)
    assert result["failure"] is None
    assert 0 <= result["f1"] <= 100
    assert result["times_crfsuite"] is None
