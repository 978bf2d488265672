import asyncio
import random
from dataclasses import replace

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Failure, Sample, Samples
from onedial.core.errors import ConfigError, ModelError, QueryError
from onedial.core.model import Effort, Model
from onedial.core.query import Message
from onedial.core.usage import Price, Usage
from onedial.runtime.driver import run
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.pool import Pool
from onedial.runtime.probe import probe_choices

KEY = "sk-right"
PROMPT = "what is the next word"
CAP = 20
MANY = frozenset({"n"})
PROVING = frozenset({"n", "logprobs"})


def ask(n=1, effort=None, **fields):
    return Sample("q", Source("m", effort), (Message("user", PROMPT),), n, **fields)


@pytest.fixture
async def client_of(upstream):
    """Make clients of the test server that record their waits instead of waiting; closed at the end."""
    clients = []

    def make(capabilities=frozenset(), env=None, **fields):
        model = Model("m", Price(1.0, 3.0, 0.5), (Effort("high"),), max_output_tokens=CAP, capabilities=capabilities)
        waits = []

        async def sleep(seconds):
            waits.append(seconds)

        endpoint = replace(Endpoint(model, upstream.url, "up", effort_bodies={"high": {"reasoning_effort": "high"}}), **fields)
        client = OpenAIClient([endpoint], rng=random.Random(0), sleep=sleep, env=env or {})
        client.waits = waits
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.aclose()
        await client.aclose()


def true_usage(upstream, calls):
    return Usage(calls, upstream.prompt_tokens, 0, upstream.output_tokens)


async def test_an_ask_becomes_one_request_and_its_reply_a_priced_sample(upstream, client_of):
    reply = await client_of().sample(ask(temperature=0.5, max_tokens=7))
    assert upstream.bodies == [{"model": "up", "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 7, "temperature": 0.5}]
    assert [(c.text, c.output_tokens, c.finish) for c in reply.completions] == [("one two three", 4, "stop")]
    assert reply.usage == true_usage(upstream, 1) == Usage(1, 5, 0, 4)
    assert reply.cost_usd == pytest.approx((5 * 1.0 + 4 * 3.0) / 1e6) and reply.latency_s > 0


async def test_an_effort_is_merged_into_the_request_and_reported_as_applied(upstream, client_of):
    reply = await client_of().sample(ask(effort="high"))
    assert upstream.bodies[0]["reasoning_effort"] == "high" and reply.applied_effort == "high"


async def test_the_output_is_always_capped_at_what_was_reserved(upstream, client_of):
    reply = await client_of().sample(ask(max_tokens=10_000))
    assert upstream.bodies[0]["max_tokens"] == CAP
    upstream.texts = [" ".join("x" for _ in range(50))]
    reply = await client_of().sample(ask())
    assert reply.completions[0].finish == "length" and reply.usage.output_tokens == CAP


async def test_a_continued_text_that_is_repeated_is_not_taken_for_new_unless_the_endpoint_is_known_to_send_only_what_is_new(
    upstream, client_of
):
    upstream.texts = ["So it is 4", "it is 5", "So it is 6"]
    client = client_of(frozenset({"continue"}))
    assert [(await client.sample(ask(continue_from="So"))).completions[0].text for _ in range(3)] == [" it is 4", "it is 5", "So it is 6"]


@pytest.mark.parametrize("capabilities", [frozenset(), MANY, PROVING])
async def test_several_samples_cost_what_the_server_truly_generated(upstream, client_of, capabilities):
    reply = await client_of(capabilities).sample(ask(5))
    requests = 1 if capabilities else 5
    assert len(upstream.bodies) == requests and len(reply.completions) == 5
    assert reply.usage == true_usage(upstream, requests)
    known = [c.output_tokens for c in reply.completions]
    assert known == ([None] * 5 if capabilities == MANY else [4, 2, 3, 4, 2])


async def test_a_server_that_counts_one_choice_is_counted_right_where_the_reply_proves_it(upstream, client_of):
    upstream.counts_one_choice = True
    client = client_of(PROVING, usage_counts_one_choice=True)
    reply = await client.sample(ask(3))
    assert len(upstream.bodies) == 1 and upstream.bodies[0]["logprobs"] is True
    assert reply.usage == true_usage(upstream, 1) and reply.completions[0].logprobs is None


async def test_a_server_known_to_count_one_choice_is_asked_singly_where_nothing_proves_the_count(upstream, client_of):
    upstream.counts_one_choice = True
    client = client_of(MANY, usage_counts_one_choice=True)
    assert client.models["m"].capabilities == frozenset()
    reply = await client.sample(ask(3))
    assert reply.usage == true_usage(upstream, 3)


async def test_a_server_found_out_to_count_one_choice_is_billed_at_the_bound_once_and_then_asked_singly(upstream, client_of):
    upstream.counts_one_choice, upstream.texts = True, ["a rather long answer of many words", "42"]
    client = client_of(MANY)
    first = await client.sample(ask(4))
    assert first.usage == Usage(1, 5, 0, 4 * CAP, bounded=True) and first.usage.output_tokens >= upstream.output_tokens
    assert [c.output_tokens for c in first.completions] == [None] * 4
    before = upstream.output_tokens
    second = await client.sample(ask(4, first_index=4))
    assert (second.usage.calls, second.usage.output_tokens, second.usage.bounded) == (4, upstream.output_tokens - before, False)
    assert "n" not in client.models["m"].capabilities


async def test_a_server_that_ignores_n_is_asked_singly_from_then_on(upstream, client_of):
    upstream.ignores_n = True
    client = client_of(MANY)
    assert len((await client.sample(ask(3))).completions) == 1
    assert len((await client.sample(ask(3))).completions) == 3


async def test_without_a_reported_usage_the_bound_is_charged_and_marked(upstream, client_of):
    upstream.no_usage = True
    client = client_of()
    reply = await client.sample(ask())
    assert reply.usage == Usage(1, client.input_tokens(ask()), 0, CAP, bounded=True) and reply.usage.input_tokens >= upstream.prompt_tokens


async def test_cached_tokens_are_billed_at_the_cached_price(upstream, client_of):
    upstream.cached_tokens = 3
    reply = await client_of().sample(ask())
    assert reply.usage.cached_tokens == 3 and reply.cost_usd == pytest.approx((2 * 1.0 + 3 * 0.5 + 4 * 3.0) / 1e6)


@pytest.mark.parametrize("fault", [429, 500, 503, 529])
async def test_a_busy_endpoint_is_asked_again_and_its_refusals_are_free(upstream, client_of, fault):
    upstream.faults = [fault, fault]
    client = client_of()
    reply = await client.sample(ask())
    assert isinstance(reply, Samples) and reply.usage == true_usage(upstream, 1)
    assert 0.25 <= client.waits[0] <= 0.5 <= client.waits[1] <= 1.0 and len(client.waits) == 2


async def test_the_wait_that_an_endpoint_asks_for_is_kept(upstream, client_of):
    dates = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2026 07:28:09 GMT"}
    upstream.faults = [(429, {"Retry-After": "7"}, ""), (429, dates, "")]
    client = client_of()
    assert isinstance(await client.sample(ask()), Samples)
    assert 7 <= client.waits[0] <= 8 and 9 <= client.waits[1] <= 11


async def test_an_endpoint_that_asks_for_too_long_a_wait_is_a_failure_at_once(upstream, client_of):
    upstream.faults = [(429, {"Retry-After": "3600"}, "")]
    client = client_of()
    reply = await client.sample(ask())
    assert isinstance(reply, Failure) and "3600 s" in reply.message and client.waits == []


@pytest.mark.parametrize(("fault", "told"), [
    ("hang", "did not answer within 0.25 s"),
    ("truncate", "broke the connection"),
    ("drop", "broke the connection"),
    ("garbage", "cannot be read"),
    ("no_choices", "no choices"),
])  # fmt: skip
async def test_what_was_generated_and_never_arrived_is_charged_at_its_bound_and_asked_again(upstream, client_of, fault, told):
    upstream.faults = [fault]
    client = client_of(timeout_s=0.25 if fault == "hang" else 5)
    reply = await client.sample(ask())
    bound = Usage(1, client.input_tokens(ask()), 0, CAP, bounded=True)
    assert reply.usage == bound + Usage(1, 5, 0, reply.completions[0].output_tokens)
    assert reply.usage.input_tokens >= upstream.prompt_tokens and reply.usage.output_tokens >= upstream.output_tokens
    upstream.faults = [fault] * 3
    failed = await client_of(timeout_s=0.25 if fault == "hang" else 5, retries=2).sample(ask())
    assert isinstance(failed, Failure) and failed.usage == bound + bound + bound and failed.cost_usd > 0
    assert told in failed.message and "Gave up after 3 attempts" in failed.message


async def test_an_endpoint_that_cannot_be_reached_is_a_free_failure(client_of):
    failed = await client_of(url="http://127.0.0.1:1/v1", retries=1).sample(ask())
    assert isinstance(failed, Failure) and failed.usage == Usage() and "cannot be reached" in failed.message


async def test_some_of_several_requests_may_fail_and_the_rest_are_kept(upstream, client_of):
    upstream.faults = [500, 500]
    reply = await client_of(retries=0).sample(ask(5))
    assert len(reply.completions) == 3 and reply.usage == true_usage(upstream, 3)


async def test_a_wrong_key_is_an_error_that_names_the_variable_and_hides_the_key(upstream, client_of):
    upstream.needs_key = True
    with pytest.raises(ModelError, match="environment variable UP_KEY") as error:
        await client_of(api_key_env="UP_KEY", env={"UP_KEY": "sk-wrong"}).sample(ask(3))
    assert "sk-wrong" not in str(error.value) and "***" in str(error.value)
    assert isinstance(await client_of(api_key_env="UP_KEY", env={"UP_KEY": KEY}).sample(ask()), Samples)
    with pytest.raises(ModelError, match="Write api_key_env"):
        await client_of().sample(ask())


async def test_a_missing_key_is_an_error_before_anything_is_sent(upstream, client_of):
    with pytest.raises(ConfigError, match="Set the environment variable UP_KEY"):
        await client_of(api_key_env="UP_KEY").sample(ask())
    assert upstream.bodies == []


async def test_an_unknown_model_is_an_error_that_lists_what_the_server_has(upstream, client_of):
    with pytest.raises(ConfigError, match=r"unknown model 'upp'. Known: up. Did you mean 'up'"):
        await client_of(upstream="upp").sample(ask())
    with pytest.raises(ConfigError, match="ends before /chat/completions"):
        await client_of(url=upstream.url + "/v2").sample(ask())


@pytest.mark.parametrize(("status", "body", "error", "told"), [
    (400, '{"error": {"code": "context_length_exceeded", "message": "maximum context length is 8192 tokens"}}', QueryError, "shorten it"),
    (400, '{"object": "error", "message": "the request exceeds the available context size"}', QueryError, "does not fit"),
    (413, "", QueryError, "does not fit"),
    (400, '{"detail": "reasoning_effort: unexpected value"}', ConfigError, "reasoning_effort: unexpected value. It does not accept"),
    (402, '{"error": "pay"}', ModelError, "no credit"),
    (429, '{"error": {"code": "insufficient_quota", "message": "quota"}}', ModelError, "no credit"),
    (307, "", ConfigError, "moved to https://elsewhere/v1"),
])  # fmt: skip
async def test_what_repeating_cannot_mend_is_an_error_at_once(upstream, client_of, status, body, error, told):
    upstream.faults = [(status, {"Location": "https://elsewhere/v1"}, body)]
    client = client_of()
    with pytest.raises(error) as raised:
        await client.sample(ask())
    assert told in str(raised.value) and len(upstream.bodies) == 1 and client.waits == []


async def test_a_server_that_wants_another_name_for_the_cap_gets_it_from_then_on(upstream, client_of):
    upstream.cap_key = "max_completion_tokens"
    client = client_of()
    assert isinstance(await client.sample(ask()), Samples) and isinstance(await client.sample(ask()), Samples)
    assert ["max_completion_tokens" in body for body in upstream.bodies] == [False, True, True]


@pytest.mark.parametrize(("asked", "told"), [
    (ask(logprobs=True), "capability 'logprobs'"),
    (ask(continue_from="and"), "capability 'continue'"),
    (ask(max_thinking_tokens=5), "effort of kind 'cap'"),
    (ask(effort="hihg"), "Did you mean 'high'"),
    (replace(ask(), source=Source("n")), "unknown model 'n'"),
])  # fmt: skip
async def test_what_the_model_cannot_do_is_an_error_before_anything_is_sent(upstream, client_of, asked, told):
    with pytest.raises(ConfigError) as error:
        await client_of().sample(asked)
    assert told in str(error.value) and upstream.bodies == []


async def test_logprobs_come_when_asked_for(client_of):
    reply = await client_of(PROVING).sample(ask(logprobs=True))
    assert reply.completions[0].logprobs == (-0.5,) * 4


async def test_a_cancelled_request_is_settled_at_its_bound(upstream, client_of):
    def steps():
        yield ask(2)

    upstream.faults, grant = ["hang"], Grant(Budget(usd=1.0))
    client = client_of(MANY)
    task = asyncio.create_task(run(steps(), Pool([client]), grant))
    await upstream.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert grant.usage == Usage(1, client.input_tokens(ask()), 0, 2 * CAP, bounded=True)


@pytest.mark.parametrize("one", [True, False])
@pytest.mark.parametrize("capabilities", [MANY, PROVING])
@pytest.mark.parametrize("text", ["word " * 99, ""])
async def test_a_probe_finds_out_whether_usage_counts_one_choice(upstream, client_of, one, capabilities, text):
    upstream.counts_one_choice, upstream.texts = one, [text]
    probed = await probe_choices(client_of(capabilities), "m")
    assert (probed.returns_n, probed.counts_one_choice) == (True, one) and len(upstream.bodies) == 1
    assert probed.usage.output_tokens >= upstream.output_tokens


async def test_a_probe_of_a_server_that_refuses_a_single_token_asks_for_more(upstream, client_of):
    upstream.texts = ["word " * 99]
    upstream.faults = [(400, {}, '{"error": "max_tokens must be at least 16"}')]
    probed = await probe_choices(client_of(MANY), "m")
    assert probed.counts_one_choice is False and upstream.bodies[-1]["max_tokens"] == 16


async def test_a_probe_of_a_server_that_ignores_n_says_so(upstream, client_of):
    upstream.ignores_n = True
    probed = await probe_choices(client_of(MANY), "m")
    assert (probed.returns_n, probed.counts_one_choice) == (False, None)


async def test_the_confidence_of_every_token_comes_when_the_likeliest_are_asked_for(client_of, upstream):
    reply = await client_of(PROVING).sample(ask(2, logprobs=True, top_logprobs=3))
    assert [c.confidences for c in reply.completions] == [(2.5,) * 4, (2.5,) * 2]
    assert upstream.bodies[0]["top_logprobs"] == 3 and reply.usage == true_usage(upstream, 1)
