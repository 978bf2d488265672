"""Adaptive self-consistency against the package that ships it: do both stop at the same sample?

Draws random sequences of votes, lets its_hub's `AdaptiveSelfConsistency` and
`BetaSelfConsistency` and this project's rules of the same name sample from them,
and counts on how many sequences they draw differently many samples.

    pip install its_hub
    python benchmarks/peers/its_hub_stopping.py --sequences 500 --seed 0

`BetaSelfConsistency` sends all requests at once and looks as replies come in; here they
come in one at a time. What it would be billed for requests that it cancels is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.query import Query
from onedial.policies.baselines.adaptive_consistency import BetaRule
from onedial.policies.baselines.adaptive_self_consistency import DoublingRule
from onedial.policies.baselines.stopping import Stopping, StopRule

try:
    from its_hub import AbstractOrchestrator, AdaptiveSelfConsistency, BetaSelfConsistency
except ImportError:
    sys.exit("its_hub is not installed; `pip install its_hub` into this environment, then run this again.")

SOURCE, QUERY = Source("recorded"), Query("q", "which one ?")
TURNS = 16  # of the event loop between two replies, more than a reply takes to be looked at


class Recorded(AbstractOrchestrator):
    """Answers every request with the next vote of a sequence, one after the other."""

    def __init__(self, votes: Sequence[str]) -> None:
        self._votes, self._sent = votes, 0

    async def agenerate(self, lm: object, messages_lst: list[Any], stop: str | None = None, **_: object) -> list[dict[str, str]]:
        """Serve a batch; a request that is one of many sent at once waits for those before it."""
        first, self._sent = self._sent, self._sent + len(messages_lst)
        for _turn in range(TURNS * first):
            await asyncio.sleep(0)
        return [{"role": "assistant", "content": vote} for vote in self._votes[first : self._sent]]


def theirs(make: Any, threshold: float, votes: Sequence[str]) -> int:
    """Samples that the package draws."""
    algorithm = make(threshold, orchestrator=Recorded(votes))
    result = asyncio.run(algorithm.ainfer(None, QUERY.prompt, len(votes), return_response_only=False))
    return len(result.responses)


def ours(rule: StopRule, votes: Sequence[str]) -> int:
    """Samples that the policy draws."""
    policy, drawn = Stopping(SOURCE, rule, len(votes)), 0
    stream = tuple(Candidate(SOURCE, i, vote, vote) for i, vote in enumerate(votes))
    while (arm := policy.choose(QUERY, stream[:drawn]).arm) is not None:
        drawn += arm.n
    return drawn


def main() -> None:
    """Compare, print a table, and fail if any sequence differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    sequences = [
        ["abcde"[k] for k in rng.choice(5, size=rng.choice([4, 8, 16, 32]), p=rng.dirichlet(np.full(5, 0.5)))]
        for _ in range(asked.sequences)
    ]
    pairs = [("AdaptiveSelfConsistency", AdaptiveSelfConsistency, DoublingRule, t) for t in (0.6, 0.75, 0.9, 1.0)]
    pairs += [("BetaSelfConsistency", BetaSelfConsistency, BetaRule, t) for t in (0.8, 0.9, 0.95, 0.99)]
    wrong = 0
    print(f"{'algorithm':26s} {'threshold':>9s} {'mean samples':>12s} {'differ':>7s}")
    for name, make, rule, threshold in pairs:
        counts = [(theirs(make, threshold, votes), ours(rule(threshold), votes)) for votes in sequences]
        differ = sum(a != b for a, b in counts)
        wrong += differ
        print(f"{name:26s} {threshold:9.2f} {np.mean([a for a, _ in counts]):12.2f} {differ:7d}")
    sys.exit(f"{wrong} runs differ" if wrong else 0)


if __name__ == "__main__":
    main()
