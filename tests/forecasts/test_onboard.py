import numpy as np
import pytest

from onedial.core.errors import TableError
from onedial.core.outcome import Panel
from onedial.forecasts.fit import fit_forecast
from onedial.forecasts.onboard import Probes, place
from worlds import SOURCES, World

WORLD = World(5, noise=0.5)
TRAIN, TEST, ASKED = WORLD.queries(150, "train"), WORLD.queries(200, "test"), WORLD.queries(20, "probe")
OUTCOMES = list(WORLD.outcomes(TRAIN, 3))
REFIT = fit_forecast(Panel.of(TRAIN, OUTCOMES, SOURCES)).forecast


def likelihood(forecast, source):
    """Expected log likelihood of one sample of a source on the test queries."""
    true = np.array([WORLD.success(query, source) for query in TEST])
    return float((true * np.log(forecast) + (1 - true) * np.log(1 - forecast)).mean())


def probed(queries, source, samples=2):
    panel = WORLD.panel(queries, samples)
    j = panel.sources.index(source)
    draws = np.isfinite(panel.score[:, j]).sum(axis=1).astype(float)
    return Probes(np.nansum(panel.score[:, j], axis=1), draws, panel.output_tokens[:, j].mean(axis=1), panel.input_tokens[:, j])


def without(source):
    """A forecast that has never heard of a source."""
    others = [s for s in SOURCES if s != source]
    return fit_forecast(Panel.of(TRAIN, [o for o in OUTCOMES if o.source != source], others)).forecast


def test_twenty_probes_bring_a_new_source_most_of_the_way_from_the_pool_to_a_refit():
    gained, possible = [], []
    for source in (SOURCES[0], SOURCES[5]):
        forecast = without(source)
        latents = forecast.latents(TEST)
        found = place(forecast.latents(ASKED), probed(ASKED, source)).append(latents, source)
        assert found.sources[-1] == source and found.success.shape == (len(TEST), len(SOURCES))
        pool = likelihood(latents.success.mean(axis=1), source)
        gained.append(likelihood(found.success[:, -1], source) - pool)
        possible.append(likelihood(REFIT.latents(TEST).success[:, SOURCES.index(source)], source) - pool)
        tokens = np.mean([WORLD.sample(query, source, 0)[1] for query in TEST])
        assert found.output_tokens[:, -1].mean() == pytest.approx(tokens, rel=0.25)
    assert min(gained) > 0.0 and sum(gained) > 0.6 * sum(possible)


def test_without_probes_a_new_source_is_the_mean_of_the_pool():
    latents = REFIT.latents(TEST[:5])
    nothing = np.zeros(0)
    placement = place(latents.rows([]), Probes(nothing, nothing, nothing, nothing))
    assert placement.mix == pytest.approx(1 / len(SOURCES))
    assert placement.line == pytest.approx([0.0, 1.0], abs=1e-4)
    assert placement.tokens_ratio == placement.input_ratio == 1.0


def test_a_twin_of_a_known_source_is_recognised():
    twin = place(REFIT.latents(TRAIN), probed(TRAIN, SOURCES[1]))
    assert twin.base == 1 and twin.mix[1] > 0.6


def test_probes_of_other_queries_are_refused():
    with pytest.raises(TableError, match="20 probes and forecasts of 3 queries"):
        place(REFIT.latents(TEST[:3]), probed(ASKED, SOURCES[0]))
