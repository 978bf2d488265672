"""Roll ladders of policies out on recorded samples, one after the other or side by side on several cores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace

from onedial.core.cores import one_core
from onedial.core.model import Model
from onedial.core.outcome import Floats
from onedial.engine.recorded import Recorded
from onedial.engine.rollout import Ladder, climb
from onedial.engine.workers import workers as pool_of
from onedial.forecasts.forecast import Forecast
from onedial.forecasts.latents import Latents
from onedial.policies.assessor import Assessor
from onedial.policies.controller import Menu
from onedial.strategies.draw import Reading

Progress = Callable[[str, int, int], None]
"""Told of (what, done, total)."""


def quiet(what: str, done: int, total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Climb:
    """A ladder to be rolled out.

    Attributes:
        recorded: The queries and their samples.
        latents: What was forecast of them, all sources of the forecast.
        forecast: What the policies know.
        columns: Sources that may be asked.
        worths: USD per unit of quality, rising.
        max_draws: Samples of one source at most, one number for all or one for each of `columns`.
        seed: Of the orders in which repeated samples come.
    """

    recorded: Recorded
    latents: Latents
    forecast: Forecast
    columns: tuple[int, ...]
    worths: Floats
    max_draws: int | tuple[int, ...]
    seed: int = 0


def climb_all(
    climbs: Sequence[Climb],
    models: Mapping[str, Model],
    reading: Reading,
    workers: int = 1,
    what: str = "try policies",
    progress: Progress = quiet,
) -> list[Ladder]:
    """Roll every ladder out, in the order given.

    Args:
        climbs: The ladders.
        models: Every model of the forecasts.
        reading: How completions are read; with several workers its functions must be importable by name.
        workers: Processes; 1 stays in this one. More need a program that can be imported without running.
        what: What to tell `progress`.
        progress: Told how many ladders are done.
    """
    progress(what, 0, len(climbs))
    if workers == 1 or len(climbs) == 1:
        return [_told(_climb(one, models, reading), progress, what, i + 1, len(climbs)) for i, one in enumerate(climbs)]
    with pool_of(min(workers, len(climbs))) as pool:
        unjudged = replace(reading, judge=None)  # replays ask none, and few judges can be sent to a process
        running = [pool.submit(_climb, one, dict(models), unjudged) for one in climbs]
        for done, _ in enumerate(as_completed(running), 1):
            progress(what, done, len(climbs))
        return [future.result() for future in running]


def _told(ladder: Ladder, progress: Progress, what: str, done: int, total: int) -> Ladder:
    progress(what, done, total)
    return ladder


def climb_once(one: Climb, models: Mapping[str, Model], reading: Reading) -> Ladder:
    """Roll one ladder out on the samples in the recorded order alone."""
    return _climb(one, models, reading, (one.recorded,))


@one_core()
def _climb(one: Climb, models: Mapping[str, Model], reading: Reading, passes: Sequence[Recorded] | None = None) -> Ladder:
    assessor = Assessor(one.forecast, models, one.columns)
    assessor.preload(one.recorded.queries, one.latents)
    menu = Menu(tuple(range(len(one.columns))), max_draws=one.max_draws)
    return climb(passes or one.recorded.passes(one.seed), assessor, menu, one.worths, reading)
