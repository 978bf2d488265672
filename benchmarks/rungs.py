"""Is the dial honest? What every rung reaches in training, seen by its own fit and out of fold, and on queries never seen.

    python benchmarks/rungs.py DIR/TABLE... [--queries 600] [--seed 0]

Means over five folds by query; each query is unseen once. Costs in the table's unit per query.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from splits import splits_of, table_at, table_options

from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.engine.fit import Fitting, fit_policies
from onedial.engine.ladders import Climb, climb_all
from onedial.engine.recorded import Recorded
from onedial.strategies.draw import Reading


def by_own_fit(fitting: Fitting, train: Recorded, models: Mapping[str, Model]) -> Floats:
    """(rungs, n) quality on training queries of the ladder of the very fit that was made of them."""
    forecast = fitting.fit.forecast
    columns = tuple(range(len(forecast.sources)))
    listed = train.only(forecast.sources)
    own = Climb(listed, fitting.latents, forecast, columns, fitting.fit.worths, fitting.fit.max_draws)
    return climb_all([own], models, Reading())[0].quality


def main() -> None:
    """Print one Markdown table per outcome table."""
    options = table_options(__doc__)
    for folder in options.tables:
        table = table_at(folder, options.queries, options.seed)
        found = []
        for train, test in splits_of(table, options.seed):
            fitting = fit_policies(train, test, table.models, Reading(), options.seed)
            rungs, share = len(fitting.fit.worths), len(test.queries) / len(table.queries)
            proof = [values[:rungs].mean(axis=1) for values in (fitting.proof.quality, fitting.proof.forecast, fitting.proof.cost_usd)]
            own = by_own_fit(fitting, train, table.models).mean(axis=1)
            found.append(share * np.stack([own, fitting.train.quality[:rungs].mean(axis=1), *proof]))
        print(f"{table.name}, {len(table.queries)} queries\n\n| rung | own fit | out of fold | unseen | claimed there | cost |")
        print("|---|---|---|---|---|---|")
        for number, row in enumerate(np.sum(found, axis=0).T, 1):
            print(f"| {number} | {' | '.join(f'{100 * x:.1f} %' for x in row[:4])} | {row[4]:.3g} |")
        print()


if __name__ == "__main__":
    main()
