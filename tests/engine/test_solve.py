"""The loop of deciding and drawing, as a transcript."""

import pytest

from onedial.core.arm import Arm, Source
from onedial.core.ask import Completion, Failure, Refusal, Sample, Samples
from onedial.core.decision import Decision
from onedial.core.query import Query
from onedial.core.steps import drive
from onedial.core.usage import Usage
from onedial.engine.rollout import roll_out
from onedial.engine.solve import solve_steps
from onedial.strategies.draw import Reading
from onedial.verifiers.judges.pointwise import pointwise

QUERY = Query("q", "2 + 2 ?")
SMALL, LARGE = Source("small", "0"), Source("large", "0")


class Script:
    """A policy that decides what it was told to, and remembers what it saw."""

    def __init__(self, *arms):
        self.arms, self.seen = list(arms), []

    def choose(self, query, tried=(), spent_usd=0.0):
        self.seen.append((len(tried), spent_usd))
        arm = self.arms.pop(0) if self.arms else None
        return Decision(arm, tried[-1].answer if tried else None, 0.9, "as told")


def samples(*texts, cost=1.0):
    return Samples(tuple(Completion(t, output_tokens=1) for t in texts), Usage(1, 2, 0, len(texts)), cost)


def test_it_draws_what_is_decided_and_continues_each_stream_of_samples():
    steps = solve_steps(QUERY, policy := Script(Arm(SMALL, "vote", 2), Arm(LARGE), Arm(SMALL)), Reading())
    assert next(steps) == Sample("q", SMALL, QUERY.messages, 2, 0)
    assert steps.send(samples("3", "4")) == Sample("q", LARGE, QUERY.messages, 1, 0)
    assert steps.send(samples("4", cost=5.0)) == Sample("q", SMALL, QUERY.messages, 1, 2)
    with pytest.raises(StopIteration) as end:
        steps.send(samples("4"))
    solved = end.value.value
    assert (solved.answer.answer, solved.quality, len(solved.answer.candidates)) == ("4", 0.9, 4)
    assert solved.answer.spend.cost_usd == 7.0 and solved.answer.spend.usage.calls == 3
    assert policy.seen == [(0, 0.0), (2, 1.0), (3, 6.0), (4, 7.0)]


@pytest.mark.parametrize("trouble", [Failure("the endpoint is down", Usage(1, 9, 0, 0), 0.5), Refusal("the budget holds 0")])
def test_trouble_ends_it_with_the_best_that_is_paid_for_and_says_so(trouble):
    replies = iter([samples("3"), trouble])
    solved = drive(solve_steps(QUERY, Script(Arm(SMALL), Arm(LARGE)), Reading()), lambda ask: next(replies))
    assert solved.answer.answer == "3"
    said = trouble.message if isinstance(trouble, Failure) else trouble.reason
    assert solved.answer.stopped == f"1 of large/think=0 brought nothing ({said})"
    assert [d.arm for d in solved.decisions] == [Arm(SMALL), Arm(LARGE), None] and len(solved.drawn) == 2
    assert solved.answer.spend.cost_usd == 1.0 + getattr(trouble, "cost_usd", 0.0)


def test_trouble_at_the_first_ask_is_no_answer():
    solved = drive(solve_steps(QUERY, Script(Arm(SMALL)), Reading()), lambda ask: Failure("down"))
    assert solved.answer.text is None and solved.answer.candidates == () and "down" in solved.answer.stopped


def test_trouble_is_why_it_ended_also_where_the_policy_would_have_gone_on():
    class Insistent(Script):
        def choose(self, query, tried=(), spent_usd=0.0):
            return Decision(Arm(LARGE), tried[-1].answer if tried else None, 0.5, "a sample of large is worth it")

    replies = iter([samples("4"), Failure("the endpoint is down")])
    solved = drive(solve_steps(QUERY, Insistent(), Reading()), lambda ask: next(replies))
    assert "worth it" not in solved.answer.stopped and "the endpoint is down" in solved.answer.stopped
    assert solved.decisions[-1].arm is None and (solved.answer.answer, solved.quality) == ("4", 0.5)


def test_a_policy_that_never_stops_is_stopped():
    class Endless(Script):
        def choose(self, query, tried=(), spent_usd=0.0):
            return Decision(Arm(SMALL), "4", 0.5, "more")

    solved = drive(solve_steps(QUERY, Endless(), Reading()), lambda ask: samples("4"))
    assert len(solved.answer.candidates) == 64 and solved.answer.stopped == "64 blocks are drawn, the most for one query"


def test_a_judge_is_asked_after_every_block_and_its_cost_is_part_of_the_blocks():
    judge = pointwise(LARGE)
    steps = solve_steps(QUERY, policy := Script(Arm(SMALL, "best", 2), Arm(SMALL)), Reading(judge=judge))
    assert next(steps).source == SMALL
    first = steps.send(samples("3", "4"))
    assert (first.source, first.judging) == (LARGE, True)
    steps.send(samples("Score: 2", cost=10.0))
    assert steps.send(samples("hm", cost=10.0)).first_index == 2
    steps.send(samples("4"))
    with pytest.raises(StopIteration) as end:
        steps.send(samples("Score: 9", cost=10.0))
    solved = end.value.value
    assert [c.score for c in solved.answer.candidates] == [0.2, None, 0.9]
    assert [block.spend.cost_usd for block in solved.drawn] == [21.0, 11.0] and solved.answer.spend.cost_usd == 32.0
    assert policy.seen == [(0, 0.0), (2, 21.0), (3, 32.0)] and "1 of 2 verdicts could not be read" in solved.answer.stopped


def test_a_roll_out_takes_the_recorded_scores_and_asks_no_judge():
    class Recorded:
        queries = (QUERY,)

        def replay(self):
            return lambda ask: pytest.fail("a judge was asked") if ask.judging else samples("4")

        def grade(self, query, candidate):
            return 1.0

    assert roll_out(Recorded(), Script(Arm(SMALL)), Reading(judge=pointwise(LARGE))).quality.tolist() == [1.0]
