"""``evaluate --html`` and ``compare``, as their user sees them."""

import json
import sys
from pathlib import Path

import pytest

import polytag
from polytag.reports import report_cases, report_page
from polytag.tagger.evaluation import sentences_to_score
from tests.cli.conftest import run


def test_evaluate_writes_a_report_beside_its_table(trained: Path, workplace: Path) -> None:
    pytest.importorskip("jinja2")
    plain, done = run(["evaluate", trained]), run(["evaluate", trained, "--html", "report.html"])
    assert done.code == 0, done.err
    assert done.out == plain.out
    page = (workplace / "report.html").read_text(encoding="utf-8")
    for expected in ('id="task-ner"', 'id="task-pos"', "By frequency in training", "test.conll", 'id="training"'):
        assert expected in page
    first = run(["evaluate", trained, "--task", "ner", "--json", "--html", "ner.html"])
    assert json.loads(first.out) == json.loads(run(["evaluate", trained, "--task", "ner", "--json"]).out)
    assert 'id="task-pos"' not in (workplace / "ner.html").read_text(encoding="utf-8")


def test_where_training_files_have_moved_the_report_says_what_is_missing(trained: Path, workplace: Path) -> None:
    pytest.importorskip("jinja2")
    tagger = polytag.load(trained)
    tagger.plan = tagger.plan.model_copy(update={"search": (str(workplace / "elsewhere"),)})
    sentences = sentences_to_score(tagger, tasks=["ner"], data_file=workplace / "test.conll")
    page = report_page(report_cases(tagger, sentences), title="model")
    assert "scores by frequency in training are left out: tasks.ner.train: there is no" in page
    assert "By frequency in training" not in page


def test_a_report_that_cannot_be_written_is_one_sentence(trained: Path, workplace: Path) -> None:
    pytest.importorskip("jinja2")
    done = run(["evaluate", trained, "--html", "none/report.html"])
    assert done.code == 1
    assert done.sentence == "none/report.html: cannot be written: No such file or directory"


@pytest.mark.parametrize(
    ("package", "command"),
    [("jinja2", "evaluate none --html x"), ("matplotlib", "evaluate none --html x"),
     ("jinja2", "compare none none --html x"), ("matplotlib", "curve none --task ner")],
)  # fmt: skip
def test_what_needs_the_extra_says_so_before_any_work(
    package: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "jinja2", None if package == "jinja2" else sys)
    done = run(command)
    assert done.code == 1
    assert "pip install 'polytag[reports]'" in done.sentence
    assert package in done.sentence.lower()


def test_compare_prints_scores_answer_and_sentences(trained: Path, bilingual: Path, workplace: Path) -> None:
    done = run(["compare", trained, bilingual, "--task", "ner", "--limit", "2"])
    assert done.code == 0, done.err
    assert f"A: {trained}" in done.out
    assert "12 sentences" in done.out
    assert "p = " in done.out
    assert "They differ in" in done.out
    numbers = json.loads(run(["compare", trained, bilingual, "--task", "ner", "--json"]).out)
    alone = json.loads(run(["evaluate", trained, "--task", "ner", "--json"]).out)["ner"]
    assert numbers["scores"]["f1"]["a"] == pytest.approx(alone["score"])
    assert sum(numbers["right"].values()) == numbers["sentences_that_differ"]


def test_compare_with_itself_differs_nowhere(trained: Path, workplace: Path) -> None:
    pytest.importorskip("jinja2")
    done = run(["compare", trained, trained, "--task", "pos", "--html", "page.html"])
    assert done.code == 0, done.err
    assert "A and B have the same accuracy" in done.out
    assert "They differ in 0 sentences" in done.out
    assert "same accuracy" in Path("page.html").read_text(encoding="utf-8")


def test_compare_tasks_of_two_names(trained: Path, bilingual: Path, workplace: Path) -> None:
    done = run(["compare", trained, bilingual, "--task", "ner:es-ner"])
    assert done.code == 0, done.err
    assert "ner and es-ner: 12 sentences" in done.out


WRONG = {
    "compare {trained} {bilingual}": "the models have several tasks in common, so name one: ner, pos",
    "compare {trained} {bilingual} --task ner:pos": "'pos' labels single words and 'ner' spans",
    "compare {trained} {bilingual} --task nerr": "model A has no task 'nerr'; did you mean 'ner'?",
    "compare {trained} none --task ner": "none: there is no such model directory",
    "compare {trained} {bilingual} --task ner --data-file x": "x: no such file, expected a corpus",
}


@pytest.mark.parametrize(("command", "expected"), WRONG.items(), ids=WRONG.keys())
def test_what_cannot_be_compared(trained: Path, bilingual: Path, workplace: Path, command: str, expected: str) -> None:
    done = run(command.format(trained=trained, bilingual=bilingual))
    assert done.code == 1
    assert expected in done.sentence
