"""What the user wants, in their own units."""

from __future__ import annotations

from dataclasses import dataclass

from onedial.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Objective:
    """One goal, plus optional caps.

    Attributes:
        quality: Mean quality wanted, in (0, 1].
        within: Or: at most this far below the reference arm, in [0, 1).
        budget_usd: Or: mean cost per query not to exceed, in USD.
        cap_usd: Hard cap on the cost of one query.
        max_calls: Hard cap on the calls of one query.
        commit: `before` decides everything before the first token; `anytime` may act again after each observation.
    """

    quality: float | None = None
    within: float | None = None
    budget_usd: float | None = None
    cap_usd: float | None = None
    max_calls: int | None = None
    commit: str = "anytime"

    def __post_init__(self) -> None:
        goals = [g for g in (self.quality, self.within, self.budget_usd) if g is not None]
        if len(goals) > 1:
            raise ConfigError(f"an objective is one of quality, within or budget; found {len(goals)} of them in {self}.")
        if self.quality is not None and not 0 < self.quality <= 1:
            raise ConfigError(f"quality target {self.quality} is not in (0, 1]; 0.92 means 92 % right.")
        if self.within is not None and not 0 <= self.within < 1:
            raise ConfigError(f"within {self.within} is not in [0, 1); 0.01 means 1 point below the reference arm.")
        for name in ("budget_usd", "cap_usd", "max_calls"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ConfigError(f"{name} is {value}; expected a positive number.")
        if self.commit not in ("before", "anytime"):
            raise ConfigError(f"commit is {self.commit!r}; expected 'before' or 'anytime'.")
