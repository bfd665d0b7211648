"""What each command does when all is well, through the command line alone."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from polytag.corpus import read
from polytag.plan_file import load_plan
from polytag.training import Step, train_events
from tests.cli.conftest import ENVIRONMENT, PLAN, contents, corpus, run
from tests.oracles_spans import conlleval

COMMANDS = ["", "train", "evaluate", "tag", "show", "data", "data check", "data convert"]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(command, flag):
    done = run(f"{command} {flag}")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: polytag {command}".rstrip())
    for line in re.findall(r"^  (--?\w.*)", done.out, re.MULTILINE):
        assert line  # options are there, in a group's help too


def test_the_version_is_the_package_s_with_the_core_in_use(monkeypatch):
    from polytag import __version__, native

    done = run("--version")
    assert (done.code, done.out) == (0, f"polytag, version {__version__}\n{native.description()}\n")
    monkeypatch.setattr(native.loader, "core", lambda: None)
    assert run("--version").out == f"polytag, version {__version__}\nno native core: numpy\n"


def test_no_command_shows_the_help():
    done = run("")
    assert "Usage: polytag [OPTIONS] COMMAND" in done.out + done.err


def test_train_writes_a_model_and_prints_scores_alone_to_stdout(workplace):
    done = run("train plan.toml -o out --set training.epochs=2 --seed 7")
    assert done.code == 0
    assert re.fullmatch(
        r"kept epoch [12] of 2\nner +dev +f1 +[\d.]+\nner +test +f1 +[\d.]+\npos +test +accuracy +[\d.]+\n", done.out
    )
    assert "epoch 2: loss ner " in done.err
    report = json.loads(Path("out/report.json").read_text())
    assert (report["seed"], report["epochs"]) == (7, 2)
    assert sorted(contents(Path("out"))) == [  # and curves.svg, which tests/conftest.py leaves out
        "README.md", "calibration.json", "metrics.jsonl", "plan.toml", "report.json", "vocabulary",
        "vocabulary/chars.latin.json", "vocabulary/tags.ner.json", "vocabulary/tags.pos.json",
        "vocabulary/words.english.json", "weights.safetensors",
    ]  # fmt: skip


def test_quiet_training_says_nothing_on_stderr(workplace):
    done = run("train plan.toml -o out --quiet")
    assert (done.code, done.err) == (0, "")


def test_the_same_seed_gives_the_same_weights(workplace):
    for out, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert run(f"train plan.toml -o {out} --quiet --seed {seed}").code == 0
    a, b, c = (Path(out, "weights.safetensors").read_bytes() for out in "abc")
    assert a == b != c


def test_training_finds_files_under_data(workplace, tmp_path_factory):
    plan = tmp_path_factory.mktemp("elsewhere") / "plan.toml"
    plan.write_text(PLAN)
    assert run(["train", plan, "-o", "out", "--data", workplace, "--quiet"]).code == 0
    assert "there is no 'train.conll'" in run(["train", plan, "-o", "none"]).sentence


def test_a_finished_training_has_nothing_to_resume(workplace):
    assert run("train plan.toml -o out").code == 0
    before = contents(workplace)
    done = run("train plan.toml -o out --resume")
    assert done.code == 0
    assert "nothing to resume" in done.err
    assert contents(workplace) == before


def test_what_was_never_begun_cannot_be_resumed(workplace):
    assert run("train --resume gone").sentence == "gone: no such directory, expected one that 'train' has begun"


def test_a_directory_is_all_that_a_training_resumes_from(workplace):
    settings = "--set training.epochs=2 --set training.optimizer=adam --quiet"
    assert run(f"train plan.toml -o whole {settings}").code == 0
    plan = load_plan("plan.toml", settings=["training.epochs=2", "training.optimizer=adam"])
    events = train_events(plan, output="out", save_seconds=0)
    while not isinstance(next(events), Step):
        pass
    events.close()
    assert run("train --resume out --quiet").code == 0
    assert Path("out/weights.safetensors").read_bytes() == Path("whole/weights.safetensors").read_bytes()


def test_a_directory_is_no_plan_of_a_new_training(workplace):
    assert run("train plan.toml -o out --quiet").code == 0
    for command in ("train out -o new", "train out", "train out -o new --resume"):
        assert "out: a directory, expected a plan file" in run(command).sentence
    assert run("train plan.toml").code == 2


def gold_and_found(text: str, gold: int, found: int) -> list[tuple[list[str], list[str]]]:
    sentences = [[line.split("\t") for line in part.splitlines()] for part in text.strip().split("\n\n")]
    return [([row[gold] for row in rows], [row[found] for row in rows]) for rows in sentences]


def test_the_table_is_what_conlleval_says_of_the_tagged_output(trained, workplace):
    tagged = run(["tag", trained, "test.conll"])
    table = run(["evaluate", trained, "--task", "ner"])
    assert (tagged.code, table.code) == (0, 0)
    pairs = gold_and_found(tagged.out, 2, 3)
    expected = conlleval(pairs)
    correct, found, gold = (expected[part].total() for part in ("correct", "predicted", "gold"))
    words = sum(len(tags) for tags, _ in pairs)
    head = f"processed {words} tokens with {gold} phrases; found: {found} phrases; correct: {correct}.\n"
    assert table.out.startswith(head)
    precision, recall = 100 * correct / max(found, 1), 100 * correct / max(gold, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    rates = f"precision: {precision:6.2f}%; recall: {recall:6.2f}%; FB1: {f1:6.2f}\n"
    assert table.out.splitlines(keepends=True)[1].endswith(rates)
    for name, count in expected["predicted"].items():
        assert re.search(rf"^ +{name}: .*  {count}$", table.out, re.MULTILINE)


def test_evaluate_scores_all_tasks_or_one_or_a_file(trained, workplace):
    both = run(["evaluate", trained])
    assert (both.code, both.err) == (0, "")
    assert [line for line in both.out.splitlines() if line.endswith(":")] == ["ner:", "pos:"]
    one = run(["evaluate", trained, "--task", "pos"])
    assert one.out in both.out
    assert run(["evaluate", trained, "--task", "pos", "--data-file", "test.conll"]).out == one.out
    assert run(["evaluate", trained, "--split", "dev"]).out.startswith("processed 30 tokens")


def test_evaluate_in_json_has_the_numbers_of_the_table(trained):
    numbers = json.loads(run(["evaluate", trained, "--json"]).out)
    assert list(numbers) == ["ner", "pos"]
    table = run(["evaluate", trained, "--task", "ner"]).out
    assert f"FB1: {numbers['ner']['f1']:6.2f}" in table
    assert numbers["pos"]["score"] == numbers["pos"]["accuracy"]
    report = json.loads((trained / "report.json").read_text())
    assert {task: splits["test"] for task, splits in report["scores"].items()} == numbers


def test_evaluate_with_the_weights_of_a_task(bilingual):
    done = run(["evaluate", bilingual, "--task", "ner", "--best-for", "ner"])
    assert done.code == 0


LAYERED = "-DOCSTART- -X- O\n\n# a comment\tit stays\tO\nLima  NNP\tO\r\n.\t.\tO\n\n\n \nAngela X O\n\n"


def test_tag_keeps_columns_blank_lines_line_ends_and_order(trained):
    done = run(["tag", trained, "--task", "ner"], stdin=LAYERED)
    assert (done.code, done.err) == (0, "")
    before, after = (text.split("\n") for text in (LAYERED, done.out))
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        end = "\r" if old.endswith("\r") else ""
        if old.strip() and not old.startswith("# "):
            assert re.fullmatch(re.escape(old.removesuffix("\r")) + r"[ \t](O|[BI]-(PER|LOC))" + end, new)
        else:
            assert old == new


def test_tag_keeps_comments_and_columns_of_conllu(trained):
    text = "# sent_id = 1\n1-2\tdel\t_\t_\t_\t_\t_\t_\t_\t_\n" + "".join(
        f"{n}\t{word}\t_\t_\t_\t_\t0\troot\t_\tSpaceAfter=No\n" for n, word in ((1, "Lima"), (2, "."))
    )
    done = run(["tag", trained, "--from", "conllu", "--task", "ner"], stdin=text + "\n")
    assert done.code == 0
    assert done.out.startswith("# sent_id = 1\n1-2\tdel\t_")
    assert re.search(r"^1\tLima\t.*\tSpaceAfter=No\|ner=\S+$", done.out, re.MULTILINE)
    assert re.sub(r"\|ner=\S+", "", done.out) == text + "\n"


def test_tag_of_files_is_tag_of_their_texts_in_order(trained, workplace):
    Path("a.conll").write_text("Lima\nleft\n\n")
    Path("b.conll.gz").write_bytes(gzip.compress(b"Angela\n\n"))
    done = run(["tag", trained, "b.conll.gz", "a.conll"])
    assert done.code == 0
    assert done.out == run(["tag", trained], stdin="Angela\n\nLima\nleft\n\n").out
    assert run(["tag", trained, "-"], stdin="Angela\n\n").out == run(["tag", trained, "b.conll.gz"]).out


def test_tag_into_a_file(trained, workplace):
    expected = run(["tag", trained, "test.conll"]).out
    Path("there.conll").write_text("before")
    for name in ("out.conll", "there.conll", "out.conll.gz"):
        done = run(["tag", trained, "test.conll" if name != "out.conll.gz" else "out.conll", "-o", name])
        assert (done.code, done.out, done.err) == (0, "", "")
        assert name.endswith(".gz") or Path(name).read_text() == expected
    with gzip.open("out.conll.gz", "rt") as unzipped:
        assert unzipped.read().splitlines()[0].startswith(expected.splitlines()[0])
    assert not list(Path().glob(".*")), "nothing is left beside it"


def test_tag_through_a_link_and_into_a_device(trained, workplace):
    Path("real.conll").write_text("before")
    Path("link.conll").symlink_to("real.conll")
    assert run(["tag", trained, "test.conll", "-o", "link.conll"]).code == 0
    assert Path("link.conll").is_symlink()
    assert Path("real.conll").read_text() == run(["tag", trained, "test.conll"]).out
    assert run(["tag", trained, "test.conll", "-o", "/dev/null"]).code == 0
    assert Path("/dev/null").is_char_device(), "a device is written to, not replaced"


@pytest.mark.parametrize("format", ["conll", "conllu", "jsonl", "text"])
def test_nothing_in_is_nothing_out(trained, format):
    done = run(["tag", trained, "--from", format], stdin="")
    assert (done.code, done.out, done.err) == (0, "", "")


@pytest.mark.parametrize("stdin", ["\n", "\n\n \n", "Lima", "-DOCSTART- O"])
def test_little_in_is_little_out(trained, stdin):
    done = run(["tag", trained, "--task", "ner"], stdin=stdin)
    assert done.code == 0
    assert done.out.startswith(stdin)
    assert done.out.count("\n") == stdin.count("\n")


def test_marks_and_line_ends_change_no_tag(trained):
    plain = run(["tag", trained], stdin="Lima\nleft\n\nAngela\n").out
    marked = run(["tag", trained], stdin=b"\xef\xbb\xbfLima\nleft\n\nAngela\n")
    assert marked.out.removeprefix("\ufeff") == plain
    assert run(["tag", trained], stdin="Lima\r\nleft\r\n\r\nAngela\r\n").out == plain.replace("\n", "\r\n")


def test_marks_and_line_ends_change_no_training(workplace):
    assert run("train plan.toml -o a --quiet").code == 0
    for name in ("train.conll", "dev.conll", "test.conll", "plan.toml"):
        content = Path(name).read_bytes()
        Path(name).write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    done = run("train plan.toml -o b --quiet")
    assert (done.code, done.err) == (0, "")
    words, alphabet = "vocabulary/words.english.json", "vocabulary/chars.latin.json"
    assert Path("a", words).read_bytes() == Path("b", words).read_bytes()
    assert Path("a", alphabet).read_bytes() == Path("b", alphabet).read_bytes()
    assert run("evaluate b").out == run("evaluate a").out


def test_tag_jsonl_text_and_confidence(trained):
    done = run(["tag", trained, "--from", "jsonl", "--confidence"], stdin='{"id": 7, "words": ["Lima", "."]}\n')
    record = json.loads(done.out)
    assert (record["id"], record["words"]) == (7, ["Lima", "."])
    assert {task: len(tags) for task, tags in record["tags"].items() if "." not in task} == {"ner": 2, "pos": 2}
    assert run(["tag", trained, "--from", "text", "--threads", "1"], stdin="Angela left Lima .\n").code == 0
    assert run(["tag", trained, "--constrained"], stdin="Lima\n").code == 0


def test_several_languages_want_a_task(bilingual):
    assert run(["tag", bilingual, "--task", "es-ner"], stdin="Lima\n").code == 0
    both = run(["tag", bilingual, "--task", "es-ner", "--task", "ner"], stdin="Lima\n")
    assert len(both.out.split()) == 3


def test_show_names_parts_and_their_users(trained, workplace):
    plan, model = run("show plan.toml"), run(["show", trained])
    assert (plan.code, model.code) == (0, 0)
    for name in ("chars.latin", "words.english"):
        for out in (plan.out, model.out):
            assert re.search(rf"^{name} .*shared by ner, pos$", out, re.MULTILINE)
    assert "weights" in model.out
    assert re.search(r"^ner: dev f1 [\d.]+, test f1 [\d.]+$", model.out, re.MULTILINE)


def test_show_tells_an_lstm_and_a_softmax_which_has_no_margin(workplace):
    sets = ["tags.ner.output=softmax", "words.english.cell=lstm"]
    one = run(["show", "plan.toml", *(word for setting in sets for word in ("--set", setting))]).out
    both = run(["show", "plan.toml", "--set", "tags.ner.output=softmax", "--set", "tags.pos.output=softmax"]).out
    assert re.search(r"^words.english .*, lstm; ", one, re.MULTILINE)
    assert re.search(r"^tags.ner +softmax, ", one, re.MULTILINE)
    assert re.search(r"^tags.pos +CRF, ", one, re.MULTILINE)
    assert ", margin 5.0" in one
    assert "margin" not in both


@pytest.mark.parametrize("setting", ["training.epochs=3", "training.recipe=authors", 'tags.ner.scheme="iob2"'])
def test_show_all_is_the_same_plan(workplace, setting):
    done = run(["show", "plan.toml", "--all", "--set", setting])
    assert (done.code, done.err) == (0, "")
    Path("all.toml").write_text(done.out)
    assert load_plan("all.toml") == load_plan("plan.toml", settings=[setting])
    assert run("show all.toml --all").out == done.out


def test_show_all_of_a_model_is_its_plan(trained, workplace):
    Path("all.toml").write_text(run(["show", trained, "--all"]).out)
    assert load_plan("all.toml") == load_plan(trained / "plan.toml")


def test_show_all_with_vectors_can_be_trained(workplace):
    Path("v.vec").write_text("2 3\nLima 1 2 3\nleft 4 5 6\n")
    Path("plan.toml").write_text(PLAN.replace("[words.english]\ndimension = 6", '[words.english]\nvectors = "v.vec"'))
    Path("all.toml").write_text(run("show plan.toml --all").out)
    assert run("train all.toml -o out --quiet").code == 0


def test_data_check_and_convert(workplace):
    checked = run("data check train.conll dev.conll")
    assert (checked.code, checked.err) == (0, "")
    assert "train.conll: conll, ascii\n  24 sentences, 120 tokens" in checked.out
    assert "column 2: IOB2: 48 spans" in checked.out
    done = run("data convert train.conll out.jsonl --tag ner=2 --tag pos=1 --scheme bioes")
    assert done.code == 1, "parts of speech are no spans"
    done = run("data convert train.conll out.jsonl.gz --tag ner=2 --scheme bioes")
    assert (done.code, done.out, done.err) == (0, "", "24 sentences\n")
    back = run("data convert out.jsonl.gz back.conll --tag ner=ner --scheme iob2")
    assert back.code == 0
    same = zip(read("back.conll", tags={"ner": 1}), read("train.conll", tags={"ner": 2}), strict=True)
    assert all((a.words, a.tags) == (b.words, b.tags) for a, b in same)


def test_data_check_reports_what_is_wrong_with_its_line(workplace):
    Path("x.conll").write_text(corpus(9, 1) + "Lima\tX\n\nLi\u00adma\tX\tI-LOC\n", encoding="utf-8")
    done = run("data check x.conll")
    assert (done.code, done.err) == (1, "")
    problems = [line for line in done.out.splitlines() if line.startswith("x.conll:")][1:]
    assert len(problems) == 3
    assert problems[0] == "x.conll:55: 2 columns, expected at least 3 (tag of '2' in column 2)"
    assert problems[2] == r"x.conll:57: word 'Li\xadma' holds the unseen character U+00AD"


def test_data_check_of_little(workplace):
    Path("x.conll").write_text("")
    done = run("data check x.conll")
    assert (done.code, done.out.splitlines()[1:]) == (
        1,
        ["  0 sentences, 0 tokens", "x.conll: no sentence in it, expected at least one"],
    )
    Path("x.conll").write_text("a B-X\nb X-X\n")
    done = run("data check x.conll")
    assert done.code == 1
    assert "  1 sentence, 2 tokens\n  longest sentence 2 words (line 1), longest word 1 character (line 1)" in done.out
    assert ("in no tag scheme" in done.out, ":0:" in done.out, done.out.count("X-X marks")) == (True, False, 0)


def test_data_convert_without_tags_says_what_is_left_out(workplace):
    done = run("data convert train.conll words.conll")
    assert (done.code, done.err) == (0, "no --tag: words alone, columns 1, 2 left out\n24 sentences\n")
    assert run("data convert words.conll out.jsonl").err == "24 sentences\n"
    done = run("data convert train.conll train.conll")
    assert (done.code, done.sentence) == (
        1,
        "train.conll: is the file to convert and its target, expected two files",
    )


def test_tagging_loads_what_it_needs_alone(trained, workplace):
    needless = {
        "torch", "spacy", "fastapi", "uvicorn", "matplotlib", "jinja2", "sklearn", "scipy", "onnx", "multiprocessing",
        "filelock", "asyncio", "numpy.random", "polytag.suggesting", "polytag.reports", "polytag.training",
        "polytag.vocabulary.vectors",
    }  # fmt: skip
    code = f"""if True:
        import sys
        from polytag.cli import main
        try:
            main(["tag", {str(trained)!r}, "test.conll", "--output", "out"])
        except SystemExit as exit_:
            print(exit_.code, sorted({needless!r} & sys.modules.keys()))
    """
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("0 []\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="names of files that are no text")
def test_names_of_files_that_are_no_text(workplace):
    name = os.fsdecode(b"caf\xe9")
    shutil.copy("plan.toml", f"{name}.toml")
    shutil.copy("test.conll", f"{name}.conll")
    with mock.patch.object(sys, "argv", ["polytag", "train", f"{name}.toml"]):
        assert run(["train", f"{name}.toml", "-o", name, "-q"]).code == 0
    assert json.loads(Path(name, "report.json").read_text(encoding="utf-8"))["command"].endswith("caf\\udce9.toml'")
    for command in ("evaluate", "compare"):
        models = [name] * (2 if command == "compare" else 1)
        arguments = [command, *models, "--task", "ner", "--data-file", f"{name}.conll", "--html", "page.html"]
        done = run(arguments)
        assert done.code == 0, done.err
        assert "caf\\udce9" in Path("page.html").read_text(encoding="utf-8")
    done = run(["train", "plan.toml", "-o", "out", "--set", f"tasks.ner.test={name}.conll"])
    assert (done.code, done.sentence) == (
        1, "plan.toml: tasks.ner.test: found 'caf\\udce9.conll', expected text that UTF-8 holds"
    )  # fmt: skip
    assert not Path("out").exists()


def test_operating_points(trained, workplace):
    done = run(["evaluate", trained, "--wanted-precision", "50", "--data", workplace])
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == "ner:"
    assert any("50 % precision on dev" in line for line in lines)
    assert lines[-1] == "pos: its tags are no spans"
    assert run(["evaluate", trained, "--operating-points", "--json"]).code == 2
