"""A capped thought on a real model: fewer tokens, never an empty answer."""

from onedial.core.arm import Arm
from onedial.core.query import Query
from onedial.lab.client import LabClient
from onedial.lab.prompts import lab_queries
from onedial.runtime.driver import run
from onedial.runtime.ledger import Grant
from onedial.runtime.pool import Pool
from onedial.strategies.draw import Reading
from onedial.strategies.registry import steps_of


def test_it_asks_for_one_sample_with_the_cap():
    steps = steps_of(Arm.parse("m/think=3/cap=4"), Query("q", "?"), Reading())
    ask = next(steps)
    assert (ask.n, ask.max_thinking_tokens) == (1, 4)


async def test_a_capped_thought_is_cut_and_still_answered():
    async with Pool([LabClient(["tiny"])]) as pool:
        for query in lab_queries(10, "test", seed=2):
            free, capped = [await run(steps_of(Arm.parse(f"tiny/think=3{cap}"), query, Reading()), pool, Grant()) for cap in ("", "/cap=2")]
            assert capped.spend.usage.thinking_tokens <= 2 < free.spend.usage.thinking_tokens
            assert capped.answer
