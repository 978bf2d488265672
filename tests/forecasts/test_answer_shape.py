import numpy as np
import pytest

from onedial.forecasts.answer_shape import ANSWER_SHAPE, answer_shapes, numbers_of, sums_of, worked_out

QUESTION = "A box holds 12 eggs. Tom buys 3 boxes and breaks 4 eggs. How many are left?"
SOUND = "He buys 3 * 12 = 36 eggs.\n36 - 4 = 32 are left.\nThe answer is 32"


def of(answer):
    (row,) = answer_shapes([QUESTION], [answer])
    return dict(zip(ANSWER_SHAPE, row, strict=True))


def test_a_sound_answer_uses_every_number_of_the_question_and_ends_with_the_last_sum():
    shape = of(SOUND)
    assert shape["share of the question's numbers used"] == 1 and shape["numbers of the question not used"] == 0
    assert shape["sums"] == 2 and shape["sums that do not add up"] == 0
    assert shape["last line repeats the last sum"] == shape["last number was computed"] == shape["ends with a number"] == 1
    assert shape["share of numbers from nowhere"] == 0


def test_a_sum_that_does_not_add_up_and_a_number_from_nowhere_are_seen():
    shape = of("He buys 3 * 12 = 38 eggs, and 7 more.")
    assert shape["sums that do not add up"] == 1
    assert shape["share of numbers from nowhere"] == pytest.approx(1 / 4)  # of 3, 12, 38, 7
    assert shape["last line repeats the last sum"] == 0


def test_an_empty_answer_has_a_shape_of_its_own_and_none_is_infinite():
    shapes = answer_shapes([QUESTION, "", "9" * 400], ["", SOUND, f"1/0 = {'7' * 400}"])
    assert np.isfinite(shapes).all() and shapes.shape == (3, len(ANSWER_SHAPE))
    assert answer_shapes([], []).shape == (0, len(ANSWER_SHAPE))


def test_numbers_are_read_with_their_separators():
    assert numbers_of("$1,234.50, then .5 and 7.") == [1234.5, 0.5, 7.0]


@pytest.mark.parametrize(
    ("expression", "value"),
    [("2 + 3 * 4", 14), ("(2 + 3) * 4", 20), ("10 - 4 - 3", 3), ("12 / 4 / 3", 1), ("-2 + 5", 3), ("80 x 60 %", 48), ("1,000 ÷ 8", 125)],
)
def test_arithmetic_is_worked_out_as_it_is_written(expression, value):
    assert worked_out(expression) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "7", "-7", "3 +", "(2 + 3", "2 + 3)", "2 3 + 4", "1 / 0", "* 2", "((((" * 30])
def test_what_is_no_arithmetic_has_no_value(text):
    assert worked_out(text) is None


def test_sums_are_found_within_prose():
    assert sums_of("So 3 x $5 = $15, and half of that, 15/2 = 7.5.") == [(15.0, 15.0), (7.5, 7.5)]
