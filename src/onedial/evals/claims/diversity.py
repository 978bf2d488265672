"""Diversity: does the agreement of a few samples predict what more of them are worth, and is a model that has collapsed priced out?

Agreement is read off one half of the samples of a query and a source, the worth of a
vote off the other half. What a level of agreement is worth is learned on one half of the
queries and shown on the other. The collapsed twin of each source is the same model at a
temperature near zero: all its samples are alike.

Source: 2505.22617 (entropy collapse); docs/THEORY.md, section 2, "diversity".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from onedial.core.arm import Source
from onedial.core.ask import Failure, Sample, Samples
from onedial.core.model import Model
from onedial.core.outcome import Floats, Ints, Panel
from onedial.evals.claims.canvas import DEPTH, SERIES, WIDTH, band, in_percent, legend, log_x, panels
from onedial.evals.claims.contract import Claim, Finding, Row, Verdict, told
from onedial.evals.claims.workbench import Workbench
from onedial.metrics.bootstrap import Interval, mean_interval, paired_bootstrap
from onedial.policies.grid import Cell, asked_together, halves, vote_quality
from onedial.runtime.client import Client
from onedial.runtime.pool import Pool

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES = 16
COLD, TEMPERATURE = "-cold", 0.05
SIZES = (1, 2, 4, 8)
LEVELS = 5
CAUTION = 1.645
"""Standard errors that a gain must exceed before samples are bought for it."""


class Cold:
    """A client that asks another one at a temperature near zero, under names of its own.

    Attributes:
        models: Those of the client, renamed.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.models: Mapping[str, Model] = {f"{name}{COLD}": replace(m, name=f"{name}{COLD}") for name, m in client.models.items()}

    def input_tokens(self, ask: Sample) -> int:
        """As the client counts them."""
        return self._client.input_tokens(_cooled(ask))

    async def sample(self, ask: Sample) -> Samples | Failure:
        """Ask the client."""
        return await self._client.sample(_cooled(ask))

    async def aclose(self) -> None:
        """Nothing: the client is not this one's."""


def _cooled(ask: Sample) -> Sample:
    source = replace(ask.source, model=ask.source.model.removesuffix(COLD))
    return replace(ask, source=source, temperature=TEMPERATURE)


@dataclass(frozen=True, slots=True)
class Voted:
    """Some sources on some queries; (n_queries, n_sources) unless said otherwise.

    Attributes:
        sources: Column order.
        agreement: Share of pairs of samples that agree, on one half of the samples.
        gain: (n_queries, n_sources, len(SIZES)) quality of a vote of each size less that of one sample, on the other half.
        cost: (n_sources, len(SIZES)) mean cost of each size, times that of one sample.
    """

    sources: tuple[Source, ...]
    agreement: Floats
    gain: Floats
    cost: Floats


async def measure(bench: Workbench) -> Finding:
    """Sample every model warm and cold, relate agreement to what a vote gains, and price votes."""
    twin, queries = Pool([Cold(bench.pool)]), bench.tasks.mixed(4 * bench.questions)
    warm = tuple(source for model in bench.models for source in bench.sources(model))
    cold = tuple(replace(source, model=f"{source.model}{COLD}") for source in warm)
    one = (await bench.recorded(queries, warm, SAMPLES, "samples of every model")).panel
    two = (await bench.recorded(one.queries, cold, SAMPLES, "cold samples of every model", twin)).panel
    if len(two.queries) < 4 * LEVELS:
        return Finding.unmeasured(f"This needs {4 * LEVELS} graded questions; there are {len(two.queries)}.")
    one = one.rows([one.queries.index(query) for query in two.queries])
    return _finding(bench, voted(bench, one, bench.pool.models), voted(bench, two, twin.models))


def voted(bench: Workbench, panel: Panel, models: Mapping[str, Model]) -> Voted:
    """Agreement on one half of the samples, gains on the other."""
    first, second = halves(panel, bench.rng(11))
    prices = [models[source.model].price for source in panel.sources]
    cost = np.stack([asked_together(panel, j, price, np.array(SIZES)).mean(axis=0) for j, price in enumerate(prices)])
    return Voted(panel.sources, agreement(first.answer), _gains(bench, second), cost / cost[:, :1])


def agreement(answer: Ints) -> Floats:
    """Share of pairs of samples with the same answer, over the last axis; a sample without one agrees with none.

    >>> agreement(np.array([0, 0, 1, -1])).round(3).item()
    0.167
    """
    same = (answer[..., :, None] == answer[..., None, :]) & (answer >= 0)[..., None, :]
    n = answer.shape[-1]
    return np.asarray((same.sum(axis=(-1, -2)) - (answer >= 0).sum(axis=-1)) / (n * (n - 1)))


def _gains(bench: Workbench, panel: Panel) -> Floats:
    rng, shape = bench.rng(12), panel.score.shape[:2]
    gain = np.zeros((*shape, len(SIZES)))
    for i, j in np.ndindex(shape):
        cell = Cell(panel.score[i, j], panel.answer[i, j], panel.verdict[i, j])
        gain[i, j] = [vote_quality(cell, n, rng, 128) for n in SIZES]
    return gain - gain[..., :1]


def worth_by_level(level: Floats, gain: Floats, edges: Floats) -> Floats:
    """Mean gain at each level of agreement; 0 where there is none."""
    at = np.searchsorted(edges, level.ravel(), side="right")
    return np.array([gain.ravel()[at == k].mean() if (at == k).any() else 0.0 for k in range(len(edges) + 1)])


def told_apart(bench: Workbench, train: Voted, test: Voted) -> Interval:
    """What a vote gains more in the half of the cases with the larger predicted gain than in the other; 0 if agreement says nothing."""
    edges = np.unique(np.quantile(train.agreement, np.arange(1, LEVELS) / LEVELS))
    worth = worth_by_level(train.agreement, train.gain[..., -1], edges)
    predicted = worth[np.searchsorted(edges, test.agreement, side="right")]
    rank = np.argsort(np.argsort(-(predicted + 1e-9 * bench.rng(13).random(predicted.shape)), axis=None)).reshape(predicted.shape)
    upper, gain = rank < predicted.size / 2, test.gain[..., -1]
    parts = [(gain * upper).sum(axis=1), upper.sum(axis=1), (gain * ~upper).sum(axis=1), (~upper).sum(axis=1)]
    return paired_bootstrap(parts, lambda a, n, b, m: float(a / n - b / m) if n and m else float("nan"), bench.rng(13))


def bought(voted: Voted, worths: Sequence[float]) -> list[int]:
    """Samples worth their cost at each worth, one number for all sources, by what the mean gain exceeds with some certainty.

    The most that any one source would buy is a matter of luck where there are many.
    """
    gain, cost = voted.gain.mean(axis=1), voted.cost.mean(axis=0)
    sure = gain.mean(axis=0) - CAUTION * gain.std(axis=0, ddof=1) / np.sqrt(len(gain))
    sure[0] = 0.0
    return [SIZES[int(np.argmax(worth * sure - cost))] for worth in worths]


WORTHS = tuple(float(10**k) for k in np.arange(0, 4.01, 0.5))
"""Worth of a right answer, in costs of one sample."""


def _finding(bench: Workbench, warm: Voted, cold: Voted) -> Finding:
    choose, score = bench.halves(len(warm.gain))
    apart = told_apart(bench, _rows_of(warm, choose), _rows_of(warm, score))
    kinds = {"warm": _rows_of(warm, score), "cold": _rows_of(cold, score)}
    numbers = {"gain where agreement promises more, less the gain elsewhere": apart}
    for name, each in kinds.items():
        numbers[f"agreement, {name}"] = mean_interval(each.agreement.mean(axis=1), bench.rng(14))
        numbers[f"gain of a vote of {SIZES[-1]}, {name}"] = mean_interval(each.gain[..., -1].mean(axis=1), bench.rng(14))
    most = {name: bought(_rows_of(each, choose), WORTHS) for name, each in (("warm", warm), ("cold", cold))}
    out, useful = max(most["cold"]) == 1, max(most["warm"]) > 1
    verdict: Verdict = "holds" if apart.low > 0 and out and useful else "does not hold" if apart.high < 0 or not out else "not told apart"
    more, kept = (numbers[f"gain of a vote of {SIZES[-1]}, {kind}"] for kind in ("warm", "cold"))
    half, last = SAMPLES // 2, SIZES[-1]
    sentence = (
        f"A vote of {last} gains {told(apart, unit=' points')} more over one sample in the half of the cases in which the agreement of "
        f"{half} others promises more than in the other half. Samples at the usual temperature agree in {told(numbers['agreement, warm'])} "
        f"of pairs and a vote gains {told(more, unit=' points')}; at temperature {TEMPERATURE} they agree in "
        f"{told(numbers['agreement, cold'])} and it gains {told(kept, unit=' points')}. Up to a worth of {WORTHS[-1]:,.0f} samples per "
        f"right answer, at most {max(most['warm'])} warm and {max(most['cold'])} cold samples are worth buying."
    )
    return Finding(verdict, sentence, numbers, (*_levels(bench, warm), *_worths(most)))


def _rows_of(voted: Voted, index: Ints) -> Voted:
    return replace(voted, agreement=voted.agreement[index], gain=voted.gain[index])


def _levels(bench: Workbench, warm: Voted) -> list[Row]:
    """What a vote gains at each level of agreement, all queries; a cell is a query and a source."""
    edges = np.linspace(0, 1, 9)
    at = np.clip(np.searchsorted(edges, warm.agreement, side="right") - 1, 0, 7)
    rows: list[Row] = []
    for k in range(8):
        here = at == k
        if here.sum() >= 2:
            gain = mean_interval(warm.gain[..., -1][here], bench.rng(15), 500)
            ends = {"gain": gain.estimate, "gain low": gain.low, "gain high": gain.high}
            rows.append({"row": "level", "agreement": float(warm.agreement[here].mean()), "cases": int(here.sum())} | ends)
    return rows


def _worths(most: Mapping[str, Sequence[int]]) -> list[Row]:
    return [
        {"row": "worth", "kind": kind, "worth": worth, "samples": n}
        for kind, counts in most.items()
        for worth, n in zip(WORTHS, counts, strict=True)
    ]


def draw(figure: Figure, finding: Finding) -> None:
    """Draw what a vote gains against agreement, the gains warm and cold, and how many samples are bought."""
    one, two, three = panels(figure, 3, CLAIM.question, "95 % intervals; agreement on one half of the samples, gains on the other")
    levels = finding.kind("level")
    x = [r["agreement"] for r in levels]
    band(one, x, levels, "gain", DEPTH, "")
    one.axhline(0, color="#8d97a1", lw=0.9)
    one.set_xlabel("share of pairs of samples that agree")
    one.set_title(f"what a vote of {SIZES[-1]} gains over one sample", loc="left", fontsize=8.6)
    in_percent(one)
    in_percent(one, "x")
    for k, (name, colour) in enumerate((("warm", DEPTH), ("cold", WIDTH))):
        for at, what in enumerate((f"gain of a vote of {SIZES[-1]}, {name}", f"agreement, {name}")):
            number = finding.numbers[what]
            two.bar(at + 0.36 * k - 0.18, number.estimate, 0.34, color=colour, alpha=0.85, label=name if not at else None)
            two.plot([at + 0.36 * k - 0.18] * 2, [number.low, number.high], color="#1f2933", lw=1.2)
    two.set_xticks([0, 1], ["gain of a vote", "agreement"])
    two.set_title(f"at the usual temperature, and at {TEMPERATURE}", loc="left", fontsize=8.6)
    in_percent(two)
    legend(two, loc="upper left")
    for name, colour in (("warm", SERIES[0]), ("cold", SERIES[1])):
        mine = [r for r in finding.kind("worth") if r["kind"] == name]
        three.step([r["worth"] for r in mine], [r["samples"] for r in mine], color=colour, lw=2, label=name, where="mid")
    log_x(three)
    three.set_yticks(SIZES)
    three.set_ylim(0.5, SIZES[-1] + 0.5)
    three.grid(axis="y")
    three.set_xlabel("worth of a right answer, in samples")
    three.set_title("samples worth buying", loc="left", fontsize=8.6)
    legend(three, loc="upper left")


CLAIM = Claim(
    "diversity",
    "Does agreement say what more samples are worth?",
    "2505.22617",
    measure,
    draw,
    (11.0, 3.7),
)
