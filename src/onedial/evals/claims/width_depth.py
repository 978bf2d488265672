"""Parallel against sequential: many short samples or one long one, for the same tokens, and an index that says which.

Width is best-of-n at the least thinking (a vote where no verifier has an opinion), depth one sample at
the most. The index is the difference of their log failure hazards, h = -log(1 - q), as
forecast from the text of the query by a fit to outcomes of other queries: it knows
nothing of where a query comes from. Following it is set against the constant choice
that was best on the queries it was fitted on.

Source: 2505.21825; Snell 2408.03314, section 6; the index is that of docs/THEORY.md, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from onedial.core.arm import Arm
from onedial.core.model import Model
from onedial.core.outcome import Floats, known_mean
from onedial.engine.recorded import Recorded
from onedial.evals.claims.canvas import DEPTH, MIXED, WIDTH, band, in_percent, legend, log_x, panels
from onedial.evals.claims.contract import Claim, Finding, Row, Verdict, told
from onedial.evals.claims.workbench import Workbench
from onedial.forecasts.fit import MIN_QUERIES, fit_forecast
from onedial.metrics.bootstrap import mean_interval, paired_bootstrap
from onedial.policies.fixed_forecast import FixedForecast
from onedial.policies.grid import fixed_arms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SAMPLES = 16
SIZES = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class Tried:
    """One model on the scoring queries; arrays are (n_queries,).

    Attributes:
        model: Its name.
        size: Short samples that the tokens of a long one buy.
        width: Quality of so many short samples.
        depth: Quality of one long sample.
        index: Log hazard of depth less that of width, forecast; above 0 it says depth.
        constant: Whether depth was the better choice for all, on the other queries.
        curve: (sizes + efforts, n_queries) quality of width at each size, then of depth at each effort.
        tokens: Of the same, mean per query.
        kinds: Where each query comes from; for the report alone.
    """

    model: str
    size: int
    width: Floats
    depth: Floats
    index: Floats
    constant: bool
    curve: Floats
    tokens: Floats
    kinds: tuple[str, ...]

    @property
    def followed(self) -> Floats:
        """Quality of what the index says."""
        return np.where(self.index > 0, self.depth, self.width)

    @property
    def same(self) -> Floats:
        """Quality of the constant choice."""
        return self.depth if self.constant else self.width


async def measure(bench: Workbench) -> Finding:
    """Try width and depth with every model that has a thinking dial."""
    able = [model for model in bench.models if len(model.efforts) > 1]
    if not able:
        return Finding.unmeasured("This needs a model with two thinking efforts.")
    queries = bench.tasks.mixed(4 * bench.questions)
    tried = []
    for model in able:
        recorded = await bench.recorded(queries, bench.sources(model), SAMPLES, f"samples of {model.name}")
        if len(recorded.queries) < 2 * MIN_QUERIES:
            return Finding.unmeasured(f"This needs {2 * MIN_QUERIES} graded questions; there are {len(recorded.queries)}.")
        tried.append(one_model(bench, model, recorded))
    return _finding(bench, tried)


def one_model(bench: Workbench, model: Model, recorded: Recorded) -> Tried:
    """Fit on one half of the queries, score on the other."""
    train, test = (recorded.rows(half) for half in bench.halves(len(recorded.queries)))
    short, *_, long = bench.sources(model)
    mean = known_mean(train.panel.output_tokens, axis=(0, 2))
    size = next((n for n in SIZES if n * mean[0] >= mean[-1]), SIZES[-1])
    width, depth = Arm(short, "best" if size > 1 else "direct", size), Arm(long)
    shown = fixed_arms(test.panel, test.prices, bench.rng(7), votes=SIZES, strategies=("direct", "best"))
    known = fixed_arms(train.panel, train.prices, bench.rng(7), votes=(size,), strategies=("direct", "best"))
    settings = [Arm(short, "best" if n > 1 else "direct", n) for n in SIZES] + [Arm(source) for source in test.panel.sources]
    columns = [shown.arms.index(arm) for arm in settings]
    first = [known.quality[:, known.arms.index(arm)].mean() for arm in (width, depth)]
    used = known_mean(test.panel.output_tokens, axis=(0, 2))
    tokens = [n * used[0] for n in SIZES] + list(used)
    return Tried(
        model.name,
        size,
        shown.quality[:, shown.arms.index(width)],
        shown.quality[:, shown.arms.index(depth)],
        index_of(bench, model, train, test, width, depth),
        bool(first[1] > first[0]),
        shown.quality[:, columns].T,
        np.array(tokens),
        tuple(query.dataset for query in test.queries),
    )


def index_of(bench: Workbench, model: Model, train: Recorded, test: Recorded, width: Arm, depth: Arm) -> Floats:
    """Log hazard of depth less that of width on each test query, forecast by a fit to the training queries."""
    forecast = fit_forecast(train.panel, bench.seed, train.prices).forecast
    arms = FixedForecast.of(forecast, {model.name: model}, [width, depth])
    quality = np.clip(arms.quality(forecast.latents(test.queries)), 1e-6, 1 - 1e-6)
    hazard = -np.log1p(-quality)
    return np.asarray(np.log(hazard[:, 1]) - np.log(hazard[:, 0]))


def _finding(bench: Workbench, tried: Sequence[Tried]) -> Finding:
    models = _by_query([each.followed - each.same for each in tried])
    gain = mean_interval(models, bench.rng(8))
    stake = [np.abs(each.depth - each.width) for each in tried]
    caught = [s * ((each.index > 0) == (each.depth > each.width)) for s, each in zip(stake, tried, strict=True)]
    share = paired_bootstrap([_by_query(caught), _by_query(stake)], lambda a, b: float(a / b) if b > 0 else float("nan"), bench.rng(8))
    verdict: Verdict = "holds" if gain.low > 0 else "does not hold" if gain.high < 0 else "not told apart"
    each_way = "; ".join(_said(bench, each) for each in tried)
    sentence = (
        f"For the same tokens, following the index is {told(gain, unit=' points')} better than the one choice that is best for all; it "
        f"is right about {told(share)} of what is at stake between the two. {each_way}."
    )
    numbers = {"index less constant choice": gain, "share of the stake": share}
    return Finding(verdict, sentence, numbers, tuple(row for each in tried for row in _rows(bench, each)))


def _by_query(values: Sequence[Floats]) -> Floats:
    """The mean over models per query where all models saw the same number of queries, else all of them side by side."""
    same = len({len(v) for v in values}) == 1
    return np.asarray(np.mean(values, axis=0) if same else np.concatenate(list(values)))


def _said(bench: Workbench, each: Tried) -> str:
    parts = []
    for name, where in (("width", each.index <= 0), ("depth", each.index > 0)):
        if where.any():
            gap = mean_interval((each.depth - each.width)[where], bench.rng(9))
            parts.append(f"where it says {name} ({where.sum()} questions) depth is {told(gap, unit=' points')} better")
    return f"{each.model}, one long sample or {each.size} short ones: " + ", ".join(parts)


def _rows(bench: Workbench, each: Tried) -> list[Row]:
    rows: list[Row] = []
    for says, where in (("width", each.index <= 0), ("depth", each.index > 0)):
        if not where.any():
            continue
        for k, (reached, tokens) in enumerate(zip(each.curve, each.tokens, strict=True)):
            i = mean_interval(reached[where], bench.rng(10), 500)
            way = "width" if k < len(SIZES) else "depth"
            head = {"row": "curve", "model": each.model, "index says": says, "way": way, "questions": int(where.sum())}
            rows.append(head | {"tokens": float(tokens), "quality": i.estimate, "quality low": i.low, "quality high": i.high})
    for kind in sorted(set(each.kinds)):
        here = np.array([name == kind for name in each.kinds])
        gap = mean_interval((each.depth - each.width)[here], bench.rng(10), 500)
        ends = {"depth less width": gap.estimate, "depth less width low": gap.low, "depth less width high": gap.high}
        rows.append({"row": "kind", "model": each.model, "kind": kind, "index": float(each.index[here].mean())} | ends)
    return rows


def draw(figure: Figure, finding: Finding) -> None:
    """Draw accuracy against tokens where the index says width and where it says depth, and the index against the truth by kind."""
    note = "the index is forecast from the text of a question by a fit to outcomes of others; the cheapest model left, all models right"
    one, two, three = panels(figure, 3, CLAIM.question, note, [1, 1, 1.1])
    curves = finding.kind("curve")
    model = next(iter(dict.fromkeys(row["model"] for row in curves)), "")
    for ax, says in ((one, "width"), (two, "depth")):
        for way, colour, label in (("width", WIDTH, "best of many short"), ("depth", DEPTH, "one longer thought")):
            mine = [r for r in curves if (r["model"], r["index says"], r["way"]) == (model, says, way)]
            x = [r["tokens"] for r in mine]
            band(ax, x, mine, "quality", colour, label)
        count = next((r["questions"] for r in curves if (r["model"], r["index says"]) == (model, says)), 0)
        ax.set_title(f"{model}, where the index says {says} ({count})", loc="left", fontsize=8.6)
        log_x(ax)
        ax.set_xlabel("output tokens per question")
        ax.set_ylim(0, 1.03)
        in_percent(ax)
    legend(one, loc="lower right")
    _truth(three, finding.kind("kind"))


def _truth(ax: Axes, rows: Sequence[Row]) -> None:
    """Forecast index against the measured difference, a point per model and kind."""
    from onedial.evals.report.labels import place

    x, y = [r["index"] for r in rows], [r["depth less width"] for r in rows]
    for at, row in zip(x, rows, strict=True):
        ax.plot([at, at], [row["depth less width low"], row["depth less width high"]], color=MIXED, alpha=0.35, lw=1.6)
    ax.plot(x, y, "o", color=MIXED, ms=4.5)
    ax.axhline(0, color="#8d97a1", lw=0.9)
    ax.axvline(0, color="#8d97a1", lw=0.9)
    ax.set_xlabel("index: log hazard of depth less width")
    ax.set_title("measured: depth less width", loc="left", fontsize=8.6)
    ax.margins(0.12)
    in_percent(ax)
    place(ax, [(a, b, f"{r['model']} {r['kind']}") for a, b, r in zip(x, y, rows, strict=True)], [], fontsize=6.6, color="#66727f")


CLAIM = Claim(
    "width-depth",
    "Many short samples, or one long thought, for the same tokens?",
    "2505.21825, 2408.03314",
    measure,
    draw,
    (11.4, 3.9),
)
