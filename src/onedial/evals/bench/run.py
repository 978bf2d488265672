"""The bench: every policy on a table, cross-validated by query, compared at equal achieved quality.

Every query is tested once, by policies fitted and chosen on the other folds. What each
fold found is kept in a folder under a digest of the table, the options and the code, so that an interrupted bench goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

import numpy as np

from onedial.core.errors import ConfigError, TableError
from onedial.core.outcome import Ints
from onedial.core.version import __version__
from onedial.engine.ladders import Progress, quiet
from onedial.engine.recorded import Recorded
from onedial.evals.bench.fold import FoldResult, run_fold
from onedial.evals.bench.goals import Goal, folds_of
from onedial.evals.bench.pooled import Pooled, pool
from onedial.evals.bench.table import BenchTable
from onedial.evals.comparison import Matched, matched_quality
from onedial.evals.selection import Sweep, hindsight_sweep, oracle_sweep

UNSEEN = ("apps", "lab")
"""Rooms whose code decides nothing here."""
AFTERWARDS = frozenset("comparison.py report bench/as_json.py bench/extras.py bench/pictures.py bench/pooled.py bench/verdict.py".split())
"""Files and folders of this room that only look at what folds have found."""


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """How a table is benched.

    Attributes:
        goals: Targets.
        policies: Names of the policies beside joint and the best fixed arm; all if empty.
        folds: Of the cross-validation.
        resamples: Of the bootstrap over queries.
        seed: Of folds, forests, subsets, baselines and resamples.
    """

    goals: tuple[Goal, ...]
    policies: tuple[str, ...] = ()
    folds: int = 5
    resamples: int = 2000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Benched:
    """What came out of one table.

    Attributes:
        table: What was compared on.
        options: How.
        pooled: Every policy on every query.
        matched: Costs at the quality that the best fixed arm reaches, by goal and policy.
        bound: `oracle` (chosen on half of the samples, scored on the rest) where samples repeat, else `hindsight`.
    """

    table: BenchTable
    options: BenchOptions
    pooled: Pooled
    matched: tuple[Matched, ...]
    bound: str

    @property
    def sweeps(self) -> dict[str, Sweep]:
        """Every policy over its dial, the best fixed arm first."""
        return {self.pooled.fixed.name: self.pooled.fixed} | self.pooled.sweeps


def bench(
    table: BenchTable, options: BenchOptions, folder: Path, progress: Progress = quiet, pool_of_workers: Executor | None = None
) -> Benched:
    """Run the folds that are not there yet, and compare.

    Args:
        table: Queries and outcomes.
        options: How.
        folder: Where folds are kept.
        progress: Told of folds done; and of what is under way, where this process does it.
        pool_of_workers: Processes that run folds side by side; None runs them here.

    Raises:
        TableError: Too few queries for the folds.
    """
    fold = folds_of(table.queries, options.folds, options.seed)
    paths = [folder / f"{key_of(table, options)}-{k}.npz" for k in range(options.folds)]
    found = _folds(table, options, fold, paths, progress, pool_of_workers)
    pooled = pool(found, options.goals)
    rng = np.random.default_rng(options.seed)
    bounds = _bounds(table, pooled, rng)
    pooled.sweeps.update(bounds)
    pooled.families.update({name: name for name in bounds})
    progress(f"{table.name}: compare", 0, 1)
    matched = matched_quality(pooled.fixed, list(pooled.sweeps.values()), rng, n_resamples=options.resamples)
    progress(f"{table.name}: compare", 1, 1)
    return Benched(table, options, pooled, matched, next(iter(bounds)))


def _folds(
    table: BenchTable, options: BenchOptions, fold: Ints, paths: Sequence[Path], progress: Progress, workers: Executor | None
) -> list[FoldResult]:
    what, found = f"{table.name}: folds", [FoldResult.load(path) for path in paths]
    missing = [k for k, one in enumerate(found) if one is None]
    progress(what, len(paths) - len(missing), len(paths))
    if workers is None:
        runs = ((k, kept_fold(table, options, fold, k, paths[k], progress)) for k in missing)
    else:
        waiting = {k: workers.submit(kept_fold, table, options, fold, k, paths[k]) for k in missing}
        runs = ((k, _result(waiting[k])) for k in missing)
    for done, (k, one) in enumerate(runs, len(paths) - len(missing) + 1):
        found[k] = one
        progress(what, done, len(paths))
    return [one for one in found if one is not None]


def _result(running: Future[FoldResult]) -> FoldResult:
    try:
        return running.result()
    except BrokenExecutor as error:
        raise ConfigError(
            "a process that ran a fold was ended from outside, perhaps for lack of memory. "
            "Run it again with fewer --jobs; folds that are done are kept."
        ) from error


def kept_fold(table: BenchTable, options: BenchOptions, fold: Ints, k: int, path: Path, progress: Progress = quiet) -> FoldResult:
    """Run one fold and keep it."""
    try:
        result = run_fold(table, fold, k, options.goals, options.seed, options.policies, progress)
    except TableError as error:
        raise TableError(f"{table.name}, fold {k + 1} of {options.folds}: {error}") from error
    result.save(path)
    return result


def _bounds(table: BenchTable, pooled: Pooled, rng: np.random.Generator) -> dict[str, Sweep]:
    """The oracle where every query has two samples of some source, and hindsight always; neither is a policy."""
    recorded: Recorded = table.recorded(table.queries)
    found = {}
    if (recorded.panel.counts.min(axis=0) > 1).any():
        sizes = tuple(sorted({arm.n for arm in pooled.arms.arms}))
        kinds = tuple(dict.fromkeys(arm.strategy for arm in pooled.arms.arms))
        found["oracle"] = oracle_sweep(recorded.panel, recorded.prices, rng, votes=sizes, strategies=kinds)
    return found | {"hindsight": hindsight_sweep(pooled.arms)}


def key_of(table: BenchTable, options: BenchOptions) -> str:
    """Identifies what a fold finds: the table, the options that matter to a fold, and the code."""
    asked = (options.goals, sorted(options.policies), options.folds, options.seed)
    return blake2b(f"{table.digest} {asked!r} {source_digest()}".encode(), digest_size=10).hexdigest()


@cache
def source_digest() -> str:
    """Identifies the code that folds run: the package without shells, embedded models and what comes after folds."""
    root = Path(__file__).parents[2]
    found = blake2b(__version__.encode(), digest_size=8)
    for path in sorted(root.rglob("*.py")):
        room, *within = path.relative_to(root).parts
        if room not in UNSEEN and not (room == "evals" and AFTERWARDS & {within[0], "/".join(within)}):
            found.update(path.read_bytes())
    return found.hexdigest()
