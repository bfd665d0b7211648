"""A tagged sentence as JSON: one shape, from which the sentence can be read again."""

import json

from hypothesis import given
from hypothesis import strategies as st

from polytag.corpus.asjson import DIGITS, OF_TASKS, as_json
from polytag.corpus.schemes import write
from polytag.corpus.sentence import Alternative, Sentence, Span

SHARES = st.floats(0, 1)
KEYS = ["words", "offsets", *OF_TASKS]


@st.composite
def sentences(draw):
    """Words of a text, parted by as many blanks as come, with all that a tagger may say of them."""
    words = draw(st.lists(st.text("ab é", min_size=1, max_size=3), min_size=1, max_size=5))
    ends = [3 * at + len(word) for at, word in enumerate(words)]
    cuts = sorted(draw(st.sets(st.integers(0, len(words)), max_size=4)))
    spans = [Span("X", a, b, draw(st.none() | SHARES)) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    tags = {"ner": write(spans, len(words), scheme="iob2"), "pos": ("N",) * len(words)}
    sure = {task: tuple(draw(SHARES) for _ in words) for task in tags} if draw(st.booleans()) else {}
    ranked = {task: (Alternative(of, draw(SHARES)),) for task, of in tags.items()} if draw(st.booleans()) else {}
    return Sentence(
        tuple(words),
        tags,
        confidence=sure,
        predicted_spans={"ner": tuple(spans)},
        alternatives=ranked,
        offsets=[(end - len(word), end) for end, word in zip(ends, words, strict=True)] if draw(st.booleans()) else (),
    )


@given(sentences(), st.integers(0, 5))
def test_all_that_is_known_can_be_read_again(sentence, start):
    found = json.loads(json.dumps(as_json(sentence, span_tasks=["ner"], start=-start)))
    known = {"offsets": sentence.offsets, "confidence": sentence.confidence, "alternatives": sentence.alternatives}
    assert list(found) == [key for key in KEYS if known.get(key, True)]
    assert (tuple(found["words"]), {t: tuple(of) for t, of in found["tags"].items()}) == (sentence.words, sentence.tags)
    assert found.get("offsets", []) == [[a + start, b + start] for a, b in sentence.offsets]
    for task, sure in sentence.confidence.items():
        assert found["confidence"][task] == [round(p, DIGITS) for p in sure]
    for task, ranked in sentence.alternatives.items():
        expected = [{"tags": list(one.tags), "probability": round(one.probability, DIGITS)} for one in ranked]
        assert found["alternatives"][task] == expected
    assert list(found["predicted_spans"]) == ["ner"]
    for span, one in zip(sentence.spans("ner"), found["predicted_spans"]["ner"], strict=True):
        assert (one["type"], one["start"], one["end"]) == (span.type, span.start, span.end)
        assert one.get("probability") == (None if span.probability is None else round(span.probability, DIGITS))
        if sentence.offsets:
            covered = found["offsets"][span.start : span.end]
            assert one["characters"] == [covered[0][0], covered[-1][1]]
        else:
            assert "characters" not in one


def test_spans_are_read_from_tags_where_no_probability_was_asked_for():
    sentence = Sentence(("Ann", "Lee", "ran"), {"ner": ("B-PER", "I-PER", "O"), "pos": ("N", "N", "V")})
    assert as_json(sentence, span_tasks=["ner"])["predicted_spans"] == {"ner": [{"type": "PER", "start": 0, "end": 2}]}
    assert as_json(sentence, span_tasks=[])["predicted_spans"] == {}
    assert set(as_json(sentence)) == {"words", "tags"}
