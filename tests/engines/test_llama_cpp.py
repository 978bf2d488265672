"""Everything that is asked goes through the ordinary client to a real llama.cpp, whose own counters are the truth."""

import asyncio
from dataclasses import replace
from statistics import fmean

import pytest

from engines.llama_cpp import Counters
from onedial.core.arm import Arm, Source
from onedial.core.ask import Sample
from onedial.core.errors import QueryError
from onedial.core.query import Query
from onedial.engine.survey import Address, survey
from onedial.lab import weights
from onedial.lab.checker import grade, lab_checker
from onedial.lab.client import LabClient
from onedial.lab.prompts import lab_queries
from onedial.lab.stepwise import lab_process, lab_step_checker
from onedial.lab.tokenizer import encode
from onedial.runtime.config import load_config
from onedial.runtime.driver import run
from onedial.runtime.ledger import Grant
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.pool import Pool
from onedial.runtime.probe import probe_choices
from onedial.strategies.draw import Reading
from onedial.strategies.registry import STRATEGIES, steps_of
from onedial.strategies.search.registry import SEARCHES
from onedial.verifiers.extract import words

TINY, SMALL, LARGEST = weights.find()
QUERY = Query("q", "which of 25 1 17 9 add up to 34 ?")

CHAIN = Query("chain", "compute modulo 10 : start with 2 . #1 minus 4 #2 times 7 #3 plus 1 #4 minus 3 . what is the result ?")
READING = Reading(verify=lab_checker, process=lab_process(lab_step_checker))
SETTINGS = {"mix": f"/others={TINY}@3,{LARGEST}@1"}
RESTS_ON_EARLIER = {"usc", "refine", "revise", "chains", "force", *SEARCHES}

every_model = pytest.mark.parametrize("name", weights.find())


@pytest.fixture
async def client_of(llama_cpp, tmp_path):
    """Make clients as a configuration file does."""
    clients = []

    def make(*capabilities, known=True):
        text = llama_cpp.toml(capabilities=capabilities)
        (tmp_path / "onedial.toml").write_text(text if known else text.replace("usage_counts_one_choice = true\n", ""))
        clients.append(OpenAIClient(load_config(tmp_path / "onedial.toml").models))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
async def client(client_of):
    return client_of("n", "logprobs", "seed", "continue", "cache")


def ask(name=TINY, effort="3", n=1, query=QUERY, **fields):
    return Sample(query.id, Source(name, effort), query.messages, n, **fields)


def counted(usage):
    """A bill as the server would count it."""
    return Counters(usage.input_tokens - usage.cached_tokens, usage.cached_tokens, usage.output_tokens)


async def all_of(client, asks):
    return await asyncio.gather(*(client.sample(one) for one in asks))


@pytest.mark.parametrize("fields", [
    {}, {"n": 4}, {"n": 4, "max_tokens": 3}, {"logprobs": True}, {"temperature": 0.0}, {"effort": "0", "n": 3},
    {"continue_from": "25 + 1 = 26 no"}, {"continue_from": "25 + 1 = 26 no", "n": 3},
], ids=str)  # fmt: skip
async def test_what_is_billed_is_what_the_server_counted(llama_cpp, client, fields):
    before = llama_cpp.counters(TINY)
    reply = await client.sample(ask(**fields))
    assert counted(reply.usage) == llama_cpp.counters(TINY) - before
    assert (reply.usage.calls, reply.usage.bounded) == (1, False) and len(reply.completions) == fields.get("n", 1)
    assert reply.usage.output_tokens == sum(c.output_tokens for c in reply.completions)
    assert reply.cost_usd == pytest.approx(client.models[TINY].price.cost_usd(reply.usage))


@pytest.mark.parametrize("capabilities", [(), ("cache",)])
async def test_without_n_every_sample_is_a_request_and_the_prompts_are_paid_for(llama_cpp, client_of, capabilities):
    before = llama_cpp.counters(TINY)
    reply = await client_of(*capabilities).sample(ask(n=4))
    assert (reply.usage.calls, len(reply.completions)) == (4, 4)
    assert counted(reply.usage) == llama_cpp.counters(TINY) - before


async def test_a_thought_is_cut_at_its_cap_and_an_answer_follows(llama_cpp, client):
    before = llama_cpp.counters(TINY)
    reply = await client.sample(ask(max_thinking_tokens=6))
    assert (reply.usage.calls, reply.completions[0].thinking_tokens) == (2, 6)
    assert words(reply.completions[0].text) is not None and "<ans>" not in reply.completions[0].text
    assert counted(reply.usage) == llama_cpp.counters(TINY) - before


@pytest.mark.parametrize("capabilities", [(), ("n",), ("n", "logprobs")])
async def test_it_counts_one_choice_and_the_probe_finds_out(client_of, capabilities):
    probed = await probe_choices(client_of(*capabilities, known=False), TINY)
    assert probed.returns_n and probed.counts_one_choice


async def test_without_proof_the_first_reply_is_billed_no_lower_than_the_truth_and_later_ones_at_it(client_of):
    client = client_of("n", known=False)
    first, second = await client.sample(ask(n=4, max_tokens=40)), await client.sample(ask(n=4, max_tokens=40))
    assert first.usage.bounded and first.usage.output_tokens == 4 * 40
    assert (second.usage.calls, second.usage.bounded) == (4, False)


@every_model
async def test_every_effort_thinks_more_than_the_one_before_and_the_thought_is_told_from_the_answer(client, name):
    tokens = []
    for effort in client.models[name].efforts:
        replies = await all_of(client, [ask(name, effort.label, 2, query) for query in lab_queries(6, "test", seed=2)])
        tokens.append(fmean(c.output_tokens for reply in replies for c in reply.completions))
        assert not any("<ans>" in c.text + c.thinking for reply in replies for c in reply.completions)
    assert tokens == sorted(tokens) and tokens[-1] > 2 * tokens[0]


async def test_a_prompt_that_does_not_fit_is_an_error_of_the_query(client):
    with pytest.raises(QueryError, match="does not fit this model"):
        await client.sample(ask(query=replace(QUERY, prompt=f"{QUERY.prompt} " * 200)))


@every_model
async def test_greedy_answers_token_counts_log_probabilities_confidences_and_costs_are_those_of_the_process(client, name):
    """The server computes in half precision: where two tokens are close it may take the other."""
    sure = {"logprobs": True, "top_logprobs": 20}
    asks = [ask(name, e, 1, q, temperature=0.0, **sure) for q in lab_queries(10, "test", seed=3) for e in ("0", "2", "3")]
    here = LabClient([name], prefix_bytes=0)
    served, own = await all_of(client, asks), await all_of(here, asks)
    await here.aclose()
    same = [(a, b) for a, b in zip(served, own, strict=True) if _said(a) == _said(b)]
    assert len(same) > 0.9 * len(asks)
    for one, other in same:
        assert (one.usage.input_tokens, one.usage.output_tokens) == (other.usage.input_tokens, other.usage.output_tokens)
        assert one.completions[0].logprobs == pytest.approx(other.completions[0].logprobs, abs=0.1)
        assert one.completions[0].confidences == pytest.approx(other.completions[0].confidences, abs=0.1)
        assert client.models[name].price.cost_usd(replace(one.usage, cached_tokens=0)) == pytest.approx(other.cost_usd)


def _said(reply):
    return reply.completions[0].text, reply.completions[0].thinking


@pytest.mark.parametrize(("name", "effort"), [(TINY, "2"), (LARGEST, "1")])
async def test_sampled_answers_are_as_often_right_as_those_of_the_process(client, name, effort):
    """A difference of four standard errors would be noticed; given the questions, only the samples vary."""
    queries, n, here = lab_queries(100, "test", seed=4), 4, LabClient([name])
    asks = [ask(name, effort, n, query) for query in queries]
    shares = []
    for replies in (await all_of(client, asks), await all_of(here, asks)):
        rights = [fmean(grade(q.prompt, words(c.text)) for c in r.completions) for q, r in zip(queries, replies, strict=True)]
        shares.append(rights)
    await here.aclose()
    variance = sum((a + b) / 2 * (1 - (a + b) / 2) for a, b in zip(*shares, strict=True)) * 2 / (n * len(queries) ** 2)
    assert 0.05 < fmean(shares[0]) < 0.95
    assert abs(fmean(shares[0]) - fmean(shares[1])) < 4 * variance**0.5


async def test_a_text_that_is_continued_ends_as_if_it_had_not_been_cut_and_only_what_is_new_comes_back(client):
    whole = await client.sample(ask(temperature=0.0))
    cut = await client.sample(ask(temperature=0.0, max_tokens=6))
    thought = cut.completions[0].thinking
    rest = await client.sample(ask(temperature=0.0, continue_from=thought))
    assert cut.completions[0].finish == "length" and whole.completions[0].thinking.startswith(thought)
    assert thought + rest.completions[0].thinking == whole.completions[0].thinking
    assert rest.completions[0].text == whole.completions[0].text
    assert rest.usage.input_tokens == whole.usage.input_tokens + 6
    assert rest.usage.output_tokens == whole.usage.output_tokens - 6


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_every_strategy_runs_and_its_spend_is_what_the_server_counted(llama_cpp, client, strategy):
    query = CHAIN if strategy in SEARCHES else QUERY
    arm = Arm.parse(
        f"{SMALL}/think=3/{strategy}=8" if strategy in SEARCHES else f"{SMALL}/think=2/{strategy}=4{SETTINGS.get(strategy, '')}"
    )
    before, grant, asked = llama_cpp.counters(), Grant(), []
    answer = await run(steps_of(arm, query, READING), Pool([client]), grant, lambda ask, reply: asked.append(ask))
    assert counted(answer.spend.usage) == llama_cpp.counters() - before and not answer.spend.usage.bounded
    assert grant.usage == answer.spend.usage and grant.spent.usd == pytest.approx(answer.spend.cost_usd)
    assert answer.answer is not None and answer.text in [c.text for c in answer.candidates]
    if strategy in RESTS_ON_EARLIER:
        assert any(ask.follows_up for ask in asked), answer.stopped
    if strategy in SEARCHES:
        assert all(len(encode(word)) == 1 for ask in asked for word in ask.continue_from.split()), "steps are joined as they came"


async def test_a_survey_of_a_real_server_claims_what_it_can_do_and_bills_what_it_counted(llama_cpp):
    before = llama_cpp.counters(TINY)
    found = await survey([Address(llama_cpp.urls[TINY] + "/v1")], [], budget_usd=0.05)
    (entry,) = found.entries
    assert (entry.context_tokens, entry.usage_counts_one_choice, entry.priced) == (256, True, False)
    assert set(entry.capabilities) == {"n", "logprobs", "continue", "cache"} and entry.efforts == ()
    assert found.usage.calls >= 5 and counted(found.usage) == llama_cpp.counters(TINY) - before
