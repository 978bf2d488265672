"""Framework against compute: does it matter how samples are searched, or what is spent and how good the verifier is?

Every framework runs live at every size and with a verifier of every quality, on the same
questions and one model. The cells of that grid are regressed on spend (log tokens,
prompts sent again counted each time), verifier quality and framework, and the variance
that each explains is shared out as Shapley values of R squared. The verifier is the truth
with errors of a stated rate, on answers and, for searches, on steps alike.

Source: 2501.15602 (frameworks converge at equal compute); 2406.06461 (token economies).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError
from onedial.core.outcome import Floats
from onedial.core.query import Query
from onedial.evals.claims.canvas import SERIES, in_percent, legend, log_x, panels
from onedial.evals.claims.contract import Claim, Finding, Row, Verdict, told
from onedial.evals.claims.noisy import noisy, noisy_steps, of_quality
from onedial.evals.claims.workbench import Workbench
from onedial.evals.report.style import shades
from onedial.metrics.bootstrap import Interval, percentile_interval, resample_weights
from onedial.metrics.explained import dummies, sequential_r_squared, shapley_r_squared
from onedial.metrics.frontier import quality_at_cost
from onedial.strategies.draw import Reading
from onedial.strategies.registry import STRATEGIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FRAMEWORKS = ("best", "revise", "beam", "dvts", "mcts", "particle")
"""Names of strategies that are tried where they are registered and the model can do what they need."""
SIZES = (1, 2, 4, 8, 16)
QUALITIES = (0.5, 0.7, 0.85, 1.0)
SHOWN = 0.85
"""The verifier quality at which frameworks are drawn and compared."""
PILOT = 4
RESAMPLES = 400
FACTORS = ("spend", "verifier", "framework")


@dataclass(frozen=True, slots=True)
class Ran:
    """One cell of the grid; arrays are (n_queries,).

    Attributes:
        framework: Name of the strategy.
        size: Its `n`.
        quality: Of the verifier.
        right: Quality of the answers.
        tokens: Input and output tokens of each run.
    """

    framework: str
    size: int
    quality: float
    right: Floats
    tokens: Floats


async def measure(bench: Workbench, names: Sequence[str] = FRAMEWORKS) -> Finding:
    """Run every framework that can be run, at every size and verifier quality."""
    queries = [query for query in asked(bench) if bench.grade(query, None) is not None]
    if not queries:
        return Finding.unmeasured("This needs questions that can be graded.")
    source = await middling(bench, queries)
    able, missing = await capable(bench, [name for name in names if name in STRATEGIES], queries[0], source)
    if len(able) < 2:
        return Finding.unmeasured(f"This needs two frameworks that {source} can run; {'; '.join(missing) or 'none is registered'}.")
    grid, total = [], len(able) * len(QUALITIES) * len(SIZES)
    for name in able:
        for quality in QUALITIES:
            for size in SIZES:
                grid.append(await run_cell(bench, queries, Arm(source, name, size), quality))
                bench.progress("frameworks", len(grid), total)
    return _finding(bench, source, grid, missing)


def asked(bench: Workbench) -> list[Query]:
    """Chains of every length in turn, whose steps can be checked; the mix where there are none."""
    tasks, n = bench.tasks, bench.questions
    lengths = [length for length in tasks.chain_lengths if tasks.chains(length, 1)]
    if not lengths:
        return list(tasks.mixed(n))
    each = [tasks.chains(length, -(-n // len(lengths))) for length in lengths]
    return [query for turn in zip(*each, strict=True) for query in turn][:n]


async def middling(bench: Workbench, queries: Sequence[Query]) -> Source:
    """The effort of the cheapest model, not the least one of several, whose accuracy is nearest a half: there is room both ways."""
    model = bench.models[0]
    sources = bench.sources(model)[1:] or bench.sources(model)
    pilot = (await bench.recorded(queries, sources, PILOT, f"a pilot of {model.name}")).panel
    mean = np.nanmean(pilot.score, axis=(0, 2)) if pilot.queries else np.zeros(len(sources))
    return sources[int(np.abs(mean - 0.5).argmin())]


async def capable(bench: Workbench, names: Sequence[str], query: Query, source: Source) -> tuple[list[str], list[str]]:
    """The frameworks that the source can run, and why it cannot run the others; tried on one query."""
    able, missing = [], []
    for name in names:
        try:
            (answer,) = await bench.solved([query], Arm(source, name, 2), bench.reading)
        except ConfigError as error:
            missing.append(f"{name} cannot be run ({error})")
            continue
        if answer.candidates:
            able.append(name)
        else:
            missing.append(f"{name} brought nothing ({answer.stopped})")
    return able, missing


async def run_cell(bench: Workbench, queries: Sequence[Query], arm: Arm, quality: float) -> Ran:
    """Run one arm on every query with a verifier of this quality."""
    roc = of_quality(quality)
    process = replace(bench.tasks.writing, score=noisy_steps(bench.tasks.sound, roc, bench.seed))
    reading = Reading(bench.reading.extract, noisy(bench.grade, roc, bench.seed), process=process)
    answers = await bench.solved(queries, arm, reading)
    right = [bench.grade(query, answer.answer) or 0.0 for query, answer in zip(queries, answers, strict=True)]
    tokens = [float(answer.spend.usage.tokens) for answer in answers]
    return Ran(arm.strategy, arm.n, quality, np.array(right), np.array(tokens))


def shares(grid: Sequence[Ran], weights: Floats) -> dict[str, float]:
    """Shapley values of R squared over the cells, each the weighted mean over queries."""
    return shapley_r_squared(*_regression(grid, weights))


def _regression(grid: Sequence[Ran], weights: Floats) -> tuple[Floats, dict[str, Floats]]:
    right = np.array([cell.right @ weights for cell in grid])
    spend = np.log([cell.tokens @ weights for cell in grid])
    spend = spend - spend.mean()
    blocks = (np.column_stack((spend, spend**2)), dummies([str(c.quality) for c in grid]), dummies([c.framework for c in grid]))
    return right, dict(zip(FACTORS, blocks, strict=True))


def at_equal_spend(grid: Sequence[Ran], quality: float, weights: Floats) -> dict[str, float]:
    """Accuracy of every framework at the largest spend that all of them reach, with a verifier of this quality."""
    cells = [cell for cell in grid if cell.quality == quality]
    names = list(dict.fromkeys(cell.framework for cell in cells))
    curves = {n: [(float(c.tokens @ weights), float(c.right @ weights)) for c in cells if c.framework == n] for n in names}
    spend = min(max(t for t, _ in curve) for curve in curves.values())
    return {name: quality_at_cost([t for t, _ in curve], [q for _, q in curve], spend) for name, curve in curves.items()}


def against_first(grid: Sequence[Ran], quality: float, even: Floats, resamples: Floats) -> dict[str, Interval]:
    """Accuracy of each framework less that of the first one, at the largest spend that both reach."""
    names = list(dict.fromkeys(cell.framework for cell in grid))
    found = {}
    for name in names[1:]:
        pair = [cell for cell in grid if cell.framework in (names[0], name)]
        whole, *drawn = [at_equal_spend(pair, quality, weights) for weights in (even, *resamples)]
        found[name] = percentile_interval(whole[name] - whole[names[0]], [one[name] - one[names[0]] for one in drawn])
    return found


def _finding(bench: Workbench, source: Source, grid: Sequence[Ran], missing: Sequence[str]) -> Finding:
    n = len(grid[0].right)
    resamples = resample_weights(n, RESAMPLES, bench.rng(20))
    even = np.full(n, 1.0 / n)
    whole, drawn = shares(grid, even), [shares(grid, weights) for weights in resamples]
    numbers = {f"variance explained by {name}": percentile_interval(whole[name], [one[name] for one in drawn]) for name in FACTORS}
    lead = percentile_interval(whole["verifier"] - whole["framework"], [one["verifier"] - one["framework"] for one in drawn])
    numbers |= {"verifier less framework": lead}
    against = {level: against_first(grid, level, even, resamples) for level in (SHOWN, QUALITIES[-1])}
    first = grid[0].framework
    for level, gaps in against.items():
        numbers |= {f"{name} less {first} at equal spend, verifier right {100 * level:.0f} %": gap for name, gap in gaps.items()}
    verdict: Verdict = "holds" if lead.low > 0 else "does not hold" if lead.high < 0 else "not told apart"
    order = sequential_r_squared(*_regression(grid, even))
    said = ", ".join(f"{name} {told(numbers[f'variance explained by {name}'], digits=0)}" for name in FACTORS)
    sentence = (
        f"Of the variance between {len(grid)} cells on {source} ({n} questions), {said} is explained (in sequence: "
        f"{', '.join(f'{name} {100 * value:.0f} %' for name, value in order.items())}). {_compared(first, against)}"
    )
    tail = f" Left out: {'; '.join(missing)}." if missing else ""
    return Finding(verdict, sentence + tail, numbers, (*map(_row, grid), *_shares(order, numbers)))


def _compared(first: str, against: dict[float, dict[str, Interval]]) -> str:
    """At equal spend, every framework against the first."""
    parts = []
    for level, gaps in against.items():
        listed = ", ".join(f"{name} {told(gap, unit='', digits=0)}" for name, gap in gaps.items())
        parts.append(f"with a verifier that is right {100 * level:.0f} % of the time: {listed}")
    return f"Points more than {first} at equal spend, {'; '.join(parts)}."


def _row(cell: Ran) -> Row:
    head = {"row": "cell", "framework": cell.framework, "size": cell.size, "verifier": cell.quality}
    return head | {"tokens": float(cell.tokens.mean()), "quality": float(cell.right.mean())}


def _shares(order: dict[str, float], numbers: dict[str, Interval]) -> list[Row]:
    rows: list[Row] = []
    for name in FACTORS:
        i = numbers[f"variance explained by {name}"]
        ends = {"share": i.estimate, "share low": i.low, "share high": i.high}
        rows.append({"row": "share", "factor": name, "in sequence": order[name]} | ends)
    return rows


def draw(figure: Figure, finding: Finding) -> None:
    """Draw accuracy against tokens by framework, by verifier quality, and what explains the variance."""
    one, two, three = panels(figure, 3, CLAIM.question, "one model, the same questions, every run live", [1.15, 1.15, 0.8])
    cells = finding.kind("cell")
    names = list(dict.fromkeys(row["framework"] for row in cells))
    for name, colour in zip(names, (*SERIES, *SERIES), strict=False):
        _line(one, [r for r in cells if r["framework"] == name and r["verifier"] == SHOWN], colour, name)
    one.set_title(f"frameworks, verifier right {100 * SHOWN:.0f} %", loc="left", fontsize=8.6)
    levels = sorted({row["verifier"] for row in cells})
    for level, colour in zip(levels, shades(len(levels)), strict=True):
        _line(two, [r for r in cells if r["framework"] == names[0] and r["verifier"] == level], colour, f"{100 * level:.0f} %")
    two.set_title(f"verifiers, framework {names[0]}", loc="left", fontsize=8.6)
    for ax in (one, two):
        log_x(ax)
        ax.set_xlabel("tokens per question")
        in_percent(ax)
        legend(ax, loc="lower right", ncols=2)
    low, high = (f([ax.get_ylim()[k] for ax in (one, two)]) for k, f in ((0, min), (1, max)))
    for ax in (one, two):
        ax.set_ylim(low - 0.25 * (high - low), high)
    _bars(three, finding.kind("share"))


def _line(ax: Axes, rows: Sequence[Row], colour: str, label: str) -> None:
    ax.plot([r["tokens"] for r in rows], [r["quality"] for r in rows], "o-", color=colour, lw=1.8, ms=4, label=label)


def _bars(ax: Axes, rows: Sequence[Row]) -> None:
    for k, row in enumerate(rows):
        ax.bar(k, row["share"], 0.6, color=SERIES[k], alpha=0.85)
        ax.plot([k, k], [row["share low"], row["share high"]], color="#1f2933", lw=1.2)
    ax.set_xticks(range(len(rows)), [row["factor"] for row in rows])
    ax.set_title("variance explained", loc="left", fontsize=8.6)
    ax.set_ylim(0, None)
    in_percent(ax)


CLAIM = Claim(
    "framework",
    "Does the framework matter, or spend and verifier?",
    "2501.15602, 2406.06461",
    measure,
    draw,
    (11.2, 3.8),
)
