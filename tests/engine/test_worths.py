from dataclasses import replace

import numpy as np

from onedial.engine.ladders import Climb, climb_all
from onedial.engine.worths import RUNGS, TRIED, spaced_worths, worth_range
from worlds import MODELS, SOURCES


def _whole(fitting, splits, worths):
    columns = tuple(range(len(SOURCES)))
    return Climb(splits["train"], fitting.latents, fitting.fit.forecast, columns, worths, fitting.fit.max_draws)


def test_rungs_lie_within_the_range_and_rise(fitting, splits, reading):
    whole = worth_range(1e-7, 1e-2, TRIED)
    worths = spaced_worths(_whole(fitting, splits, whole), MODELS, reading, 0)
    assert len(worths) == RUNGS and (np.diff(worths) > 0).all()
    assert worths[0] >= whole[0] * 0.999 and worths[-1] <= whole[-1] * 1.001


def test_rungs_are_more_evenly_far_apart_than_worths_on_a_log_scale(fitting, splits, reading):
    whole = worth_range(1e-9, 1e2, TRIED)
    spaced = spaced_worths(_whole(fitting, splits, whole), MODELS, reading, 0)
    gaps = [_largest_gap(fitting, splits, worths, reading) for worths in (spaced, worth_range(1e-9, 1e2, RUNGS))]
    assert gaps[0] < 0.7 * gaps[1]


def _largest_gap(fitting, splits, worths, reading):
    whole = _whole(fitting, splits, worths)
    rows = np.arange(40)
    (ladder,) = climb_all([replace(whole, recorded=whole.recorded.rows(rows), latents=whole.latents.rows(rows))], MODELS, reading)
    return np.diff(ladder.forecast.mean(axis=1)).max()
