"""How well tokens of a thinking level are foretold that a model was never asked for: `python benchmarks/level_tokens.py TABLE...`.

Every `--left-out`th level of models with several is left out in turn, the map is fitted on the rest, and its mean is compared with the
true one; so are the mean of the model's other levels, and of the same level over other models. A factor is max(a / b, b / a).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from onedial.core.outcome import Panel, known_mean
from onedial.forecasts.level_tokens import fit_level_tokens
from onedial.runtime.table import read_table

QUERIES = 100


def factors(panel: Panel, at_most: int) -> dict[str, list[float]]:
    """Per way of foretelling, the log factors of all levels left out; and `within`, the share of samples within the 95 % quantile."""
    sources, tokens = panel.sources, panel.output_tokens[:QUERIES]
    means = known_mean(tokens, axis=(0, 2))
    several = [j for j, s in enumerate(sources) if sum(o.model == s.model for o in sources) > 1 and np.isfinite(means[j])]
    found: dict[str, list[float]] = {"learned": [], "model": [], "level": [], "within": []}
    for j in several[:: max(1, -(-len(several) // at_most))]:
        held = tokens.copy()
        held[:, j] = np.nan
        used = fit_level_tokens(sources, held).used(sources[j])
        own = [k for k, s in enumerate(sources) if k != j and s.model == sources[j].model and np.isfinite(means[k])]
        same = [k for k, s in enumerate(sources) if k != j and s.effort == sources[j].effort and np.isfinite(means[k])]
        if used is None or not own or not same:
            continue
        for name, guess in (("learned", used.mean), ("model", means[own].mean()), ("level", np.exp(np.log(means[same]).mean()))):
            found[name].append(abs(float(np.log(guess / means[j]))))
        drawn = tokens[:, j][np.isfinite(tokens[:, j])]
        found["within"].append(float(np.mean(drawn <= used.most)))
    return found


def main() -> None:
    """Print a row per table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--left-out", type=int, default=8)
    asked = parser.parse_args()
    print("table                     levels left out   learned   model's others   same level   within the 95 % quantile")
    for folder in asked.tables:
        table = read_table(folder)
        found = factors(Panel.of(table.queries, [o for o in table.outcomes if o.output_tokens]), asked.left_out)
        typical = [float(np.exp(np.median(found[name]))) for name in ("learned", "model", "level")]
        shown = f"{typical[0]:9.2f} {typical[1]:16.2f} {typical[2]:12.2f} {100 * np.mean(found['within']):22.0f} %"
        print(f"{folder.name:25} {len(found['learned']):15} {shown}", flush=True)


if __name__ == "__main__":
    main()
