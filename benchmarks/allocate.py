"""Dividing one budget over a million queries: time, exactness beside HiGHS, and growth with queries and arms.

    python benchmarks/allocate.py --seed 0

Two kinds of instance. In `forecast` arms are sixteen sources with four sample counts
each, quality saturating with samples at a rate of its own per query and source: most
arms are dominated. In `concave` every arm is a vertex of its query's hull, the most
segments that there can be. Times are CPU seconds of one thread; building hulls and
solving over them are timed apart. HiGHS solves the linear relaxation of the same
instance, on all arms and, since that may be thought unfair, on hull vertices alone.
"""

from __future__ import annotations

import argparse
import os
import resource
from collections.abc import Callable
from time import process_time
from typing import TypeVar

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from onedial.core.outcome import Floats
from onedial.policies.allocate import for_quality, within_budget
from onedial.policies.hulls import Hulls, build_hulls, joined

T = TypeVar("T")
PART = 50_000
"""Queries generated at a time: memory never holds more arms than that beside the hulls."""
SHARES = (0.1, 0.5, 0.9)
"""Budgets, as shares of the way from every cheapest arm to every best one."""


def timed(function: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds, and the result."""
    begun = process_time()
    found = function()
    return process_time() - begun, found


def forecasts(rng: np.random.Generator, n: int, k: int) -> tuple[Floats, Floats]:
    """(n, k) cost and quality of sources with the counts 1, 2, 4 and 8."""
    counts, sources = np.array([1, 2, 4, 8]), max(1, k // 4)
    price = np.geomspace(1e-5, 1e-2, sources)[:, None] * np.exp(0.3 * rng.standard_normal((n, sources, 1)))
    ability = np.linspace(-1.0, 2.0, sources)[:, None] + rng.standard_normal((n, 1, 1)) + 0.5 * rng.standard_normal((n, sources, 1))
    gain = 0.5 * rng.random((n, sources, 1)) * np.log(counts)
    cost, quality = price * (0.2 + counts), 1.0 / (1.0 + np.exp(-ability - gain))
    return cost.reshape(n, -1)[:, :k], quality.reshape(n, -1)[:, :k]


def concave(rng: np.random.Generator, n: int, k: int) -> tuple[Floats, Floats]:
    """(n, k) arms that all lie on their hull, shuffled."""
    cost = rng.permuted(np.arange(1, k + 1) + 0.5 * rng.random((n, k)), axis=1)
    return cost, np.sqrt(cost / (k + 2)) * (0.5 + 0.5 * rng.random((n, 1)))


KINDS = {"forecast": forecasts, "concave": concave}


def instance(kind: str, n: int, k: int, seed: int) -> tuple[float, Hulls]:
    """CPU seconds of building, and the hulls of n queries, generated and built part by part."""
    rng, spent, parts = np.random.default_rng([seed, n, k]), 0.0, []
    for begin in range(0, n, PART):
        cost, quality = KINDS[kind](rng, min(PART, n - begin), k)
        seconds, hulls = timed(lambda c=cost, q=quality: build_hulls(c, q))
        spent, parts = spent + seconds, [*parts, hulls]
    seconds, hulls = timed(lambda: joined(parts))
    return spent + seconds, hulls


def solve(hulls: Hulls) -> tuple[float, float]:
    """Mean CPU seconds of one solve for a budget, and of one for a quality."""
    span, found = hulls.cost.sum(), []
    for share in SHARES:
        budget, allocation = timed(lambda s=share: within_budget(hulls, hulls.least_usd + s * span))
        quality, _ = timed(lambda a=allocation: for_quality(hulls, a.quality))
        found.append((budget, quality))
    a, b = np.mean(found, axis=0)
    return float(a), float(b)


def growth(kind: str, seed: int, sizes: list[tuple[int, int]]) -> list[tuple[int, int, int, float, float, float]]:
    """One row per size: queries, arms, segments, seconds of building and of solving for a budget and a quality."""
    rows = []
    for n, k in sizes:
        building, hulls = instance(kind, n, k, seed)
        budget, quality = solve(hulls)
        rows.append((n, k, len(hulls.slope), building, budget, quality))
        print(f"| {kind} | {n:,} | {k} | {len(hulls.slope):,} | {building:.3f} | {budget:.4f} | {quality:.4f} |", flush=True)
    return rows


def exponent(rows: list[tuple[int, int, int, float, float, float]], by: int, of: int) -> float:
    """Slope of log time against log size, by least squares."""
    x, y = (np.log([float(row[column]) for row in rows]) for column in (by, of))
    return float(np.polyfit(x, y, 1)[0])


def highs(cost: Floats, quality: Floats, budget: float, weights: Floats) -> tuple[float, float]:
    """CPU seconds of HiGHS on the relaxation of arms with weight 1, and its objective."""
    keep = np.flatnonzero(weights.ravel() > 0)
    rows = np.repeat(np.arange(len(cost)), cost.shape[1])[keep]
    one = csr_array((np.ones(len(keep)), (rows, np.arange(len(keep)))), shape=(len(cost), len(keep)))
    total = csr_array(cost.ravel()[keep][None])
    value = -quality.ravel()[keep]
    seconds, found = timed(lambda: linprog(value, A_ub=total, b_ub=[budget], A_eq=one, b_eq=np.ones(len(cost)), method="highs"))
    return seconds, -float(found.fun)


def vertices(hulls: Hulls, shape: tuple[int, int]) -> Floats:
    """(n, k) 1 where an arm is on its query's hull."""
    found, rows = np.zeros(shape), np.repeat(np.arange(shape[0]), np.diff(hulls.first))
    found[np.arange(shape[0]), hulls.base_arm] = 1.0
    found[rows, hulls.arm] = 1.0
    return found


def beside_highs(kind: str, n: int, k: int, seed: int) -> None:
    """Print one instance solved both ways."""
    cost, quality = KINDS[kind](np.random.default_rng([seed, n, k]), n, k)
    building, hulls = timed(lambda: build_hulls(cost, quality))
    budget = hulls.least_usd + 0.5 * hulls.cost.sum()
    within_budget(hulls, budget)
    ours, found = timed(lambda: [within_budget(hulls, budget) for _ in range(10)][-1])
    ours /= 10
    whole, best = highs(cost, quality, budget, np.ones_like(cost))
    hull_only, _ = highs(cost, quality, budget, vertices(hulls, cost.shape))
    off, step = best - found.quality, float(hulls.quality.max())
    exact = abs(best - found.at_most) / best
    times = [f"{1e3 * ours:.2f}", f"{1e3 * building:.1f}", f"{whole:.2f}", f"{hull_only:.2f}"]
    ratios = [f"{ratio:,.0f}" for ratio in (whole / ours, hull_only / ours, whole / (ours + building))]
    same = [f"{off:.2e}", f"{step:.2e}", f"{exact:.0e}", "yes" if -1e-6 <= off <= step else "NO"]
    print(f"| {kind} | {n:,} | {k} | {' | '.join(times + ratios + same)} |", flush=True)


def main() -> None:
    """Print three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--queries", type=int, default=1_000_000)
    parser.add_argument("--small", action="store_true", help="a hundredth of every size, to see that it runs")
    given = parser.parse_args()
    scale = 100 if given.small else 1
    n, sizes = given.queries // scale, [given.queries // scale // part for part in (16, 8, 4, 2, 1)]
    print(f"seed {given.seed}, numpy {np.__version__}, one thread, CPU seconds\n")
    print("| kind | queries | arms | segments | hulls s | budget s | quality s |\n|---|---|---|---|---|---|---|")
    by_n = growth("forecast", given.seed, [(size, 64) for size in sizes])
    by_k = growth("forecast", given.seed, [(n // 4, k) for k in (8, 16, 32, 64, 128)])
    dense = growth("concave", given.seed, [(n // 4, k) for k in (8, 16, 32, 64)])
    print("\n| time ~ size ^ exponent | hulls | budget | quality |\n|---|---|---|---|")
    for name, rows, by in (
        ("forecast, by queries", by_n, 0),
        ("forecast, by arms", by_k, 1),
        ("concave, by arms", dense, 1),
        ("all, by segments", by_n + by_k + dense, 2),
    ):
        print(f"| {name} | {' | '.join(f'{exponent(rows, by, of):.2f}' for of in (3, 4, 5))} |")
    header = "kind, queries, arms, ours ms, hulls ms, HiGHS s, HiGHS on hulls s, ratio, ratio on hulls, ratio with hulls built"
    columns = [*header.split(", "), "lost", "largest segment", "relaxation off by", "within one segment"]
    print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for kind, queries, arms in (("forecast", 500, 64), ("forecast", 2000, 64), ("forecast", 4000, 16), ("concave", 2000, 16)):
        beside_highs(kind, queries // scale, arms, given.seed)
    largest = by_n[-1]
    met = "met" if largest[4] <= 1.0 else "MISSED"
    print(f"\n{largest[0]:,} queries x 64 arms: {largest[4]:.3f} s of one core; wanted at most 1 s: {met}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
