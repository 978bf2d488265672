"""Predict more samples and left-out efforts on outcome tables, beside five rivals.

    python benchmarks/extrapolation.py DIR... [--seed 0] [--resamples 500] [--json FILE]

Prints, per table and task, the root mean squared error of quality with the sampling noise
of the truth subtracted (arm means, groups of queries, single queries), the relative error of cost, and the
regret in points of quality of choosing by the predictions, all with 95 % intervals over resampled queries.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from onedial.core.outcome import Panel
from onedial.evals.extrapolation.benchmark import extrapolate
from onedial.runtime.table import read_table

LEVELS = ("arm", "arm_exact", "group", "query", "cost")


def main() -> None:
    """Run each table and print its sections."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for directory in options.tables:
        started = time.monotonic()
        table = read_table(directory, repair=True)
        panel = Panel.of(table.queries, table.outcomes)
        found[directory.name] = extrapolate(panel, {}, options.seed, options.resamples).to_json()
        show(directory.name, found[directory.name])
        print(f"({time.monotonic() - started:.0f} s, seed {options.seed})\n", flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def show(name: str, report: dict[str, Any]) -> None:
    """Print one table's tasks."""
    for task in ("samples", "efforts"):
        if report[task]["reason"]:
            print(f"### {name}: {task}: none ({report[task]['reason']})\n")
        for part in report[task]["parts"]:
            show_part(name, task, part)


def show_part(name: str, task: str, part: dict[str, Any]) -> None:
    """Print one part as a Markdown table."""
    what = f"{part['kind']} from {part['fit_samples']} seen" if task == "samples" else "left-out effort"
    print(f"### {name}: {what} ({part['n_queries']} queries, {part['n_cells']} cells, {part['n_groups']} groups)\n")
    print("| method | arm | arm exact | group | query | cost | regret | more than onedial |\n|---|---|---|---|---|---|---|---|")
    for method, levels in part["methods"].items():
        cells = [points(levels[level], "rmse") for level in LEVELS]
        regret = (part["regret"] or {}).get(method)
        more = f"{100 * regret['more_than_onedial']:+.2f} {interval(regret['more_ci95'])}" if regret else "-"
        print(f"| {method} | {' | '.join(cells)} | {points(regret, 'regret')} | {more} |")
    ratios = {level: part["ratio_to_nearest"]["onedial"][level] for level in LEVELS}
    told = ", ".join(f"{level} {r['ratio']:.2f} {interval(r['ci95'], 1)}" for level, r in ratios.items() if r)
    print(f"\nonedial / nearest: {told or 'not defined'}")
    if "arm_rmse_by_size" in part:
        for n, by in part["arm_rmse_by_size"].items():
            print(f"  n={n}: " + ", ".join(f"{method} {100 * value:.1f}" for method, value in by.items()))
    print(flush=True)


def points(entry: dict[str, Any] | None, key: str) -> str:
    """Hundredths, with the interval."""
    return "-" if entry is None else f"{100 * entry[key]:.2f} {interval(entry['ci95'])}"


def interval(ends: list[float | None], scale: float = 100) -> str:
    """Both ends; an open one is written as infinite."""
    return "[" + ", ".join("inf" if end is None else f"{scale * end:.2f}" for end in ends) + "]"


if __name__ == "__main__":
    sys.exit(main())
