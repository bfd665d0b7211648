"""From words to batches: what is remembered, what is cut, and what is unknown."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from polytag.corpus.sentence import Sentence
from polytag.plan.parts import Chars
from polytag.plan.training import Initialisation
from polytag.training.batch import Batch
from polytag.training.encoder import Encoder, gazetteer_columns
from polytag.training.recurrent import CharEncoder
from polytag.vocabulary.gazetteer import Gazetteer
from polytag.vocabulary.vocabularies import END, START, UNKNOWN, build_chars, build_tags, build_words

TEXTS = ("the mayor of Lima", "Lima", "the the mayor of the 7 hills saw Lima and Lima saw the mayor", "Xyzzy saw 1789")


def encoder_of(*training: str, max_characters: int = 35, chars: bool = True, boundaries: bool = True) -> Encoder:
    sentences = [Sentence(tuple(text.split())) for text in training]
    alphabet = build_chars(sentences, boundaries=boundaries) if chars else None
    return Encoder(build_words(sentences), alphabet, max_characters=max_characters)


def batch_of(encoder: Encoder, texts: Sequence[str]) -> Batch:
    return encoder.batch([encoder.forms(text.split()) for text in texts])


def characters_of(batch: Batch) -> list[list[list[int]]]:
    """The characters of each word of each sentence, in the caller's order."""
    assert batch.characters is not None
    packing = batch.characters.packing
    distinct = packing.unpack(batch.characters.ids.numpy())
    return [
        [distinct[packing.order[i]].tolist() for i in sentence]
        for sentence in batch.packing.unpack(batch.characters.word.numpy())
    ]


def words_of(batch: Batch) -> list[list[int]]:
    return [ids.tolist() for ids in batch.packing.unpack(batch.words.numpy())]


def test_words_and_characters_stand_where_they_stood() -> None:
    encoder = encoder_of(*TEXTS[:3])
    batch = batch_of(encoder, TEXTS)
    assert words_of(batch) == [[encoder.words.index(word) for word in text.split()] for text in TEXTS]
    assert encoder.chars is not None
    expected = [[encoder.chars.indices(word, 35) for word in text.split()] for text in TEXTS]
    assert characters_of(batch) == expected


def test_what_no_training_file_holds_is_unknown() -> None:
    batch = batch_of(encoder_of("abba"), ["cab abba ABBA"])
    assert words_of(batch) == [[UNKNOWN, 1, 1]]
    a, b = 3, 4
    (cab, abba, upper), *_ = characters_of(batch)
    assert cab == [START, UNKNOWN, a, b, END]
    assert abba == [START, a, b, b, a, END]
    assert upper == [START, *[UNKNOWN] * 4, END]  # words are looked up in lower case, characters are not


def test_long_words_are_cut_for_their_characters_only() -> None:
    long, longer = "b" * 100, "b" * 101
    batch = batch_of(encoder_of(long, longer, max_characters=10), [f"{long} {longer}"])
    assert words_of(batch) == [[1, 2]]
    assert characters_of(batch) == [[[START, *[3] * 8, END]] * 2]


def test_no_sentence_is_cut() -> None:
    words = [f"w{i % 7}" for i in range(20_000)]
    encoder = encoder_of("w0 w1 w2 w3 w4 w5 w6")
    batch = batch_of(encoder, [" ".join(words)])
    assert len(batch.words) == 20_000
    assert batch.characters is not None
    assert len(batch.characters.packing.lengths) == 7


def test_without_characters() -> None:
    assert batch_of(encoder_of("a b", chars=False), ["a b"]).characters is None


def test_each_distinct_word_is_computed_once() -> None:
    batch = batch_of(encoder_of(*TEXTS), TEXTS)
    assert batch.characters is not None
    assert len(batch.characters.packing.lengths) == len({word for text in TEXTS for word in text.split()})
    assert len(batch.characters.word) == sum(len(text.split()) for text in TEXTS)


@pytest.mark.parametrize("boundaries", [True, False])
def test_distinct_words_together_give_what_each_gives_alone(boundaries: bool) -> None:
    encoder = encoder_of(*TEXTS[:2], boundaries=boundaries)
    assert encoder.chars is not None
    network = CharEncoder(
        Chars(dimension=3, hidden=4, layers=2),
        len(encoder.chars),
        Initialisation(gru=1.0, chars=1.0),
        torch.Generator().manual_seed(0),
    )
    batch = batch_of(encoder, TEXTS)
    assert batch.characters is not None
    with torch.no_grad():
        together = batch.packing.unpack(network(batch.characters).numpy())
        for text, rows in zip(TEXTS, together, strict=True):
            for word, row in zip(text.split(), rows, strict=True):
                alone = batch_of(encoder, [word]).characters
                assert alone is not None
                torch.testing.assert_close(network(alone)[0], torch.from_numpy(row), rtol=1e-5, atol=1e-6)


def test_tags_and_gazetteer_columns_are_packed_as_the_words() -> None:
    encoder = encoder_of(*TEXTS)
    forms = [encoder.forms(text.split()) for text in TEXTS]
    numbers = [np.arange(len(f)) + 100 * i for i, f in enumerate(forms)]
    batch = encoder.batch(forms, tags=numbers, gazetteer={"ner": numbers})
    assert batch.tags is not None
    assert [a.tolist() for a in batch.packing.unpack(batch.tags.numpy())] == [n.tolist() for n in numbers]
    assert torch.equal(batch.gazetteer["ner"], batch.tags)


def test_forms_are_numbers_of_distinct_words() -> None:
    encoder = encoder_of("a b")
    assert encoder.forms(["a", "b", "a", "A"]).tolist() == [0, 1, 0, 2]
    assert encoder.forms(["A", "c", "b"]).tolist() == [2, 3, 1]
    assert encoder.forms([]).tolist() == []


def test_gazetteer_columns() -> None:
    gazetteer = Gazetteer.from_entries([("LOC", ("New", "York")), ("PER", ("Ann",))])
    tags = build_tags([["O"]], scheme="bioes", gazetteer=gazetteer)
    columns = gazetteer_columns(tags, ["Ann", "left", "New", "York"])
    assert [gazetteer.tags[c] for c in columns] == ["S-PER", "O", "B-LOC", "E-LOC"]
