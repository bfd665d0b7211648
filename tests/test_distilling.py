"""Raw text that models tag: averages, what is sure enough, the plan that learns from it, bad input, the command."""

import lzma
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import polytag
from polytag.corpus.documents import read
from polytag.corpus.schemes import UNKNOWN, problems
from polytag.corpus.sentence import Sentence
from polytag.distilling.averaging import Teachers
from polytag.plan_file import load_plan
from polytag.tagger.request import Request
from tests import tiny
from tests.cli.conftest import SPANISH, contents, fill, run

RAW = """\
Angela Merkel visited Lima . Amina Diallo left Warsaw . Nobody came to the station today .

Tomas Lindqvist left Rotterdam . Angela Merkel visited Lima .
"""
SURE = ("--min-probability", "0.5", "--quiet")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows its few sentences well, beside its files."""
    folder = tmp_path_factory.mktemp("teacher")
    fill(folder)
    better = ("--set", "training.recipe=best", "--set", "training.epochs=12", "--set", "training.batch_sentences=4")
    assert run(["train", folder / "plan.toml", "-o", folder / "model", "-q", *better]).code == 0
    return folder / "model"


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to stand in, with raw text."""
    (tmp_path / "raw.txt").write_text(RAW, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POLYTAG_DATA", raising=False)
    return tmp_path


def of_taggers(*taggers: polytag.Tagger, tasks: Sequence[str] = ("ner",)) -> Teachers:
    return Teachers([f"model {number}" for number in range(len(taggers))], taggers, tasks)


def tags_at(teachers: Teachers, sentences: Sequence[Sentence], least: object) -> list[tuple[str, ...]]:
    return [found.tags["ner"] for found in teachers.tag(sentences, Request(min_probability=least))]


@pytest.mark.parametrize("data", ["iob2", "plain"])
def test_marginals_of_several_models_are_averaged(data):
    taggers, sentences = [tiny.tagger({"ner": data}, seed=seed) for seed in range(3)], tiny.texts(9)
    alone = [of_taggers(tagger).marginals(sentences)["ner"] for tagger in taggers]
    together = of_taggers(*taggers).marginals(sentences)["ner"]
    for number, found in enumerate(together):
        assert found == pytest.approx(np.mean([one[number] for one in alone], axis=0))
        assert found.sum(axis=1) == pytest.approx(np.ones(len(found)))


def test_marginals_are_those_that_the_tagger_tells():
    tagger, sentences = tiny.tagger(seed=4, constrained=True), tiny.texts(9)
    vocabulary = tagger.vocabularies.tags["ner"]
    told = list(tagger.tag_all(sentences, confidence=True))
    for found, said in zip(of_taggers(tagger).marginals(sentences)["ner"], told, strict=True):
        rows = vocabulary.encode(said.tags["ner"])
        assert said.confidence["ner"] == pytest.approx(found[range(len(rows)), rows].tolist())


def test_consistent_marginals_are_those_that_the_tagger_tells():
    taggers, sentences = [tiny.tagger(seed=seed, constrained=True) for seed in (4, 5)], tiny.texts(60)
    each = [of_taggers(tagger).marginals(sentences, consistent=True)["ner"] for tagger in taggers]
    vocabulary = taggers[0].vocabularies.tags["ner"]
    for found, said in zip(each[0], taggers[0].tag_all(sentences, confidence=True, consistent=True), strict=True):
        rows = vocabulary.encode(said.tags["ner"])
        assert said.confidence["ner"] == pytest.approx(found[range(len(rows)), rows].tolist())
    for number, found in enumerate(of_taggers(*taggers).marginals(sentences, consistent=True)["ner"]):
        assert found == pytest.approx(np.mean([one[number] for one in each], axis=0))
    teachers = of_taggers(taggers[0])
    tags = [[found.tags for found in teachers.tag(sentences, Request(consistent=it))] for it in (False, True)]
    assert tags[0] != tags[1]


def test_what_is_probable_enough_is_told_and_well_formed():
    teachers, sentences = of_taggers(*(tiny.tagger(seed=seed) for seed in (1, 2))), tiny.texts(60)
    names, shares = teachers.vocabularies["ner"].tags, teachers.marginals(sentences)["ner"]
    few, many = tags_at(teachers, sentences, 0.8), tags_at(teachers, sentences, 0.5)
    for share, strict, loose in zip(shares, few, many, strict=True):
        best = [names[tag] for tag in share.argmax(1)]
        assert strict == tuple(t if p >= 0.8 else UNKNOWN for t, p in zip(best, share.max(1), strict=True))
        assert loose == tuple(t if p > 0.5 else UNKNOWN for t, p in zip(best, share.max(1), strict=True))
        assert not problems(loose, "bioes")
    assert {tag for tags in many for tag in tags} > {UNKNOWN, "O"}


def test_each_type_may_need_a_probability_of_its_own():
    teachers, sentences = of_taggers(tiny.tagger(seed=1)), tiny.texts(40)
    loose, strict = tags_at(teachers, sentences, 0.5), tags_at(teachers, sentences, {"PER": 1.0, "O": 1.0})
    for before, after in zip(loose, strict, strict=True):
        assert after == tuple(tag if tag.endswith("-LOC") else UNKNOWN for tag in before)
    assert any("LOC" in tag for tags in strict for tag in tags)


def test_a_model_teaches_itself_and_a_plan_trains_on_both(teacher, raw):
    done = run(["distill", teacher, "raw.txt", "-o", "new", *SURE, "--task", "ner"])
    assert done.code == 0, done.err
    # Four sentences of five: one came before.
    assert done.out.startswith("new/raw.conll: 4 sentences, 22 words; ")
    found = list(read("new/raw.conll", tags={"ner": 1}))
    assert found[0].words == ("Angela", "Merkel", "visited", "Lima", ".")
    assert found[0].tags["ner"] == ("B-PER", "E-PER", "O", "S-LOC", "O")
    plan, old = load_plan("new/plan.toml"), polytag.load(teacher).plan
    assert list(plan.tasks) == ["ner", "ner-raw"]
    assert plan.words == old.words
    assert plan.training == old.training
    assert {getattr(plan.tasks["ner-raw"], kind) for kind in ("chars", "words", "tags")} == {"latin", "english", "ner"}
    done = run(["train", "new/plan.toml", "-o", "student", "-q"])
    assert done.code == 0, done.err
    assert polytag.evaluate("student", tasks="ner")["ner"].score > 90


def test_the_plan_may_have_another_size_and_its_files_are_found_from_anywhere(teacher, raw):
    assert run(["distill", teacher, "raw.txt", "-o", "a/b", *SURE, "--size", "small"]).code == 0
    shutil.move("a", "elsewhere")
    plan = load_plan("elsewhere/b/plan.toml")
    assert (plan.size, plan.chars["latin"].hidden, plan.words["english"].hidden) == ("small", 40, 100)
    assert plan.words["english"].dimension == 6
    assert list(plan.tasks) == ["ner", "pos", "ner-raw", "pos-raw"]
    rows = Path("elsewhere/b/raw.conll").read_text(encoding="utf-8").split("\n")
    assert len(rows[0].split("\t")) == 3


def test_several_models_are_one_teacher(teacher, raw):
    first = run(["distill", teacher, "raw.txt", "-o", "one", *SURE])
    again = run(["distill", teacher, "raw.txt", "-o", "two", "--teacher", teacher, *SURE])
    assert (first.code, again.code) == (0, 0), again.err
    assert Path("one/raw.conll").read_bytes() == Path("two/raw.conll").read_bytes()


def test_texts_are_read_as_vectors_reads_them(teacher, raw):
    first, second = RAW.split("\n\n")
    Path("texts/deep").mkdir(parents=True)
    Path("texts/a.txt.xz").write_bytes(lzma.compress(first.encode()))
    Path("texts/deep/b.txt").write_text(second, encoding="utf-8")
    Path("texts/.hidden").write_text("Not this .", encoding="utf-8")
    for name, source in {"whole": "raw.txt", "folder": "texts", "stream": "-"}.items():
        assert run(["distill", teacher, source, "-o", name, *SURE], stdin=RAW).code == 0
    assert len({Path(name, "raw.conll").read_bytes() for name in ("whole", "folder", "stream")}) == 1


def test_some_sentences_are_drawn_from_all(teacher, raw):
    lines = [f"Angela Merkel left Lima {number} ." for number in range(200)]
    Path("long.txt").write_text("\n\n".join(lines), encoding="utf-8")
    assert run(["distill", teacher, "long.txt", "-o", "some", "--sentences", "20", *SURE]).code == 0
    assert run(["distill", teacher, "long.txt", "-o", "every", "--all", *SURE]).code == 0
    some, every = ([s.words for s in read(f"{name}/raw.conll")] for name in ("some", "every"))
    assert (len(some), len(every)) == (20, 200)
    assert some == [words for words in every if words in some]
    assert every.index(some[-1]) > 100


def test_words_that_corpora_use_otherwise_come_back_as_they_are(teacher, raw):
    text = "-DOCSTART- is no word .\n\n# sent_id = 4 left Lima .\n\n? Lima \u2028 left\u00a0Lima ? O .\n\n" + "a " * 400
    Path("odd.txt").write_text(text, encoding="utf-8")
    assert run(["distill", teacher, "odd.txt", "-o", "odd", *SURE, "--tokeniser", "blanks"]).code == 0
    found = [sentence.words for sentence in read("odd/raw.conll", tags={"ner": 1})]
    assert ("?", "Lima", "\u2028", "left\u00a0Lima", "?", "O", ".") in found
    assert all("-DOCSTART-" not in words and len(words) <= 300 for words in found)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "raw.txt: no sentence of 0 has a tag that is probable enough"),
        (b"\n \n\n", "raw.txt: no sentence of 0"),
        (b"a\0b\n", "raw.txt:1: a NUL byte"),
        ("Lima\n".encode("utf-16"), "raw.txt:1: a UTF-16 byte order mark"),
        (lzma.compress(RAW.encode())[:-20], "raw.txt: the xz data end too early"),
        (b"a " * 6_000_000, "raw.txt:1: a line of over 10,000,000 bytes"),
    ],
    ids=["empty", "blank", "binary", "utf-16", "cut xz", "one line"],
)
def test_bad_text_is_told_in_a_sentence_and_leaves_nothing(teacher, raw, content, said):
    Path("raw.txt").write_bytes(content)
    done = run(["distill", teacher, "raw.txt", "-o", "new"])
    assert done.code == 1
    assert said in done.sentence
    assert [path.name for path in raw.iterdir()] == ["raw.txt"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("raw.txt --task pros", "the model has no task 'pros'; did you mean 'pos'?"),
        ("raw.txt --task pos --consistent", "consistent is True, but the tasks have no spans to be consistent"),
        ("raw.txt --min-probability 0.3", "min_probability is 0.3, expected a number from 0.5 to 1"),
        ("raw.txt --min-probability PER=2", "min_probability is 2.0, expected a number from 0 to 1"),
        ("raw.txt --min-probability PRE=0.8", "there is no type 'PRE'; did you mean 'PER'?"),
        ("raw.txt --min-probability 1", "raw.txt: no sentence of 4 has a tag that is probable enough"),
        ("raw.txt --size tiny", "there is no size 'tiny'"),
        ("raw.txt --teacher raw.txt", "raw.txt"),
        ("gone.txt", "gone.txt"),
        ("folder", "folder: a folder without files, expected some of raw text"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(teacher, raw, more, said):
    Path("folder").mkdir()
    before = contents(raw)
    done = run(f"distill {teacher} {more} -o new")
    assert done.code == 1
    assert said in done.sentence
    assert contents(raw) == before


def test_a_model_that_learnt_so_teaches_what_its_labelled_files_do(teacher, raw):
    assert run(["distill", teacher, "raw.txt", "-o", "new", *SURE, "--task", "ner"]).code == 0
    assert run(["train", "new/plan.toml", "-o", "student", "-q", "--set", "training.epochs=1"]).code == 0
    assert run(["distill", "student", "raw.txt", "-o", "again", *SURE]).code == 0
    first, second = (load_plan(f"{name}/plan.toml").tasks for name in ("new", "again"))
    assert list(second) == ["ner", "ner-raw"]
    assert second == first
    done = run(["distill", "student", "raw.txt", "-o", "third", *SURE, "--task", "ner", "--task", "ner-raw"])
    said = "student: 'ner-raw' learnt from text that a model tagged, expected it left out"
    assert (done.code, done.sentence) == (1, said)


def test_types_that_the_text_does_not_teach_are_told(teacher, raw):
    done = run(["distill", teacher, "raw.txt", "-o", "new", "-q", "--min-probability", "O=0.5", "--task", "ner"])
    assert (done.code, done.err) == (0, "")
    strict = ["--min-probability", "O=0.5", "--min-probability", "PER=0.5", "--min-probability", "LOC=1"]
    done = run(["distill", teacher, "raw.txt", "-o", "other", "-q", *strict, "--task", "ner"])
    said = "other/raw.conll: ner: no word has a tag of LOC that is probable enough: the text teaches none"
    assert (done.code, done.err) == (0, f"{said}\n")


def test_nothing_is_overwritten(teacher, raw):
    assert run(["distill", teacher, "raw.txt", "-o", "new", *SURE]).code == 0
    before = contents(raw)
    for place, said in {"new": "new/plan.toml: is there already", "raw.txt": "raw.txt: this is a file"}.items():
        done = run(["distill", teacher, "raw.txt", "-o", place, *SURE])
        assert (done.code, contents(raw)) == (1, before)
        assert said in done.sentence


def test_teachers_of_other_types_are_refused_with_both_names(teacher, raw):
    fill(raw)
    for split in ("train", "dev", "test"):
        path = Path(f"{split}.conll")
        path.write_text(path.read_text(encoding="utf-8").replace("-LOC", "-GPE"), encoding="utf-8")
    assert run("train plan.toml -o other -q").code == 0
    done = run(["distill", teacher, "raw.txt", "-o", "new", "--teacher", "other"])
    said = f"other: 'ner' has GPE, PER (bioes), expected LOC, PER (bioes) as in {teacher}"
    assert (done.code, done.sentence) == (1, said)
    Path("plan.toml").write_text(Path("plan.toml").read_text().replace("tasks.ner]", "tasks.names]"))
    assert run("train plan.toml -o third -q").code == 0
    done = run(["distill", teacher, "raw.txt", "-o", "new", "--teacher", "third"])
    assert (done.code, done.sentence) == (1, f"third: has no task 'ner', expected it as in {teacher}")


def test_a_packed_model_needs_the_files_of_its_plan(teacher, raw):
    assert run(["pack", teacher, "-o", "m.polytag"]).code == 0
    done = run("distill m.polytag raw.txt -o new")
    assert done.code == 1
    assert done.sentence.startswith("m.polytag: tasks.ner.train: there is no 'train.conll'; looked for ")
    assert not Path("new").exists()
    done = run(["distill", "m.polytag", "raw.txt", "-o", "new", *SURE, "--data", teacher.parent])
    assert done.code == 0, done.err
    assert load_plan("new/plan.toml").tasks["ner"].train[0].endswith("train.conll")


def test_a_model_of_sentences_from_a_program_has_no_files_to_train_on(raw):
    sentences = [Sentence(("Ann", "left", "Lima"), {"ner": ("B-PER", "O", "B-LOC")})] * 4
    plan = {"chars": {"a": {}}, "words": {"a": {"hidden": 4}}, "training": {"epochs": 1},
            "tasks": {"ner": {"chars": "a", "words": "a", "train": "-"}}}  # fmt: skip
    polytag.train(plan, output="model", corpora={"ner": {"train": sentences}})
    done = run("distill model raw.txt -o new")
    assert done.sentence.startswith("model: tasks.ner.train: its sentences came from a program")


def test_tokenisers_that_differ_are_refused_unless_one_is_named(teacher, raw):
    fill(raw)
    done = run("train plan.toml -o other -q --set words.english.tokeniser=blanks")
    assert done.code == 0
    command = ["distill", teacher, "raw.txt", "-o", "new", "--teacher", "other", *SURE]
    assert "found the tokenisers 'unicode' and 'blanks', expected one" in run(command).sentence
    assert run([*command, "--tokeniser", "unicode"]).code == 0


def test_a_model_of_several_languages_is_asked_for_one(raw):
    fill(raw)
    Path("plan.toml").write_text(SPANISH + Path("plan.toml").read_text())
    assert run("train plan.toml -o both -q").code == 0
    assert "the model reads several languages, so name the tasks" in run("distill both raw.txt -o new").sentence
