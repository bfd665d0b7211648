"""The table of formats, and what derives from it."""

import typing
from dataclasses import replace

import click
import pytest

from polytag.bulk import cut, pieces
from polytag.corpus.convert import SUFFIXES
from polytag.corpus.documents import format_of
from polytag.corpus.formats import FORMATS, WRITERS
from polytag.corpus.formats.format import Cut, never_fast
from polytag.corpus.text import Layout
from polytag.plan import Task
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
    tagged = {name for name, row in FORMATS.items() if row.blocks}
    assert choices("tag", "--from") == {"auto", *tagged, "parquet"}
    assert choices("suggest", "--from") == {"auto", *tagged}
    assert choices("init", "--from") == {"auto", *(name for name, row in FORMATS.items() if row.has_tags)}
    assert choices("data check", "--from") == choices("data convert", "--from") == {"auto", *FORMATS}
    assert choices("data convert", "--to") == {"auto", *WRITERS}


def test_plans_name_every_format_that_holds_tags():
    expected = {"auto", *(name for name, row in FORMATS.items() if row.has_tags)}
    assert set(typing.get_args(Task.model_fields["format"].annotation)) == expected


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
