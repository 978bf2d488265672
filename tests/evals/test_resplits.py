import json

import numpy as np
import pytest

from onedial.core.errors import TableError
from onedial.evals import resplits
from onedial.evals.resplits import resplit_promise
from onedial.policies.certificate import certify_drop


def ladder(rng, n, drops):
    """A reference that is right on 80 %, and cheaper and cheaper rungs that lose these shares of it."""
    reference = (rng.random(n) < 0.8).astype(float)
    quality = np.stack([np.where(rng.random(n) < drop / 0.8, 0.0, reference) for drop in drops])
    cost = np.linspace(1.0, 0.2, len(drops))[:, None] * np.ones(n)
    return quality, cost, reference, np.ones(n)


def test_what_is_certified_saves_what_its_rung_saves_and_keeps_the_promise():
    found = resplit_promise(*ladder(np.random.default_rng(0), 1200, [0.0, 0.01, 0.3]), epsilon=0.05)
    assert found.issued_rate == 1.0 and found.violation_rate == 0.0
    assert found.saving_when_issued == pytest.approx(0.4, abs=0.05)  # the middle rung
    assert 0.0 <= found.drop < 0.03


def test_where_everything_is_bad_nothing_is_issued_and_nothing_saved():
    found = resplit_promise(*ladder(np.random.default_rng(1), 400, [0.2, 0.3]), epsilon=0.02)
    assert found.issued_rate == found.violation_rate == 0.0
    told = json.loads(json.dumps(found.to_json()))
    assert told["saving_when_issued"] is None and told["resamples"] == 200 and told["optimistic"] is True


def test_the_choice_is_that_of_the_certificate(monkeypatch):
    quality, cost, reference, own = ladder(np.random.default_rng(2), 300, [0.0, 0.05, 0.1, 0.2])
    monkeypatch.setattr(resplits, "CHUNK", 1)  # one resplit at a time
    found = resplit_promise(quality, cost, reference, own, epsilon=0.2, resamples=8, seed=3, test="hoeffding-bentkus")
    halves = np.random.default_rng(3).permuted(np.tile(np.arange(300), (8, 1)), axis=1)[:, :150]
    chosen = [certify_drop((reference - quality)[:, rows], list("abcd"), epsilon=0.2, test="hoeffding-bentkus").index for rows in halves]
    assert found.issued_rate == np.mean([c is not None for c in chosen]) > 0
    assert found.drop == pytest.approx(np.mean([(reference - quality)[c].mean() for c in chosen if c is not None]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda q, c, r, o: (q[:, 1:], c, r, o), "expected .rungs, queries. twice"),
        (lambda q, c, r, o: (q[:, :3], c[:, :3], r[:3], o[:3]), "at least 4 queries"),
        (lambda q, c, r, o: (q * np.nan, c, r, o), "missing"),
    ],
)
def test_a_ladder_that_cannot_be_resplit_is_refused(change, message):
    with pytest.raises(TableError, match=message):
        resplit_promise(*change(*ladder(np.random.default_rng(0), 40, [0.0])), epsilon=0.02)
