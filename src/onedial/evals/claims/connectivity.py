"""Graph connectivity: one long chain of thought against votes over short ones, as the path grows longer.

One walk is set against as many direct votes as the same tokens buy, and against any
number of votes: between two answers, n votes reach what the spread of the chance of
being right over queries (a Beta distribution, by moments) lets a majority reach.

Source: 2505.21825 (sequential against parallel scaling on graph connectivity).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from math import ceil, isfinite
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betainc
from scipy.stats import binom

from onedial.core.model import Model
from onedial.core.outcome import Floats, Panel, known_mean
from onedial.evals.claims.canvas import DEPTH, WIDTH, band, in_percent, legend, panels
from onedial.evals.claims.contract import Claim, Finding, Row, Verdict, told
from onedial.evals.claims.workbench import Workbench
from onedial.metrics.bootstrap import Interval, mean_interval, percentile_interval, resample_weights
from onedial.policies.grid import Cell, vote_quality

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VOTES, WALKS = 33, 2
"""Samples recorded per question: direct answers, and walks."""
SIZES = (1, 3, 5, 9, 17, 33, 65, 129, 257, 1025, 4097, 16385, 65537, 262145, 1048577)
"""Numbers of votes tried when it is asked how many are needed."""
NODES = 500
RESAMPLES = 300


class Walked(NamedTuple):
    """One model at one length, per query: quality of a walk and of as many votes as it costs, and how many of the votes were right."""

    ids: tuple[str, ...]
    walk: Floats
    votes: Floats
    right: Floats
    walk_tokens: float
    vote_tokens: float
    size: int


async def measure(bench: Workbench) -> Finding:
    """Walk and vote on paths of every length, with every model that has a thinking dial."""
    able = [model for model in bench.models if len(model.efforts) > 1]
    lengths = [d for d in bench.tasks.walk_lengths if bench.tasks.walks(d, 1)]
    if not able or len(lengths) < 2:
        return Finding.unmeasured("This needs a model with two thinking efforts, and walks of two lengths.")
    found = {key: each for model in able for key, each in (await walked(bench, model, lengths)).items()}
    if any(len(each.walk) < 2 for each in found.values()):
        return Finding.unmeasured("Too few questions were answered for an interval.")
    rows = [row_of(bench, name, length, each) for (name, length), each in found.items()]
    longest = [found[model.name, d] for model in able for d in lengths[len(lengths) // 2 :]]
    return _finding(rows, mean_interval(per_query(longest), bench.rng(4)), lengths)


def per_query(cells: Sequence[Walked]) -> Floats:
    """Walk less votes of each query, the mean over the models that were asked it."""
    gaps = defaultdict[str, list[float]](list)
    for cell in cells:
        for name, gap in zip(cell.ids, cell.walk - cell.votes, strict=True):
            gaps[name].append(float(gap))
    return np.array([fmean(each) for each in gaps.values()])


async def walked(bench: Workbench, model: Model, lengths: Sequence[int]) -> dict[tuple[str, int], Walked]:
    """Ask one model about paths of every length."""
    asked = {length: bench.tasks.walks(length, bench.questions) for length in lengths}
    queries, (direct, *_, walk) = [query for each in asked.values() for query in each], bench.sources(model)
    votes = (await bench.recorded(queries, [direct], VOTES, f"glances of {model.name}")).panel
    walks = (await bench.recorded(votes.queries, [walk], WALKS, f"walks of {model.name}")).panel
    found = {}
    for length, each in asked.items():
        kept = [query for query in walks.queries if query in each]
        rows = [panel.rows([panel.queries.index(query) for query in kept]) for panel in (walks, votes)]
        found[model.name, length] = one_length(bench, *rows)
    return found


def one_length(bench: Workbench, walks: Panel, votes: Panel) -> Walked:
    """Set walks against as many votes as the same tokens buy, on the same queries."""
    tokens = [float(known_mean(panel.output_tokens, axis=(0, 1, 2), otherwise=1.0)) for panel in (walks, votes)]
    size = min(VOTES, odd(tokens[0] / tokens[1]))
    ids, reached = tuple(query.id for query in walks.queries), votes_reach(votes, size, bench)
    return Walked(ids, walks.score[:, 0].mean(axis=1), reached, votes.score[:, 0].sum(axis=1), tokens[0], tokens[1] * size, size)


def odd(ratio: float) -> int:
    """The smallest odd number of votes that is at least `ratio`, so that two answers never tie.

    >>> odd(2.2), odd(3.2)
    (3, 5)
    """
    return max(1, ceil(ratio)) // 2 * 2 + 1


def votes_reach(panel: Panel, size: int, bench: Workbench) -> Floats:
    """(n,) expected quality of a vote of `size`, over subsets of the recorded samples."""
    rng = bench.rng(size)
    rows = zip(panel.score[:, 0], panel.answer[:, 0], panel.verdict[:, 0], strict=True)
    return np.array([vote_quality(Cell(*row), size, rng, 64) for row in rows])


def majority(mean: float, together: float) -> Floats:
    """(len(SIZES) + 1,) quality of a majority of each of `SIZES`, and of votes without end.

    Args:
        mean: Mean chance that one sample is right.
        together: Mean chance that two samples of a query are both right.
    """
    spread = max(together - mean**2, 1e-9)
    concentration = max((mean - together) / spread, 1e-3)
    share = np.diff(betainc(mean * concentration, (1 - mean) * concentration, np.linspace(0, 1, NODES + 1)))
    return np.asarray(_majorities() @ share)


@cache
def _majorities() -> Floats:
    """(len(SIZES) + 1, NODES) the same where the chance of being right is in the middle of each of `NODES` equal steps."""
    p, sizes = (np.arange(NODES) + 0.5) / NODES, np.array(SIZES)[:, None]
    return np.vstack((binom.sf(sizes // 2, sizes, p), p > 0.5))


def needed(mean: float, together: float, goal: float) -> float:
    """The smallest of `SIZES` whose majority reaches `goal`; infinite if none does, whatever their number.

    >>> needed(0.9, 0.81, 0.97), needed(0.4, 0.17, 0.99)
    (3.0, inf)
    """
    reached = np.flatnonzero(majority(min(max(mean, 1e-6), 1 - 1e-6), together)[:-1] >= goal)
    return float(SIZES[int(reached[0])]) if reached.size else float("inf")


def votes_needed(each: Walked, rng: np.random.Generator) -> Interval:
    """Votes that it takes to reach the walk's quality, with an interval over queries."""
    chance, both = each.right / VOTES, each.right * (each.right - 1) / (VOTES * (VOTES - 1))
    weights = resample_weights(len(chance), RESAMPLES, rng)
    means = zip(weights @ chance, weights @ both, weights @ each.walk, strict=True)
    whole = needed(float(chance.mean()), float(both.mean()), float(each.walk.mean()))
    return percentile_interval(whole, [needed(*map(float, mean)) for mean in means])


def row_of(bench: Workbench, model: str, length: int, each: Walked) -> Row:
    """One line of the table."""
    walk, votes = mean_interval(each.walk, bench.rng(1)), mean_interval(each.votes, bench.rng(1))
    more = votes_needed(each, bench.rng(2))
    shown = {"walk": walk, "votes": votes, "votes needed": more}
    ends = {f"{name}{end}": value for name, i in shown.items() for end, value in zip(("", " low", " high"), i[:3], strict=True)}
    head = {"row": "length", "model": model, "length": length}
    return head | ends | {"walk tokens": each.walk_tokens, "vote tokens": each.vote_tokens, "votes for the same tokens": each.size}


def _finding(rows: Sequence[Row], gap: Interval, lengths: Sequence[int]) -> Finding:
    verdict: Verdict = "holds" if gap.low > 0 else "does not hold" if gap.high < 0 else "not told apart"
    far = [row for row in rows if row["length"] >= lengths[len(lengths) // 2]]
    never = sum(not isfinite(row["votes needed"]) for row in far)
    sentence = (
        f"On paths of {lengths[len(lengths) // 2]} to {lengths[-1]} steps one walk is {told(gap, unit=' points')} better than direct "
        f"votes for at least the same tokens, over all models. In {never} of {len(far)} combinations of model and length no number of "
        f"votes reaches the walk{_range(far)}. Votes beyond those recorded ({VOTES}) are extrapolated."
    )
    return Finding(verdict, sentence, {"walk less votes at equal tokens": gap}, tuple(rows))


def _range(rows: Sequence[Row]) -> str:
    finite = [row["votes needed"] for row in rows if isfinite(row["votes needed"])]
    return f"; elsewhere it takes {min(finite):,.0f} to {max(finite):,.0f} of them" if finite else ""


def draw(figure: Figure, finding: Finding) -> None:
    """Draw quality against length, a panel per model."""
    rows = finding.kind("length")
    models = list(dict.fromkeys(str(row["model"]) for row in rows))
    note = f"bands are 95 % intervals; a number is how many votes it takes to be as good as the walk, extrapolated beyond {VOTES}"
    for ax, model in zip(panels(figure, len(models), CLAIM.question, note, sharey=True), models, strict=True):
        mine = [row for row in rows if row["model"] == model]
        x = [row["length"] for row in mine]
        band(ax, x, mine, "walk", DEPTH, "one walk")
        band(ax, x, mine, "votes", WIDTH, "direct votes for the same tokens")
        for at, row in zip(x, mine, strict=True):
            count = row["votes needed"]
            text = f"{count:,.0f}" if isfinite(count) else "∞"
            ax.annotate(text, (at, 1.06), ha="center", fontsize=7.4, color=WIDTH, annotation_clip=False)
        ax.set_title(model, loc="left", fontsize=9)
        ax.set_xlabel("steps on the path")
        ax.set_ylim(0.0, 1.13)
        in_percent(ax)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    legend(ax, loc="lower left")


CLAIM = Claim(
    "connectivity",
    "Is there a way? One walk, or votes over glances for the same tokens",
    "2505.21825",
    measure,
    draw,
    (10.0, 3.9),
)
