"""Plan a batch: every query's arm, chosen for all of them together under one budget or for one mean quality.

A plan is a file: what was asked for and what is expected in its first line, then one
line per query with its arm. Carrying it out is in `batch`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from onedial.core.arm import Arm
from onedial.core.ask import Sample
from onedial.core.errors import ConfigError, OnedialError, TableError
from onedial.core.outcome import Floats
from onedial.core.query import Query
from onedial.engine.dial import Dial
from onedial.engine.ladders import Progress, quiet
from onedial.engine.offer import offered
from onedial.policies.allocate import Allocation, for_quality, within_budget
from onedial.policies.fixed_forecast import CHUNK, FixedForecast
from onedial.policies.hulls import Hulls, build_hulls
from onedial.runtime.bound import worst_case
from onedial.runtime.whole import whole_file

KIND, VERSION = "onedial plan", 1
MORE_USD = 1.0


@dataclass(frozen=True, slots=True)
class Planned:
    """One query of a plan.

    Attributes:
        query: What is to be asked.
        arm: How.
        quality: Forecast chance that the answer is right.
        cost_usd: Forecast cost.
        worst_usd: What it can cost at most.
    """

    query: Query
    arm: Arm
    quality: float
    cost_usd: float
    worst_usd: float


@dataclass(frozen=True, slots=True)
class Aim:
    """What a plan was made for and with.

    Attributes:
        budget_usd: For all queries together; None where a quality was asked for.
        quality: Mean quality asked for; None where a budget was given.
        worth: USD per unit of quality at which buying ended; infinite where everything worth having was bought.
        more_quality: Right answers that one more USD would bring.
        fit: Digest of the fit that forecast it.
    """

    budget_usd: float | None
    quality: float | None
    worth: float
    more_quality: float
    fit: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch with one arm per query."""

    aim: Aim
    entries: tuple[Planned, ...]

    @property
    def digest(self) -> str:
        """Identifies the plan: any change of a query or an arm changes it."""
        found = blake2b(digest_size=8)
        for line in _lines(self):
            found.update(line + b"\n")
        return found.hexdigest()

    @property
    def cost_usd(self) -> float:
        """Forecast cost of all queries."""
        return float(sum(entry.cost_usd for entry in self.entries))

    @property
    def worst_usd(self) -> float:
        """What all of them can cost at most."""
        return float(sum(entry.worst_usd for entry in self.entries))

    @property
    def quality(self) -> float:
        """Forecast mean quality."""
        return float(np.mean([entry.quality for entry in self.entries]))

    def arms(self) -> Counter[Arm]:
        """How many queries have each arm."""
        return Counter(entry.arm for entry in self.entries)

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial, partial.open("wb") as file:
            file.writelines(line + b"\n" for line in _lines(self))

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read what `save` wrote.

        Raises:
            TableError: It cannot be read or is no plan; the line is named.
        """
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise TableError(f"{path} cannot be read: {error.strerror}. Make a plan with `onedial plan`.") from error
        aim = _aim(path, lines[0] if lines else b"")
        entries = tuple(_entry(f"{path}, line {number}", line) for number, line in enumerate(lines[1:], 2))
        if not entries:
            raise TableError(f"{path} plans no query; it seems to be cut off. Make the plan again with `onedial plan`.")
        return cls(aim, entries)


def make_plan(
    dial: Dial,
    queries: Sequence[Query],
    *,
    budget_usd: float | None = None,
    quality: float | None = None,
    within: float | None = None,
    progress: Progress = quiet,
) -> Plan:
    """Choose an arm for every query, jointly.

    Args:
        dial: Models, and the fit whose forecasts are used.
        queries: At least one, with ids of their own.
        budget_usd: For all of them together.
        quality: Or: mean quality to reach, by forecast, at the lowest cost.
        within: Or: at most this far below what the reference arm is forecast to reach on them.
        progress: Told how many queries are forecast.

    Raises:
        ConfigError: Not exactly one goal, or nothing has been fitted.
        TargetUnreachable: The budget is too small for every query's cheapest arm, or the quality beyond their best ones.
    """
    _refuse_goals(queries, budget_usd, quality, within)
    fit = dial.fitted
    arms = list(dict.fromkeys([*(one.arm for one in offered(dial) if not one.absent), fit.reference]))
    forecast = FixedForecast.of(fit.forecast, dial.pool.models, arms)
    qualities, costs = forecast_all(forecast, dial, queries, progress)
    hulls = build_hulls(costs, qualities)
    if within is not None:
        quality = float(qualities[:, arms.index(fit.reference)].mean()) - within
    found = within_budget(hulls, budget_usd) if budget_usd is not None else for_quality(hulls, (quality or 0.0) * len(queries))
    rows = np.arange(len(queries))
    chosen = zip(queries, found.arm.tolist(), qualities[rows, found.arm].tolist(), costs[rows, found.arm].tolist(), strict=True)
    entries = tuple(Planned(query, arms[j], q, cost, worst_usd(dial, query, arms[j])) for query, j, q, cost in chosen)
    return Plan(Aim(budget_usd, quality, found.worth, _one_more(hulls, found, budget_usd), fit.digest), entries)


def forecast_all(forecast: FixedForecast, dial: Dial, queries: Sequence[Query], progress: Progress = quiet) -> tuple[Floats, Floats]:
    """(n, arms) quality and cost, some queries at a time."""
    qualities, costs = [], []
    for begin in range(0, len(queries), CHUNK):
        progress("forecast", begin, len(queries))
        grid = forecast.grid(dial.fitted.forecast.latents(queries[begin : begin + CHUNK]))
        qualities.append(grid.quality)
        costs.append(grid.cost_usd)
    progress("forecast", len(queries), len(queries))
    return np.concatenate(qualities), np.concatenate(costs)


def worst_usd(dial: Dial, query: Query, arm: Arm) -> float:
    """The most that one arm can cost on one query: what is held for it before it is sent."""
    ask, model = Sample(query.id, arm.source, query.messages, arm.n), dial.pool.model(arm.source.model)
    return model.price.cost_usd(worst_case(ask, model, dial.pool.input_tokens(ask)))


def _one_more(hulls: Hulls, found: Allocation, budget_usd: float | None) -> float:
    """Right answers that one more USD would bring, found by solving again."""
    spending = found.cost_usd if budget_usd is None else budget_usd
    return within_budget(hulls, spending + MORE_USD).quality - found.quality


def _refuse_goals(queries: Sequence[Query], budget_usd: float | None, quality: float | None, within: float | None) -> None:
    if not queries or len({query.id for query in queries}) < len(queries):
        raise TableError(f"{len(queries)} queries to plan for; expected at least one, each with an id of its own.")
    goals = [goal for goal in (budget_usd, quality, within) if goal is not None]
    if len(goals) != 1:
        raise ConfigError(f"a plan needs one goal, found {len(goals)}; give a budget (--budget 5usd), --quality 0.9 or --within 0.02.")
    if budget_usd is not None and not 0 < budget_usd < float("inf"):
        raise ConfigError(f"a budget of {budget_usd} USD; expected a positive amount.")
    if quality is not None and not 0 < quality <= 1:
        raise ConfigError(f"quality target {quality} is not in (0, 1]; 0.92 means 92 % right.")
    if within is not None and not 0 <= within < 1:
        raise ConfigError(f"within {within} is not in [0, 1); 0.01 means 1 point below the reference arm.")


def _lines(plan: Plan) -> Iterator[bytes]:
    aim = plan.aim
    yield msgspec.json.encode(
        {
            "kind": KIND,
            "version": VERSION,
            "budget_usd": aim.budget_usd,
            "quality": aim.quality,
            "worth": None if np.isinf(aim.worth) else aim.worth,
            "more_quality": aim.more_quality,
            "fit": aim.fit,
        }
    )
    for entry in plan.entries:
        query = {key: value for key, value in msgspec.to_builtins(entry.query).items() if value}
        yield msgspec.json.encode(
            {"query": query, "arm": str(entry.arm), "quality": entry.quality, "cost_usd": entry.cost_usd, "worst_usd": entry.worst_usd}
        )


def _read(where: str, line: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TableError(f"{where}: not JSON: {error}. Make the plan again with `onedial plan`.") from error
    if not isinstance(found, dict):
        raise TableError(f"{where}: expected an object, found {line.decode()[:40]}. Make the plan again with `onedial plan`.")
    return found


def _aim(path: Path, line: bytes) -> Aim:
    found = _read(f"{path}, line 1", line)
    if found.get("kind") != KIND:
        raise TableError(f"{path} is not a plan; its first line says nothing of {KIND!r}. Make one with `onedial plan`.")
    if found.get("version") != VERSION:
        raise TableError(f"{path} is a plan of version {found.get('version')}; expected {VERSION}. Make it again with `onedial plan`.")
    try:
        worth = float("inf") if found["worth"] is None else float(found["worth"])
        return Aim(found["budget_usd"], found["quality"], worth, float(found["more_quality"]), str(found["fit"]))
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(f"{path}, line 1: not the head of a plan: {error!r}. Make the plan again with `onedial plan`.") from error


def _entry(where: str, line: bytes) -> Planned:
    found = _read(where, line)
    try:
        amounts = (float(found[name]) for name in ("quality", "cost_usd", "worst_usd"))
        return Planned(Query(**found["query"]), Arm.parse(found["arm"]), *amounts)
    except (OnedialError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise TableError(f"{where}: not a query of a plan: {error!r}. Make the plan again with `onedial plan`.") from error
