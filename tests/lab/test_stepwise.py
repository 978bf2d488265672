"""Steps are checked from the question alone: every right thought passes, and every kind of slip is found."""

from random import Random

import pytest

from onedial.core.query import Query
from onedial.lab.families import FAMILIES
from onedial.lab.stepwise import lab_step_checker, parts

CHAIN = Query("q", "compute modulo 10 : start with 7 . #1 minus 5 #2 plus 3 . what is the result ?")
CUPS = Query("q", "a ball is under cup A . swap #1 A B #2 C B . where is the ball ?")
ROADS = Query("q", "roads : A B , C stop , B C , D A , ? A D :")
SUBSET = Query("q", "numbers : 3 13 17 11 . pick some that sum to 20 .")
FACTS = Query("q", "facts : A boss B , B friend C , start with A . #1 boss #2 friend . who is it ?")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_thought_that_is_taught_is_right_at_any_place_and_every_wrong_one_is_found(family):
    rng, task = Random(5), FAMILIES[family]
    for difficulty in task.difficulties:
        example = task.generate(rng, difficulty)
        query = Query("q", example.prompt)
        for thought in example.thoughts[1:]:
            assert lab_step_checker(query, f"{thought}\n\n{example.answer}") in (1.0, None)
            steps = parts(thought)
            assert "".join(steps) == thought
            assert all(lab_step_checker(query, "".join(steps[: k + 1])) in (1.0, None) for k in range(len(steps)))
        assert lab_step_checker(query, f"{example.thoughts[3]}\n\n{example.answer}") == 1.0
        if family in ("arith", "swap", "facts"):
            assert lab_step_checker(query, example.wrong_thought) == 0.0
            assert lab_step_checker(query, f"{example.thoughts[3]}\n\n{example.wrong}") == 0.0


@pytest.mark.parametrize(
    ("query", "text", "score"),
    [
        (CHAIN, "#1 minus 5 2", 1.0),
        (CHAIN, "#1 minus 5 2 #2 plus", 1.0),
        (CHAIN, "#1 minus 5 3 #2 plus", 0.0),
        (CHAIN, "#1 minus", None),
        (CHAIN, "#3 minus 5 2", 0.0),
        (CHAIN, "#2 5\n\n5", 1.0),
        (CHAIN, "#1 2\n\n5", None),
        (CUPS, "#1 A B B #2 C", 1.0),
        (CUPS, "#1 A B A #2 C", 0.0),
        (ROADS, "A B C", 1.0),
        (ROADS, "A C stop\n\nno", 1.0),
        (ROADS, "A C stop\n\nyes", 0.0),
        (ROADS, "A D", 0.0),
        (ROADS, "B", 0.0),
        (ROADS, "no", None),
        (SUBSET, "3 + 13 = 16 no 3 +", 1.0),
        (SUBSET, "3 + 13 = 15 no", 0.0),
        (SUBSET, "3 + 17 = 20 no", 0.0),
        (SUBSET, "3 + 13 = 16 ok", 0.0),
        (SUBSET, "7 + 13 = 20 ok", 0.0),
        (SUBSET, "x + 13 = 20 ok", 0.0),
        (SUBSET, "3 + 17 = 20 ok\n\n3 13", 0.0),
        (SUBSET, "3 +", None),
        (FACTS, "#1 boss A boss B #2 friend", 1.0),
        (FACTS, "#1 C", 0.0),
        (Query("q", "what is love ?"), "#1 4", None),
        (Query("q", f"{CHAIN.prompt} proposed answer 5 . is it right ?"), "#1 2", None),
    ],
)
def test_a_text_so_far_is_right_wrong_or_not_to_be_judged(query, text, score):
    assert lab_step_checker(query, text) == score
