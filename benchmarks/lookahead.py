"""What looking first is worth: the controller with and without its second step, on a generated world.

    python benchmarks/lookahead.py --seed 0

Prints mean cost at equal mean quality, in millionths of a USD per query.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.ask import Ask, Reply
from onedial.core.query import Query
from onedial.engine.rollout import climb
from onedial.engine.worths import worth_range
from onedial.forecasts.fit import fit_forecast
from onedial.metrics.frontier import cost_at_quality
from onedial.policies.assessor import Assessor
from onedial.policies.controller import Menu
from onedial.strategies.draw import Reading

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from worlds import MODELS, SOURCES, World

LEVELS = (0.8, 0.9, 0.95, 0.97)


@dataclass(frozen=True)
class Played:
    """Queries of a world, to be answered there."""

    world: World
    queries: tuple[Query, ...]

    def replay(self) -> Callable[[Ask], Reply]:
        """A fresh run."""
        return self.world.answer(self.queries)

    def grade(self, query: Query, candidate: Candidate) -> float:
        """What the world knows."""
        return self.world.grade(query, candidate)


def main() -> None:
    """Fit once, roll both ladders out, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    world = World(seed)
    train, test = world.queries(400, "train"), world.queries(300, "test")
    assessor = Assessor(fit_forecast(world.panel(train, 4), seed).forecast, MODELS)
    assessor.preload(test, assessor.forecast.latents(test))
    worths = worth_range(1e-6, 4e-4, 16)
    ladders = [
        climb([Played(world, test)], assessor, Menu(tuple(range(len(SOURCES))), look=look), worths, Reading(verify=world.verify))
        for look in (False, True)
    ]
    print("| at quality | stop after the block | look first | ratio |\n|---|---|---|---|")
    for level in LEVELS:
        plain, looking = (1e6 * cost_at_quality(one.cost_usd.mean(axis=1), one.quality.mean(axis=1), level) for one in ladders)
        print(f"| {100 * level:.0f} % | {plain:.1f} | {looking:.1f} | {looking / plain:.2f} |")
    print(f"\nbest reached: {', '.join(f'{100 * np.max(one.quality.mean(axis=1)):.1f} %' for one in ladders)}")


if __name__ == "__main__":
    main()
