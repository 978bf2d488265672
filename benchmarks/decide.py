"""How long one decision takes with 64 arms: text to a sketch, the sketch to latents, latents to an arm by the dual rule.

    python benchmarks/decide.py --seed 0

Sixteen sources with four arms each, forecast by the learner chosen on a generated pool.
Beside the dual rule, which commits before the first token, stands the controller that
may act again after each answer: on a fresh query, and after two samples. It enumerates
what blocks of samples may bring, and is slower by orders of magnitude. Times are
wall-clock microseconds in one thread, every query once, in one run.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from pool import MODELS, SOURCES, Pool16

from onedial.core.answer import Candidate
from onedial.core.arm import Arm
from onedial.forecasts.fit import fit_forecast
from onedial.forecasts.forecast import scale_of
from onedial.forecasts.sketch import sketch
from onedial.policies.assessor import Assessor
from onedial.policies.controller import Controller, Menu
from onedial.policies.dual import Dual, net_values
from onedial.policies.fixed_forecast import FixedForecast

ARMS = [Arm(source, "direct" if n == 1 else "vote", n) for source in SOURCES for n in (1, 2, 4, 8)]
WORTH = 1e-3
TARGET_US = 100.0


def timed(function: Callable[[Any], object], over: Sequence[Any]) -> list[float]:
    """Microseconds of each call, after a tenth of them unmeasured."""
    for one in over[: max(1, len(over) // 10)]:
        function(one)
    found = []
    for one in over:
        begun = perf_counter()
        function(one)
        found.append(1e6 * (perf_counter() - begun))
    return found


def show(what: str, times: Sequence[float]) -> None:
    """Print one row."""
    p50, p95 = np.percentile(times, [50, 95])
    print(f"| {what} | {p50:,.0f} | {p95:,.0f} | {len(times):,} |")


def main() -> None:
    """Fit once, time every stage on its own, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--slow", type=int, default=40, help="queries for the controller")
    given = parser.parse_args()
    pool = Pool16(given.seed)
    forecast = fit_forecast(pool.panel(pool.queries(300, "train"), 2), given.seed).forecast
    queries = pool.queries(given.queries, "test")
    fixed = FixedForecast.of(forecast, MODELS, ARMS)
    every = forecast.latents(queries)
    rows = {query.id: every.rows([i]) for i, query in enumerate(queries)}
    dual = Dual(fixed, lambda query: rows[query.id], WORTH, explain=False)
    print(f"seed {given.seed}, {len(ARMS)} arms on {len(SOURCES)} sources, learner {forecast.learner}\n")
    print("| stage | p50 µs | p95 µs | n |\n|---|---|---|---|")
    show("text to a sketch", timed(lambda query: sketch([query]), queries))
    sketches = [sketch([query]) for query in queries[:500]]
    show("sketch to the learner's outputs", timed(forecast.reader.predict, sketches))
    show("outputs to latents", timed(forecast.from_outputs, [forecast.reader.predict(one) / scale_of(len(SOURCES)) for one in sketches]))
    decided = timed(lambda row: net_values(fixed, row, WORTH).argmax(), list(rows.values()))
    show("**latents to an arm (dual rule)**", decided)
    show("the same with its sentence (`Dual.choose`)", timed(dual.choose, queries))
    show("the same with the twelve best options listed", timed(Dual(fixed, dual.latents, WORTH).choose, queries))
    begun = perf_counter()
    fixed.grid(every)
    batched = 1e6 * (perf_counter() - begun) / len(queries)
    print(f"| latents to all arms, {len(queries):,} queries at once | {batched:,.1f} each | | |")
    controller(Assessor(forecast, MODELS), pool, given.slow)
    p50 = float(np.percentile(decided, 50))
    print(f"\ndual rule p50 {p50:.0f} µs; wanted at most {TARGET_US:.0f} µs: {'met' if p50 <= TARGET_US else 'MISSED'}")


def controller(assessor: Assessor, pool: Pool16, n: int) -> None:
    """Time the controller that acts again; no query is timed twice, since assessments are remembered."""
    policy = Controller(assessor, Menu(tuple(range(len(SOURCES)))), WORTH)
    fresh, later = pool.queries(n, "fresh"), pool.queries(n, "later")
    assessor.preload(fresh + later, assessor.forecast.latents(fresh + later))
    show("controller, first decision", [once(lambda q=query: policy.choose(q)) for query in fresh])
    for query in later:
        policy.choose(query)
    tried = tuple(Candidate(SOURCES[0], i, text, text) for i, text in enumerate("xy"))
    show("controller, after two samples", [once(lambda q=query: policy.choose(q, tried)) for query in later])


def once(call: Callable[[], object]) -> float:
    """Microseconds of one call."""
    begun = perf_counter()
    call()
    return 1e6 * (perf_counter() - begun)


if __name__ == "__main__":
    main()
