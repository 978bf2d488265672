"""Every search runs live on the embedded models, step by step, and is billed for all that it draws."""

import asyncio
from dataclasses import replace

import pytest

from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError
from onedial.lab.checker import lab_checker
from onedial.lab.client import LabClient
from onedial.lab.prompts import lab_queries
from onedial.lab.stepwise import lab_process, lab_step_checker
from onedial.runtime.driver import run
from onedial.runtime.ledger import Budget, Grant
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient
from onedial.strategies.draw import Reading
from onedial.strategies.registry import steps_of
from onedial.strategies.search.registry import SEARCHES

NAME = next(iter(LabClient().models))
READING = Reading(verify=lab_checker, process=lab_process(lab_step_checker))


@pytest.fixture(scope="module")
def queries():
    return lab_queries(4)[1:3]


@pytest.mark.parametrize("name", SEARCHES)
async def test_a_search_answers_live_and_its_spend_is_the_ledger_s(name, queries):
    async with Pool([LabClient([NAME])]) as pool:
        for query in queries:
            grant = Grant()
            answer = await run(steps_of(Arm(Source(NAME, "3"), name, 5), query, READING), pool, grant)
            assert answer.answer and answer.spend.usage == grant.usage and len(answer.candidates) <= 5
            tokens = sum(c.output_tokens for c in answer.candidates)
            assert answer.spend.usage.output_tokens == tokens


async def test_a_search_finds_more_where_its_steps_are_checked():
    arm, right = Arm(Source(NAME, "3"), "dvts", 16), []
    hops = [query for query in lab_queries(50, "test") if query.dataset == "facts"]
    for process in (lab_process(lab_step_checker), lab_process()):
        async with Pool([LabClient([NAME])]) as pool:
            answers = await asyncio.gather(*(run(steps_of(arm, query, Reading(process=process)), pool, Grant()) for query in hops))
        right.append(sum(answer.answer == query.reference for answer, query in zip(answers, hops, strict=True)))
    assert right[0] >= right[1] + 2


@pytest.mark.parametrize("name", [name for name in SEARCHES if name != "abmcts"])
async def test_a_model_that_cannot_continue_is_refused_before_anything_is_paid(name, queries):
    model = LabClient([NAME]).models[NAME]
    unable = replace(model, capabilities=model.capabilities - {"continue"})
    client, grant = ScriptedClient([unable], lambda ask, model: pytest.fail("it was asked")), Grant(Budget(calls=9))
    with pytest.raises(ConfigError, match="lacks the capability 'continue'"):
        await run(steps_of(Arm(Source(NAME, "3"), name, 4), queries[0], READING), Pool([client]), grant)
    assert not client.asked and grant.usage.calls == 0
