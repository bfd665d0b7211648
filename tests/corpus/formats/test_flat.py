"""Pieces taken apart at once say what their blocks say, to the byte, or leave them to the blocks."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytag.bulk.pieces import Piece
from polytag.corpus.formats import FORMATS
from polytag.corpus.formats.format import FlatText
from polytag.corpus.sentence import Sentence
from polytag.corpus.text import Layout
from polytag.errors import CorpusError


def _row(number, misc="_"):
    return f"{number}\tw\u00a0{number}\tl\tNOUN\t_\t_\t0\troot\t_\t{misc}"


CYCLES = {"ner": ["B-PER", "I-PER", "O", "S-x|y", "B-LOC"], "upos": ["N|a", "_", "O"]}  # what the words are tagged with
SPANS = ("ner",)
CONLLU = [_row(1), _row(1), _row(2), _row(2), _row(3), _row(1, "A=1"), _row(2, "upos=x|ner=y|ner=z")]
STRANGE = [_row("1-2"), _row("1.1"), _row("0.1"), _row(7), _row("01"), _row(1, ""), _row(1, "x "), _row(2, " "), "1\tw"]
SCRAPS = {
    "conll": ["a", "b N", "c\tX\tY", "-DOCSTART-", "-DOCSTART- -X- O", "-DOCSTART-x N", "d  N", " e", "f ", "g\t", "",
              "", " ", "\t", "# c", "h\xa0i N", "\x0c", "j\x85 N", "# sent_id = 1", "#", "#k N", "# l m", "n o\tX",
              "p\tX\t", "# \tX", "#begin document (x)", " q\tX", "\tX"],
    "conllu": [*CONLLU, *CONLLU, *STRANGE, _row(1).replace("w\xa0", " "), "# a", "#", "# b ", "", "", "", "", " "],
    "jsonl": ['{"words": ["a", "b"]}', '{"text": "c d. é"}', '{"id": 1.50, "words": ["\\u00e9"], "tags": {"ner": 1}}',
              '{"text": "e f", "tokens": [{"start": 2, "end": 3}]}', '["g h", {"entities": [[0, 1, "X"]]}]',
              '{"words": []}', '{"text": "x", "words": ["y"]}', '{"words": ["z"], "predicted_spans": 1}', "", " ",
              "{}", '{"words": [""]}', "{"],
    "lines": ["Ann saw Lima. She", "left", " .", "", "\t", "é\u2028b"],
    "text": ["Ann saw Lima. She", "left", " .", "", "", "\t", "é\u2028b"],
    "tokenised": ["a", "b c", "d\te  f", " g", "h ", "", "", " ", "\t", "i\xa0j", "\x0c k", "-DOCSTART-"],
}  # fmt: skip
TIDY = {
    "conll": [
        ["a N", "b N x", "", "-DOCSTART- -X- O"],
        ["a\tN", "b c\tN\tx", "", "-DOCSTART-\tO", "\t"],
        ["a", "b", ""],
    ],
    "conllu": [["# a", f"{_row(1)}\n{_row(2)}\n", f"{_row('1-2')}\n{_row(1)}\n{_row(2, 'ner=z')}\n# b\n", ""]],
    "jsonl": [['{"words": ["a", "b"]}', '{"text": "c d. é"}', ""]],
    "lines": [["Ann saw Lima. She", "left", "", " "]],
    "text": [["Ann saw Lima. She", "left", "", " "]],
    "tokenised": [["a b c", "d", "", "e f"]],
}
PLAIN = ("text", "lines", "tokenised")
HEADS = {"conll": ["", "a N", "a\tN", "a"]}  # what stood before a piece
ENDS = ["\n", "\n", "\n", "\r\n", "\r", "\r\r\n"]


def careful(name: str, text: str, layout: Layout, tasks: Sequence[str]) -> tuple[list[tuple[str, ...]], str]:
    """The sentences of the blocks, and the text that they render with the tags of ``CYCLES``, word by word."""
    make = FORMATS[name].blocks
    assert make is not None
    blocks = list(make(Piece("x", name, 1, text).lines(), layout))
    cycles = {task: itertools.cycle(CYCLES[task]) for task in tasks}

    def answer(sentence: Sentence) -> Sentence:
        return replace(sentence, tags={task: tuple(next(c) for _ in sentence.words) for task, c in cycles.items()})

    found = [answer(block.sentence or Sentence(())) for block in blocks]
    written = "".join(block.answered(own, span_tasks=SPANS) for block, own in zip(blocks, found, strict=True))
    return [sentence.words for sentence in found if sentence.words], written


def columns(words: Sequence[str], tasks: Sequence[str]) -> Mapping[str, list[str]]:
    return {task: [tag for _, tag in zip(words, itertools.cycle(CYCLES[task]), strict=False)] for task in tasks}


def agrees(name: str, text: str, layout: Layout, tasks: Sequence[str]) -> FlatText | None:
    """The flat text, once it is seen to be what the blocks are."""
    flat = FORMATS[name].fast(text, layout)
    try:
        sentences, written = careful(name, text, layout, tasks)
    except CorpusError:
        assert flat is None
        return None
    if flat is not None:
        ends = [0, *itertools.accumulate(flat.lengths)]
        assert [tuple(flat.words[a:b]) for a, b in itertools.pairwise(ends)] == sentences
        assert len(flat.words) == ends[-1]
        assert flat.render(columns(flat.words, tasks), span_tasks=SPANS) == written
    return flat


def texts(lines: st.SearchStrategy[str], ends: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    whole = st.lists(st.tuples(lines, ends).map("".join), max_size=8).map("".join)
    return st.tuples(whole, st.one_of(st.just(""), lines)).map("".join)


TASKS = st.sampled_from([["ner"], ["upos"], ["ner", "upos"]])


@pytest.mark.parametrize(("name", "word"), [*((name, 0) for name in SCRAPS), ("conll", 1), ("conll", -1)])
@settings(max_examples=120, deadline=None)
@given(data=st.data(), tasks=TASKS, records=st.booleans())
def test_of_anything(name, word, data, tasks, records):
    text = data.draw(texts(st.sampled_from(SCRAPS[name]), st.sampled_from(ENDS)))
    head = data.draw(st.sampled_from(HEADS.get(name, [""])))
    agrees(name, text, Layout("x", word, records=records and name in PLAIN, head=head), tasks)


@pytest.mark.parametrize("name", TIDY)
@settings(max_examples=100, deadline=None)
@given(data=st.data(), tasks=TASKS, records=st.booleans())
def test_what_is_usual_is_fast(name, data, tasks, records):
    lines = data.draw(st.sampled_from(TIDY[name]))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    text = "".join(f"{line}\n" for line in [lines[0], *data.draw(st.lists(st.sampled_from(lines), max_size=8))])
    assert agrees(name, text.replace("\n", end), Layout("x", records=records and name in PLAIN), tasks) is not None


@pytest.mark.parametrize("name", [*TIDY])
def test_every_word_has_a_tag(name):
    flat = FORMATS[name].fast("\n".join(TIDY[name][0]) + "\n", Layout("x"))
    with pytest.raises(ValueError, match=r"size|of \d words|shorter|longer"):
        flat.render({"ner": ["O"] * (len(flat.words) - 1)})
    with pytest.raises(ValueError, match=r"size|of \d words|shorter|longer"):
        flat.render({"ner": ["O"] * (len(flat.words) + 1)})


def test_documents_do_not_take_the_square_of_their_number():
    text = "-DOCSTART- O\n" * 100_000
    assert agrees("conll", text, Layout("x"), ["ner"]).words == []
