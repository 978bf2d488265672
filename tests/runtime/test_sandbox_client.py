import asyncio
import os

import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.ask import Failure, Sample
from onedial.core.errors import ConfigError
from onedial.core.query import Message, Query
from onedial.core.usage import Usage
from onedial.runtime.driver import run
from onedial.runtime.ledger import Grant
from onedial.runtime.pool import Pool
from onedial.runtime.sandbox_client import SandboxClient
from onedial.verifiers.judges.contract import metered
from onedial.verifiers.judges.unit_tests import SANDBOX, unit_tests

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX limits")


def ask(program, tests):
    return Sample("q", SANDBOX, (Message("user", "?"), Message("assistant", program), Message("user", tests)), judging=True)


async def test_programs_are_judged_by_the_tests_in_their_query_while_others_go_on():
    query = Query("q", "Write add.\nassert add(1, 2) == 3")
    written = ["def add(a, b):\n    return a + b", "def add(a, b):\n    return a - b"]
    candidates, ticks, grant = [Candidate(Source("m"), i, text, text) for i, text in enumerate(written)], [], Grant()

    async def tick():
        while True:
            ticks.append(None)
            await asyncio.sleep(0.002)

    other = asyncio.create_task(tick())
    verdicts, spend = await run(metered(unit_tests(), query, candidates), Pool([SandboxClient()]), grant)
    other.cancel()
    assert verdicts.scores == (1.0, 0.0) and len(ticks) > 5
    assert spend.usage == grant.usage == Usage(2) and spend.cost_usd == 0


async def test_tests_that_are_none_are_a_failure_and_no_verdict():
    reply = await SandboxClient().sample(ask("x = 1", "assert ("))
    assert isinstance(reply, Failure) and "not Python" in reply.message


async def test_it_answers_no_queries():
    with pytest.raises(ConfigError, match="answers no queries"):
        await SandboxClient().sample(Sample("q", SANDBOX, (Message("user", "?"),)))
