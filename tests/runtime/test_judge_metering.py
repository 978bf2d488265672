"""A counting endpoint is the truth: what strategies with a judge report as spent is what it generated and read."""

import pytest

from onedial.core.arm import Source
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.usage import Price, Usage
from onedial.runtime.driver import run
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.ledger import Grant
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.pool import Pool
from onedial.strategies.draw import Reading
from onedial.strategies.registry import STRATEGIES
from onedial.verifiers.judges.generative import generative
from onedial.verifiers.judges.listwise import listwise
from onedial.verifiers.judges.pairwise import pairwise
from onedial.verifiers.judges.pointwise import pointwise

QUERY, SMALL, WISE = Query("q", "which colour is it"), Source("m"), Source("wise")
JUDGES = {
    "pointwise": (pointwise(WISE), ["Score: 3", "so\nScore: 8", "hm"]),
    "generative": (generative(WISE, votes=2), ["Verdict: Yes", "Verdict: No"]),
    "one word": (generative(WISE, logprobs=True), ["Yes", "No"]),
    "pairwise": (pairwise(WISE), ["Verdict: A", "Verdict: B", "tie"]),
    "listwise": (listwise(WISE), ["Order: 3 > 1 > 2", "Order: 1 > 3 > 2"]),
}
N = 3
with_judges = pytest.mark.parametrize("judge", JUDGES)
with_strategies = pytest.mark.parametrize("name", ["best", "wvote", "pbest", "refine", "revise", "force"])


async def played(upstream, name, judge, capabilities=("n", "logprobs", "continue")):
    """(answer, grant) of a run in which every request goes to the counting endpoint."""
    judging, verdicts = JUDGES[judge]
    upstream.texts = ["it is red", "blue", "I think that it is green", *verdicts * 9]
    made = [Model(s.model, price, max_output_tokens=40, capabilities=frozenset(capabilities))
            for s, price in ((SMALL, Price(1.0, 4.0)), (WISE, Price(10.0, 40.0)))]  # fmt: skip
    grant = Grant()
    async with Pool([OpenAIClient([Endpoint(model, upstream.url, "up", retries=2) for model in made], sleep=_at_once)]) as pool:
        return await run(STRATEGIES[name](QUERY, SMALL, N, Reading(judge=judging)), pool, grant), grant


async def _at_once(seconds):
    return None


@with_strategies
@with_judges
async def test_every_token_of_the_strategy_and_of_its_judge_is_counted(upstream, name, judge):
    answer, grant = await played(upstream, name, judge)
    assert answer.spend.usage == grant.usage == Usage(len(upstream.bodies), upstream.prompt_tokens, 0, upstream.output_tokens)
    assert any(c.score is not None for c in answer.candidates) and len(answer.candidates) == N
    judged = [body for body in upstream.bodies if "to be judged" in body["messages"][0]["content"]]
    assert 2 <= len(judged) <= 6 and grant.spent.usd == pytest.approx(answer.spend.cost_usd)


@with_judges
async def test_a_refused_attempt_is_free_and_asked_again(upstream, judge):
    upstream.faults = [None, 503, None, 429]
    answer, _ = await played(upstream, "best", judge)
    assert answer.spend.usage == Usage(len(upstream.bodies) - 2, upstream.prompt_tokens, 0, upstream.output_tokens)


@with_judges
@pytest.mark.parametrize("fault", ["garbage", "drop", "truncate"])
async def test_a_lost_verdict_is_charged_a_bound_that_is_flagged(upstream, judge, fault):
    upstream.faults = [None, fault]
    answer, grant = await played(upstream, "best", judge)
    used = answer.spend.usage
    assert used == grant.usage and used.bounded and used.calls == len(upstream.bodies)
    assert used.output_tokens >= upstream.output_tokens and used.input_tokens >= upstream.prompt_tokens


async def test_an_endpoint_that_reports_nothing_is_charged_a_bound(upstream):
    upstream.no_usage = True
    answer, _ = await played(upstream, "best", "pointwise", capabilities=())
    used = answer.spend.usage
    assert used.bounded and used.output_tokens >= upstream.output_tokens and used.input_tokens >= upstream.prompt_tokens


async def test_a_judge_whose_key_is_refused_is_an_error_and_no_score(upstream):
    from onedial.core.errors import ModelError

    upstream.faults = [None, 401]
    with pytest.raises(ModelError, match="answered 401"):
        await played(upstream, "best", "pointwise")
