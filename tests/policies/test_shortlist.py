import numpy as np

from onedial.core.arm import Arm, Source
from onedial.policies.grid import Grid
from onedial.policies.shortlist import FEW, MOST, shortlist


def grid(sources, quality, cost):
    """Single samples of some sources, alike on every query."""
    return Grid(tuple(Arm(s) for s in sources), np.tile(quality, (4, 1)), np.tile(cost, (4, 1)))


def plain(n):
    return [Source(f"m{i:02d}") for i in range(n)], np.linspace(0.5, 0.9, n), np.geomspace(1.0, 50.0, n)


def test_a_small_pool_is_kept_whole():
    sources, quality, cost = plain(FEW)
    assert shortlist(grid(sources, quality, cost)) == tuple(sources)


def test_a_large_pool_is_narrowed_to_what_is_near_the_hull():
    sources, quality, cost = plain(FEW + 8)
    found = shortlist(grid(sources, quality, cost))
    assert len(found) == MOST and sources[-1] in found


def test_strategies_over_models_do_not_crowd_the_models_out():
    sources, quality, cost = plain(FEW)
    methods = [Source(f"m{i:02d}+beam8") for i in range(FEW)]
    found = shortlist(grid(sources + methods, np.concatenate((quality, quality + 0.05)), np.concatenate((cost, 0.9 * cost))))
    assert set(sources) <= set(found)
    assert 0 < len(set(found) & set(methods)) <= MOST


def test_a_pool_of_strategies_alone_is_narrowed_like_any_other():
    _, quality, cost = plain(FEW + 4)
    methods = [Source(f"m{i:02d}+beam8") for i in range(FEW + 4)]
    assert len(shortlist(grid(methods, quality, cost))) <= MOST
