"""What tokens foretell: log likelihood gained on unseen queries by knowing how long one sample was.

    python benchmarks/token_signal.py DIR/TABLE... [--queries 600] [--seed 0]

Five folds by query. "own" is the score of the sample, "others" the scores of all sources on its query; thousandths of a nat per score,
means over sources, with one standard error over queries. "drift" is how far the mean belief moves when tokens are seen, in points:
it should not.
"""

from __future__ import annotations

import numpy as np
from splits import splits_of, table_at, table_options

from onedial.core.outcome import Floats, known_mean
from onedial.engine.fit import grid_of
from onedial.engine.recorded import Recorded
from onedial.forecasts.fit import fit_forecast
from onedial.forecasts.latents import at_nodes
from onedial.forecasts.token_signal import FAR
from onedial.policies.shortlist import shortlist

EDGE = 1e-6


def gained(train: Recorded, test: Recorded, seed: int) -> tuple[Floats, Floats, Floats]:
    """(n,) gain of own scores, gain of others' scores, and drift of the belief in the sample, per query of the test fold."""
    sources = shortlist(grid_of(train, seed).complete())
    train, test = train.only(sources), test.only(sources)
    forecast = fit_forecast(train.panel, seed, train.prices).forecast
    known = forecast.latents(test.queries, test.panel.input_tokens)
    success, weights = at_nodes(known.mu, known.sigma, known.beyond, known.guess)
    success = (1.0 - known.pi0[:, None]) * success
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.log(np.maximum(test.panel.output_tokens[:, :, 0], 1.0) / np.maximum(known.output_tokens, 1.0))[..., None]
    signal = forecast.signal
    deviation = np.sqrt(signal.shared + signal.own)[:, None]
    right, wrong = (
        np.exp(-0.5 * np.clip((z - signal.state - shift) / deviation, -FAR, FAR) ** 2) for shift in (signal.right[:, None], 0.0)
    )
    yes, no = weights[:, None] * success * right, weights[:, None] * (1.0 - success) * wrong
    before = np.einsum("nt,nst->ns", weights, success)
    after = np.einsum("nst,ndt->nsd", (yes + no) / (yes + no).sum(axis=2, keepdims=True), success)
    own = yes.sum(axis=2) / (yes + no).sum(axis=2)
    score, seen = test.panel.score[:, :, 0], np.isfinite(z[..., 0])
    self_gain = known_mean(np.where(seen, _log(own, score) - _log(before, score), np.nan), axis=1)
    other = _log(after, score[:, None]) - _log(before, score)[:, None]
    return (
        self_gain,
        known_mean(np.where(seen[..., None], other, np.nan), axis=(1, 2)),
        known_mean(np.where(seen, own - before, np.nan), axis=1),
    )


def _log(p: Floats, score: Floats) -> Floats:
    p = np.clip(p, EDGE, 1.0 - EDGE)
    return np.asarray(score * np.log(p) + (1.0 - score) * np.log1p(-p))


def main() -> None:
    """Print one row per table."""
    options = table_options(__doc__)
    print("| table | own | others | drift |\n|---|---|---|---|")
    for folder in options.tables:
        table = table_at(folder, options.queries, options.seed)
        parts = []
        for train, test in splits_of(table, options.seed):
            parts.append(gained(train, test, options.seed))
        own, others, drift = (np.concatenate(part) for part in zip(*parts, strict=True))
        shown = (f"{1000 * np.nanmean(x):.1f} ± {1000 * np.nanstd(x) / np.sqrt(np.isfinite(x).sum()):.1f}" for x in (own, others))
        print(f"| {table.name} ({len(table.queries)}) | {' | '.join(shown)} | {100 * np.nanmean(drift):+.2f} |", flush=True)


if __name__ == "__main__":
    main()
