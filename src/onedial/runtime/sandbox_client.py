"""The sandbox as a client: programs and tests in, verdicts out, off the event loop. What holds a program is in `sandbox.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from onedial.core.ask import Completion, Failure, Sample, Samples
from onedial.core.errors import ConfigError, TableError
from onedial.core.model import SCORES, Model
from onedial.core.usage import Price, Usage
from onedial.runtime.sandbox import Limits, run_tests
from onedial.verifiers.judges.unit_tests import SANDBOX

AT_A_TIME = 2
"""Programs run side by side: each has a core for as long as it may."""


class SandboxClient:
    """Serves one model of no price: asked with a program as the assistant's last turn and tests after it, it says 1 if they pass, else 0.

    A run is one call and no tokens.

    Attributes:
        models: The sandbox.
    """

    def __init__(self, limits: Limits | None = None, at_a_time: int = AT_A_TIME) -> None:
        """Nothing is run before the first ask.

        Args:
            limits: What every program may use.
            at_a_time: How many run side by side.
        """
        name = SANDBOX.model
        self.models: Mapping[str, Model] = {name: Model(name, Price(0.0, 0.0), max_output_tokens=0, capabilities=frozenset({SCORES}))}
        self._limits, self._slots = limits or Limits(), asyncio.Semaphore(at_a_time)

    def input_tokens(self, ask: Sample) -> int:
        """None: it has no tokens."""
        return 0

    async def sample(self, ask: Sample) -> Samples | Failure:
        """Run the program with the tests; tests that are none are a failure, not a verdict.

        Raises:
            ConfigError: The ask is no program with tests, or this system cannot run one.
        """
        program, tests = ask.messages[-2:] if len(ask.messages) > 1 else (None, None)
        if program is None or tests is None or (program.role, tests.role, ask.n) != ("assistant", "user", 1):
            raise ConfigError("the sandbox runs a program with its tests, and answers no queries. Ask a model for this.")
        async with self._slots:
            begun = asyncio.get_running_loop().time()
            try:
                ran = await asyncio.to_thread(run_tests, program.content, tests.content, self._limits)
            except TableError as error:
                return Failure(str(error), Usage(1))
            latency_s = asyncio.get_running_loop().time() - begun
        said = Completion("1" if ran.verdict == "passed" else "0", thinking=ran.tail, output_tokens=0)
        return Samples((said,), Usage(1), 0.0, latency_s)

    async def aclose(self) -> None:
        """Nothing is open."""
