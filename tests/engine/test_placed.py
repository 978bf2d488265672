import numpy as np
import pytest

from onedial.core.errors import ConfigError, TableError
from onedial.engine.fit import fit_policies
from onedial.engine.placed import MIN_PROBES, load_placed, place_sources, save_placed
from onedial.engine.recorded import Recorded
from onedial.forecasts.onboard import Widened
from onedial.policies.assessor import Assessor
from onedial.strategies.draw import Reading
from worlds import MODELS, SOURCES, World

NEW = SOURCES[0]
OLD = tuple(source for source in SOURCES if source.model != NEW.model)


@pytest.fixture(scope="module")
def world():
    return World(6)


@pytest.fixture(scope="module")
def fit(world):
    splits = [Recorded.of(qs := world.queries(n, name), world.outcomes(qs, 2), MODELS).only(OLD) for n, name in ((60, "t"), (40, "p"))]
    return fit_policies(*splits, MODELS, Reading(), 0).fit


@pytest.fixture(scope="module")
def probes(world):
    queries = world.queries(20, "probe")
    return Recorded.of(queries, world.outcomes(queries, 2), MODELS)


def test_a_new_source_gets_a_column_of_its_own(fit, probes, world):
    wider = Widened(fit.forecast, place_sources(fit, [NEW], probes))
    asked = world.queries(30, "new")
    known, found = fit.forecast.latents(asked), wider.latents(asked)
    assert wider.sources == found.sources == (*OLD, NEW)
    np.testing.assert_array_equal(found.mu[:, :-1], known.mu)
    assert found.signal.right.shape == (len(OLD) + 1,) and np.isnan(wider.charged[-1])


def test_policies_may_then_ask_it(fit, probes, world):
    assessor = Assessor(Widened(fit.forecast, place_sources(fit, [NEW], probes)), MODELS)
    now = assessor.assess(world.queries(1, "new")[0], ())
    assert now.then.shape[0] == len(OLD) + 1 and 0 < now.then[-1, 0] < 1 and now.cost_usd[-1, 0] > 0


def test_several_may_join(fit, probes, world):
    found = place_sources(fit, [NEW, SOURCES[1]] if SOURCES[1].model == NEW.model else [NEW], probes)
    assert Widened(fit.forecast, found).latents(world.queries(3, "new")).mu.shape == (3, len(OLD) + len(found))


def test_it_survives_being_stored_and_belongs_to_its_fit(fit, probes, tmp_path):
    placed = place_sources(fit, [NEW], probes)
    save_placed(tmp_path / "placed.json", fit, placed)
    (again,) = load_placed(tmp_path / "placed.json", fit)
    assert again.source == NEW and again.n == placed[0].n
    np.testing.assert_allclose(again.placement.mix, placed[0].placement.mix)
    other = type(fit)(**{name: getattr(fit, name) for name in fit.__dataclass_fields__} | {"max_draws": (1,) * len(OLD)})
    assert load_placed(tmp_path / "placed.json", other) == ()
    assert load_placed(tmp_path / "none.json", fit) == ()


def test_what_cannot_be_placed_is_told_what_to_do(fit, probes, tmp_path):
    with pytest.raises(TableError, match=rf"needs {MIN_PROBES}. Run `onedial collect"):
        place_sources(fit, [NEW], probes.rows(np.arange(MIN_PROBES - 1)))
    with pytest.raises(ConfigError, match="known to the fit already"):
        place_sources(fit, [OLD[0]], probes)
    (tmp_path / "placed.json").write_text("[]")
    with pytest.raises(ConfigError, match="Move it away"):
        load_placed(tmp_path / "placed.json", fit)
