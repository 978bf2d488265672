"""Reward models over HTTP: every format, what is billed, and what may be repeated."""

import math

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.ask import Failure, Sample
from onedial.core.errors import ConfigError
from onedial.core.query import Query
from onedial.core.usage import Usage
from onedial.runtime.driver import run
from onedial.runtime.ledger import Grant
from onedial.runtime.pool import Pool
from onedial.runtime.reward import RewardClient
from onedial.runtime.reward_wire import RewardEndpoint, request_of, rewards_of
from onedial.verifiers.judges.contract import metered
from onedial.verifiers.judges.reward import outcome_reward, process_reward, reward_ask

QUERY, MODEL = Query("q", "2 + 2 ?", system="be brief"), Source("rm")
TURNS = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "2 + 2 ?"}]
ASK = reward_ask(QUERY, MODEL, ["add", "so 4"])


def end(form="pooling", url="http://localhost:1", **fields):
    return RewardEndpoint.at("rm", url, 0.5, "org/rm", form=form, **fields)


def said(text):
    return [*TURNS, {"role": "assistant", "content": text}]


@pytest.mark.parametrize(("form", "path", "body"), [
    (end(), "/pooling", {"messages": said("add\n\nso 4")}),
    (end(step_mark="<extra_0>"), "/pooling", {"messages": said("add<extra_0>so 4<extra_0>")}),
    (end("classify"), "/classify", {"messages": said("add\n\nso 4")}),
    (end("score"), "/score", {"text_1": "be brief\n\n2 + 2 ?", "text_2": "add\n\nso 4"}),
    (end("sglang", turns="[{role}] {content}\n"), "/classify", {"text": ["[system] be brief\n[user] 2 + 2 ?\n[assistant] add\n\nso 4\n"]}),
])  # fmt: skip
def test_every_format_is_asked_as_its_server_expects(form, path, body):
    assert request_of(ASK, form) == (path, {"model": "org/rm"} | body)


def test_a_reward_model_answers_no_queries():
    with pytest.raises(ConfigError, match="is a reward model"):
        request_of(Sample("q", MODEL, QUERY.messages), end())


@pytest.mark.parametrize(("form", "reply", "rewards", "prompt"), [
    (end(), '{"data": [{"index": 0, "data": [[0.25, 0.75], [0.5, 0.5]]}], "usage": {"prompt_tokens": 9}}', [0.75, 0.5], 9),
    (end(right=0), '{"data": [{"data": [[0.25, 0.75]]}], "usage": {"prompt_tokens": 9}}', [0.25], 9),
    (end(raw=True), '{"data": [{"data": [0.0]}]}', [0.5], None),
    (end(raw=True), '{"data": [{"data": [-5000.0]}]}', [0.0], None),
    (end("classify"), '{"data": [{"label": "LABEL_0", "probs": [0.1, 0.9], "num_classes": 2}], "usage": {"prompt_tokens": 4}}', [0.9], 4),
    (end("score"), '{"data": [{"index": 0, "object": "score", "score": 1}], "usage": {}}', [1.0], None),
    (end("sglang", raw=True), '[{"embedding": [2.0], "meta_info": {"id": "x", "prompt_tokens": 7}}]', [1 / (1 + math.exp(-2))], 7),
])  # fmt: skip
def test_every_format_is_read(form, reply, rewards, prompt):
    found, tokens = rewards_of(reply.encode(), form)
    assert found == pytest.approx(rewards) and tokens == prompt


@pytest.mark.parametrize("reply", ['{"data": []}', '{"data": [{"data": "AAAA"}]}', '{"data": [{"data": [[]]}]}', "{}", "<html>", "[]"])
def test_a_reply_without_rewards_is_none(reply):
    with pytest.raises(ValueError, match=r".+"):
        rewards_of(reply.encode(), end())


def test_a_reward_out_of_range_is_an_error_and_never_bent_into_a_score():
    with pytest.raises(ConfigError, match=r"a reward of -3.5 was found; expected one in \[0, 1\]. Set `raw`"):
        rewards_of(b'{"data": [{"data": [-3.5]}]}', end())


class Served:
    """Plays a server, with the faults to come, and counts the words it was sent."""

    def __init__(self, *faults, usage=True):
        self.faults, self.usage, self.prompt_tokens, self.calls = list(faults), usage, 0, 0

    async def pooling(self, request):
        if self.faults:
            return web.json_response({"message": "busy"}, status=self.faults.pop(0))
        body = await request.json()
        words = sum(len(turn["content"].split()) for turn in body["messages"])
        self.calls, self.prompt_tokens = self.calls + 1, self.prompt_tokens + words
        steps = body["messages"][-1]["content"].count("<step>") or 1
        usage = {"usage": {"prompt_tokens": words}} if self.usage else {}
        return web.json_response({"data": [{"data": [[0.9 - 0.2 * i] for i in range(steps)]}]} | usage)


async def judged(played, judge, *texts, **fields):
    """(verdicts, spend, grant) of a judging over HTTP."""
    app, grant = web.Application(), Grant()
    app.router.add_post("/pooling", played.pooling)

    async def at_once(seconds):
        return None

    async with TestServer(app) as server, Pool([RewardClient([end(url=str(server.make_url("")), **fields)], sleep=at_once)]) as pool:
        candidates = [Candidate(Source("m"), i, text, text) for i, text in enumerate(texts)]
        verdicts, spend = await run(metered(judge, QUERY, candidates), pool, grant)
    return verdicts, spend, grant


async def test_what_is_reported_is_billed_and_is_what_the_server_counted():
    played = Served()
    verdicts, spend, grant = await judged(played, outcome_reward(MODEL), "it is 4", "5")
    assert verdicts.scores == (0.9, 0.9) and verdicts.complaint == ""
    assert spend.usage == grant.usage == Usage(2, played.prompt_tokens) and spend.cost_usd == pytest.approx(played.prompt_tokens * 0.5e-6)


async def test_a_process_reward_model_scores_every_step():
    verdicts, *_ = await judged(Served(), process_reward(MODEL, "least"), "one\n\ntwo\n\nthree", step_mark="<step>")
    assert verdicts.scores == pytest.approx((0.5,))


async def test_where_no_tokens_are_reported_a_bound_is_charged_and_flagged():
    played = Served(usage=False)
    _, spend, _ = await judged(played, outcome_reward(MODEL), "it is 4")
    assert spend.usage.bounded and spend.usage.input_tokens >= played.prompt_tokens > 0


async def test_load_is_asked_again_and_an_endpoint_that_stays_away_leaves_no_scores():
    verdicts, spend, _ = await judged(Served(503, 429), outcome_reward(MODEL), "4")
    assert verdicts.scores == (0.9,) and spend.usage.calls == 1
    verdicts, spend, _ = await judged(Served(*[503] * 9), outcome_reward(MODEL), "4", "5")
    assert verdicts.scores == (None, None) and spend.usage.calls == 0 and "Gave up after 4 attempts" in verdicts.complaint


async def test_its_reply_to_the_pool_is_a_failure_not_an_answer():
    client = RewardClient([end(url="http://127.0.0.1:9")], sleep=lambda s: _nothing())
    assert isinstance(await client.sample(ASK), Failure)
    await client.aclose()


async def _nothing():
    return None
