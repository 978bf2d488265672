"""Search over cascades of two arms: which opening, how sure it must be, and what comes after it.

Openings are a few samples of a probe, what follows is an arm on the training
frontier that costs more and comes of another source; fixed arms are always among the settings. All of them are
evaluated on the tape, thresholds and followers as matrix products.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.outcome import Floats, Ints
from onedial.policies.baselines.pool import Pool, ladder
from onedial.policies.baselines.staged import Scorer, Stage, Staged, warm

THRESHOLDS = 12


@dataclass(frozen=True, slots=True)
class Opening:
    """The first stage of a cascade on the training rows.

    Attributes:
        column: Source, in the pool's tape.
        stage: What is drawn and how it is judged; its threshold is to be found.
        score: (rows,) the judgement used for choosing, held out where it was fitted.
        thresholds: (t,) thresholds to try.
        followers: Which of the pool's arms may follow; None for all that cost more.
    """

    column: int
    stage: Stage
    score: Floats
    thresholds: Floats
    followers: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Settings:
    """Settings and what they come to; `arm` is the follower, -1 for none, `opening` -1 for a fixed arm."""

    opening: Ints
    threshold: Floats
    arm: Ints
    quality: Floats
    cost_usd: Floats


def levels(score: Floats, most: int = THRESHOLDS) -> Floats:
    """(t,) thresholds worth trying: every distinct score but the lowest, or as many quantiles.

    >>> levels(np.array([0.5, 1.0, 0.5, 0.75])).tolist()
    [0.75, 1.0]
    """
    found = np.unique(score)
    return found[1:] if len(found) <= most + 1 else np.unique(np.quantile(score, np.linspace(0, 1, most + 2)[1:-1]))


def tuned(pool: Pool, openings: Sequence[Opening]) -> list[Staged]:
    """The ladder of two-arm cascades and fixed arms on the training hull."""
    after = [pool.tape.arm(home, arm) for home, arm in zip(pool.homes, pool.arms, strict=True)]
    parts = [_fixed(after), *(_scan(pool, number, opening, after) for number, opening in enumerate(openings))]
    every = _joined(parts)
    return [_policy(pool, openings, every, int(k)) for k in ladder(every.cost_usd, every.quality)]


def _fixed(after: Sequence[tuple[Floats, Floats]]) -> _Settings:
    count = len(after)
    value, usd = (np.array([float(pair[k].mean()) for pair in after]) for k in (0, 1))
    return _Settings(np.full(count, -1), np.zeros(count), np.arange(count), value, usd)


def _scan(pool: Pool, number: int, opening: Opening, after: Sequence[tuple[Floats, Floats]]) -> _Settings:
    """Every threshold and follower of one opening, and the opening alone."""
    tape, stage, column = pool.tape, opening.stage, opening.column
    value = tape.value(column, stage.picks(tape.seen(column, stage.arm.n)))
    usd = tape.ask_usd(column, stage.arm.n)
    chosen = list(_followers(pool, opening, usd, after))
    t, f = len(opening.thresholds), len(chosen)
    alone = _Settings(np.array([number]), np.array([-np.inf]), np.array([-1]), np.array([value.mean()]), np.array([usd.mean()]))
    if not t or not f:
        return alone
    goes_on = (opening.score < opening.thresholds[:, None]).astype(float)
    then = np.stack([after[k][0] for k in chosen], axis=1)
    price = np.stack([_warmed(pool, column, k, after) for k in chosen], axis=1)
    quality = (value * (1.0 - goes_on)).mean(axis=1)[:, None] + goes_on @ then / len(value)
    cost = usd.mean() + goes_on @ price / len(value)
    pairs = _Settings(np.full(t * f, number), np.repeat(opening.thresholds, f), np.tile(chosen, t), quality.ravel(), cost.ravel())
    return _joined([alone, pairs])


def _followers(pool: Pool, opening: Opening, usd: Floats, after: Sequence[tuple[Floats, Floats]]) -> Iterable[int]:
    listed = range(len(pool.arms)) if opening.followers is None else opening.followers
    return (k for k in listed if pool.homes[k] != opening.column and after[k][1].mean() > usd.mean())


def _warmed(pool: Pool, column: int, follower: int, after: Sequence[tuple[Floats, Floats]]) -> Floats:
    """(rows,) cost of a follower once the opening has been asked."""
    home, arm = pool.homes[follower], pool.arms[follower]
    return pool.tape.ask_usd(home, arm.n, warm=True) if warm(pool.tape, (column,), home) else after[follower][1]


def _joined(parts: Sequence[_Settings]) -> _Settings:
    return _Settings(
        np.concatenate([p.opening for p in parts]),
        np.concatenate([p.threshold for p in parts]),
        np.concatenate([p.arm for p in parts]),
        np.concatenate([p.quality for p in parts]),
        np.concatenate([p.cost_usd for p in parts]),
    )


def _policy(pool: Pool, openings: Sequence[Opening], every: _Settings, k: int) -> Staged:
    opening, arm, stages = int(every.opening[k]), int(every.arm[k]), []
    if opening >= 0:
        stage = openings[opening].stage
        scorer: Scorer | None = stage.scorer if arm >= 0 else None
        stages.append(Stage(stage.arm, scorer, float(every.threshold[k]), stage.output, stage.first))
    if arm >= 0:
        stages.append(Stage(pool.arms[arm]))
    return Staged(tuple(stages), float(every.quality[k]))
