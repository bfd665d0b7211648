"""Whether a text is like the one that a model was judged on."""

import pytest

from polytag.scoring.familiarity import Familiarity

DEV = Familiarity(50_000, 3_000, 200_000, 0, 0.978)  # as CoNLL-2003's


@pytest.mark.parametrize(
    ("text", "is_far"),
    [
        (Familiarity(2_000, 302, 9_000, 6), False),  # the farthest 2,000 words of its test file
        (Familiarity(2_000, 390, 9_000, 40), True),  # the nearest of tweets
        (Familiarity(499, 400, 2_000, 40), False),  # too short to tell
        (Familiarity(2_000, 120, 9_000, 200), True),  # another alphabet
        (Familiarity(2_000, 120, 9_000, 0, 0.96), False),
        (Familiarity(2_000, 120, 9_000, 0, 0.94), True),
    ],
)
def test_far_is_farther_than_other_files_of_the_same_text(text: Familiarity, is_far: bool) -> None:
    assert text.is_far(DEV) == is_far == bool(text.told(DEV))


def test_a_model_that_knows_little_needs_more_to_tell() -> None:
    """Amharic: a third of the words of its own dev file are unknown."""
    assert not Familiarity(2_000, 774, 9_000, 5).is_far(Familiarity(3_700, 1_290, 15_000, 3))


def test_counts_of_parts_add_up_and_come_back_from_a_file() -> None:
    parts = [Familiarity.of(["aß", "b"], [False, True], "ab"), Familiarity.of(["b"], [True], None)]
    whole = parts[0] + parts[1]
    assert whole == Familiarity(3, 1, 3, 1)
    assert Familiarity.from_dict(DEV.as_dict()) == DEV
    assert DEV.line(whole).startswith("unknown words 6.0 % (dev 33.3 %), unknown characters 0.00 % (dev 33.33 %)")
    for wrong in ({"words": -1}, {"words": 1.0}, {"confidence": "x"}):
        with pytest.raises(ValueError, match="expected counts of words and characters"):
            Familiarity.from_dict(wrong)
