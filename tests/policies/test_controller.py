import numpy as np
import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError
from onedial.forecasts.fit import fit_forecast
from onedial.policies.assessor import Assessor
from onedial.policies.blend import Blend
from onedial.policies.controller import Controller, Menu
from onedial.policies.fixed_arm import FixedArm
from worlds import MODELS, SOURCES, World

WORLD = World(1)
FITTED = fit_forecast(WORLD.panel(WORLD.queries(200, "train"), 3))
EASY = next(q for q in WORLD.queries(60, "t") if q.id.split("-")[-2] == "1")
HARD = next(q for q in WORLD.queries(60, "t") if q.id.split("-")[-2] == "8" and q.prompt.startswith("count"))
ALL = Menu(tuple(range(len(SOURCES))))


@pytest.fixture
def assessor():
    return Assessor(FITTED.forecast, MODELS)


def test_nothing_is_free_so_a_worthless_answer_still_costs_one_cheapest_sample(assessor):
    decision = Controller(assessor, ALL, 1e-12).choose(EASY)
    assert decision.arm is not None and decision.arm.source.model == "small" and decision.arm.n == 1


def test_a_hard_query_buys_a_bigger_model_than_an_easy_one(assessor):
    policy = Controller(assessor, ALL, 3e-4)
    easy, hard = (policy.choose(q).arm for q in (EASY, HARD))
    price = {name: m.price.output_usd_per_mtok for name, m in MODELS.items()}
    assert price[hard.source.model] * hard.n > price[easy.source.model] * easy.n


def test_it_stops_when_votes_agree_and_goes_on_when_they_do_not(assessor):
    policy = Controller(assessor, ALL, 2e-4)
    source = Source("middle", "2")
    agree = tuple(Candidate(source, i, "x", "x") for i in range(4))
    split = tuple(Candidate(source, i, t, t) for i, t in enumerate("xyzw"))
    assert policy.choose(EASY, agree).arm is None
    going_on = policy.choose(EASY, split)
    assert going_on.arm is not None and "raise the chance of being right" in going_on.reason


def test_an_accepted_answer_stops_whatever_the_worth(assessor):
    pick = next(q for q in WORLD.queries(60, "t") if q.prompt.startswith("pick"))
    tried = (Candidate(Source("small", "0"), 0, "x", "x", score=1.0),)
    decision = Controller(assessor, ALL, 1e-3).choose(pick, tried)
    assert decision.arm is None and decision.answer == "x" and decision.quality > 0.99


def test_the_menu_and_the_cap_are_obeyed(assessor):
    middle = tuple(j for j, s in enumerate(SOURCES) if s.model == "middle")
    policy = Controller(assessor, Menu(middle, max_draws=2), 1.0)
    assert policy.choose(HARD).arm.source.model == "middle" and policy.choose(HARD).arm.n <= 2
    tried = tuple(Candidate(SOURCES[j], i, t, t) for j in middle for i, t in enumerate("xy"))
    assert policy.choose(HARD, tried).arm is None
    assert "every block allowed" in policy.choose(HARD, tried).reason
    capped = Controller(assessor, ALL, 1.0, cap_usd=1e-4).choose(HARD)
    worst = {o.arm: 200 * o.arm.n * MODELS[o.arm.source.model].price.output_usd_per_mtok / 1e6 for o in capped.outlooks}
    assert capped.arm is not None and max(worst.values()) <= 1e-4
    beyond = Controller(assessor, ALL, 1.0, cap_usd=1e-9).choose(HARD)
    assert beyond.arm is None and "fits the $1e-09 that are left of the cap of $1e-09" in beyond.reason


def test_committed_before_the_first_token_it_decides_once(assessor):
    policy = Controller(assessor, Menu(ALL.sources, once=True), 3e-4)
    first = policy.choose(HARD)
    tried = tuple(Candidate(first.arm.source, i, t, t) for i, t in enumerate("wxyz"))
    assert first.arm is not None and policy.choose(HARD, tried).arm is None


def test_told_not_to_look_it_values_every_block_as_if_it_stopped_after_it(assessor):
    plain, looking = (Controller(assessor, Menu(ALL.sources, look=look), 1e-4).choose(HARD).outlooks for look in (False, True))
    assert all(o.net_usd == pytest.approx(1e-4 * o.quality - o.cost_usd) for o in plain)
    assert max(o.net_usd for o in looking) > max(o.net_usd for o in plain)


def test_every_option_is_shown_best_first(assessor):
    outlooks = Controller(assessor, ALL, 1e-4).choose(EASY).outlooks
    nets = [o.net_usd for o in outlooks]
    assert len(outlooks) > 5 and nets == sorted(nets, reverse=True)
    assert all(0 <= o.quality <= 1 and o.cost_usd > 0 for o in outlooks)


def test_a_model_that_is_not_configured_is_named():
    with pytest.raises(ConfigError, match="unknown model 'large'"):
        Assessor(FITTED.forecast, {k: v for k, v in MODELS.items() if k != "large"})


def test_a_blend_takes_each_side_as_often_as_it_says_and_always_the_same_for_one_query(assessor):
    cheap, dear = FixedArm(Arm(SOURCES[0])), FixedArm(Arm(SOURCES[-1]))
    blend = Blend(cheap, dear, 0.3)
    picks = [blend.choose(q) for q in WORLD.queries(800, "b")]
    assert np.mean([p.arm == dear.arm for p in picks]) == pytest.approx(0.3, abs=0.05)
    assert {round(p.propensity, 3) for p in picks} == {0.3, 0.7}
    assert blend.choose(EASY) == blend.choose(EASY)


def test_a_fixed_arm_answers_as_its_strategy_would():
    tried = tuple(Candidate(SOURCES[0], i, t, t, score=s) for i, (t, s) in enumerate([("x", 0.0), ("x", 0.0), ("y", 1.0)]))
    assert FixedArm(Arm(SOURCES[0], "best", 3)).choose(EASY, tried).answer == "y"
    assert FixedArm(Arm(SOURCES[0], "vote", 3)).choose(EASY, tried).answer == "x"
