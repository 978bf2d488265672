"""The promise, held against the truth: generated worlds, real fits on generated tables, and how many outcomes it takes.

    python benchmarks/promise.py [--runs 2000] [--n 1000] [--fits 20] [--seed 0] [--json FILE]

Prints, per epsilon, world and test: certificates whose policy truly drops by more than epsilon, with one-sided 95 % bounds of
their rate; how often a certificate was issued and what it saved; then the same for policies fitted on generated tables, whose
truth is measured on fresh queries; then the chance of certifying against the number of outcomes.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from onedial.core.objective import Objective
from onedial.core.query import Query
from onedial.engine.fit import Fitting, fit_policies, grid_of
from onedial.engine.promise import policy_of, promise
from onedial.engine.recorded import Recorded
from onedial.engine.rollout import roll_out
from onedial.evals.promise_check import WORLDS, check_promise, power_curve, rate_bounds
from onedial.metrics.hull import Mixture
from onedial.policies.assessor import Assessor
from onedial.policies.bounds import TESTS
from onedial.strategies.draw import Reading

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from worlds import MODELS, World

EPSILONS = (0.01, 0.02, 0.05)
SIZES = (100, 200, 400, 800, 1600, 3200, 6400)
TRAIN, PROOF, FRESH, SAMPLES = 80, 400, 800, 4
POOL = {name: MODELS[name] for name in ("small", "large")}


def main() -> None:
    """Print three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--fits", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {
        "worlds": worlds(options.runs, options.n, options.seed),
        "fits": fits(options.fits, options.seed),
        "power": power(options.runs, options.seed),
    }
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def worlds(runs: int, n: int, seed: int) -> list[dict[str, object]]:
    """Ladders whose truth is an integral."""
    print(f"### {runs:,} worlds each, {n:,} held-out outcomes, delta 0.1\n")
    print("| epsilon | world | test | violations | rate, 95 % bounds | issued | saved when issued | saving possible |\n" + "|---" * 8 + "|")
    found = []
    for epsilon in EPSILONS:
        for world in WORLDS:
            for test in TESTS:
                row = check_promise(world, epsilon, n=n, runs=runs, seed=seed, test=test)
                found.append(asdict(row))
                bounds = f"{row.violations / runs:.3f} [{row.rate_low:.3f}, {row.rate_high:.3f}]"
                saved = "-" if np.isnan(row.saving_when_issued) else f"{row.saving_when_issued:.3f}"
                print(
                    f"| {epsilon} | {world} | {test} | {row.violations} | {bounds} | {row.issued_rate:.3f} | {saved} "
                    f"| {row.saving_possible:.3f} |",
                    flush=True,
                )
    return found


def fits(runs: int, seed: int) -> dict[str, dict[str, float]]:
    """Policies fitted by the product on generated tables; the truth is the mean over fresh queries, noise included."""
    print(f"\n### {runs} fits on generated tables: {TRAIN} training and {PROOF} held-out queries, truth on {FRESH} fresh ones\n")
    print("| epsilon | violations | by more than the noise of the truth | issued | saved when issued |\n" + "|---" * 5 + "|")
    rows = [fitted(seed + run) for run in range(runs)]
    found = {}
    for epsilon in EPSILONS if runs else ():
        issued = [one for row in rows if (one := row[epsilon]) is not None]
        broken = sum(one.drop > epsilon for one in issued)
        surely = sum(one.drop - 2 * one.error > epsilon for one in issued)
        saved = float(np.mean([one.saving for one in issued])) if issued else float("nan")
        low, high = rate_bounds(broken, runs)
        found[str(epsilon)] = {"violations": broken, "rate_low": low, "rate_high": high, "issued": len(issued) / runs, "saved": saved}
        print(f"| {epsilon} | {broken} of {runs} [{low:.3f}, {high:.3f}] | {surely} | {len(issued) / runs:.2f} | {saved:.3f} |", flush=True)
    return found


class Served(NamedTuple):
    """Mean drop on fresh queries, its standard error, and the share of the reference's cost saved."""

    drop: float
    error: float
    saving: float


def fitted(seed: int) -> dict[float, Served | None]:
    """Fit on one world, ask for a promise at every epsilon, and serve fresh queries with what is certified; None without a certificate."""
    world = World(100 + seed)
    train, proof, fresh = (recorded_of(world, world.queries(n, name)) for name, n in (("train", TRAIN), ("proof", PROOF), ("fresh", FRESH)))
    reading = Reading()
    fitting = fit_policies(train, proof, POOL, reading, seed)
    found: dict[float, Served | None] = {}
    for epsilon in EPSILONS:
        objective = Objective(within=epsilon)
        mixture = promise(fitting.fit, objective).mixture
        found[epsilon] = None if mixture is None else serve(fitting, fresh, mixture, objective, reading)
    return found


def recorded_of(world: World, queries: list[Query]) -> Recorded:
    """Outcomes of the pool on some queries."""
    kept = [o for o in world.outcomes(queries, SAMPLES) if o.model in POOL and o.effort == "0"]
    return Recorded.of(queries, kept, POOL)


def serve(fitting: Fitting, fresh: Recorded, mixture: Mixture, objective: Objective, reading: Reading) -> Served:
    """What the certified policy does on queries that nothing has seen, beside the reference arm."""
    fit = fitting.fit
    assessor = Assessor(fit.forecast, POOL)
    assessor.preload(fresh.queries, fit.forecast.latents(fresh.queries, fresh.only(fit.forecast.sources).panel.input_tokens))
    policy = policy_of(fit, assessor, mixture, objective)
    run = roll_out(fresh, policy, reading)
    grid = grid_of(fresh, fit.seed)
    column = grid.arms.index(fit.reference)
    drops = grid.quality[:, column] - run.quality
    error = float(drops.std() / np.sqrt(len(drops)))
    return Served(float(drops.mean()), error, 1.0 - float(run.cost_usd.mean() / grid.cost_usd[:, column].mean()))


def power(runs: int, seed: int) -> dict[str, list[float]]:
    """One policy that truly loses nothing and disagrees with the reference on a tenth of the queries."""
    print("\n### Chance of certifying: a true drop of 0, policy and reference differ on 10 % of the queries, delta 0.1\n")
    print(f"| epsilon | test | {' | '.join(f'n = {n:,}' for n in SIZES)} |\n" + "|---" * (len(SIZES) + 2) + "|")
    found = {}
    for epsilon in EPSILONS:
        for test in TESTS:
            found[f"{epsilon} {test}"] = power_curve(epsilon, SIZES, runs=min(runs, 500), seed=seed, test=test)
            print(f"| {epsilon} | {test} | {' | '.join(f'{p:.2f}' for p in found[f'{epsilon} {test}'])} |", flush=True)
    return found


if __name__ == "__main__":
    main()
