"""Which learner forecasts success best: every recipe on outcome tables, judged on queries that it has not seen.

    python benchmarks/learners.py TABLE... --seed 0 --rows 2000 --sources 40
    python benchmarks/learners.py TABLE --gain STRONG WEAK --only mmlu --labels 1500 11000 --seed 0 1 2

The first prints, per table, the gain in log likelihood over the mean (thousandths of a
nat per query, averaged over sources) on a held-out third of the queries, with its standard
error paired over queries; every forecast is recalibrated on the training queries, out of fold.
`chosen` is what `choose_learner` takes, looking at the training queries alone.

The second ranks queries by the forecast gain of one model over another, trained on so
many labels and tested on all other queries, and prints APGR.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from onedial.core.outcome import Panel, known_mean
from onedial.forecasts.calibration import apply_logistic, fit_logistic
from onedial.forecasts.learners.choose import choose_learner
from onedial.forecasts.learners.contract import cross_fitted
from onedial.forecasts.learners.registry import RECIPES
from onedial.forecasts.learners.space import fit_space
from onedial.forecasts.learners.views import view
from onedial.forecasts.sketch import sketch
from onedial.metrics.routing import apgr, decile_curve
from onedial.runtime.table import read_table

BAG = "(tf-idf, two regressions)"


def main() -> None:
    """Compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", type=int, default=2000, help="queries at most")
    parser.add_argument("--sources", type=int, default=40, help="sources at most, those with most outcomes")
    parser.add_argument("--gain", nargs=2, metavar=("STRONG", "WEAK"))
    parser.add_argument("--only", default="", help="data sets whose name begins so")
    parser.add_argument("--labels", type=int, nargs="+", default=[1500])
    options = parser.parse_args()
    for path in options.tables:
        for seed in options.seed:
            gains(path, seed, options) if options.gain else likelihoods(path, seed, options)


def counts(path, only=""):
    """Queries, sources and (n, S) right and graded samples of a table."""
    table = read_table(path, repair=True)
    queries = [query for query in table.queries if query.dataset.startswith(only)]
    panel = Panel.of(queries, table.outcomes)
    return queries, panel.sources, np.nansum(panel.score, axis=2), panel.counts.astype(float)


def likelihoods(path, seed, options):
    """One line per learner."""
    queries, sources, right, draws = counts(path, options.only)
    order = np.random.default_rng(seed).permutation(len(queries))[: options.rows]
    columns = np.sort(np.argsort(-(draws[order] > 0).sum(axis=0), kind="stable")[: options.sources])
    right, draws = right[order][:, columns], draws[order][:, columns]
    x = sketch([queries[i] for i in order])
    y = right / np.where(draws > 0, draws, np.nan)
    train, test = np.arange(len(order))[len(order) // 3 :], np.arange(len(order))[: len(order) // 3]
    space, s = fit_space(x.rows(train), seed), len(columns)

    def judged(bag, forecast):
        line = fit_logistic(bag, right[train], draws[train])
        p = apply_logistic(forecast, line)
        return known_mean(y[test] * np.log(p) + (1 - y[test]) * np.log1p(-p), axis=1)

    print(f"\n{path.name}: {len(train)} + {len(test)} queries of {len(queries)}, {s} sources of {len(sources)}, seed {seed}")
    found = {}
    for name, recipe in RECIPES.items():
        started = time.process_time()
        seen, later = (view(recipe.sees, x.rows(i), space) for i in (train, test))
        if recipe.unseen:
            learner, bag = recipe.unseen(seen, y[train], s, seed)
        else:
            learner, bag = recipe.fit(seen, y[train], s, seed), cross_fitted(recipe, seen, y[train], s, seed)
        found[name] = judged(bag, learner.predict(later)), time.process_time() - started
    started = time.process_time()
    chosen = choose_learner(x.rows(train), y[train], right[train], draws[train], seed)
    found[f"chosen: {chosen.name}"] = judged(chosen.out_of_fold, chosen.learner.predict(x.rows(test))), time.process_time() - started
    for name, (score, seconds) in found.items():
        gain = 1e3 * (score - found["mean"][0])
        gain = gain[np.isfinite(gain)]
        print(f"{name:30} {gain.mean():+8.1f} ± {gain.std() / np.sqrt(len(gain)):4.1f}   {seconds:5.1f} s of processor time")


def gains(path, seed, options):
    """One line per learner and number of labels."""
    queries, sources, right, draws = counts(path, options.only)
    strong, weak = ([str(source) for source in sources].index(name) for name in options.gain)
    y = (right / np.where(draws > 0, draws, np.nan))[:, [strong, weak]]
    right, draws, x = right[:, [strong, weak]], draws[:, [strong, weak]], sketch(queries)
    order = np.random.default_rng(seed).permutation(len(queries))
    for labels in options.labels:
        train, test = order[:labels], order[labels:]
        space = fit_space(x.rows(train), seed)

        def score(forecast, test=test):
            curve = decile_curve(forecast[:, 0] - forecast[:, 1], y[test, 1], y[test, 0])
            return apgr(curve, y[test, 1].mean(), y[test, 0].mean())

        print(f"\n{path.name}: {labels} labels, {len(test)} test queries, seed {seed}")
        print(f"{BAG:30} {score(bag_of_words(queries, y, train, test)):.3f}")
        for name, recipe in RECIPES.items():
            seen, later = (view(recipe.sees, x.rows(i), space) for i in (train, test))
            print(f"{name:30} {score(recipe.fit(seen, y[train], 2, seed).predict(later)):.3f}")
        chosen = choose_learner(x.rows(train), y[train], right[train], draws[train], seed)
        print(f"{'chosen: ' + chosen.name:30} {score(chosen.learner.predict(x.rows(test))):.3f}", flush=True)


def bag_of_words(queries, y, train, test):
    """The baseline: weighted words and pairs, whole vocabulary, one logistic regression per model, settings as they come."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    seen = words.fit_transform([queries[i].prompt for i in train])
    later = words.transform([queries[i].prompt for i in test])
    fits = (LogisticRegression(max_iter=1000).fit(seen, y[train, j] >= 0.5) for j in (0, 1))
    return np.column_stack([fit.predict_proba(later)[:, 1] for fit in fits])


if __name__ == "__main__":
    main()
