"""How long fitting a forecast to 100,000 outcomes takes, and on which step the time goes.

    python benchmarks/fit.py --seed 0

A generated pool: 5,000 queries, ten sources, two samples each. Wall-clock and CPU
seconds are shown, since learners may use every core; what steps take is from a
profile of a second run, and adds up to a little more than the first.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
from time import perf_counter, process_time

from pool import SOURCES, Pool16

from onedial.core.outcome import Panel
from onedial.forecasts.fit import fit_forecast

STEPS = (
    ("sketch.py", "sketch", "sketches"),
    ("choose.py", "choose_learner", "choosing and fitting the learner"),
    ("calibration.py", "fit_logistic", "recalibration"),
    ("dispersion.py", "fit_dispersion", "dispersion"),
    ("fit.py", "_collisions", "agreement of wrong answers"),
    ("token_signal.py", "fit_token_signal", "token signal"),
)
TARGET_S = 10.0


def main() -> None:
    """Generate, arrange, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--queries", type=int, default=5000)
    parser.add_argument("--sources", type=int, default=10)
    parser.add_argument("--samples", type=int, default=2)
    given = parser.parse_args()
    pool, sources = Pool16(given.seed), SOURCES[: given.sources]
    queries = pool.queries(given.queries, "train")
    outcomes = pool.outcomes(queries, given.samples, sources)
    begun = perf_counter()
    panel = Panel.of(queries, outcomes, sources)
    arranged = perf_counter() - begun
    print(f"seed {given.seed}: {len(outcomes):,} outcomes of {len(queries):,} queries on {len(sources)} sources\n")
    print("| step | wall s | CPU s |\n|---|---|---|")
    print(f"| arranging outcomes (`Panel.of`) | {arranged:.2f} | |")
    wall, cpu = perf_counter(), process_time()
    fit_forecast(panel, given.seed)
    wall, cpu = perf_counter() - wall, process_time() - cpu
    print(f"| **fit_forecast** | {wall:.2f} | {cpu:.2f} |")
    for name, seconds in profiled(panel, given.seed):
        print(f"| of it {name} | {seconds:.2f} | |")
    print(f"\nfit {wall:.1f} s; wanted at most {TARGET_S:.0f} s: {'met' if wall <= TARGET_S else 'MISSED'}")


def profiled(panel: Panel, seed: int) -> list[tuple[str, float]]:
    """Cumulative seconds of each step."""
    profile = cProfile.Profile()
    profile.enable()
    fit_forecast(panel, seed)
    profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # not in its stub
    found = {(file.rsplit("/", 1)[-1], name): row[3] for (file, _, name), row in stats.items()}
    return [(title, found[file, name]) for file, name, title in STEPS if (file, name) in found]


if __name__ == "__main__":
    main()
