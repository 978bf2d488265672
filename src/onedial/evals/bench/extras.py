"""What a bench says of a table beside the comparison: whether the promise holds over resplits, and how forecasts extrapolate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from onedial.core.errors import TableError
from onedial.engine.ladders import Progress, quiet
from onedial.evals.bench.run import Benched, source_digest
from onedial.evals.bench.table import BenchTable
from onedial.evals.extrapolation.benchmark import extrapolate
from onedial.evals.resplits import resplit_promise
from onedial.runtime.whole import whole_file

EPSILON, DELTA, RESPLITS = 0.02, 0.1, 200


def promise_over_resplits(benched: Benched) -> dict[str, Any]:
    """Certify points of joint's dial against the most accurate fixed arm on random halves of the queries; or the reason why not.

    Every point was chosen on other folds than the queries that it is shown on.
    """
    joint, fixed = benched.pooled.sweeps["joint"], benched.pooled.fixed
    asked = np.isfinite(joint.targets)
    try:
        found = resplit_promise(
            joint.quality[asked],
            joint.cost_usd[asked],
            fixed.quality[0],
            fixed.cost_usd[0],
            EPSILON,
            DELTA,
            RESPLITS,
            benched.options.seed,
        )
    except TableError as error:
        return {"epsilon": EPSILON, "delta": DELTA, "resamples": 0, "reason": str(error)}
    return found.to_json()


def extrapolation(table: BenchTable, seed: int, folder: Path, progress: Progress = quiet) -> dict[str, Any]:
    """Run the extrapolation benchmark, or read what it found on this table before.

    Args:
        table: Queries and outcomes.
        seed: Of everything random.
        folder: Where what was found is kept.
        progress: Told when it begins and ends.
    """
    path, what = folder / f"extrapolation-{table.digest}-{seed}-{source_digest()}.json", f"{table.name}: extrapolate"
    if path.is_file():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    progress(what, 0, 1)
    recorded = table.recorded(table.queries)
    found = extrapolate(recorded.panel, recorded.prices, seed).to_json()
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        partial.write_text(json.dumps(found), encoding="utf-8")
    progress(what, 1, 1)
    return found
