"""Text: cut by the plan's tokeniser from whatever door it comes, and scored as it is tagged."""

import io
import json
import random
from itertools import pairwise

import pytest

from polytag.corpus import blocks, read
from polytag.errors import PolytagError
from polytag.scoring import SpanCounts
from tests import tiny

TEXT = "Ann Lee saw Lima. The mayor's hills;\nit ended.\n\nOslo"
TASK = "ner"


def test_text_from_python_is_tagged_with_offsets():
    tagger = tiny.tagger({TASK: "iob2"})
    found = list(tagger.tag_text(TEXT, confidence=True))
    assert [" ".join(s.words) for s in found] == ["Ann Lee saw Lima .", "The mayor 's hills ; it ended .", "Oslo"]
    for sentence in found:
        assert [TEXT[start:end] for start, end in sentence.offsets] == list(sentence.words)
        alone = tagger.tag(sentence.words, confidence=True)
        assert (sentence.tags, sentence.confidence) == (alone.tags, alone.confidence)


def test_files_say_the_same():
    tagger = tiny.tagger({TASK: "iob2"})
    written = tagger.tag_blocks(blocks(io.StringIO(TEXT), format="text", records=True))
    records = [json.loads(record) for record in written if record]
    for record, sentence in zip(records, tagger.tag_text(TEXT), strict=True):
        assert record["tags"] == {TASK: list(sentence.tags[TASK])}
        places = [(start + record["start"], end + record["start"]) for start, end in record["offsets"]]
        assert places == list(sentence.offsets)


def test_another_tokeniser_may_be_named():
    tagger = tiny.tagger({TASK: "iob2"})
    assert [s.words for s in tagger.tag_text("saw Lima.\nOslo", tokeniser="blanks")] == [("saw", "Lima."), ("Oslo",)]
    with pytest.raises(PolytagError, match="found tokeniser 'ascii', expected"):
        tagger.tag_text("a", tokeniser="ascii")
    with pytest.raises(PolytagError, match="no task 'pos'"):
        tagger.tag_text("a", tasks=["pos"])


def test_tasks_that_cut_text_in_different_ways_need_one_named():
    tagger = tiny.tagger({"en-ner": "iob2", "es-ner": "iob2"}, languages={"es-ner": "es"})
    assert tagger.tokeniser(["es-ner", "en-ner"]) == "unicode"
    tagger.plan.words["es"].__dict__["tokeniser"] = "blanks"
    assert [tagger.tokeniser([task]) for task in ("en-ner", "es-ner")] == ["unicode", "blanks"]
    with pytest.raises(PolytagError, match="found tokeniser 'unicode and blanks', expected"):
        tagger.tag_text("a", tasks=["en-ner", "es-ner"])
    assert len(list(tagger.tag_text("a", tasks=["en-ner", "es-ner"], tokeniser="unicode"))) == 1


def texts(count: int) -> list[dict]:
    """Texts with spans, of which some begin or end within a word."""
    source, found = random.Random(7), []
    for sentence in tiny.texts(count, seed=3):
        text = "".join(word + source.choice(["", ".", ", ", " ", " "]) for word in sentence.words)
        bounds = sorted(source.sample(range(len(text) + 1), min(len(text) + 1, 4)))
        spans = [list(pair) for pair in list(pairwise(bounds))[::2] if text[slice(*pair)].strip()]
        found.append({"text": text, "label": [[*pair, source.choice(["PER", "LOC"])] for pair in spans]})
    return found


@pytest.mark.parametrize("by_tagger", [False, True])
def test_evaluate_says_what_the_records_say_that_are_written(tmp_path, by_tagger):
    tagger, records = tiny.tagger({TASK: "iob2"}), texts(200)
    found = _answers(tagger, tmp_path, records)
    if by_tagger:
        records = [{**record, "label": sorted(answer)} for record, answer in zip(records, found, strict=True)]
    path = tmp_path / "gold.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    counts = tagger.evaluate(read(path, tags={TASK: "spans"}), TASK)
    assert isinstance(counts, SpanCounts)
    gold = [{_trimmed(record["text"], *span) for span in record["label"]} for record in records]
    right = sum(len(expected & said) for expected, said in zip(gold, found, strict=True))
    tally = counts.overall
    assert (tally.correct, tally.predicted, tally.gold) == (right, sum(map(len, found)), sum(map(len, gold)))
    assert right == tally.gold if by_tagger else 0 < right < tally.gold - 100


def _trimmed(text: str, start: int, end: int, kind: str) -> tuple[int, int, str]:
    """A span without the blanks at its ends, which no tagger finds."""
    within = text[start:end]
    return start + len(within) - len(within.lstrip()), end - len(within) + len(within.rstrip()), kind


def _answers(tagger, folder, records) -> list[set]:
    """The spans of characters in what `tag` writes for the same texts without their annotation."""
    path = folder / "bare.jsonl"
    path.write_text("".join(json.dumps({"text": record["text"]}) + "\n" for record in records))
    written = map(json.loads, tagger.tag_blocks(blocks(path, format="jsonl")))
    return [{(*span["characters"], span["type"]) for span in record["predicted_spans"][TASK]} for record in written]
