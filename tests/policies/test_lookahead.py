"""A cheap first look before a dear block, on latents chosen so that what it is worth is known."""

import numpy as np
import pytest

from onedial.core.answer import Candidate
from onedial.core.arm import Source
from onedial.core.model import Model
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.forecasts.latents import Latents
from onedial.policies.assessor import Assessor
from onedial.policies.blocks import BLOCKS, LOOKS
from onedial.policies.lookahead import look_first

CHEAP, DEAR = Source("cheap"), Source("dear")
MODELS = {"cheap": Model("cheap", Price(1.0, 1.0)), "dear": Model("dear", Price(100.0, 100.0))}
QUERY = Query("q", "which word comes next ?")
EVERY = np.ones((2, len(BLOCKS)), dtype=bool)
COST = 2e-6  # of one cheap sample: one token of prompt, one of output


class Known:
    """A forecast that says the same of every query; the cheap model either knows an answer or does not, so that asking it again is idle."""

    sources = (CHEAP, DEAR)
    p_accept_right, p_accept_wrong = 1.0, 0.0
    charged = np.full(2, np.nan)

    def __init__(self, cheap, p_check):
        self.cheap, self.p_check = cheap, p_check

    def latents(self, queries):
        n, one = len(queries), np.ones((len(queries), 2))
        return Latents(
            self.sources,
            np.tile([self.cheap, 0.95], (n, 1)),
            np.array([0.05, 50.0]),
            np.zeros(2),
            0.5,
            np.zeros(n),
            np.full(2, 0.01),
            np.full(n, 0.2),
            0.05,
            np.full(n, self.p_check),
            one,
            one,
        )


def values(cheap=0.6, p_check=1.0, worth=1e-3, allowed=EVERY, tried=()):
    """Net value beyond stopping now, each (S, sizes): of looking first, and of the blocks as if one stopped after them."""
    assessor = Assessor(Known(cheap, p_check), MODELS)
    now = assessor.assess(QUERY, tried)
    stop = worth * now.quality
    return look_first(now, worth, allowed, assessor.same_model) - stop, worth * now.then - now.cost_usd - stop


def test_a_cheap_look_that_often_settles_it_is_worth_more_than_the_dear_block_at_once():
    look, alone = values()
    assert alone.argmax() == len(BLOCKS), "as if one stopped after it, one sample of the dear model is best"
    assert look.argmax() in (0, 1) and look[0].max() > alone.max()
    right = 0.6
    cascade = 1e-3 * (right + (1 - right) * 0.95) - COST - (1 - right) * 100 * COST
    assert look[0, 0] == pytest.approx(cascade, rel=0.05), "the net value of a cascade by hand"


def test_a_look_that_settles_nothing_is_worth_less_than_the_dear_block_at_once():
    look, alone = values(cheap=0.002)
    assert look[0].max() < alone.max()


def test_looking_is_worth_no_less_than_stopping_after_the_look():
    for p_check in (0.0, 0.5, 1.0):
        look, alone = values(p_check=p_check)
        assert (look >= alone[:, : len(LOOKS)] - 1e-9).all()


def test_what_may_not_follow_is_worth_nothing():
    cheap_only = EVERY.copy()
    cheap_only[1] = False
    look, _ = values(allowed=cheap_only)
    assert look[0, 0] < values()[0][0, 0]
    nothing, alone = values(allowed=np.zeros_like(EVERY))
    assert nothing == pytest.approx(alone[:, : len(LOOKS)], rel=1e-4)


def test_with_everything_settled_it_is_worth_nothing():
    accepted = (Candidate(CHEAP, 0, "x", "x", score=1.0),)
    look, _ = values(tried=accepted)
    cost = np.array([[COST, 2 * COST], [100 * COST, 200 * COST]])  # without `n` the prompt is sent for each sample
    assert look == pytest.approx(-cost, abs=1e-7), "all that it does is cost; a ten-thousandth of the worth stays in doubt"
