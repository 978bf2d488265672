from dataclasses import replace

import numpy as np
import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError
from onedial.core.usage import TOKENS_PER_PRICE
from onedial.forecasts.fit import fit_forecast
from onedial.forecasts.latents import at_nodes, concentrations
from onedial.policies.assessor import Assessor
from onedial.policies.blocks import BLOCKS
from onedial.policies.dual import Dual, net_values
from onedial.policies.fixed_forecast import FixedForecast
from worlds import MODELS, SOURCES, World

WORLD = World(1)
FORECAST = fit_forecast(WORLD.panel(WORLD.queries(120, "train"), 3)).forecast
ARMS = [Arm(s, name, n) for s in SOURCES for name, n in [("direct", 1), *((kind, n) for kind in ("vote", "best") for n in BLOCKS[1:])]]
QUERIES = WORLD.queries(24, "t")
LATENTS = FORECAST.latents(QUERIES)
FIXED = FixedForecast.of(FORECAST, MODELS, ARMS)


def simulated(row, column, n, draws=40_000):
    """Quality of the vote and of the vote among those that a verifier accepts, by drawing from the latents."""
    rng = np.random.default_rng(0)
    success, states = at_nodes(LATENTS.mu[[row]], LATENTS.sigma, LATENTS.beyond[[row]], LATENTS.guess)
    theta, weight = concentrations(float(LATENTS.agree[row]), LATENTS.trap)
    kappa, vote, best = LATENTS.kappa[column], 0.0, 0.0
    state = rng.choice(len(states[0]), draws, p=states[0])
    mean = success[0, column][state]
    p = np.where(rng.random(draws) < LATENTS.pi0[column], 0.0, rng.beta(mean * kappa, (1 - mean) * kappa))
    for t, k in zip(rng.choice(theta, draws, p=weight), rng.binomial(n, p), strict=True):
        sizes = []
        for seated in range(n - k):
            at = rng.choice(len(sizes) + 1, p=np.array([*sizes, t]) / (seated + t)) if sizes else 0
            sizes[at : at + 1] = [sizes[at] + 1 if at < len(sizes) else 1]
        most = max(sizes, default=0)
        won = 0.0 if k == 0 or k < most else 1.0 / (1 + (sizes.count(most) if k == most else 0))
        vote, best = vote + won, best + (1.0 if k else 0.0)
    return vote / draws, best / draws


def test_what_a_belief_in_a_fresh_query_expects_of_two_samples_is_found_by_formula_and_a_plain_vote_of_four_is_no_better():
    assessor, grid = Assessor(FORECAST, MODELS), FIXED.grid(LATENTS)
    for i, query in enumerate(QUERIES[:6]):
        seen = assessor.assess(query, ())
        for j, source in enumerate(SOURCES):
            one, two, four, best = (ARMS.index(Arm(source, *kind)) for kind in (("direct", 1), ("vote", 2), ("vote", 4), ("best", 4)))
            assert grid.quality[i, one] == pytest.approx(seen.then[j, 0], abs=1e-3)
            assert grid.quality[i, two] == pytest.approx(seen.outlooks.vote[j, 1], abs=1e-3)
            assert grid.quality[i, four] <= seen.outlooks.vote[j, 2] + 3e-3 and grid.quality[i, best] <= seen.then[j, 2] + 3e-3
            assert grid.cost_usd[i, four] == pytest.approx(seen.cost_usd[j, 2])


@pytest.mark.parametrize(("row", "column"), [(0, 1), (3, 4)])
def test_votes_and_picks_come_out_as_when_drawn(row, column):
    vote, cover = simulated(row, column, 8, 6000)
    quality = FIXED.quality(LATENTS.rows([row]))[0]
    assert quality[ARMS.index(Arm(SOURCES[column], "vote", 8))] == pytest.approx(vote, abs=0.025)
    p = float(LATENTS.p_check[row]) * FORECAST.p_accept_right
    assert quality[ARMS.index(Arm(SOURCES[column], "best", 8))] == pytest.approx(vote + p * (cover - vote), abs=0.025)


def test_many_queries_at_once_are_forecast_as_one_by_one():
    whole = FIXED.grid(LATENTS)
    for i in range(len(QUERIES)):
        assert FIXED.grid(LATENTS.rows([i])).quality[0] == pytest.approx(whole.quality[i])
    assert np.isfinite(whole.quality).all() and (whole.quality >= 0).all() and (whole.quality <= 1).all()


def test_where_answers_never_agree_a_vote_is_worth_one_sample():
    quality = FIXED.quality(replace(LATENTS, free_form=True))
    alone, voted = (quality[:, ARMS.index(Arm(SOURCES[2], *kind))] for kind in (("direct", 1), ("vote", 8)))
    assert voted == pytest.approx(alone)


def test_a_model_that_returns_one_choice_is_billed_the_prompt_each_time_cached_where_it_caches():
    name = SOURCES[0].model
    plain = replace(MODELS[name], capabilities=frozenset())
    caching = replace(MODELS[name], capabilities=frozenset({"cache"}))
    arms, price = [Arm(SOURCES[0], "vote", 4)], MODELS[name].price
    once, each, cached = (
        FixedForecast.of(FORECAST, MODELS | {name: model}, arms).cost_usd(LATENTS)[0, 0] for model in (MODELS[name], plain, caching)
    )
    prompt = LATENTS.input_tokens[0, 0] / TOKENS_PER_PRICE
    assert each - once == pytest.approx(3 * prompt * price.input_usd_per_mtok)
    assert cached - once == pytest.approx(3 * prompt * price.cached_usd_per_mtok)


@pytest.mark.parametrize("worth", [1e-9, 1e-5, 3e-4, 1.0])
def test_the_arm_chosen_has_the_best_net_value(worth):
    grid = FIXED.grid(LATENTS)
    net = worth * grid.quality - grid.cost_usd
    policy = Dual(FIXED, Assessor(FORECAST, MODELS).latents, worth)
    for i, query in enumerate(QUERIES[:8]):
        decision = policy.choose(query)
        assert decision.arm == ARMS[int(net[i].argmax())] and str(decision.arm) in decision.reason
        assert decision.outlooks[0].arm == decision.arm and decision.outlooks[0].net_usd == pytest.approx(net[i].max())
        assert [o.net_usd for o in decision.outlooks] == sorted((o.net_usd for o in decision.outlooks), reverse=True)
    assert net_values(FIXED, LATENTS, worth) == pytest.approx(net)


def test_a_higher_worth_never_buys_less_quality_or_cost():
    grid = FIXED.grid(LATENTS)
    found = [(worth * grid.quality - grid.cost_usd).argmax(axis=1) for worth in np.geomspace(1e-7, 1, 12)]
    rows = np.arange(len(QUERIES))
    for values in (grid.quality, grid.cost_usd):
        assert (np.diff([values[rows, arm] for arm in found], axis=0) >= -1e-12).all()


def test_it_decides_once_and_answers_as_the_strategy_does():
    policy = Dual(FIXED, Assessor(FORECAST, MODELS).latents, 3e-4)
    query = next(q for q in QUERIES if policy.choose(q).arm.n > 2)
    source = policy.choose(query).arm.source
    tried = tuple(Candidate(source, i, text, text, score=1.0) for i, text in enumerate("xyy"))
    decision = policy.choose(query, tried)
    assert (decision.arm, decision.answer) == (None, "y") and 0 < decision.quality <= 1


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ([], "there is no arm"),
        ([Arm(SOURCES[0], "beam", 2)], "unknown strategy 'beam'"),
        ([Arm(Source("small", "9"))], "unknown source 'small/think=9'"),
    ],
)
def test_arms_that_cannot_be_forecast_are_refused(arms, said):
    with pytest.raises(ConfigError, match=said):
        FixedForecast.of(FORECAST, MODELS, arms)
