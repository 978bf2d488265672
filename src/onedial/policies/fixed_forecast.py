"""What every fixed arm is forecast to reach and to cost on a query: by formula from its latents, many queries at once.

An arm asks one source for n samples and takes one vote, or one vote among those that a
verifier scores highest. How many samples are right is zero-inflated beta-binomial
in each state of the query; whether so many win a vote depends on how the wrong ones
agree. Choosing an arm is in `dual`; arms on recorded samples are in `grid`.

Source: THEORY.md sections 1 and 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import comb

from onedial.core.arm import Arm
from onedial.core.errors import ConfigError, unknown
from onedial.core.model import Model
from onedial.core.outcome import Floats, Ints
from onedial.core.usage import TOKENS_PER_PRICE
from onedial.forecasts.forecast import COLLISION_EDGE, Forecast
from onedial.forecasts.latents import Latents, at_nodes, concentrations
from onedial.forecasts.sample_curves import AGREES, plurality
from onedial.policies.grid import Grid

STRATEGIES = ("direct", "vote", "best")
AGREE_STEPS = 256
"""Points of mean agreement at which the chance of winning a vote is tabulated; linear in between."""
CHUNK = 2048


@dataclass(frozen=True, slots=True)
class FixedForecast:
    """Fixed arms on the sources of one forecast, ready to be evaluated. Make one with `of`.

    A *pair* is (n, r): r of n samples are right. S sources, A arms, B sizes, P pairs.

    Attributes:
        arms: Column order.
        source: (A,) column of each arm's source.
        size: (A,) which of the sizes it draws.
        best: (A,) 1 where a verifier picks, else 0.
        right: (P,) r of each pair.
        wrong: (P,) n - r.
        starts: (B,) first pair of each size, that with none right.
        ways: (S, 1, P) number of ways over the normaliser of the beta-binomial, times 1 - pi0.
        wins: (`AGREE_STEPS` + 1, P) chance that the right answer wins the vote, by mean agreement of wrong ones.
        share: (P,) r / n: the same where answers never agree.
        prompt_usd: (A,) USD per prompt token of one sending.
        output_usd: (A,) USD per expected token of one sample.
        accept: Chance that the verifier accepts a right answer.
    """

    arms: tuple[Arm, ...]
    source: Ints
    size: Ints
    best: Floats
    right: Ints
    wrong: Ints
    starts: Ints
    ways: Floats
    wins: Floats
    share: Floats
    prompt_usd: Floats
    output_usd: Floats
    accept: float

    @classmethod
    def of(cls, forecast: Forecast, models: Mapping[str, Model], arms: Sequence[Arm]) -> FixedForecast:
        """Tabulate what does not depend on the query.

        Args:
            forecast: Its latents are what is evaluated later.
            models: Every model of the arms, by name.
            arms: Of strategy `direct`, `vote` or `best`, on sources of the forecast.

        Raises:
            ConfigError: There is no arm, or one is of another strategy, source or model.
        """
        _refuse(forecast, models, arms)
        sizes = sorted({arm.n for arm in arms})
        counts = np.array([(n, r) for n in sizes for r in range(n + 1)], dtype=np.int64)
        drawn, right = counts[:, 0], counts[:, 1]
        rising = _rising(forecast.kappa[:, None], max(sizes))[:, 0]
        prices = np.array([_prices(models[arm.source.model], arm.n) for arm in arms])
        return cls(
            arms=tuple(arms),
            source=np.array([forecast.sources.index(arm.source) for arm in arms], dtype=np.int64),
            size=np.array([sizes.index(arm.n) for arm in arms], dtype=np.int64),
            best=np.array([float(arm.strategy == "best") for arm in arms]),
            right=right,
            wrong=drawn - right,
            starts=np.flatnonzero(right == 0),
            ways=((1.0 - forecast.pi0)[:, None] * comb(drawn, right) / rising[:, drawn])[:, None],
            wins=_wins(sizes, forecast.trap),
            share=right / drawn,
            prompt_usd=prices[:, 0],
            output_usd=prices[:, 1],
            accept=forecast.p_accept_right,
        )

    def grid(self, latents: Latents) -> Grid:
        """Every arm on every query of the latents, all sources of the forecast; nothing is NaN."""
        parts = [latents.rows(slice(i, i + CHUNK)) for i in range(0, len(latents.mu), CHUNK)]  # type: ignore[arg-type]  # slices index too
        shape = (len(latents.mu), len(self.arms))
        quality = np.concatenate([self.quality(part) for part in parts]) if parts else np.zeros(shape)
        return Grid(self.arms, quality, self.cost_usd(latents))

    def cost_usd(self, latents: Latents) -> Floats:
        """(n, A) expected cost of one ask for all samples of the arm."""
        prompt, output = latents.input_tokens.take(self.source, axis=1), latents.output_tokens.take(self.source, axis=1)
        return np.asarray(prompt * self.prompt_usd + output * self.output_usd)

    def quality(self, latents: Latents) -> Floats:
        """(n, A) chance that the arm's answer is right."""
        success, states = at_nodes(latents.mu, latents.sigma, latents.beyond, latents.guess)
        alpha = success * latents.kappa[:, None]
        most = int(self.right[-1])
        hits, misses = _rising(alpha, most), _rising(latents.kappa[:, None] - alpha, most)
        runs = hits.take(self.right, axis=3) * misses.take(self.wrong, axis=3) * self.ways
        chance = np.matmul(states[:, None, None, :], runs)[:, :, 0]
        vote = np.add.reduceat(chance * self._wins(latents), self.starts, axis=2)
        flat = vote[:, self.source, self.size]
        if not self.best.any():
            return np.asarray(flat)
        cover = 1.0 - latents.pi0[:, None] - chance.take(self.starts, axis=2)
        checked = self.best * latents.p_check[:, None] * self.accept
        return np.asarray(flat + checked * (cover[:, self.source, self.size] - flat))

    def _wins(self, latents: Latents) -> Floats:
        """(n, 1, P) chance of winning the vote; in free form the first sample is the answer."""
        if latents.free_form:
            return self.share[None, None]
        at = (latents.agree - COLLISION_EDGE[0]) * (AGREE_STEPS / (COLLISION_EDGE[1] - COLLISION_EDGE[0]))
        low = np.minimum(at.astype(np.int64), AGREE_STEPS - 1)
        table = self.wins[low]
        return np.asarray((table + (at - low)[:, None] * (self.wins[low + 1] - table))[:, None])


def _rising(start: Floats, most: int) -> Floats:
    """(..., most + 1) the products start (start + 1) ... of none to `most` factors."""
    out = np.empty((*start.shape, most + 1))
    out[..., 0] = 1.0
    np.cumprod(start[..., None] + np.arange(most), axis=-1, out=out[..., 1:])
    return out


def _wins(sizes: Sequence[int], trap: float) -> Floats:
    """(`AGREE_STEPS` + 1, P) from votes at a few agreements, joined by a spline, averaged over the two concentrations of each mean."""
    known = CubicSpline(AGREES, np.concatenate([plurality(n) for n in sizes]), axis=1)
    rows = []
    for mean in np.linspace(*COLLISION_EDGE, AGREE_STEPS + 1):
        theta, weight = concentrations(float(mean), trap)
        rows.append(np.clip(known(np.clip(1.0 / (1.0 + theta), AGREES[0], AGREES[-1])), 0.0, 1.0) @ weight)
    return np.stack(rows)


def _prices(model: Model, n: int) -> tuple[float, float]:
    """USD per prompt token and per expected output token of an ask for n; a model without `n` is sent the prompt for each."""
    price = model.price
    again = price.cached_usd_per_mtok if "cache" in model.capabilities else None
    repeat = 0.0 if "n" in model.capabilities else (n - 1) * (price.input_usd_per_mtok if again is None else again)
    return (price.input_usd_per_mtok + repeat) / TOKENS_PER_PRICE, n * price.output_usd_per_mtok / TOKENS_PER_PRICE


def _refuse(forecast: Forecast, models: Mapping[str, Model], arms: Sequence[Arm]) -> None:
    if not arms:
        raise ConfigError("there is no arm to forecast; fit on outcomes of models that are configured, with `onedial fit`.")
    for arm in arms:
        if arm.strategy not in STRATEGIES:
            raise ConfigError(f"arm {arm}: {unknown('strategy', arm.strategy, STRATEGIES)} Others cannot be forecast from single samples.")
        if arm.source not in forecast.sources:
            raise ConfigError(
                f"arm {arm}: {unknown('source', str(arm.source), map(str, forecast.sources))} Collect outcomes, and fit again."
            )
        if arm.source.model not in models:
            raise ConfigError(f"arm {arm}: {unknown('model', arm.source.model, models)} Configure it, or fit again.")
