import numpy as np
import pytest

from onedial.core.errors import ConfigError, TableError
from onedial.engine.fit import fit_policies
from onedial.engine.fitted import Fit
from onedial.engine.ladders import Climb, climb_all
from onedial.engine.recorded import Recorded, held_out
from onedial.policies.grid import most_accurate
from onedial.strategies.draw import Reading
from worlds import MODELS, SOURCES


def test_the_reference_arm_is_the_most_accurate_of_the_training_grid(fitting):
    complete = fitting.train_grid.complete()
    assert fitting.fit.reference == complete.arms[most_accurate(complete)]


def test_a_higher_worth_buys_more_quality_for_more_money(fitting):
    rungs = len(fitting.fit.worths)
    quality, cost = (values[:rungs].mean(axis=1) for values in (fitting.fit.train.quality, fitting.fit.train.cost_usd))
    assert quality[-1] > quality[0] + 0.2 and cost[-1] > 5 * cost[0]
    assert (np.diff(cost) >= -0.02 * cost[:-1]).all()


def test_the_ladder_is_cheaper_than_the_reference_arm_at_its_quality(fitting):
    proof = fitting.fit.proof
    able = proof.quality.mean(axis=1) >= proof.reference_quality.mean()
    assert able.any() and proof.cost_usd.mean(axis=1)[able].min() < 0.6 * proof.reference_cost_usd.mean()


def test_what_was_claimed_when_stopping_is_what_was_reached_on_held_out_queries(fitting, splits, reading):
    proof = splits["proof"]
    latents = fitting.fit.forecast.latents(proof.queries, proof.panel.input_tokens)
    one = Climb(proof, latents, fitting.fit.forecast, tuple(range(len(SOURCES))), fitting.fit.worths[6:14:3], 8)
    (ladder,) = climb_all([one], MODELS, reading)
    assert np.abs(ladder.forecast.mean(axis=1) - ladder.quality.mean(axis=1)).max() < 0.06


def test_a_fit_survives_being_stored(fitting, tmp_path, world):
    path = tmp_path / "deep" / "fit.npz"
    fitting.fit.save(path)
    again = Fit.load(path)
    assert again.digest == fitting.fit.digest and again.reference == fitting.fit.reference
    queries = world.queries(5, "new")
    np.testing.assert_array_equal(again.forecast.latents(queries).mu, fitting.fit.forecast.latents(queries).mu)
    assert [p.name for p in path.parent.iterdir()] == ["fit.npz"]


def test_the_same_outcomes_and_seed_give_the_same_fit_and_another_seed_another(fitting, splits, reading):
    few = {name: [o for o in _outcomes(splits[name]) if o.sample_index < 2] for name in ("train", "proof")}
    small = {name: Recorded.of(splits[name].queries[:40], few[name], MODELS) for name in few}
    digests = [fit_policies(small["train"], small["proof"], MODELS, reading, seed=seed).fit.digest for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]


def _outcomes(recorded):
    return [o for cell in recorded.recording.samples.values() for o in cell]


def test_a_missing_or_foreign_fit_is_told_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing has been fitted yet.*onedial demo"):
        Fit.load(tmp_path / "fit.npz")
    (tmp_path / "fit.npz").write_text("not a fit")
    with pytest.raises(ConfigError, match=r"fit.npz is not a fit of onedial. Move it away, and run `onedial fit`"):
        Fit.load(tmp_path / "fit.npz")


def test_splits_with_different_sources_are_refused(splits):
    outcomes = [o for o in _outcomes(splits["proof"]) if o.model != "large"]
    without = Recorded.of(splits["proof"].queries, outcomes, MODELS)
    with pytest.raises(TableError, match="collect the same sources for both"):
        fit_policies(splits["train"], without, MODELS, Reading())


def test_ungraded_outcomes_and_models_not_configured_are_left_out(splits):
    from dataclasses import replace

    outcomes = _outcomes(splits["test"])
    mixed = [replace(outcomes[0], query_id=splits["test"].queries[0].id, score=None, sample_index=99), *outcomes]
    some = {name: model for name, model in MODELS.items() if name != "small"}
    recorded = Recorded.of(splits["test"].queries, mixed, some)
    assert {source.model for source in recorded.panel.sources} == {"middle", "large"}
    assert np.isfinite(recorded.panel.score).all() and len(recorded.panel.sources) < len(SOURCES)


def test_a_query_stays_in_its_split(world):
    queries = world.queries(500, "s")
    first = [held_out(q, 0.4, 0) for q in queries]
    assert first == [held_out(q, 0.4, 0) for q in queries] and first != [held_out(q, 0.4, 1) for q in queries]
    assert np.mean(first) == pytest.approx(0.4, abs=0.06)


def test_ladders_rolled_out_side_by_side_are_those_rolled_out_one_by_one(fitting, splits):
    few = splits["test"].queries[:12]
    recorded = Recorded.of(few, _outcomes(splits["test"]), MODELS)
    latents = fitting.fit.forecast.latents(few, recorded.panel.input_tokens)
    climbs = [Climb(recorded, latents, fitting.fit.forecast, columns, fitting.fit.worths[4:12:4], 8) for columns in ((0, 1), (2, 3, 4))]
    alone, together = (climb_all(climbs, MODELS, Reading(), workers) for workers in (1, 2))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.quality, other.quality)
        np.testing.assert_array_equal(one.cost_usd, other.cost_usd)
