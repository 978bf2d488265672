"""The dual rule over fixed arms: the best forecast quality net of cost, decided before the first token. Microseconds per query.

It is what a controller does that must commit, and what planning a batch does to
every query. Acting again after an observation is in `controller`.

Source: THEORY.md section 1, "dual rule".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Arm
from onedial.core.decision import Decision, Outlook
from onedial.core.outcome import Floats
from onedial.core.query import Query
from onedial.forecasts.latents import Latents
from onedial.policies.fixed_arm import FixedArm
from onedial.policies.fixed_forecast import FixedForecast

SHOWN = 12


def net_values(forecast: FixedForecast, latents: Latents, worth: float) -> Floats:
    """(n, A) worth of the quality less the cost, in USD; the dual rule takes the largest of each row.

    Args:
        forecast: Of the fixed arms.
        latents: Of any number of queries.
        worth: USD per unit of probability of being right.
    """
    return worth * forecast.quality(latents) - forecast.cost_usd(latents)


@dataclass(frozen=True, slots=True)
class Dual:
    """A policy that draws one fixed arm and answers as its strategy would.

    Attributes:
        forecast: Of the fixed arms.
        latents: Forecasts one query, such as `Assessor.latents`, which remembers.
        worth: USD per unit of probability of being right.
        explain: List the options considered, best first.
    """

    forecast: FixedForecast
    latents: Callable[[Query], Latents]
    worth: float
    explain: bool = True

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Draw on the first call, stop on the second."""
        latents = self.latents(query)
        quality, cost = self.forecast.quality(latents)[0], self.forecast.cost_usd(latents)[0]
        net = self.worth * quality - cost
        best = int(net.argmax())
        arm, q = self.forecast.arms[best], float(quality[best])
        if tried:
            return FixedArm(arm, q, "everything was decided before the first token").choose(query, tried, spent_usd)
        reason = f"{arm} should be right with {100 * q:.1f} % for ${cost[best]:.2g}, the best of {len(net)} arms for its cost"
        return Decision(arm, None, 0.0, reason, self._outlooks(quality, cost, net) if self.explain else ())

    def _outlooks(self, quality: Floats, cost: Floats, net: Floats) -> tuple[Outlook, ...]:
        arms: tuple[Arm, ...] = self.forecast.arms
        order = np.argsort(-net, kind="stable")[:SHOWN]
        return tuple(Outlook(arms[j], float(quality[j]), float(cost[j]), float(net[j])) for j in order)
