"""Tag schemes against seqeval's reading, an enumeration of short sequences, and laws."""

import random
from collections.abc import Iterable
from itertools import chain, pairwise, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from polytag.corpus import schemes
from polytag.corpus.schemes import (
    all_tags,
    allowed,
    convert_tags,
    detect,
    problems,
    rewritten_alone,
    spans,
    write,
)
from polytag.corpus.sentence import Span
from polytag.errors import CorpusError, PlanError
from polytag.tag_schemes import scheme_name
from tests.licensed import licensed
from tests.oracles_spans import AS_BIOES, LETTERS, random_tags

SPAN_SCHEMES = tuple(LETTERS)
SEPARATING = tuple(scheme for scheme in SPAN_SCHEMES if scheme != "io")


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Non-overlapping spans, in order, and the length of their sentence."""
    found, position = [], 0
    for gap, length, type_ in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from("xy_")))):
        found.append(Span(type_, position + gap, position + gap + length))
        position += gap + length
    return found, position + draw(st.integers(0, 2))


def joined(found: Iterable[Span]) -> list[Span]:
    """What is left of spans where those of one type that touch are one."""
    whole: list[Span] = []
    for span in found:
        touches = whole and (whole[-1].type, whole[-1].end) == (span.type, span.start)
        start = whole.pop().start if touches else span.start
        whole.append(Span(span.type, start, span.end))
    return whole


def test_the_table_has_the_letters_of_every_scheme():
    assert set(schemes.SCHEMES) == {*LETTERS, "plain"}
    for scheme, letters in LETTERS.items():
        assert set(schemes.SCHEMES[scheme].letters) == {"O", *letters}
        assert schemes.SCHEMES[scheme].separates == (scheme != "io")


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("iob2", "O B-x I-x I-x B-x B-y O"),
        ("iob1", "O I-x I-x I-x B-x I-y O"),
        ("bioes", "O B-x I-x E-x S-x S-y O"),
        ("bilou", "O B-x I-x L-x U-x U-y O"),
        ("bmes", "O B-x M-x E-x S-x S-y O"),
        ("bmewo", "O B-x M-x E-x W-x W-y O"),
        ("ioe1", "O I-x I-x E-x I-x I-y O"),
        ("ioe2", "O I-x I-x E-x E-x E-y O"),
        ("io", "O I-x I-x I-x I-x I-y O"),
    ],
)
def test_spans_that_touch_as_each_scheme_writes_them(scheme, tags):
    found = [Span("x", 1, 4), Span("x", 4, 5), Span("y", 5, 6)]
    assert write(found, 7, scheme=scheme) == tuple(tags.split())
    assert spans(tags.split()) == (joined(found) if scheme == "io" else found)


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("BIO", "iob2"), ("iobes", "bioes"), ("BIOUL", "bilou"), ("BMEW", "bmewo"), ("bmeso", "bmes"), ("IOE2", "ioe2")],
)
def test_usual_names_are_names_of_the_table(name, scheme):
    assert scheme_name(name) == scheme
    assert write([Span("x", 0, 2)], 2, scheme=name) == write([Span("x", 0, 2)], 2, scheme=scheme)
    assert not problems(write([Span("x", 0, 2)], 2, scheme=scheme), name)


def test_the_page_on_formats_has_the_table():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    rows = {row[1].strip("` "): row for row in (line.split("|") for line in page.splitlines()) if len(row) == 5}
    found = [Span("LOC", 0, 3), Span("LOC", 3, 4), Span("PER", 5, 6)]
    for scheme in SPAN_SCHEMES:
        assert rows[scheme][2].strip() == ", ".join(f"`{alias}`" for alias in schemes.SCHEMES[scheme].aliases)
        assert rows[scheme][3].strip(" `") == " ".join(write(found, 6, scheme=scheme))


@given(sentences(), st.sampled_from(SPAN_SCHEMES), st.randoms(use_true_random=False))
def test_written_spans_read_back_well_formed(sentence, scheme, source):
    expected, length = sentence
    tags = write(source.sample(expected, len(expected)), length, scheme=scheme)
    assert spans(tags) == (joined(expected) if scheme == "io" else expected)
    assert len(tags) == length
    assert problems(tags, scheme) == []


@given(sentences(), st.lists(st.sampled_from(SPAN_SCHEMES), min_size=1, max_size=4))
def test_conversions_keep_spans_and_come_back(sentence, path):
    tags = original = write(*sentence, scheme=path[0])
    expected = sentence[0]
    for scheme in [*path, path[0]]:
        expected = joined(expected) if scheme == "io" else expected
        tags = convert_tags(tags, scheme)
        assert spans(tags) == expected
        assert not problems(tags, scheme)
    assert tags == original or "io" in path


@given(st.lists(sentences(), min_size=1), st.sampled_from(SPAN_SCHEMES))
def test_detection_gives_the_scheme_back_or_the_first_that_fits_as_well(some, scheme):
    corpus = [write(*sentence, scheme=scheme) for sentence in some]
    fitting = [name for name in schemes.SCHEMES if name != "plain" and all(not problems(tags, name) for tags in corpus)]
    assert scheme in fitting
    assert detect(corpus).scheme == fitting[0]


@pytest.mark.parametrize("scheme", SPAN_SCHEMES)
def test_ill_formed_tags_are_read_as_seqeval_reads_them(scheme):
    source = random.Random(5)
    for _ in range(1000):
        tags = random_tags(source, scheme, source.randint(0, 12), types=("PER", "geo-loc"))
        entities = get_entities([tag[0].translate(AS_BIOES) + tag[1:] for tag in tags])
        assert spans(tags) == [Span(type_, first, last + 1) for type_, first, last in entities]


def test_short_sequences_of_every_letter_are_read_as_seqeval_reads_them():
    tags = ["O", *(letter + type_ for letter in "BIES" for type_ in ("", "-x", "-y"))]
    for sequence in product(tags, repeat=3):
        assert spans(sequence) == [Span(type_, a, b + 1) for type_, a, b in get_entities(list(sequence))]


@pytest.mark.parametrize(
    ("scheme", "types", "strangers", "longest"),
    [
        ("iob1", "xy", ["E-x", "NN"], 4),
        ("iob2", "xy", ["S-x", "NN"], 4),
        ("bioes", "x", ["L-x"], 4),
        ("bilou", "x", ["E-x"], 4),
        ("bioes", "xy", [], 3),
        ("bilou", "xy", [], 3),
        ("bmes", "x", ["I-x"], 4),
        ("bmewo", "x", ["S-x"], 4),
        ("ioe1", "xy", ["B-x", "NN"], 4),
        ("ioe2", "xy", ["B-x", "NN"], 4),
        ("io", "xy", ["B-x", "NN"], 4),
    ],
)
def test_allowed_moves_are_exactly_those_of_well_formed_sequences(scheme, types, strangers, longest):
    tags = ["O", *strangers, *(f"{letter}-{type_}" for letter in LETTERS[scheme] for type_ in types)]
    start, transition, end = allowed(tags, scheme)
    for path in chain.from_iterable(product(range(len(tags)), repeat=length) for length in range(1, longest + 1)):
        sequence = [tags[i] for i in path]
        moves = start[path[0]] and all(transition[a][b] for a, b in pairwise(path)) and end[path[-1]]
        rewritten = "NN" not in sequence and list(convert_tags(sequence, scheme)) == sequence
        assert moves == (problems(sequence, scheme) == []) == rewritten, sequence


def test_plain_allows_everything():
    start, transition, end = allowed(["NN", "B-x", "-LRB-"], "plain")
    assert all(start)
    assert all(map(all, transition))
    assert all(end)
    assert problems(["I-x", "NN"], "plain") == []


@pytest.mark.parametrize(
    ("tags", "scheme", "expected"),
    [
        ("O I-PER", "iob2", [(1, "I-PER after O: in IOB2 a span starts with B-PER")]),
        ("B-PER I-LOC", "iob2", [(1, "I-LOC after B-PER: in IOB2 a span starts with B-LOC")]),
        ("B-PER O", "iob1", [(0, "B-PER at the start: in IOB1 a span starts with I-PER")]),
        ("I-PER I-LOC B-LOC", "iob1", []),
        ("B-PER O", "bioes", [(0, "B-PER before O: in BIOES a span ends with E-PER or S-PER")]),
        ("O B-PER I-PER", "bilou", [(2, "I-PER at the end: in BILOU a span ends with L-PER or U-PER")]),
        ("E-PER", "iob2", [(0, "E-PER: IOB2 has only O and B-TYPE or I-TYPE")]),
        ("NN", "iob2", [(0, "NN: IOB2 has only O and B-TYPE or I-TYPE")]),
    ],
)
def test_problems_are_sentences_at_positions(tags, scheme, expected):
    assert problems(tags.split(), scheme) == expected


def test_tags_are_read_in_either_case_with_hyphens_and_without_types():
    assert spans(["b-np", "i-np", "o", "B-geo-loc"]) == [Span("np", 0, 2), Span("geo-loc", 3, 4)]
    assert spans(["B", "I", "O", "S", "U"]) == [Span("_", 0, 2), Span("_", 3, 4), Span("_", 4, 5)]
    assert spans(["-X-", "I-NP"]) == [Span("NP", 1, 2)]
    assert convert_tags(["B", "L", "U"], "iob1") == ("I", "I", "B")
    assert spans([]) == []


@pytest.mark.parametrize(
    ("scheme", "target", "expected"),
    [
        ("bioes", "iob2", "O B-x I-x I-x B-x"),
        ("bioes", "iob1", "O B-x I-x I-x B-x"),
        ("bioes", "bilou", "O B-x I-x L-x U-x"),
        ("bioes", "bmewo", "O B-x M-x E-x W-x"),
        ("bioes", "ioe1", "O I-x I-x E-x E-x"),
        ("bioes", "io", "O I-x I-x I-x I-x"),
        ("bioes", "bioes", "O B-x I-x E-x S-x"),
        ("iob2", "io", "O I-x I-x"),
        ("iob2", "bioes", "O B-x I-x"),  # whether a span ends there shows in the next word alone
        ("iob1", "iob2", "O B-x I-x"),
    ],
)
def test_tags_are_rewritten_alone_where_that_shows(scheme, target, expected):
    assert [rewritten_alone(tag, scheme, target) for tag in all_tags("x", scheme)] == expected.split()


@pytest.mark.parametrize("tag", ["NN", "X-PER", "-LRB-", "O-PER", "", "BI-PER"])
def test_what_marks_no_span_is_refused(tag):
    with pytest.raises(CorpusError, match="marks no span, expected O or one of B-, I-"):
        spans(["O", tag])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([Span("x", 0, 2), Span("y", 1, 3)], "overlaps"),
        ([Span("x", 0, 1), Span("x", 0, 1)], "overlaps"),
        ([Span("x", 2, 4)], "sentence's length"),
        ([Span("x", -1, 1)], "sentence's length"),
        ([Span("x", 1, 1)], "start < end"),
        ([Span("", 0, 1)], "needs a type"),
    ],
)
def test_impossible_spans_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        write(wrong, 3, scheme="iob2")


def test_unknown_schemes_get_the_nearest_name():
    with pytest.raises(PlanError, match="unknown tag scheme 'iob3'; did you mean 'iob2'"):
        problems(["O"], "iob3")
    with pytest.raises(ValueError, match="plain"):
        write([], 3, scheme="plain")


def corpus_in(scheme: str, *, size: int = 300, seed: int = 1) -> list[tuple[str, ...]]:
    source = random.Random(seed)
    return [convert_tags(random_tags(source, "iob2", source.randint(1, 15)), scheme) for _ in range(size)]


@pytest.mark.parametrize("scheme", SEPARATING)
def test_a_generated_file_is_detected(scheme):
    corpus = corpus_in(scheme)
    found = detect(corpus)
    count = sum(len(spans(tags)) for tags in corpus)
    assert (found.scheme, found.problems) == (scheme, ())
    assert found.note == f"{scheme.upper()}: {count:,} spans, {schemes.SCHEMES[scheme].habit}"
    assert detect([[tag.lower() for tag in tags] for tags in corpus]).scheme == scheme
    assert detect(iter(corpus)) == found


@pytest.mark.parametrize("scheme", SEPARATING)
def test_a_few_ill_formed_tags_are_tolerated_and_counted(scheme):
    wrong = ["O", "I-PER" if "B" in LETTERS[scheme][:1] else "B-PER", "O"]
    found = detect([*corpus_in(scheme), wrong, wrong])
    assert found.scheme == scheme
    assert {count for _, count in found.problems} == {2}
    assert f"ill-formed tags: {2 * len(found.problems)}, most often" in found.note


def test_many_ill_formed_tags_are_refused_with_counts():
    with pytest.raises(CorpusError, match=r"of 20 spans, ill-formed tags are 10 in IOB2, 10 in IOB1, \d+ in BIOES"):
        detect([["B-x", "O"], ["I-x", "O"]] * 10)


@pytest.mark.parametrize(
    "tags", [["B-PER", "N-PER", "N-PER", "E-PER"], ["B-PER", "X-PER", "O"], ["B-PER", "I-PER", "NN"]]
)
def test_unknown_prefixes_are_refused(tags):
    with pytest.raises(CorpusError, match="fit no scheme, expected O or one of B-, I-"):
        detect([tags] * 5)


@pytest.mark.parametrize("sequences", [[], [[]], [["O", "O"], ["O"]]])
def test_without_spans_the_default_is_said(sequences):
    assert detect(sequences) == schemes.Detection(
        "iob2", "IOB2: the default, as there is no span to tell the scheme from"
    )


def test_single_words_written_with_b_are_iob2():
    assert detect([["B-x", "O", "B-y"]]).scheme == "iob2"
    assert detect([["S-x", "O"]]).scheme == "bioes"
    assert detect([["U-x", "O"]]).scheme == "bilou"
    assert detect([["W-x", "O"]]).scheme == "bmewo"
    assert detect([["E-x", "O"]]).scheme == "ioe2"


def test_where_every_word_of_a_span_has_i_it_is_said_that_nothing_tells_how_touching_ones_are_written():
    found = detect([["I-x", "I-x", "O", "I-y"]])
    assert (found.scheme, found.note) == (
        "iob1", "IOB1: 2 spans, B- only between adjacent spans of one type (there are none, so it may be IO)"
    )  # fmt: skip
    assert "may be IO" not in detect([["I-x", "B-x"]]).note


OTHER_OUTSIDE = [["B-LOC", "I-LOC", "0"], ["0", "0", "0", "0", "B-PER", "0", "0"], ["0", "0"]]


@pytest.mark.parametrize("outside", ["0", "_", "-", "NONE", "OTHER", "N-A"])
def test_spans_beside_another_outside_tag_are_told(outside):
    corpus = [[outside if tag == "0" else tag for tag in tags] for tags in OTHER_OUTSIDE]
    found = detect(corpus)
    assert found.scheme == "plain"
    assert found.odd == (
        f"3 tags such as B-LOC and I-LOC look like spans (IOB2) beside {outside!r}, which 9 words have where O is "
        f"expected; if it means O, set outside = {outside!r}"
    )


def test_where_most_words_are_in_spans_another_outside_tag_is_refused_with_the_same_words():
    with pytest.raises(CorpusError, match=r"no scheme.*; 20 tags such as B-NP .* set outside = '0'"):
        detect([["B-NP", "I-NP", "0"]] * 10)


@pytest.mark.parametrize(
    "tags",
    [
        ["NOUN", "VERB", "B-x", "O"],  # several labels
        ["-", "O", "I", "B", "S", "-"],  # no types
        ["I-x", "0", "B-x", "0", "0", "0"],  # no scheme
        ["NOUN", "NOUN", "O"],
    ],
)
def test_labels_are_not_taken_for_spans(tags):
    assert detect([tags] * 5).odd == ""


@pytest.mark.parametrize(
    "tags",
    [
        ["-LRB-", "NN", "-RRB-", "''", "``", ":", "O", "I", "B"],
        ["NOUN", "X", "O", "_"],
        ["-", "O", "I", "B", "S", "N"],
        ["n-s---fn-", "u--------", "v3spia---", "i--------"],
        ["n-s---fn-", "a-s---fn-", "p-s---fn-", "m-s---fn-", "n-s---fn-", "e--------"],
        ["M", "N", "M", "W"],
        ["O", "E", "L", "E"],
    ],
)
def test_parts_of_speech_are_plain(tags):
    found = detect([tags] * 10)
    assert found.scheme == "plain"
    assert found.note == f"PLAIN: {len(set(tags))} labels, {10 * len(tags)} words"


MASAKHANER = ("amh", "hau", "ibo", "kin", "lug", "luo", "pcm", "swa", "wol", "yor")
REAL = [
    *((f"conll2003/eng.{part}", -1, "iob1") for part in ("train", "testa", "testb")),
    *((f"conll2003/eng.{part}", -2, "iob1") for part in ("train", "testa", "testb")),
    ("conll2003/eng.testa", -3, "plain"),
    *((f"conll2000/{part}.txt", -1, "iob2") for part in ("train", "test")),
    *((f"conll2002/{language}.{part}", -1, "iob2") for language in ("esp", "ned") for part in ("train", "testb")),
    *(
        (f"masakhaner/{language}/{part}.txt", -1, "iob2")
        for language in MASAKHANER
        for part in ("train", "dev", "test")
    ),
    *((f"twitter/{layer}.txt", -1, "iob2") for layer in ("ner", "chunk")),
    ("twitter/pos.txt", -1, "plain"),
    ("genia-pos/devel.tsv", -1, "plain"),
    ("ud/English-EWT/en_ewt-ud-dev.conllu", 3, "plain"),
    ("ud/English-EWT/en_ewt-ud-dev.conllu", 4, "plain"),
    ("ud/Dutch-LassySmall/nl_lassysmall-ud-dev.conllu", 3, "plain"),
    ("ud/Galician-TreeGal/gl_treegal-ud-test.conllu", 4, "plain"),
]


def column(path: Path, number: int) -> list[list[str]]:
    blocks = path.read_text(encoding="utf-8").split("\n\n")
    rows = [[line.split() for line in block.splitlines() if line.strip() and line[:2] != "# "] for block in blocks]
    return [[fields[number] for fields in sentence] for sentence in rows]


@pytest.mark.data
@pytest.mark.parametrize(("name", "number", "scheme"), REAL)
def test_real_corpora_are_detected(name, number, scheme):
    found = detect(column(licensed(name), number))
    assert found.scheme == scheme
    assert sum(count for _, count in found.problems) <= 20


@given(
    tags=st.lists(
        st.builds("".join, st.tuples(st.sampled_from("BIESLUMWbi"), st.sampled_from(("-PER", "-LOC", "-x", ""))))
        | st.sampled_from(("O", "o", "-X-")),
        max_size=12,
    ),
    target=st.sampled_from(SPAN_SCHEMES),
)
def test_converting_word_by_word_is_writing_the_spans(tags: list[str], target: str) -> None:
    assert convert_tags(tags, target) == write(spans(tags), len(tags), scheme=target)
