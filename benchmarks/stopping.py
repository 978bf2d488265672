"""When to stop voting: the controller with one source on its menu against published stop rules, on a frozen set of synthetic queries.

    python benchmarks/stopping.py DIR --seed 0

DIR holds outcome tables; `stopping_set` says what is drawn from them. Original queries
are divided into four folds. Of every rule, each setting is played on all queries; from
the training folds the settings on the upper hull of (samples, accuracy) are kept, mixed
to meet each of `BUDGETS` samples per query there, and scored on the fold left out. The
controller's forecasts are fitted on the training folds too: once as if all queries were
alike (one forecast for everything), once per table, source and text. Every sample costs
the same. Intervals are from a bootstrap over original queries, all rules on the same ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from stopping_picture import draw
from stopping_rules import Played, Votes, rivals, tallies
from stopping_set import FOLDS, MOST, FrozenSet, frozen_set

from onedial.core.arm import Source
from onedial.core.outcome import Floats, Ints, Panel
from onedial.core.query import Query
from onedial.core.roc import Roc
from onedial.forecasts.fit import fit_forecast
from onedial.forecasts.latents import Latents
from onedial.metrics.bootstrap import Interval, percentile_interval, resample_weights
from onedial.metrics.frontier import cost_at_quality
from onedial.metrics.hull import upper_hull
from onedial.policies.belief import Belief
from onedial.policies.blocks import BLOCKS
from onedial.policies.evidence import Evidence
from onedial.policies.one_by_one import course_of
from onedial.policies.prior import Prior

BUDGETS = (1.25, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
WORTHS = np.geomspace(1.2, 7e3, 18)
"""Samples that being surely right is worth."""
ALIKE, FITTED_ON, RESAMPLES, LOSS = Source("any"), 800, 1000, 0.002


class OneSource:
    """The controller's rule for one source at every worth; what it decides after the same votes is remembered."""

    def __init__(self, latents: Latents) -> None:
        """Take one row and one column of latents."""
        self._prior = Prior(latents, 0, Roc())
        self._known: dict[tuple[tuple[int, ...], int], tuple[int, int]] = {}

    def decide(self, votes: tuple[int, ...], blank: int) -> tuple[int, int]:
        """Which answer is in the lead, and the first worth at which one goes on."""
        key = votes, blank
        if key not in self._known:
            self._known[key] = self._decide(votes, blank)
        return self._known[key]

    def _decide(self, votes: tuple[int, ...], blank: int) -> tuple[int, int]:
        drawn, none = sum(votes) + blank, np.zeros(1, dtype=np.int64)
        names, row, unscored = tuple(map(str, range(len(votes)))), np.array([votes], dtype=np.int64), np.full(len(votes), np.nan)
        belief = Belief(self._prior, Evidence(names, row, np.array([drawn]), unscored, none, np.zeros(1)))
        course = course_of(belief)
        if course is None:
            return 0, 0
        gain = np.maximum(belief.outlooks().vote[0] - belief.quality, 1e-300)  # of a block, which is drawn in pieces
        allowed = np.array(BLOCKS) <= MOST - drawn
        low, high = 0, int(np.searchsorted(WORTHS, np.where(allowed, np.array(BLOCKS) / gain, np.inf).min(), side="right"))
        # what the plan adds is convex in the worth, and a loss where nothing is worth anything: it pays from some worth on
        while low < high:
            middle = (low + high) // 2
            pays = course.going_on(WORTHS[middle], 1.0, MOST - drawn) > WORTHS[middle] * belief.quality
            low, high = (low, middle) if pays else (middle + 1, high)
        return belief.leader or 0, low

    def play(self, code: Sequence[int], right: Sequence[float]) -> tuple[Floats, Floats]:
        """Samples and whether right, per worth."""
        samples, good, live = np.zeros(len(WORTHS)), np.zeros(len(WORTHS)), len(WORTHS)
        correct = dict(zip(code, right, strict=True))
        for k, (votes, blank, names) in enumerate(tallies(code), 1):
            lead, goes = self.decide(votes, blank)
            goes = len(WORTHS) if k == MOST else goes
            ends = slice(len(WORTHS) - live, goes)  # lower worths have stopped before
            samples[ends], good[ends] = k, correct[names[lead]] if names else 0.0
            live = min(live, len(WORTHS) - goes)
            if live == 0:
                break
        return samples, good


def alike(frozen: FrozenSet, fold: int, seed: int) -> dict[int, tuple[Floats, Floats]]:
    """The queries of a fold played by the controller that takes every query for an average one."""
    rows = np.random.default_rng([seed, fold]).permutation(np.flatnonzero(frozen.fold != fold))[:FITTED_ON]
    names = [(f"s{i}", ALIKE) for i in rows]
    panel = Panel.of([Query(name, "?") for name, _ in names], frozen.outcomes(rows, names))
    rule = OneSource(fit_forecast(panel, seed).forecast.latents([Query("?", "?")]))
    return {int(i): rule.play(frozen.code[i].tolist(), frozen.right[i].tolist()) for i in np.flatnonzero(frozen.fold == fold)}


def forecast(frozen: FrozenSet, fold: int, seed: int) -> dict[int, tuple[Floats, Floats]]:
    """The same with a forecast from the table, the source and the text of every query."""
    found = {}
    for table in range(len(frozen.names)):
        known = fit_forecast(frozen.panel(table, fold), seed).forecast
        texts, column = {q.id: q for q in frozen.queries[table]}, {s: j for j, s in enumerate(known.sources)}
        cells: dict[tuple[str, Source], list[int]] = {}
        for i in np.flatnonzero((frozen.table == table) & (frozen.fold == fold)):
            cells.setdefault((frozen.query[i], frozen.source[i]), []).append(int(i))
        ids = sorted({q for q, _ in cells})
        latents, row = known.latents([texts[q] for q in ids]), {q: i for i, q in enumerate(ids)}
        for (q, source), members in cells.items():
            rule = OneSource(latents.rows([row[q]]).columns([column[source]]))
            found |= {i: rule.play(frozen.code[i].tolist(), frozen.right[i].tolist()) for i in members}
    return found


def controllers(frozen: FrozenSet, seed: int, jobs: int) -> Iterator[tuple[str, Played]]:
    """Both, all folds, in so many processes."""
    ways = {"controller": alike, "controller with forecast": forecast}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        asked = {name: [pool.submit(way, frozen, fold, seed) for fold in range(FOLDS)] for name, way in ways.items()}
        for name, parts in asked.items():
            rows = {i: outcome for part in parts for i, outcome in part.result().items()}
            samples, right = (np.stack([rows[i][k] for i in range(len(rows))]) for k in (0, 1))
            yield name, Played(samples, right)


def nested(played: Played, fold: Ints) -> tuple[Floats, Floats]:
    """(n, budgets) samples and accuracy of the mixtures that meet each budget on the training folds."""
    shape = len(fold), len(BUDGETS)
    samples, right = np.zeros(shape), np.zeros(shape)
    for k in range(FOLDS):
        train, test = fold != k, np.flatnonzero(fold == k)
        cost = played.samples[train].mean(axis=0)
        hull = upper_hull(cost, played.right[train].mean(axis=0))
        settings = [int(i) for i in hull.point]
        for b, budget in enumerate(BUDGETS):
            at = float(np.interp(budget, cost[settings], np.arange(len(settings))))
            low, share = settings[int(at)], at - int(at)
            high = settings[min(int(at) + 1, len(settings) - 1)]
            for into, values in ((samples, played.samples), (right, played.right)):
                into[test, b] = (1.0 - share) * values[test, low] + share * values[test, high]
    return samples, right


def resampled(values: Floats, group: Ints, weights: Floats) -> Floats:
    """(resamples, budgets) means over queries, whole original queries resampled."""
    size = np.bincount(group).astype(float)
    sums = np.stack([np.bincount(group, column) for column in values.T], axis=1)
    return np.asarray((weights @ sums) / (weights @ size)[:, None])


def ahead(ours: tuple[Floats, Floats], theirs: tuple[Floats, Floats], group: Ints, rng: np.random.Generator) -> list[Interval]:
    """Points of accuracy that ours is above theirs at their samples, per budget."""
    weights = np.vstack((np.full(group.max() + 1, 1.0 / (group.max() + 1)), resample_weights(int(group.max()) + 1, RESAMPLES, rng)))
    n, q, rival_n, rival_q = (resampled(values, group, weights) for values in (*ours, *theirs))
    gain = 100.0 * np.array([np.interp(x, a, b) - y for a, b, x, y in zip(n, np.maximum.accumulate(q, 1), rival_n, rival_q, strict=True)])
    return [percentile_interval(float(column[0]), column[1:]) for column in gain.T]


def thrift(ours: tuple[Floats, Floats], votes: Votes, group: Ints, rng: np.random.Generator, k: int = 32) -> Interval:
    """Samples of `k` fixed votes over ours at their accuracy less `LOSS`."""
    weights = np.vstack((np.full(group.max() + 1, 1.0 / (group.max() + 1)), resample_weights(int(group.max()) + 1, RESAMPLES, rng)))
    n, q = (resampled(values, group, weights) for values in ours)
    level = resampled(votes.right[:, k - 1 : k], group, weights)[:, 0] - LOSS
    ratio = [k / cost_at_quality(a, b, x) for a, b, x in zip(n, q, level, strict=True)]
    return percentile_interval(ratio[0], [0.0 if np.isnan(r) else r for r in ratio[1:]])


def main() -> None:
    """Play, print tables, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", nargs="+", default=["epoch_gpqa_diamond", "epoch_otis_mock_aime", "mot_date", "tot_puzzles"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    frozen = frozen_set([given.folder / name for name in given.tables], given.seed)
    print(f"seed {given.seed}, {len(frozen.fold):,} queries of {', '.join(frozen.names)}; digest {frozen.digest}", flush=True)
    votes = Votes(frozen)
    others = {name: nested(played, frozen.fold) for name, played in rivals(frozen, votes).items()}
    head = f"| {{}} | {' | '.join(f'{b:g}' for b in BUDGETS)} |\n|{'---|' * (len(BUDGETS) + 1)}"
    print("\nAccuracy at about so many samples per query (those drawn in brackets):\n\n" + head.format("rule"))
    show_accuracy(others)
    drawn = dict(others)
    for name, played in controllers(frozen, given.seed, given.jobs):
        drawn[name] = mine = nested(played, frozen.fold)
        show_accuracy({name: mine})
        print(f"\nPoints of {name} above each rule, at that rule's samples:\n\n" + head.format("rule"))
        show_gains(mine, others, frozen.group, given.seed)
        saved = thrift(mine, votes, frozen.group, np.random.default_rng(given.seed))
        times = f"{saved.estimate:.1f} [{saved.low:.1f}, {saved.high:.1f}] times"
        print(f"\n{name}: {times} fewer samples than 32 votes at a loss of {LOSS:.1%}\n", flush=True)
    if given.picture:
        draw({name: (n.mean(axis=0), q.mean(axis=0)) for name, (n, q) in drawn.items()}, given.picture)


def show_accuracy(rules: Mapping[str, tuple[Floats, Floats]]) -> None:
    """Print a row per rule."""
    for name, (n, q) in rules.items():
        print(
            f"| {name} | {' | '.join(f'{100 * b:.2f} ({a:.2f})' for a, b in zip(n.mean(axis=0), q.mean(axis=0), strict=True))} |",
            flush=True,
        )


def show_gains(mine: tuple[Floats, Floats], others: Mapping[str, tuple[Floats, Floats]], group: Ints, seed: int) -> None:
    """Print a row per rival."""
    for rival, theirs in others.items():
        found = ahead(mine, theirs, group, np.random.default_rng(seed))
        print(f"| {rival} | {' | '.join(f'{x.estimate:+.2f} [{x.low:+.2f}, {x.high:+.2f}]' for x in found)} |", flush=True)


if __name__ == "__main__":
    main()
