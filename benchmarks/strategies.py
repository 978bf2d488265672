"""Does depth pay beside width? Joint with strategies as further choices against joint with single samples alone, on the embedded models.

    python benchmarks/strategies.py [--methods beam=4 ...] [--queries 300] [--seed 0] [--data DIR] [--samples 4]

The same prompts, three disjoint sets: policies are fitted and rungs chosen on the first, the second
is what a certificate would rest on, the third is compared on. The comparison replays what was recorded there. Ratios are costs at
the quality that the best fixed arm of single samples reaches, 95 % intervals of a paired bootstrap over queries.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from onedial.apps.workspace import embedded
from onedial.core.errors import OnedialError
from onedial.engine.dial import Dial
from onedial.engine.fit import Fitting, fit_policies, grid_of
from onedial.engine.ladders import Climb, climb_all
from onedial.engine.recorded import Recorded
from onedial.evals.comparison import matched_quality
from onedial.evals.experiment import OFFSETS, rolled
from onedial.evals.selection import Sweep, fixed_sweep
from onedial.evals.sweeps import policy_sweep
from onedial.lab.prompts import lab_queries
from onedial.runtime.store import Store

SPLITS = ("train", "certify", "test")
AT_ONCE = 256


def recorded(dial: Dial, n: int, samples: int) -> list[Recorded]:
    """Collect outcomes of every model and method on three disjoint sets of prompts."""
    splits = [lab_queries(n, split, dial.settings.seed) for split in SPLITS]
    report = dial.block(dial.collect([q for split in splits for q in split], samples=samples, concurrency=AT_ONCE))
    print(f"collected {report.stored:,} outcomes, {report.failed:,} failed {dict(list(report.troubles.items())[:3])}", flush=True)
    with Store.open(dial.store_path) as store:
        outcomes = store.outcomes()
    return [Recorded.of(split, outcomes, dial.pool.models) for split in splits]


def fitted(dial: Dial, parts: Sequence[Recorded]) -> Fitting:
    """Fit on the first part; the second is what certificates would rest on."""
    return fit_policies(parts[0], parts[1], dial.pool.models, dial.settings.reading, dial.settings.seed)


def sweep(name: str, dial: Dial, fitting: Fitting, test: Recorded, targets: Sequence[float]) -> Sweep:
    """Roll the ladder out on the test part, and show the rungs that training chose for each target."""
    forecast, sources = fitting.fit.forecast, fitting.fit.forecast.sources
    listed = test.only(sources)
    latents = forecast.latents(test.queries, listed.panel.input_tokens)
    one = Climb(listed, latents, forecast, tuple(range(len(sources))), fitting.fit.worths, fitting.fit.max_draws)
    (ladder,) = climb_all([one], dial.pool.models, dial.settings.reading)
    ladder = ladder.with_arms(grid_of(test, dial.settings.seed), fitting.fit.arms, fitting.train_grid, sources)
    drawn = ladder.draws.mean(axis=(0, 1))
    most = ", ".join(f"{sources[j]} {drawn[j]:.2f}" for j in np.argsort(-drawn)[:6])
    print(f"{name}: {len(sources)} sources; draws per query over the rungs: {most}", flush=True)
    return policy_sweep(name, {"all": rolled(fitting.train)}, {"all": rolled(ladder)}, targets)


def main() -> None:
    """Collect what is missing, fit twice, and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=["wvote=4", "pbest=4"], metavar="STRATEGY=N")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=Path("onedial-data") / "strategies")
    options = parser.parse_args()
    with embedded(options.data, options.seed, options.methods) as dial:
        parts = recorded(dial, options.queries, options.samples)
        single = [source for source in parts[0].panel.sources if source.base == source.model]
        plain = [part.only(single) for part in parts]
        both = {"joint": fitted(dial, parts), "sampling only": fitted(dial, plain)}
        fixed = [both["sampling only"].train_grid.complete(), grid_of(plain[2], options.seed)]
        best = float(fixed[0].quality.mean(axis=0).max())
        targets = sorted({*(best - offset for offset in OFFSETS), *np.linspace(0.4 * best, best, 24)})
        sweeps = [sweep(name, dial, one, parts[2] if name == "joint" else plain[2], targets) for name, one in both.items()]
        columns = [fixed[1].arms.index(arm) for arm in fixed[0].arms]
        reference = fixed_sweep(fixed[0], fixed[1].columns(columns), [best - offset for offset in OFFSETS])
        print("\n| right | best fixed | joint | sampling only | joint / sampling only |\n|---|---|---|---|---|")
        rows = matched_quality(reference, sweeps, np.random.default_rng(options.seed))
        for k in range(0, len(rows), 3):
            arm, joint, other = rows[k : k + 3]
            lead = f"{other.lead_over.estimate:.2f} [{other.lead_over.low:.2f}, {other.lead_over.high:.2f}]"
            costs = " | ".join(f"{1e6 * row.cost_usd.estimate:.2f}" for row in (arm, joint, other))
            print(f"| {100 * joint.level:.1f} % | {costs} | {lead} |")
        print("\nCosts in millionths of a USD per query.")


if __name__ == "__main__":
    try:
        main()
    except OnedialError as error:
        sys.exit(str(error))
