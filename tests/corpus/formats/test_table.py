"""The table of formats, and what derives from it."""

import gzip
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest

import polytag
from polytag import suggesting
from polytag.bulk import cut, pieces
from polytag.corpus import blocks, read
from polytag.corpus.convert import SUFFIXES
from polytag.corpus.documents import format_of
from polytag.corpus.formats import FORMATS, WRITERS, looks_like
from polytag.corpus.formats.format import Cut, never_fast
from polytag.corpus.notes import Notes
from polytag.corpus.text import Layout
from polytag.plan.task import Task
from polytag.plan.values import Choices
from tests.cli.test_options import option
from tests.corpus.formats.test_flat import TIDY


def choices(command: str, name: str) -> set[str]:
    found = option(command, name)
    assert found is not None
    assert isinstance(found.type, click.Choice)
    return set(found.type.choices)


def test_a_row_for_each_format_by_its_name():
    assert all(row.name == name for name, row in FORMATS.items())
    assert set(WRITERS) == {"conll", "tsv", "conllu", "jsonl", "jsonl-spans", "text"}


def test_the_page_of_formats_has_a_row_for_each_that_holds_tags_with_its_suffixes():
    page = (Path(__file__).parents[3] / "docs" / "reference" / "formats.md").read_text("utf-8")
    table = page.split("## Annotated files")[1].split("\n\n")[2].splitlines()[2:]
    rows = {cells[1].strip(" `"): cells[2] for cells in (line.split("|") for line in table)}
    assert set(rows) == {name for name, row in FORMATS.items() if row.has_tags}
    for name, suffixes in rows.items():
        assert name == "conll" or all(f"`{suffix}`" in suffixes for suffix in FORMATS[name].suffixes)


def test_suggestions_are_written_as_the_command_line_says():
    for name, known in (("to", suggesting.FORMATS), ("by", suggesting.MEASURES)):
        assert choices("suggest", f"--{name}") == set(known)


def test_what_is_tagged_can_be_cut():
    for row in FORMATS.values():
        assert (row.blocks is None) == (row.cut is None)
        assert row.blocks or row.fast is never_fast


def test_no_suffix_is_claimed_twice_and_each_leads_to_its_format():
    claims = [(suffix, name) for name, row in FORMATS.items() for suffix in row.suffixes]
    assert len(dict(claims)) == len(claims)
    for suffix, name in claims:
        assert format_of(f"a{suffix}") == format_of(f"a{suffix}.gz") == name
    written = {suffix: name for suffix, name in claims if FORMATS[name].writers}
    assert written | {".tsv": "tsv"} == SUFFIXES


def test_the_command_line_offers_every_format():
    in_lines = {name for name, row in FORMATS.items() if row.blocks}
    assert choices("tag", "--from") == {"auto", *in_lines, "parquet"}
    assert choices("suggest", "--from") == {"auto", *in_lines}
    assert choices("init", "--from") == {"auto", *(name for name, row in FORMATS.items() if row.has_tags)}
    assert choices("data check", "--from") == choices("data convert", "--from") == {"auto", *FORMATS}
    assert choices("data convert", "--to") == {"auto", *WRITERS}


def test_plans_name_every_format_that_holds_tags():
    expected = {"auto", *(name for name, row in FORMATS.items() if row.has_tags)}
    (choices,) = [known for known in Task.model_fields["format"].metadata if isinstance(known, Choices)]
    assert set(choices.names) == expected


SLASHES = '''
"""A sentence on each line, word/TAG."""

from polytag.corpus.formats.format import Format
from polytag.corpus.sentence import Sentence


def sentences(lines, layout):
    for line in lines:
        words, tags = zip(*(pair.rsplit("/", 1) for pair in line.text.split()))
        yield Sentence(words, dict.fromkeys(layout.tags, tags), (line.number,) * len(words), layout.source)


FORMAT = Format("slashes", sentences, suffixes=(".slashes",), columns=lambda lines, layout: ["tag"])
'''
ASKS = """
from polytag.cli import main
from polytag.plan_file import make_plan

def run(*arguments):
    try:
        main(arguments)
    except SystemExit as end:
        return end.code

assert not run("data", "check", "a.slashes")
assert not run("data", "convert", "a.slashes", "a.conll", "--tag", "ner=tag")
assert not run("init", "--train", "a.slashes", "-o", "plan.toml")
assert run("data", "check", "a.slashes", "--from", "slash") == 2
task = {"words": "any", "train": "a.slashes", "format": "slashes"}
assert make_plan({"words": {"any": {}}, "tasks": {"ner": task}}).tasks["ner"].format == "slashes"
try:
    make_plan({"words": {"any": {}}, "tasks": {"ner": {**task, "format": "slash"}}})
except Exception as error:
    print(error)
"""


def test_a_format_is_one_file_which_plans_and_commands_find(tmp_path: Path) -> None:
    """The package, by links to its files, and one more file in its folder of formats."""
    shutil.copytree(Path(polytag.__file__).parent, tmp_path / "polytag", copy_function=os.symlink)
    (tmp_path / "polytag" / "corpus" / "formats" / "slashes.py").write_text(SLASHES)
    (tmp_path / "a.slashes").write_text("Ann/B-PER left/O\nand/or/O Lima/B-LOC\n" * 9)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    asked = [sys.executable, "-c", ASKS]
    done = subprocess.run(asked, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert (tmp_path / "a.conll").read_text().startswith("Ann B-PER\nleft O\n\nand/or O\nLima B-LOC\n\n")
    assert done.stderr.count("'parquet', 'slashes', 'treebank'") == 1  # the choices of --from
    assert "parquet, slashes, treebank, found 'slash'" in done.stdout


@pytest.mark.parametrize(
    ("rule", "fitting"),
    [
        (Cut(True, 10), {(10, True), (99, True)}),
        (Cut(False, 10), {(10, True), (99, True), (10, False), (99, False)}),
        (Cut(True, 10, most=50), {(10, True), (99, True), (99, False)}),
    ],
)
def test_where_a_piece_may_end(rule, fitting):
    sizes = {(size, is_blank) for size in (9, 10, 99) for is_blank in (True, False)}
    assert {(size, is_blank) for size, is_blank in sizes if rule.fits(size, is_blank=is_blank)} == fitting


@pytest.mark.parametrize("name", TIDY)
def test_pieces_hold_the_words_and_sentences_of_the_whole(name, tmp_path, monkeypatch):
    row = FORMATS[name]
    monkeypatch.setattr(pieces, "FORMATS", {name: replace(row, cut=replace(row.cut, size=200))})
    lines = TIDY[name][0]
    file = tmp_path / "file"
    file.write_text("".join(f"{line}\n" for line in [*lines, ""] * 40), encoding="utf-8")
    parts = [row.fast(piece.text, Layout("x", character=piece.character)) for piece in cut(file, format=name)]
    whole = row.fast(file.read_text(encoding="utf-8"), Layout("x"))
    assert len(parts) > 2
    assert [word for part in parts for word in part.words] == list(whole.words)
    assert [length for part in parts for length in part.lengths] == list(whole.lengths)


ONTONOTES = (
    "#begin document (bc/x); part 000\n{row} 0 Ann NNP (X* - - - - (PERSON) -\n{row} 1 # # *) - - - - * -\n\n"
    "#end document\n"
)
EXAMPLES = {  # of a text to tag with all that may stand around words
    "conll": "# sent_id = 1\n# text = Hà Nội\n1\tHà Nội\t\tO\n2\t#\t_\tO\n\n\t\n-DOCSTART-\tO\n#\ttwo\n1\ta\tx\tO\t\n",
    "conllu": "# global.columns = ID FORM MISC\n# a\n1-2\tdel\t_\n1\tde\tner=O|A=b\n2\tel\t_\n2.1\tx\t_\n\n# end\n\n",
    "ontonotes": ONTONOTES.replace("{row}", "bc/x 0"),
    "csv": 'Sentence #,Word,Tag\nSentence: 1,Ann,O\n,"Paris, Texas",B\n,,\nSentence: 2,"""",O\n',
    "jsonl": '{"id": 1.50, "text": "Ann left.", "label": []}\n\n{"words": ["a", "b"]}\n',
    "lines": "Ann saw Lima. She\nleft.\n\n \nYes\n",
    "text": "Ann saw Lima. She\nleft.\n\n \nYes\n",
    "tokenised": "a b\n\n c\td \n",
}


def test_every_format_that_is_tagged_has_an_example() -> None:
    assert set(EXAMPLES) == {name for name, row in FORMATS.items() if row.blocks}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_tagged_and_untagged_texts_are_the_same_to_the_byte_in_one_piece_or_many(
    name: str, suffix: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = EXAMPLES[name].replace("\n", end)
    path = tmp_path / f"text{suffix}"
    path.write_bytes(gzip.compress(text.encode()) if suffix else text.encode())
    whole = list(blocks(path, format=name, word=int(name == "conll")))
    assert "".join(block.render({}) for block in whole) == text
    tagged = "".join(block.render({"new": ["X"] * len(block.sentence or ())}) for block in whole)
    row = FORMATS[name]
    monkeypatch.setattr(pieces, "FORMATS", {name: replace(row, cut=replace(row.cut, size=1))})
    layout = Layout("x", int(name == "conll"))
    parts = list(cut(path, format=name, word=layout.word))
    found = [row.blocks(p.lines(), replace(layout, head=p.head, character=p.character)) for p in parts]
    joined = "".join(block.render({"new": ["X"] * len(block.sentence or ())}) for of in found for block in of)
    assert joined == tagged
    if name not in ("text", "lines", "tokenised"):  # which become lines
        assert len(tagged.split(end)) == len(text.split(end))
    assert "".join(piece.text for piece in parts) == text


LOOKS = {
    "conllu": ["# sent_id = 1\n1\tLima\t_\tX\t_\t_\t0\troot\t_\t_\n", EXAMPLES["conllu"]],
    "ontonotes": [EXAMPLES["ontonotes"]],
    "jsonl": [EXAMPLES["jsonl"], '["Lima.", {"entities": []}]\n'],
    "treebank": ["( (S (NP (NN a))) )\n", "\n((S (NN a)))\n"],
    "conll": ["a O\nb B-X\n", "# sent_id = 1\n1\ta\tO\n2\tb c\tB-X\n", "Ann\nleft\n\nYes\n.\n"],
    "text": ["Ann saw Lima. She left (yes).\n", "( a )\n", "[a]\n", "{ a\n"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, of in LOOKS.items() for text in of])
def test_a_text_looks_like_its_format(name: str, text: str, tmp_path: Path) -> None:
    assert looks_like(text.splitlines()) == name
    path = tmp_path / "a.txt"
    path.write_text(text)
    notes = Notes(collects=True)
    list(read(path, notes=notes))
    said = [note.text for note in notes if note.kind == "format"]
    assert [text.split(",")[0] for text in said] == ([] if name in ("conll", "text") else [f"looks like {name}"])
