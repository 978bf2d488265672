"""`onedial demo`: the whole loop on the embedded models, live: sample, fit, certify, answer, compare, draw."""

from __future__ import annotations

import asyncio
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onedial.apps.options import Json, Options
from onedial.apps.terminal import aside, bars, collecting, cores, percent, screen, stages, write_json
from onedial.core.errors import ConfigError, TargetUnreachable
from onedial.core.objective import Objective
from onedial.core.query import Query

if TYPE_CHECKING:
    from rich.table import Table

    from onedial.engine.dial import Dial
    from onedial.engine.fit import Fitting
    from onedial.engine.promise import Promise
    from onedial.engine.recorded import Recorded
    from onedial.evals.experiment import Experiment
    from onedial.evals.report.findings import Findings
    from onedial.evals.report.style import Money
    from onedial.metrics.bootstrap import Interval

FULL, QUICK = (300, 300, 300), (40, 40, 40)
"""Queries for fitting, for certificates and for the comparison; all different."""
SAMPLES = 8
AT_ONCE = 256
PER = 1000
EXAMPLE = "modulo 10 , begin at 7 and do #1 plus 5 #2 times 3 . what do you get ?"
LIVE_SEED = 1_000_003
"""Added to the seed of the live answers, so that they are drawn anew."""


@dataclass(frozen=True, slots=True)
class Live:
    """What one promise came to when its policy answered every test query live.

    Attributes:
        name: The target in words.
        target: Mean quality promised.
        promise: What was certified, and what was served.
        quality: Share of right answers, with a 95 % interval.
        cost_usd: Mean cost per query, with a 95 % interval.
    """

    name: str
    target: float
    promise: Promise
    quality: Interval
    cost_usd: Interval


def demo(
    ctx: typer.Context,
    quick: Annotated[bool, typer.Option(help="A seventh of the queries: a minute, and too few to certify much.")] = False,
    keep: Annotated[bool, typer.Option(help="Go on with the outcomes of an earlier demo instead of sampling anew.")] = False,
    json: Json = False,
) -> None:
    """Sample, fit, certify and answer on language models that run right here, and compare what that costs."""
    from onedial.apps.workspace import DATA, embedded
    from onedial.evals.report.document import write_report

    options, begun = ctx.ensure_object(Options), time.monotonic()
    with embedded(options.data or DATA / "demo", options.seed) as dial:
        if not keep:
            _clear(dial, owned=options.data is None)
        experiment, lives, findings = run(dial, QUICK if quick else FULL)
        files = write_report(findings, dial.folder / "report")
    seconds = time.monotonic() - begun
    if json:
        write_json({"findings": findings, "live": [summary(live) for live in lives], "files": files, "seconds": seconds})
    else:
        show(experiment, lives, findings.title, files.png, seconds)
        modest = math.floor(100 * lives[-1].target) / 100
        screen().print(f"Next: onedial --data {dial.folder} ask '{EXAMPLE}' --quality {modest}", soft_wrap=True)


def _clear(dial: Dial, owned: bool) -> None:
    """Start anew: drop outcomes, fit and report from the demo's own folder; refuse any other that holds outcomes."""
    if owned:
        for path in (dial.fit_path, *dial.folder.glob(f"{dial.store_path.name}*")):
            path.unlink(missing_ok=True)
        shutil.rmtree(dial.folder / "report", ignore_errors=True)
    elif dial.store_path.exists():
        raise ConfigError(f"{dial.folder} holds outcomes already. Give --keep to go on with them, or another folder.")


NOTE = "The certificates rest on queries that neither fitting nor this comparison has seen."


def run(dial: Dial, sizes: tuple[int, int, int]) -> tuple[Experiment, list[Live], Findings]:
    """Run the whole loop on so many queries for fitting, for certificates and for the comparison."""
    from onedial.evals.assemble import LABELS, findings_of
    from onedial.evals.experiment import run_experiment

    train, proof, test = sampled(dial, sizes)
    fitting = fitted(dial, train, proof)
    reading, seed = dial.settings.reading, dial.settings.seed
    with stages() as told:
        experiment = run_experiment(fitting, train, test, dial.pool.models, reading, seed, told, cores())
    lives = answered(dial, test.queries, LABELS, [float(target) for target in experiment.targets])
    certificates = [live.promise.certificate for live in lives]
    return experiment, lives, findings_of(experiment, fitting, test, certificates=certificates, notes=(NOTE,), seed=seed)


def sampled(dial: Dial, sizes: tuple[int, int, int]) -> list[Recorded]:
    """Sample outcomes of three disjoint sets of queries."""
    from onedial.engine.recorded import Recorded
    from onedial.lab.prompts import lab_queries
    from onedial.runtime.store import Store

    models = dial.pool.models
    splits = [lab_queries(n, split, dial.settings.seed) for n, split in zip(sizes, ("train", "certify", "test"), strict=True)]
    asked = [query for split in splits for query in split]
    aside().print(
        f"[bold]1[/] Sampling: {len(models)} models x {len(dial.sources) // len(models)} thinking levels x {SAMPLES} samples "
        f"on {len(asked):,} prompts, generated here and now."
    )
    with collecting(costs=False) as told:
        dial.block(dial.collect(asked, samples=SAMPLES, concurrency=AT_ONCE, progress=told))
    with Store.open(dial.store_path) as store:
        outcomes = store.outcomes()
    return [Recorded.of(split, outcomes, models) for split in splits]


def fitted(dial: Dial, train: Recorded, proof: Recorded) -> Fitting:
    """Fit on the first set of queries, certify on the second, and put the fit in force."""
    from onedial.engine.fit import fit_policies

    aside().print(f"[bold]2[/] Fitting on {len(train.queries)} of the prompts; certifying on {len(proof.queries)} others.")
    with stages() as told:
        fitting = fit_policies(train, proof, dial.pool.models, dial.settings.reading, dial.settings.seed, told, cores())
    fitting.fit.save(dial.fit_path)
    dial.use(fitting.fit)
    return fitting


def answered(dial: Dial, queries: Sequence[Query], names: Sequence[str], targets: Sequence[float]) -> list[Live]:
    """Answer every test query live at every target, with samples that have not been drawn before."""
    from onedial.apps.workspace import embedded

    aside().print(f"[bold]3[/] Answering {len(queries)} prompts never seen before at {len(targets)} targets, live.")
    with embedded(dial.folder, dial.settings.seed + LIVE_SEED) as fresh, bars() as shown:
        fresh.use(dial.fitted)
        task = shown.add_task("answer", total=len(queries) * len(targets))
        return [
            fresh.block(_answered(fresh, queries, name, target, lambda: shown.advance(task)))
            for name, target in zip(names, targets, strict=True)
        ]


async def _answered(dial: Dial, queries: Sequence[Query], name: str, target: float, done: Callable[[], None]) -> Live:
    import numpy as np

    from onedial.engine.promise import reference_only
    from onedial.metrics.bootstrap import mean_interval

    objective = Objective(quality=target)
    try:
        found = dial.promise(objective)
    except (TargetUnreachable, ConfigError) as error:
        found = reference_only(dial.fitted, objective, str(error))
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(query: Query) -> tuple[float, float]:
        async with gate:
            solved = await dial.solve_for(query, objective, found)
        done()
        return dial.settings.grade(query, solved.answer.answer) or 0.0, solved.answer.spend.cost_usd

    quality, cost = np.array(await asyncio.gather(*map(one, queries))).T
    rng = np.random.default_rng(dial.settings.seed)
    return Live(name, target, found, mean_interval(quality, rng), mean_interval(cost, rng))


def summary(live: Live) -> dict[str, object]:
    """A live row as a program would read it."""
    return {
        "target": live.target,
        "name": live.name,
        "certified": live.promise.mixture is not None,
        "sentence": live.promise.sentence,
        "quality": live.quality,
        "cost_usd": live.cost_usd,
    }


def show(experiment: Experiment, lives: Sequence[Live], title: str, picture: Path, seconds: float) -> None:
    """Print the tables, and where the picture is."""
    from onedial.evals.report.style import money

    out = screen()
    unit = money([PER * row.cost_usd.estimate for row in experiment.matched if math.isfinite(row.cost_usd.estimate)])
    out.print()
    out.print(title, style="bold", soft_wrap=True)
    out.print(_promises(experiment, lives, unit))
    out.print(_matched(experiment, unit))
    out.print(
        f"Costs are in {unit.unit} per {PER:,} queries. Brackets are 95 % intervals by paired bootstrap over the test prompts; "
        "a ratio below 1 means that joint is cheaper. Everything was chosen on other prompts. The oracle chooses on one half of "
        "the samples and is scored on the other; hindsight on the very samples it is scored on, a bound that nothing passes.",
        style="dim",
    )
    out.print(f"\n{seconds:.0f} s in all. The picture: {picture}", soft_wrap=True)


def _promises(experiment: Experiment, lives: Sequence[Live], unit: Money) -> Table:
    table = _table("Promised and kept, live", "promised", "right", "95 %", "proof", "cost", "best fixed")
    for row, live in enumerate(lives):
        table.add_row(
            percent(live.target),
            percent(live.quality.estimate),
            f"{100 * live.quality.low:.1f} to {100 * live.quality.high:.1f}",
            "certified" if live.promise.mixture is not None else "none, so reference",
            unit.text(PER * live.cost_usd.estimate),
            unit.text(PER * float(experiment.fixed.cost_usd[row].mean())),
        )
    return table


def _matched(experiment: Experiment, unit: Money) -> Table:
    table = _table("Cost at equal quality", "right", "way to answer", "cost", "of best fixed", "joint over it")
    last = None
    for row in experiment.matched:
        if last not in (None, row.target):
            table.add_section()
        first, last = last != row.target, row.target
        table.add_row(
            percent(row.level) if first else "",
            row.policy,
            unit.text(PER * row.cost_usd.estimate) if math.isfinite(row.cost_usd.estimate) else "never",
            "" if row.policy == "best fixed" else _ratio(row.over_fixed),
            "" if row.policy == "joint" else _ratio(row.lead_over),
        )
    return table


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for column in columns:
        table.add_column(column, no_wrap=True, justify="left" if column in ("way to answer", "proof") else "right")
    return table


def _ratio(interval: Interval) -> str:
    """A ratio with its interval; a dash where there is none."""
    if not math.isfinite(interval.estimate):
        return "–"
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]".replace("inf", "∞")
