"""Findings of a small experiment on a world whose truth is known."""

import numpy as np
import pytest

from onedial.core.errors import ConfigError
from onedial.engine.fit import fit_policies
from onedial.engine.recorded import Recorded
from onedial.evals.assemble import FIFTHS, LABELS, certificates_for, difficulty, findings_of, nearest_rung
from onedial.evals.experiment import run_experiment
from onedial.evals.report.findings import Findings
from onedial.strategies.draw import Reading
from worlds import MODELS, World

N = 30
POOL = {name: MODELS[name] for name in ("small", "large")}


@pytest.fixture(scope="module")
def made():
    """(fitting, experiment, test outcomes)."""
    world = World()
    train, proof, test = (Recorded.of(queries := world.queries(N, name), world.outcomes(queries, 2), POOL) for name in ("a", "b", "c"))
    fitting = fit_policies(train, proof, POOL, Reading())
    return fitting, run_experiment(fitting, train, test, POOL, Reading()), test


@pytest.fixture(scope="module")
def findings(made):
    fitting, experiment, test = made
    return findings_of(experiment, fitting, test, certificates=certificates_for(fitting.fit, list(experiment.targets)))


def test_every_part_of_a_report_is_there_and_survives_json(findings):
    assert (findings.n_train, findings.n_test) == (N, N)
    assert {line.name for line in findings.lines} == {"joint", "model-only", "compute-only", "hindsight", "hull", "best fixed"}
    assert findings.subtitle == "2 models (small, large), 2 thinking levels, up to 2 samples (direct, vote, best)"
    assert Findings.from_json(findings.to_json()) == findings


def test_every_group_of_queries_has_its_shares(findings):
    assert [s.title for s in findings.shares] == ["model, per sample", "thinking, per sample", "samples, per query"]
    for shares in findings.shares:
        assert shares.groups == FIFTHS
        assert np.allclose(np.sum(shares.share, axis=1), 1.0)
    assert findings.shares[0].options == ("small", "large")
    assert findings.shares[2].n_queries == (N // 5,) * 5


def test_hard_queries_are_those_that_turn_out_hard(made):
    fitting, _, test = made
    fifth = difficulty(fitting.assessor, test.queries)
    levels = np.array([int(query.id.split("-")[-2]) for query in test.queries])
    assert np.bincount(fifth).tolist() == [N // 5] * 5
    assert levels[fifth == 4].mean() > levels[fifth == 0].mean() + 2


def test_what_is_calibrated_is_the_rung_that_serves_the_first_target(made, findings):
    fitting, experiment, _ = made
    rung = nearest_rung(fitting.train, float(experiment.targets[0]))
    mean = sum(b.outcome * b.n_queries for b in findings.reliability.bins) / N
    assert mean == pytest.approx(experiment.joint.quality[rung].mean())


def test_beyond_the_ladder_the_best_rung_serves(made):
    quality = made[0].train.quality.mean(axis=1)
    assert nearest_rung(made[0].train, 1.1) == quality.argmax()


def test_promises_are_rows_by_target_and_a_certified_policy_is_the_one_shown(made, findings):
    fitting, experiment, _ = made
    assert [row.label for row in findings.promises] == list(LABELS)
    assert [row.promised for row in findings.promises] == pytest.approx(experiment.targets.tolist())
    for row, certificate in zip(findings.promises, certificates_for(fitting.fit, list(experiment.targets)), strict=True):
        assert row.certified == (certificate is not None and certificate.certified)
        if row.certified:
            rung = next(k for k in range(fitting.fit.worths.size) if fitting.fit.policy_hash(k) == certificate.policy_hash)
            assert row.reached == pytest.approx(experiment.joint.quality[rung].mean())


def test_without_certificates_none_is_claimed(made):
    fitting, experiment, test = made
    assert {row.certified for row in findings_of(experiment, fitting, test).promises} == {None}


def test_a_target_that_no_policy_reaches_has_no_certificate(made):
    assert certificates_for(made[0].fit, [1.0]) == [None]
    with pytest.raises(ConfigError):
        certificates_for(made[0].fit, [0.5], delta=0.0)


def test_one_step_of_model_size_is_priced_in_every_fifth(findings):
    assert [(row.small, row.large, row.group) for row in findings.exchange] == [("small", "large", fifth) for fifth in FIFTHS]
    for row in findings.exchange:
        assert (row.multiple is None) == (row.small_best < row.large_quality - 1e-9)
