import pytest

from onedial.core.confidence import LEAST_LOGPROB, bottom, groups, lowest, mean, of_token, tail

WAVERING = [9.0] * 10 + [1.0] * 5 + [9.0] * 15


def test_a_token_is_surer_the_less_is_left_for_the_others():
    assert of_token([-0.01, -6.0, -7.0]) > of_token([-0.7, -0.8, -4.0])


def test_what_is_next_to_impossible_does_not_drown_the_rest():
    assert of_token([0.0, -9999.0]) == -LEAST_LOGPROB / 2


def test_a_moment_of_doubt_is_seen_in_the_groups_and_not_in_the_mean():
    assert lowest(WAVERING, 5) == 1.0 and mean(WAVERING) > 7 and tail(WAVERING, 5) == 9.0
    assert 1.0 < bottom(WAVERING, 5) < mean(WAVERING)


def test_a_text_shorter_than_the_window_is_one_group():
    short = [1.0, 2.0, 6.0]
    assert [measure(short, 2048) for measure in (mean, lowest, bottom, tail)] == [3.0] * 4


@pytest.mark.parametrize(("window", "expected"), [(1, [1.0, 2.0, 6.0]), (2, [1.5, 4.0]), (3, [3.0]), (4, [3.0])])
def test_groups_are_every_run_of_that_many_tokens(window, expected):
    assert groups([1.0, 2.0, 6.0], window) == expected
