"""What can be chosen from: every arm with its price and what its model can do, or why it is absent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError
from onedial.core.model import Model
from onedial.core.outcome import Panel, known_mean
from onedial.engine.dial import Dial
from onedial.engine.fit import STRATEGIES
from onedial.engine.fitted import Fit
from onedial.forecasts.latency import fit_latencies
from onedial.forecasts.level_tokens import Used, fit_level_tokens
from onedial.policies.blocks import BLOCKS
from onedial.runtime.openai import OpenAIClient
from onedial.runtime.store import Store
from onedial.verifiers.verifier import no_opinion

QUANTILES = (0.5, 0.95)


@dataclass(frozen=True, slots=True)
class Offered:
    """One arm.

    Attributes:
        arm: Which.
        model: Its model, with price and capabilities.
        absent: Why it cannot be chosen now, and what to do; empty if it can.
        latency_s: Seconds within which half and nineteen of twenty asks for it are answered; None where too few latencies are stored.
        tokens: What one sample of its source takes, learned from all levels of all models; None where nothing is stored to learn from.
    """

    arm: Arm
    model: Model
    absent: str = ""
    latency_s: tuple[float, float] | None = None
    tokens: Used | None = None


def offered(dial: Dial) -> tuple[Offered, ...]:
    """List every source with every strategy and count; what the fit in force has not seen is absent."""
    fit = dial.fitted if dial.fit_path.exists() else None
    kinds = [("direct", 1), *((name, n) for name in STRATEGIES if name != "direct" for n in BLOCKS if n > 1)]
    arms = [Arm(source, name, n) for source in dial.sources for name, n in kinds]
    panel = _recorded(dial)
    waits, used = _waits(panel), _used(panel, dial.sources)
    return tuple(Offered(arm, dial.pool.model(arm.source.model), _absent(arm, dial, fit), waits(arm), used.get(arm.source)) for arm in arms)


def _recorded(dial: Dial) -> Panel | None:
    """What is stored and graded; None if nothing is."""
    if not dial.store_path.exists():
        return None
    with Store.open(dial.store_path) as store:
        graded = [o for o in store.outcomes() if o.score is not None]
        return Panel.of(store.queries(), graded) if graded else None


def _used(panel: Panel | None, sources: Sequence[Source]) -> dict[Source, Used]:
    """Tokens of one sample of every source for which they can be learned."""
    if panel is None:
        return {}
    learned = fit_level_tokens(panel.sources, panel.output_tokens)
    return {source: used for source in sources if (used := learned.used(source)) is not None}


def _waits(panel: Panel | None) -> Callable[[Arm], tuple[float, float] | None]:
    """The wait for an arm, by what has been stored of its source."""
    if panel is None:
        return lambda arm: None
    lines, tokens = fit_latencies(panel), known_mean(panel.output_tokens, axis=(0, 2), otherwise=0.0)

    def wait(arm: Arm) -> tuple[float, float] | None:
        if arm.source not in lines.sources or lines.lines[j := lines.sources.index(arm.source)] is None:
            return None
        half, most = (float(lines.quantile(arm.source, tokens[j], p, arm.n)) for p in QUANTILES)
        return half, most

    return wait


def _absent(arm: Arm, dial: Dial, fit: Fit | None) -> str:
    client = dial.pool.client(arm.source.model)
    if isinstance(client, OpenAIClient):
        try:
            client.check_key(arm.source.model)
        except ConfigError as error:
            return str(error)
    if arm.strategy == "best" and dial.settings.reading.verify is no_opinion and dial.settings.reading.judge is None:
        return "no verifier is configured, so that best would be vote. Name one under [answers]."
    if fit is not None and arm.source not in fit.forecast.sources:
        return "its source had no outcomes when the fit was made, or others were better buys throughout. Collect some, and fit again."
    if fit is not None and arm.n > (deep := fit.max_draws[fit.forecast.sources.index(arm.source)]):
        return f"the fit saw {deep} samples of it on every query, no more. Collect more of them, and fit again."
    return ""
