import numpy as np
import pytest

from onedial.core.arm import Source
from onedial.core.errors import TableError
from onedial.core.outcome import Outcome, Panel
from onedial.core.query import Query
from onedial.forecasts.latency import fit_latencies

KNOWN, BLANK = Source("known"), Source("blank")


def _latencies(n=400, tokens=True):
    rng = np.random.default_rng(0)
    queries = [Query(f"q{i}", f"question {i}") for i in range(n)]
    outcomes = []
    for query in queries:
        used = int(rng.integers(50, 2_000))
        took = (0.8 + 0.02 * used) * np.exp(0.3 * rng.standard_normal())
        outcomes.append(Outcome(query.id, "known", None, 0, 1.0, "a", output_tokens=used if tokens else None, latency_s=float(took)))
        outcomes.append(Outcome(query.id, "blank", None, 0, 1.0, "a", output_tokens=used))
    return fit_latencies(Panel.of(queries, outcomes))


def test_half_of_the_replies_are_back_within_the_median_and_nine_tenths_within_that_quantile():
    tokens = np.array([100.0, 1_000.0])
    line = 0.8 + 0.02 * tokens
    found = _latencies()
    np.testing.assert_allclose(found.quantile(KNOWN, tokens, 0.5), line, rtol=0.1)
    np.testing.assert_allclose(found.quantile(KNOWN, tokens, 0.9), line * np.exp(0.3 * 1.2816), rtol=0.12)


def test_samples_side_by_side_take_as_long_as_the_slowest():
    rng = np.random.default_rng(1)
    slowest = ((0.8 + 0.02 * 500) * np.exp(0.3 * rng.standard_normal((4_000, 8)))).max(axis=1)
    assert float(_latencies().quantile(KNOWN, np.array(500.0), 0.5, side_by_side=8)) == pytest.approx(np.median(slowest), rel=0.1)


def test_a_source_without_latencies_has_none_and_without_tokens_one_for_all():
    assert np.isnan(_latencies().quantile(BLANK, np.array([10.0]), 0.5)).all()
    flat = _latencies(tokens=False).quantile(KNOWN, np.array([1.0, 1_000.0]), 0.5)
    assert flat[0] == flat[1] > 0


def test_an_unknown_source_or_an_impossible_quantile_is_refused():
    with pytest.raises(TableError, match="unknown source"):
        _latencies().quantile(Source("other"), np.array([1.0]), 0.5)
    with pytest.raises(ValueError, match="0 < p < 1"):
        _latencies().quantile(KNOWN, np.array([1.0]), 1.0)
