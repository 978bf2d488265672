"""`onedial bench`: every policy and published method compared on recorded outcomes, table by table."""

from __future__ import annotations

import json as encoder
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onedial.apps.options import Options
from onedial.apps.terminal import counted, screen, stages

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rich.table import Table as Grid

    from onedial.evals.bench.run import Benched
    from onedial.evals.bench.table import BenchTable

HUMBLING = ("best fixed", "hull", "best-per-dataset", "random", "agreement-cascade", "token-gate")
NAMES, NUMBERS = 30, 14
"""Columns that a table of results needs at least, of names and of each target."""
FIRST = ("joint", "model-only", "compute-only")


def bench(
    ctx: typer.Context,
    folders: Annotated[list[Path], typer.Argument(help="Directories with queries.parquet and outcomes.parquet.", show_default=False)],
    pool: Annotated[list[str] | None, typer.Option(help="A+B: also compare on these tables as one.", show_default=False)] = None,
    target: Annotated[list[float] | None, typer.Option(help="A further target, in (0, 1]; may be repeated.", show_default=False)] = None,
    policies: Annotated[str, typer.Option(help="Only these, with joint and the best fixed arm: names with commas.")] = "",
    arms: Annotated[list[str] | None, typer.Option(help="Only models whose id matches; may be repeated.", show_default=False)] = None,
    queries: Annotated[int, typer.Option(help="Queries per table at most, by a seeded hash; 0 is all.")] = 1500,
    folds: Annotated[int, typer.Option(help="Every query is tested by one of so many folds.")] = 5,
    resamples: Annotated[int, typer.Option(help="Of the bootstrap over queries.")] = 2000,
    seed: Annotated[int | None, typer.Option(help="Instead of the one before the command.", show_default=False)] = None,
    jobs: Annotated[int, typer.Option(help="Folds run side by side.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Write everything as JSON to this file.", show_default=False)] = None,
    report: Annotated[Path | None, typer.Option(help="Write a page and a picture per table into this folder.", show_default=False)] = None,
) -> None:
    """Compare joint, model-only, compute-only, fixed arms and published methods on recorded outcomes.

    Each is fitted and chosen on training folds and tested on the fold left out; costs are compared at equal
    achieved quality. What is done is kept in the data folder: interrupted, it goes on where it was.
    """
    from onedial.apps.workspace import DATA
    from onedial.evals.bench.as_json import document, table_json
    from onedial.evals.bench.extras import extrapolation, promise_over_resplits
    from onedial.evals.bench.goals import goals_of
    from onedial.evals.bench.published import checked_names
    from onedial.evals.bench.run import BenchOptions
    from onedial.evals.bench.run import bench as run
    from onedial.runtime.whole import whole_file

    given = ctx.ensure_object(Options)
    chosen = given.seed if seed is None else seed
    named = checked_names([name.strip() for name in policies.split(",") if name.strip()])
    options = BenchOptions(goals_of(target or ()), named, folds, resamples, chosen)
    kept, found = (given.data or DATA) / "bench", list[dict[str, Any]]()
    with stages() as told, workers(jobs) as side_by_side:
        for table in _tables(folders, pool or (), arms or (), queries or None, chosen):
            benched = run(table, options, kept, told, side_by_side)
            _show(benched)
            extra = {"promise": promise_over_resplits(benched), "extrapolation": extrapolation(table, chosen, kept, told)}
            found.append(table_json(benched, extra))
            if report is not None:
                _write_report(benched, report / table.name)
            if json is not None:
                with whole_file(json) as partial:
                    partial.write_text(encoder.dumps(document(_command(), options, found), indent=1, allow_nan=False), encoding="utf-8")
    if json is not None:
        screen().print(str(json), soft_wrap=True)


def _command() -> str:
    return " ".join(("onedial", *sys.argv[1:]))


@contextmanager
def workers(jobs: int) -> Iterator[Executor | None]:
    """Processes that run folds, or None where one is enough."""
    if jobs <= 1:
        yield None
        return
    from onedial.engine import workers as processes

    with processes.workers(jobs) as running:
        yield running


def _tables(folders: list[Path], pools: Any, arms: Any, most: int | None, seed: int) -> Iterator[BenchTable]:
    """Every table, then those to be looked at together."""
    from dataclasses import replace

    from onedial.evals.bench.table import bench_table, pooled_table
    from onedial.evals.bench.telltale import telltale_sources
    from onedial.runtime.table import read_table

    together = [(one, _parts(one, folders)) for one in pools]
    for folder in folders:
        table = read_table(folder, repair=True)
        made = bench_table(folder.name, table.queries, table.outcomes, arms=arms, most=most, seed=seed)
        yield replace(made, notes=(*made.notes, *(said.removeprefix(f"{folder}/") for said in table.repaired)))
    for name, parts in together:
        read = [(folder.name, read_table(folder, repair=True)) for folder in parts]
        asked, outcomes = pooled_table(name, [(part, table.queries, table.outcomes) for part, table in read])
        telltale = {source: way for _, table in read for source, way in telltale_sources(table.outcomes).items()}
        yield bench_table(name, asked, outcomes, arms=arms, most=most, seed=seed, telltale=telltale)


def _parts(pool: str, folders: list[Path]) -> list[Path]:
    """The directories that `A+B` names."""
    from onedial.core.errors import ConfigError, unknown

    named, names = {folder.name: folder for folder in folders}, [name.strip() for name in pool.split("+")]
    for name in names:
        if name not in named:
            raise ConfigError(f"--pool {pool}: {unknown('table', name, named)} Give its directory too.")
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise ConfigError(f"--pool {pool} names {', '.join(names)}; expected two or more different tables, as in A+B.")
    return [named[name] for name in names]


def _show(benched: Benched) -> None:
    from onedial.evals.bench.verdict import verdict_of

    table, pooled = benched.table, benched.pooled
    screen().print(
        f"\n[bold]{table.name}[/bold]: {len(table.queries):,} of {table.n_total:,} queries, {counted(len(table.models), 'model')}, "
        f"{len(table.sources)} with efforts, {len(pooled.arms.arms)} fixed arms; seed {benched.options.seed}",
        soft_wrap=True,
    )
    for note in table.notes:
        screen().print(note, style="dim", soft_wrap=True)
    screen(NAMES + NUMBERS * len(pooled.goals)).print(_ratios(benched))
    for name, why in pooled.absent.items():
        screen().print(f"{name} is absent: {why}", style="dim", soft_wrap=True)
    screen().print(verdict_of(benched).sentence, style="bold", soft_wrap=True)


def _ratios(benched: Benched) -> Grid:
    """Cost over the best fixed arm's at equal quality, policies by goals."""
    from rich.table import Table

    pooled = benched.pooled
    level = {row.target: row.level for row in benched.matched}
    shown = Table(title="cost at equal quality, best fixed arm = 1.00, with 95 % intervals", title_justify="left", title_style="dim")
    shown.add_column("policy", no_wrap=True)
    for goal, target in zip(pooled.goals, pooled.targets.tolist(), strict=True):
        shown.add_column(f"{goal.label}\n{100 * level[target]:.1f} %", justify="right")
    rows = {(row.policy, row.target): row for row in benched.matched}
    for name in _order(benched):
        cells = [_cell(rows[name, target]) for target in pooled.targets.tolist()]
        shown.add_row(name, *cells, style="bold" if name == "joint" else None)
    return shown


def _order(benched: Benched) -> list[str]:
    """Joint and its ablations, the humbling rows, published methods, bounds."""
    there = benched.sweeps
    bounds = [name for name in there if benched.pooled.families[name] in ("oracle", "hindsight")]
    first = [name for name in (*FIRST, *HUMBLING) if name in there]
    return [*first, *(name for name in there if name not in first and name not in bounds), *bounds]


def _cell(row: Any) -> str:
    from math import isfinite

    ratio = row.over_fixed
    if row.policy == "best fixed":
        return "1.00"
    if not isfinite(ratio.estimate):
        return "not\nreached"
    return f"{ratio.estimate:.2f}\n{ratio.low:.2f}–{ratio.high:.2f}".replace("inf", "∞")


def _write_report(benched: Benched, folder: Path) -> None:
    from onedial.evals.bench.pictures import bench_findings
    from onedial.evals.report.document import write_report

    for path in write_report(bench_findings(benched), folder):
        screen().print(str(path), soft_wrap=True)
