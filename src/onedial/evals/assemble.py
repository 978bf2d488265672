"""From the standing experiment to the findings that a report shows: every row, share and curve in its place.

How one kind of row is made is in `summary`; how rows are shown, in `report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from onedial.core.errors import TargetUnreachable
from onedial.core.objective import Objective
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.engine.fit import Fitting
from onedial.engine.fitted import Fit
from onedial.engine.promise import DELTA, promise
from onedial.engine.recorded import Recorded
from onedial.engine.rollout import Ladder, roll_out, rung_policy
from onedial.engine.solve import Solved
from onedial.evals.comparison import kept_promises
from onedial.evals.experiment import OFFSETS, POLICIES, Experiment
from onedial.evals.report import findings as f
from onedial.evals.report.panels import models_by_cost
from onedial.evals.report.summary import arm_points, exchange_rows, hull_line, line, matched_rows, promise_rows, reliability_of, shares
from onedial.evals.selection import Sweep
from onedial.metrics.exchange import exchange_by_group
from onedial.policies.assessor import Assessor
from onedial.policies.certificate import Certificate
from onedial.policies.grid import Grid
from onedial.strategies.draw import Reading

FIFTHS = ("easiest fifth", "second fifth", "third fifth", "fourth fifth", "hardest fifth")
AMOUNTS = {"1": 1, "2": 2, "3–4": 4, "5–8": 8, "more": 1 << 30}
"""Samples of one query, by the most that each name stands for."""
NAMED = 4
"""Models that a subtitle names, at most."""
LABELS = tuple("best fixed arm" if not offset else f"best fixed arm − {100 * offset:.4g} points" for offset in OFFSETS)
"""What the experiment's targets are called."""


def findings_of(
    experiment: Experiment,
    fitting: Fitting,
    test: Recorded,
    labels: Sequence[str] = LABELS,
    certificates: Sequence[Certificate | None] = (),
    *,
    subtitle: str = "",
    notes: Sequence[str] = (),
    headline: str = "",
    seed: int = 0,
) -> f.Findings:
    """Assemble everything that a report shows of an experiment.

    Args:
        experiment: What came out.
        fitting: What it was chosen with.
        test: The queries it was shown on.
        labels: One per target.
        certificates: One per target, or none at all. A certified policy is shown where there is one, else the one chosen in training.
        subtitle: What was run on what; by default, the models and settings.
        notes: Caveats, one sentence each; those that follow from the findings are added.
        headline: A title instead of the one that follows from the findings.
        seed: Of the resamples.
    """
    rng = np.random.default_rng(seed)
    rung = nearest_rung(fitting.train, float(experiment.targets[0]))
    fifth = difficulty(fitting.assessor, test.queries)
    promised = _promised(experiment, fitting.fit, certificates)
    reached = [i for i, target in enumerate(experiment.targets) if float(target) in promised.targets]
    given = [certificates[i] for i in reached] if certificates else ()
    return f.Findings(
        subtitle=subtitle or described(experiment.test_grid),
        n_train=fitting.train.quality.shape[1],
        n_test=len(test.queries),
        arms=arm_points(experiment.test_grid),
        lines=_lines(experiment, rng),
        matched=matched_rows(experiment.matched),
        promises=promise_rows([labels[i] for i in reached], kept_promises(promised, rng), given),
        shares=who_got_what(_replayed(fitting, test, rung), fifth, experiment.test_grid),
        reliability=reliability_of(experiment.joint.forecast[rung], experiment.joint.quality[rung]),
        exchange=exchange(experiment.test_grid, fitting.train_grid, fifth),
        notes=(*notes, *_out_of_reach(experiment, labels, reached)),
        headline=headline,
    )


def certificates_for(fit: Fit, targets: Sequence[float], delta: float = DELTA) -> list[Certificate | None]:
    """Certify each target, a mean quality, on the fit's own held-out queries; None where no policy reaches it or no test could show it."""
    return [_certificate(fit, float(target), delta) for target in targets]


def _certificate(fit: Fit, target: float, delta: float) -> Certificate | None:
    if not 0.0 < target < 1.0:
        return None
    try:
        return promise(fit, Objective(quality=target), delta).certificate
    except TargetUnreachable:
        return None


def nearest_rung(ladder: Ladder, target: float) -> int:
    """The rung that serves a target most often; the best one where none reaches it."""
    mixture = ladder.mixture(target)
    if mixture is None:
        return int(ladder.quality.mean(axis=1).argmax())
    return mixture.high if mixture.p_high >= 0.5 else mixture.low


def difficulty(assessor: Assessor, queries: Sequence[Query]) -> Ints:
    """The fifth, from 0 for the easiest, that a query's forecast puts it in before any sample, over all sources alike."""
    return fifths(np.array([float(assessor.latents(query).mu.mean()) for query in queries]))


def fifths(ease: Floats) -> Ints:
    """(n,) the fifth of each query, from 0 for the easiest."""
    rank = np.argsort(np.argsort(-ease, kind="stable"), kind="stable")
    return np.asarray(rank * len(FIFTHS) // max(ease.size, 1), dtype=np.int64)


def who_got_what(solved: Sequence[Solved], fifth: Ints, grid: Grid) -> tuple[f.Shares, ...]:
    """Count models and thinking levels per sample drawn, and samples per query; a choice among one is left out."""
    drawn = [(c.source, int(group)) for run, group in zip(solved, fifth, strict=True) for c in run.answer.candidates]
    group = np.array([g for _, g in drawn], dtype=np.int64)
    models = tuple(models_by_cost(arm_points(grid)))
    efforts = tuple(dict.fromkeys(arm.source.effort or "none" for arm in grid.arms))
    panels = []
    if len(models) > 1:
        panels.append(shares("model, per sample", models, _codes(models, [s.model for s, _ in drawn]), group, FIFTHS))
    if len(efforts) > 1:
        panels.append(shares("thinking, per sample", efforts, _codes(efforts, [s.effort or "none" for s, _ in drawn]), group, FIFTHS))
    counts = np.array([len(run.answer.candidates) for run in solved])
    panels.append(shares("samples, per query", tuple(AMOUNTS), np.searchsorted(list(AMOUNTS.values()), counts), fifth, FIFTHS))
    return tuple(panels)


def exchange(grid: Grid, train: Grid, fifth: Ints) -> tuple[f.ExchangeRow, ...]:
    """What one step up the models costs in compute of the smaller one, each used once at the level that was best in training."""
    rows: list[f.ExchangeRow] = []
    for small, large in pairwise(models_by_cost(arm_points(grid))):
        once, other = _single(grid, train, small), _single(grid, train, large)
        if once is None or other is None:
            continue
        columns = [once, *(j for j, arm in enumerate(grid.arms) if arm.source.model == small and j != once)]
        rows += exchange_rows(small, large, exchange_by_group(grid.quality, grid.cost_usd, columns, other, fifth), FIFTHS)
    return tuple(rows)


def described(grid: Grid) -> str:
    """Say in one line what is compared.

    >>> from onedial.core.arm import Arm
    >>> described(Grid(tuple(map(Arm.parse, ("a/think=0", "a/think=1", "b/think=0/vote=4"))), np.zeros((1, 3)), np.ones((1, 3))))
    '2 models (a, b), 2 thinking levels, up to 4 samples (direct, vote)'
    """
    models = models_by_cost(arm_points(grid))
    efforts = len({arm.source.effort for arm in grid.arms})
    strategies = ", ".join(dict.fromkeys(arm.strategy for arm in grid.arms))
    listed = f" ({', '.join(models)})" if len(models) <= NAMED else ""
    named = f"{len(models)} model{'s' if len(models) > 1 else ''}{listed}"
    thinking = f"{efforts} thinking level{'s' if efforts > 1 else ''}"
    most = max(arm.n for arm in grid.arms)
    drawn = "one sample" if most == 1 else f"up to {most} samples"
    return f"{named}, {thinking}, {drawn} ({strategies})"


def _lines(experiment: Experiment, rng: np.random.Generator) -> tuple[f.Line, ...]:
    swept = [line(experiment.sweeps[name], rng) for name in (*POLICIES, "hindsight")]
    return (*swept, hull_line(experiment.test_grid), line(experiment.fixed, rng))


def _codes(options: Sequence[str], chosen: Sequence[str]) -> Ints:
    return np.array([options.index(one) for one in chosen], dtype=np.int64)


def _single(grid: Grid, train: Grid, model: str) -> int | None:
    """Column of one sample of a model, at the thinking level whose single sample was most accurate in training."""
    own = [j for j, arm in enumerate(grid.arms) if arm.source.model == model and arm.n == 1]
    quality = {arm: float(train.quality[:, j].mean()) for j, arm in enumerate(train.arms)}
    return max(own, key=lambda j: quality[grid.arms[j]], default=None)


def _replayed(fitting: Fitting, test: Recorded, rung: int) -> tuple[Solved, ...]:
    """One rung of the joint ladder on the test queries, with what it drew; verdicts are the recorded ones."""
    ladder = fitting.train
    policy = rung_policy(fitting.assessor, ladder.menu, ladder.worths, ladder.arms, rung, float(ladder.forecast[rung].mean()))
    return roll_out(test, policy, Reading()).solved


def _promised(experiment: Experiment, fit: Fit, certificates: Sequence[Certificate | None]) -> Sweep:
    """What is shown for each target: the certified policy, else the one chosen in training; targets with neither are left out."""
    rung_of = {fit.policy_hash(rung): rung for rung in range(len(fit.worths) + len(fit.arms))} if certificates else {}
    joint, ladder = experiment.sweeps["joint"], experiment.joint
    rows = []
    for i, target in enumerate(experiment.targets):
        certificate, chosen = certificates[i] if certificates else None, np.flatnonzero(joint.targets == target)
        if certificate is not None and certificate.certified:
            rung = rung_of[certificate.policy_hash]
            rows.append((float(target), ladder.quality[rung], ladder.cost_usd[rung]))
        elif chosen.size:
            rows.append((float(target), joint.quality[chosen[0]], joint.cost_usd[chosen[0]]))
    shape = (len(rows), experiment.joint.quality.shape[1])
    quality, cost = (np.array([row[k] for row in rows]).reshape(shape) for k in (1, 2))
    return Sweep("joint", np.array([row[0] for row in rows]), quality, cost)


def _out_of_reach(experiment: Experiment, labels: Sequence[str], reached: Sequence[int]) -> tuple[str, ...]:
    missed = [i for i in range(len(experiment.targets)) if i not in reached]
    named = [f"{100 * float(experiment.targets[i]):.1f} % ({labels[i]})" for i in missed]
    return tuple(f"No policy reached {name} on the training queries, so nothing is promised for it." for name in named)
