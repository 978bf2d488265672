"""Checking says what it knows, and nothing where it knows nothing."""

from onedial.core.query import Query
from onedial.lab.checker import grade, lab_checker

SUBSET = "numbers : 3 13 17 11 . pick some that sum to 20 ."
CHAIN = "compute modulo 10 : start with 7 . #1 minus 5 . what is the result ?"


def test_the_verifier_judges_what_is_cheaper_to_check_than_to_solve():
    assert lab_checker(Query("q", SUBSET), "3 17") == 1.0
    assert lab_checker(Query("q", SUBSET), "3 13") == 0.0


def test_the_verifier_abstains_on_the_rest():
    assert lab_checker(Query("q", CHAIN), "2") is None
    assert lab_checker(Query("q", "what is love ?"), "2") is None


def test_grading_knows_every_family_and_no_answer_is_wrong():
    assert [grade(CHAIN, answer) for answer in ("2", "3", "", None)] == [1.0, 0.0, 0.0, 0.0]
    assert grade(SUBSET, "17 3") == 1.0
