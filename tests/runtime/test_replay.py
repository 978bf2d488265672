from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedial.core.arm import Arm, Source
from onedial.core.ask import Refusal, Sample, Samples
from onedial.core.errors import TableError
from onedial.core.outcome import Outcome
from onedial.core.query import Message, Query
from onedial.core.steps import drive
from onedial.core.usage import Price, Usage
from onedial.runtime.replay import Recording, Replay
from onedial.strategies.draw import Reading
from onedial.strategies.registry import steps_of

QUERY = Query("q", "2+2?")
SMALL = Source("small", "low")
PRICES = {"small": Price(1.0, 2.0, 0.1)}


def outcome(index, answer="4", effort="low", tokens=10, **fields):
    return Outcome("q", "small", effort, index, 1.0, answer, input_tokens=100, output_tokens=tokens, **fields)


def ask(n=1, first_index=0, source=SMALL, query_id="q"):
    return Sample(query_id, source, QUERY.messages, n, first_index)


@given(st.permutations([outcome(2 * i, str(i), tokens=i) for i in range(6)]), st.integers(1, 6), st.integers(0, 6))
def test_a_sample_is_the_recorded_sample_of_its_rank_or_none_at_all(recorded, n, first):
    reply = Replay(Recording.of(recorded), PRICES)(ask(n, first))
    if first + n > 6:
        assert isinstance(reply, Refusal) and "holds 6" in reply.reason
    else:
        assert [c.answer for c in reply.completions] == [str(i) for i in range(first, first + n)]
        assert reply.usage == Usage(1, 100, 0, sum(range(first, first + n)))
        assert reply.cost_usd == pytest.approx(PRICES["small"].cost_usd(reply.usage))


def test_other_queries_models_and_efforts_are_other_samples():
    replay = Replay(Recording.of([outcome(0)]), PRICES)
    for other in (ask(query_id="r"), ask(source=Source("large", "low")), ask(source=Source("small"))):
        assert isinstance(replay(other), Refusal)


def test_a_follow_up_is_refused_for_what_it_would_have_brought_was_not_observed():
    replay = Replay(Recording.of([outcome(0), outcome(1)]), PRICES)
    said = (*QUERY.messages, Message("assistant", "5"), Message("user", "Are you sure?"))
    for follow_up in (replace(ask(first_index=1), messages=said), replace(ask(first_index=1), continue_from="5. Wait,")):
        assert isinstance(reply := replay(follow_up), Refusal) and "independent samples only" in reply.reason


def test_log_probabilities_are_refused_for_none_are_recorded():
    reply = Replay(Recording.of([outcome(0)]), PRICES)(replace(ask(), logprobs=True))
    assert isinstance(reply, Refusal) and "log-probabilities" in reply.reason


@pytest.mark.parametrize(("tokens", "thinking", "served"), [
    (10, 5, True), (10, 6, False), (5, None, True), (6, None, False), (10, 0, True),
])  # fmt: skip
def test_a_capped_ask_is_served_by_samples_whose_thought_kept_to_the_cap_and_by_no_others(tokens, thinking, served):
    replay = Replay(Recording.of([outcome(0, thinking_tokens=0), outcome(1, tokens=tokens, thinking_tokens=thinking)]), PRICES)
    reply = replay(replace(ask(2), max_thinking_tokens=5))
    assert isinstance(reply, Samples if served else Refusal)
    assert served or "with thought capped at 5 tokens; the recording holds one of up to 6 tokens, uncapped" in reply.reason
    assert isinstance(replay(ask(2)), Samples)


def test_a_capped_ask_is_refused_where_the_length_of_a_thought_is_not_recorded():
    replay = Replay(Recording.of([outcome(0, tokens=None, cost_usd=0.1)]))
    assert isinstance(replay(ask()), Samples)
    reply = replay(replace(ask(), max_thinking_tokens=1000))
    assert isinstance(reply, Refusal) and "one of unknown length, uncapped" in reply.reason


def test_with_caching_the_prompt_of_a_later_ask_to_the_same_model_costs_the_cached_price():
    recording = Recording.of([outcome(i, effort=e) for i in range(3) for e in ("low", "high")])
    replay = Replay(recording, PRICES, cached_after_first=True)
    first, second, other = replay(ask()), replay(ask(2, 1)), replay(ask(source=Source("small", "high")))
    assert [r.usage.cached_tokens for r in (first, second, other)] == [0, 100, 100]
    assert second.cost_usd == pytest.approx((100 * 0.1 + 20 * 2.0) / 1e6)
    assert Replay(recording, PRICES)(ask(2, 1)).usage.cached_tokens == 0


def test_a_refused_ask_warms_no_cache():
    replay = Replay(Recording.of([outcome(0)]), PRICES, cached_after_first=True)
    assert isinstance(replay(ask(5)), Refusal)
    assert replay(ask()).usage.cached_tokens == 0


def test_without_a_price_the_recorded_costs_are_charged():
    reply = Replay(Recording.of([outcome(0, cost_usd=0.25), outcome(1, cost_usd=0.5)]))(ask(2))
    assert reply.cost_usd == 0.75


@pytest.mark.parametrize("prices", [PRICES, {}])
def test_a_sample_that_cannot_be_billed_is_an_error_and_never_free(prices):
    with pytest.raises(TableError, match="cannot be billed"):
        Replay(Recording.of([outcome(0, tokens=None)]), prices)(ask())


def test_parallel_samples_take_the_slowest_and_keep_their_recorded_scores():
    reply = Replay(Recording.of([outcome(0, latency_s=1.0, verifier_score=0.25), outcome(1, latency_s=3.0)]), PRICES)(ask(2))
    assert isinstance(reply, Samples) and reply.latency_s == 3.0 and reply.applied_effort == "low"
    assert [c.verifier_score for c in reply.completions] == [0.25, None]


def test_a_strategy_replays_to_the_plurality_of_what_was_recorded():
    replay = Replay(Recording.of([outcome(0, "5"), outcome(1, "4"), outcome(2, "4")]), PRICES)
    answer = drive(steps_of(Arm(SMALL, "vote", 3), QUERY, Reading()), replay)
    assert answer.answer == "4" and len(answer.candidates) == 3


def test_a_query_without_text_replays_like_any_other():
    recorded = Recording.of([outcome(i, answer) for i, answer in enumerate("454")])
    vote = Arm(SMALL, "vote", 3)
    answers = [drive(steps_of(vote, query, Reading()), Replay(recorded, PRICES)) for query in (QUERY, Query.without_text("q"))]
    assert answers[0] == answers[1] and answers[0].answer == "4"
