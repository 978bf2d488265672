"""An outcome table and its splits by query, as the measurements here take them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from onedial.engine.recorded import Recorded
from onedial.evals.bench.goals import folds_of
from onedial.evals.bench.table import BenchTable, bench_table
from onedial.runtime.table import read_table

FOLDS = 5


def table_options(description: str | None) -> argparse.Namespace:
    """Which tables, how many queries of each, and the seed, as the command line says."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--queries", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def table_at(folder: Path, most: int, seed: int) -> BenchTable:
    """Read a table, of so many queries at most."""
    read = read_table(folder, repair=True)
    return bench_table(folder.name, read.queries, read.outcomes, most=most, seed=seed)


def splits_of(table: BenchTable, seed: int) -> Iterator[tuple[Recorded, Recorded]]:
    """(training, test) of every fold; each query is tested once."""
    fold = folds_of(table.queries, FOLDS, seed)
    for k in range(FOLDS):
        train, test = (table.recorded([table.queries[int(i)] for i in np.flatnonzero(part)]) for part in (fold != k, fold == k))
        yield train, test
