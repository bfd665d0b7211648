"""Span scores against seqeval and against a transcription of conlleval, and laws."""

import random

import pytest
from seqeval.metrics import classification_report, f1_score

from polytag.corpus.schemes import convert_tags
from polytag.errors import CorpusError
from polytag.scoring import SpanCounts, as_dict, counts_for, sentence_counts
from tests.oracles_spans import AS_BIOES, LETTERS, altered, conlleval, random_tags

Pairs = list[tuple[list[str], list[str]]]


def random_pairs(scheme: str, *, count: int = 1000, seed: int = 2, well_formed: bool = False) -> Pairs:
    source, pairs = random.Random(seed), []
    for _ in range(count):
        gold = random_tags(source, scheme, source.randint(1, 12))
        pairs.append((gold, altered(source, gold, scheme)))
    if well_formed:
        pairs = [(list(convert_tags(gold, scheme)), list(convert_tags(found, scheme))) for gold, found in pairs]
    return pairs


def counted(pairs: Pairs) -> SpanCounts:
    counts = SpanCounts()
    for gold, predicted in pairs:
        counts.add(gold, predicted)
    return counts


both_kinds = pytest.mark.parametrize("well_formed", [False, True])
every_scheme = pytest.mark.parametrize("scheme", LETTERS)


@every_scheme
@both_kinds
def test_scores_equal_seqeval(scheme, well_formed):
    pairs = random_pairs(scheme, well_formed=well_formed)
    gold, predicted = (
        [[tag[0].translate(AS_BIOES) + tag[1:] for tag in tags] for tags in side] for side in zip(*pairs, strict=True)
    )
    report = classification_report(gold, predicted, output_dict=True, zero_division=0)
    counts = counted(pairs)
    assert counts.score == pytest.approx(100 * f1_score(gold, predicted, zero_division=0))
    for name, tally in [*counts.types.items(), ("micro avg", counts.overall)]:
        expected = report[name]
        found = {"precision": tally.precision, "recall": tally.recall, "f1-score": tally.f1, "support": tally.gold}
        rates = {key: value * (1 if key == "support" else 100) for key, value in expected.items()}
        assert found == pytest.approx(rates)


@every_scheme
@both_kinds
def test_counts_equal_conlleval(scheme, well_formed):
    pairs = random_pairs(scheme, seed=3, well_formed=well_formed)
    expected, counts = conlleval(pairs), counted(pairs)
    for part, by_type in expected.items():
        assert {name: getattr(tally, part) for name, tally in counts.types.items()} == by_type
        assert getattr(counts.overall, part) == by_type.total()


@every_scheme
def test_each_sentence_counts_as_conlleval_counts_it(scheme):
    for pair in random_pairs(scheme, seed=4):
        expected = conlleval([pair])
        assert sentence_counts(*pair) == tuple(expected[part].total() for part in ("correct", "predicted", "gold"))


def test_the_order_of_sentences_and_merging_change_nothing():
    pairs = random_pairs("iob1", count=60)
    merged = counted(pairs[40:])
    merged.merge(counted(pairs[:40]))
    shuffled = random.Random(1).sample(pairs, len(pairs))
    assert as_dict(merged) == as_dict(counted(pairs)) == as_dict(counted(shuffled))


@pytest.mark.parametrize("scheme", [scheme for scheme in LETTERS if scheme != "io"])  # which joins what touches
def test_the_scheme_changes_no_span_score(scheme):
    pairs = random_pairs("iob2", count=100)
    converted = [(list(convert_tags(gold, scheme)), list(convert_tags(found, "iob1"))) for gold, found in pairs]
    assert counted(converted).types == counted(pairs).types


def test_perfect_predictions_score_100_and_none_score_0():
    gold = [gold for gold, _ in random_pairs("bioes", count=50)]
    assert counted([(tags, tags) for tags in gold]).score == 100
    assert counted([(tags, ["O"] * len(tags)) for tags in gold]).score == 0
    assert SpanCounts().score == 0


def test_spans_are_known_or_unknown_by_their_own_words():
    counts = SpanCounts()
    gold = ["B-PER", "I-PER", "O", "B-LOC", "O"]
    predicted = ["B-PER", "O", "O", "B-LOC", "B-LOC"]
    counts.add(gold, predicted, known=[True, False, True, False, True])
    unknown, known = counts.spans["unknown"], counts.spans["known"]
    assert (unknown.correct, unknown.predicted, unknown.gold) == (1, 1, 2)
    assert (known.correct, known.predicted, known.gold) == (0, 2, 0)
    assert (counts.tokens["unknown"].correct, counts.tokens["unknown"].gold) == (1, 2)
    assert (counts.tokens["known"].correct, counts.tokens["known"].gold) == (2, 3)


def test_known_and_unknown_add_up_to_all():
    source, counts = random.Random(7), SpanCounts()
    for gold, predicted in random_pairs("iob2", count=200):
        counts.add(gold, predicted, known=[source.random() < 0.7 for _ in gold])
    for table in (counts.tokens, counts.spans):
        for part in ("correct", "predicted", "gold"):
            assert sum(getattr(table[group], part) for group in ("known", "unknown")) == getattr(table["all"], part)


def test_sentences_of_unequal_length_and_plain_tags_are_refused():
    counts = counts_for(False)
    with pytest.raises(ValueError, match="2 gold tags, 1 predicted tags, expected as many of each"):
        counts.add(["O", "O"], ["O"])
    with pytest.raises(ValueError, match="1 known or unknown words"):
        counts.add(["O", "O"], ["O", "O"], known=[True])
    with pytest.raises(CorpusError, match="'NN' marks no span"):
        counts.add(["NN"], ["NN"])
    assert as_dict(counts) == as_dict(SpanCounts())
