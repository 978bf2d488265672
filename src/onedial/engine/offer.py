"""What can be chosen from: every arm with its price and what its model can do, or why it is absent."""

from __future__ import annotations

from dataclasses import dataclass

from onedial.core.arm import Arm
from onedial.core.errors import ConfigError
from onedial.core.model import Model
from onedial.engine.dial import Dial
from onedial.engine.fit import STRATEGIES
from onedial.engine.fitted import Fit
from onedial.policies.blocks import BLOCKS
from onedial.runtime.openai import OpenAIClient
from onedial.verifiers.verifier import no_opinion


@dataclass(frozen=True, slots=True)
class Offered:
    """One arm.

    Attributes:
        arm: Which.
        model: Its model, with price and capabilities.
        absent: Why it cannot be chosen now, and what to do; empty if it can.
    """

    arm: Arm
    model: Model
    absent: str = ""


def offered(dial: Dial) -> tuple[Offered, ...]:
    """List every source with every strategy and count; what the fit in force has not seen is absent."""
    fit = dial.fitted if dial.fit_path.exists() else None
    kinds = [("direct", 1), *((name, n) for name in STRATEGIES if name != "direct" for n in BLOCKS if n > 1)]
    arms = [Arm(source, name, n) for source in dial.sources for name, n in kinds]
    return tuple(Offered(arm, dial.pool.model(arm.source.model), _absent(arm, dial, fit)) for arm in arms)


def _absent(arm: Arm, dial: Dial, fit: Fit | None) -> str:
    client = dial.pool.client(arm.source.model)
    if isinstance(client, OpenAIClient):
        try:
            client.check_key(arm.source.model)
        except ConfigError as error:
            return str(error)
    if arm.strategy == "best" and dial.settings.reading.verify is no_opinion:
        return "no verifier is configured, so that best would be vote. Name one under [answers]."
    if fit is not None and arm.source not in fit.forecast.sources:
        return "its source had no outcomes when the fit was made, or others were better buys throughout. Collect some, and fit again."
    if fit is not None and arm.n > (deep := fit.max_draws[fit.forecast.sources.index(arm.source)]):
        return f"the fit saw {deep} samples of it on every query, no more. Collect more of them, and fit again."
    return ""
