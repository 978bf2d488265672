"""Substitution: how much of a smaller model's compute equals one step of model size, by difficulty.

At every step queries are put into fourths by how often the smaller model solves them, in
one half of the samples. In each, the cheapest setting of the smaller model that is as good
as the larger one used once is chosen on one half of the queries, by the other half of the
samples, and scored on the other queries; where there is none, no amount on offer does it.
Where the larger model is not better there is no step to replace, and nothing to learn.

Source: Snell 2408.03314, section 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from onedial.core.arm import Arm
from onedial.core.outcome import Floats, Ints, Panel
from onedial.evals.claims.canvas import SERIES, in_percent, legend, panels
from onedial.evals.claims.contract import Claim, Finding, Row, Verdict, told
from onedial.evals.claims.workbench import Workbench
from onedial.metrics.bootstrap import Interval, mean_interval, paired_bootstrap
from onedial.policies.blocks import BLOCKS
from onedial.policies.grid import Grid, fixed_arms, halves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES = 16
OVER, GAP = "cost over the larger model's", "quality less the larger's"
FOURTHS = ("easiest fourth", "second fourth", "third fourth", "hardest fourth")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of model size on one fourth of the queries.

    Attributes:
        small: The smaller model.
        large: The larger one.
        fourth: Which fourth, 0 the easiest.
        arm: The cheapest setting of the smaller one that does it; None for no amount.
        quality: (4,) of: the larger once, the smaller once, the setting, the smaller's best setting; on the scoring queries.
        once: Quality of the larger model used once less that of the smaller one used once.
        gap: Quality of the setting less that of the larger model.
        multiple: Cost of the setting over that of the smaller model used once.
        relative: The same over the larger model's.
    """

    small: str
    large: str
    fourth: int
    arm: Arm | None
    quality: tuple[float, float, float, float]
    once: Interval
    gap: Interval
    multiple: Interval
    relative: Interval

    @property
    def real(self) -> bool:
        """Whether the larger model is better here at all."""
        return self.once.low > 0

    @property
    def replaced(self) -> bool:
        """Whether a setting was found, and the scoring queries do not show it to be worse."""
        return self.arm is not None and self.gap.high >= 0


async def measure(bench: Workbench) -> Finding:
    """Sample every model at every effort, and price every step from one model to the next."""
    if len(bench.models) < 2:
        return Finding.unmeasured("This needs two models.")
    queries, sources = bench.tasks.mixed(4 * bench.questions), [s for model in bench.models for s in bench.sources(model)]
    recorded = await bench.recorded(queries, sources, SAMPLES, "samples of every model")
    choose, score = bench.halves(len(recorded.queries))
    if len(choose) < 2 * len(FOURTHS):
        return Finding.unmeasured("Too few questions were answered to put them into fourths.")
    first, second = halves(recorded.panel, bench.rng(3))
    votes = tuple(n for n in BLOCKS if n <= SAMPLES // 2)
    grid = fixed_arms(second, recorded.prices, bench.rng(4), votes=votes, strategies=("direct", "vote", "best"))
    pairs = list(pairwise(model.name for model in bench.models))
    steps = []
    for pair in pairs:
        fourth = fourths(first.only([source for source in first.sources if source.model == pair[0]]))
        steps += [step_of(grid, pair, k, choose[fourth[choose] == k], score[fourth[score] == k], bench) for k in range(len(FOURTHS))]
    return _finding(steps)


def fourths(panel: Panel) -> Ints:
    """(n,) fourth of each query by the mean score of all samples, 0 the easiest; of even size."""
    mean = np.nanmean(panel.score, axis=(1, 2))
    order = np.lexsort((np.arange(len(mean)), -mean))
    fourth = np.empty(len(mean), dtype=np.int64)
    fourth[order] = np.arange(len(mean)) * len(FOURTHS) // len(mean)
    return fourth


def step_of(grid: Grid, pair: tuple[str, str], fourth: int, choose: Ints, score: Ints, bench: Workbench) -> Step:
    """Choose on some queries of a fourth, score on others."""
    once = {name: _once(grid, name) for name in pair}
    small, large = once[pair[0]], once[pair[1]]
    settings = [j for j, arm in enumerate(grid.arms) if arm.source.model == pair[0]]
    quality, cost = grid.quality[choose].mean(axis=0), grid.cost_usd[choose].mean(axis=0)
    able = [j for j in settings if quality[j] >= quality[large] - 1e-9]
    best = max(settings, key=lambda j: (quality[j], -cost[j]))
    chosen = min(able, key=lambda j: cost[j]) if able else best
    shown = grid.quality[score]
    found = (large, small, chosen, best)
    reached = tuple(float(shown[:, j].mean()) for j in found)
    over = [_ratio(grid.cost_usd[score], chosen, other, bench) for other in (small, large)]
    once_more, gap = (mean_interval(shown[:, a] - shown[:, b], bench.rng(5)) for a, b in ((large, small), (chosen, large)))
    arm, four = grid.arms[chosen] if able else None, (reached[0], reached[1], reached[2], reached[3])
    return Step(*pair, fourth, arm, four, once_more, gap, over[0], over[1])


def _once(grid: Grid, model: str) -> int:
    """The single sample of a model at its most accurate effort, over all queries: the way a model is used that is not to be saved on."""
    singles = [j for j, arm in enumerate(grid.arms) if arm.source.model == model and arm.n == 1]
    return max(singles, key=lambda j: grid.quality[:, j].mean())


def _ratio(cost: Floats, one: int, other: int, bench: Workbench) -> Interval:
    return paired_bootstrap([cost[:, one], cost[:, other]], lambda a, b: float(a / b), bench.rng(5))


def _finding(steps: Sequence[Step]) -> Finding:
    real = [step for step in steps if step.real]
    replaced = [step for step in real if step.replaced]
    never = [step for step in real if step.arm is None]
    cheaper = [step for step in replaced if step.relative.high < 1]
    ordered = not never or (bool(cheaper) and np.mean([s.fourth for s in cheaper]) < np.mean([s.fourth for s in never]))
    verdict: Verdict = "not told apart" if not real else "does not hold" if not cheaper else "holds" if ordered else "not told apart"
    lines = "; ".join(map(_said, steps))
    sentence = (
        f"The larger model is the better one in {len(real)} of {len(steps)} combinations of step and difficulty. Of those, compute of the "
        f"smaller one stands in for it in {len(replaced)}, and is the cheaper way in {len(cheaper)}; in {len(never)} no amount on offer "
        f"does (up to {SAMPLES // 2} samples at any thinking level). {lines}."
    )
    numbers = {f"{s.small} for {s.large}, {FOURTHS[s.fourth]}: {name}": value for s in steps if s.arm for name, value in _measured(s)}
    return Finding(verdict, sentence, numbers, tuple(_row(step) for step in steps))


def _measured(step: Step) -> list[tuple[str, Interval]]:
    return [
        ("multiple of one use", step.multiple),
        ("cost over the larger model's", step.relative),
        ("quality less the larger's", step.gap),
    ]


def _said(step: Step) -> str:
    head = f"{step.small} for {step.large}, {FOURTHS[step.fourth]}: "
    if step.arm is None:
        return f"{head}no amount ({100 * step.quality[3]:.0f} % at best, against {100 * step.quality[0]:.0f} %)"
    worse = "" if step.gap.high >= 0 else ", but worse on the scoring queries"
    even = "" if step.real else ", where the larger is not shown to be better"
    return f"{head}{told(step.multiple, 1, ' times one use', 2)}, {told(step.relative, digits=0)} of the larger's cost{worse}{even}"


def _row(step: Step) -> Row:
    ends = {f"{name}{e}": v for name, i in _measured(step) for e, v in zip(("", " low", " high"), i[:3], strict=True)}
    quality = dict(zip(("larger once", "smaller once", "setting", "smaller's best"), step.quality, strict=True))
    head = {"row": "step", "small": step.small, "large": step.large, "fourth": FOURTHS[step.fourth], "larger is better": float(step.real)}
    return head | {"setting chosen": None if step.arm is None else str(step.arm)} | quality | ends


def draw(figure: Figure, finding: Finding) -> None:
    """Draw quality by difficulty, a panel per step, with the exchange rate written above."""
    rows = finding.kind("step")
    pairs = list(dict.fromkeys((str(row["small"]), str(row["large"])) for row in rows))
    note = "above: times one use that it takes, and that cost over the larger's; no step: the larger model is not shown to be better"
    for ax, pair in zip(panels(figure, len(pairs), CLAIM.question, note, sharey=True), pairs, strict=True):
        mine = [row for row in rows if (row["small"], row["large"]) == pair]
        for column, colour, label in (
            ("larger once", SERIES[0], f"{pair[1]}, once"),
            ("smaller once", SERIES[5], f"{pair[0]}, once"),
            ("smaller's best", SERIES[1], f"{pair[0]}, at its best setting"),
        ):
            ax.plot(range(4), [float(row[column] or 0) for row in mine], "o-", color=colour, lw=1.8, ms=4.5, label=label)
        for k, row in enumerate(mine):
            ax.annotate(_label(row), (k, 1.07), ha="center", va="bottom", fontsize=7.4, color=SERIES[1], annotation_clip=False)
        ax.set_xticks(range(4), [name.replace(" fourth", "\nfourth") for name in FOURTHS])
        ax.set_xlim(-0.4, 3.4)
        ax.set_ylim(0, 1.22)
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
        ax.set_title(f"{pair[0]} in place of {pair[1]}", loc="left", fontsize=9)
        in_percent(ax)
        legend(ax, loc="lower left")


def _label(row: Row) -> str:
    if not row["larger is better"]:
        return "no step"
    if row["setting chosen"] is None:
        return "no amount"
    worse = "" if row[f"{GAP} high"] >= 0 else " (worse)"
    return f"{row['multiple of one use']:.1f}×{worse}\n{100 * row[OVER]:.0f} %"


CLAIM = Claim(
    "substitution",
    "How much of a smaller model equals one step of model size?",
    "2408.03314",
    measure,
    draw,
    (9.6, 4.4),
)
