"""Comparators chosen on the training split and shown on the test split: best fixed arm, hull of fixed arms, oracle.

Policies that choose per query come from elsewhere, as a `Sweep` like these. How
sweeps are compared is in `comparison`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onedial.core.outcome import Floats, Panel
from onedial.core.usage import Price
from onedial.metrics.hull import Mixture, mix, mixture_for_quality
from onedial.metrics.regret import best_net, half_sample_oracle
from onedial.policies.grid import Grid, best_fixed, fixed_arms, halves, most_accurate


@dataclass(frozen=True, slots=True)
class Sweep:
    """One policy over a sweep of its dial, on the test queries.

    Attributes:
        name: `joint`, `model-only`, `compute-only`, `best fixed`, `hull`, `oracle`, ...
        targets: (n_targets,) what was asked for: mean quality (for the oracle: worth in USD).
        quality: (n_targets, n_queries) quality reached, in [0, 1].
        cost_usd: (n_targets, n_queries) cost.
        labels: Per target, what was chosen, where one thing was; else empty.
    """

    name: str
    targets: Floats
    quality: Floats
    cost_usd: Floats
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expected = (self.targets.size, self.quality.shape[-1])
        if self.quality.shape != expected or self.cost_usd.shape != expected:
            raise ValueError(
                f"sweep {self.name!r}: expected quality and cost {expected}, found {self.quality.shape} and {self.cost_usd.shape}"
            )


def fixed_sweep(train: Grid, test: Grid, targets: npt.ArrayLike, name: str = "best fixed") -> Sweep:
    """Per target, the best fixed arm of the training split, on the test split; the most accurate arm where none meets it."""
    wanted = np.asarray(targets, dtype=float)
    found = [best_fixed(train, float(t)) for t in wanted]
    chosen = [most_accurate(train) if j is None else j for j in found]
    return Sweep(name, wanted, test.quality[:, chosen].T, test.cost_usd[:, chosen].T, tuple(str(train.arms[j]) for j in chosen))


def hull_sweep(train: Grid, test: Grid, targets: npt.ArrayLike, name: str = "hull") -> Sweep:
    """Per target, the cheapest mixture of two fixed arms on the training split, in expectation on the test split."""
    wanted = np.asarray(targets, dtype=float)
    quality, cost = train.quality.mean(axis=0), train.cost_usd.mean(axis=0)
    top = most_accurate(train)
    mixtures = [mixture_for_quality(cost, quality, float(t)) or Mixture(top, top, 0.0) for t in wanted]
    return Sweep(
        name,
        wanted,
        np.stack([mix(test.quality, m) for m in mixtures]),
        np.stack([mix(test.cost_usd, m) for m in mixtures]),
        tuple(f"{train.arms[m.low]} + {m.p_high:.2f} of {train.arms[m.high]}" for m in mixtures),
    )


def oracle_worths(grid: Grid, n_steps: int = 40) -> Floats:
    """Worths, in USD per unit of quality, from buying the cheapest arm everywhere to buying any gain; infinite last."""
    span = max(float(grid.cost_usd.max()), 1e-12)
    return np.append(np.geomspace(span * 1e-3, span * 1e3, n_steps - 1), np.inf)


def oracle_sweep(
    panel: Panel,
    prices: Mapping[str, Price],
    rng: np.random.Generator,
    *,
    votes: Sequence[int] = (1, 2, 4, 8),
    strategies: Sequence[str] = ("direct", "vote"),
    worths: Floats | None = None,
) -> Sweep:
    """Choose per query with hindsight on one half of its samples, scored on the other, both ways round.

    Its last point, of infinite worth, is the oracle as defined: the cheapest arm of
    the best quality. Arms that need more samples than half of the recorded ones are not on offer to it.
    """
    first, second = halves(panel, rng)
    grids = [fixed_arms(half, prices, rng, votes=votes, strategies=strategies) for half in (first, second)]
    known = [np.isfinite(g.quality).all(axis=0) & np.isfinite(g.cost_usd).all(axis=0) for g in grids]
    columns = np.flatnonzero(known[0] & known[1])
    a, b = (g.columns(columns) for g in grids)
    ladder = oracle_worths(a) if worths is None else worths
    picks = [half_sample_oracle(a.quality, a.cost_usd, b.quality, b.cost_usd, float(w)) for w in ladder]
    quality = np.stack([(x.quality + y.quality) / 2 for x, y in picks])
    cost = np.stack([(x.cost + y.cost) / 2 for x, y in picks])
    return Sweep("oracle", ladder, quality, cost)


def hindsight_sweep(test: Grid, worths: Floats | None = None) -> Sweep:
    """Choose per query the arm that is best on the very samples it is scored on: a bound that flatters itself, and that nothing passes.

    Where few samples are recorded the oracle above chases luck and falls behind real policies; this one shows the other side.
    """
    ladder = oracle_worths(test) if worths is None else worths
    rows = np.arange(test.quality.shape[0])
    picks = [best_net(test.quality, test.cost_usd, float(w)) for w in ladder]
    return Sweep("hindsight", ladder, np.stack([test.quality[rows, p] for p in picks]), np.stack([test.cost_usd[rows, p] for p in picks]))
