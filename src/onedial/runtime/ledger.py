"""What may be spent, what is held for asks under way, and what is gone.

An ask is reserved at its worst case before it is sent and settled at what it
used. No clock, no event loop: every method runs to its end without awaiting,
so the tasks of one loop always see exact figures. Money is counted in whole
units of 1e-18 USD, so that nothing drifts however often it is held and given back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from onedial.core.errors import BudgetExhausted, ConfigError
from onedial.core.usage import Usage

UNITS_PER_USD = 10**18


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps, each optional: None is no cap.

    Attributes:
        usd: Cost in USD.
        tokens: Input and output tokens together.
        calls: Requests sent upstream.
    """

    usd: float | None = None
    tokens: int | None = None
    calls: int | None = None

    def __post_init__(self) -> None:
        for name, cap in (("usd", self.usd), ("tokens", self.tokens), ("calls", self.calls)):
            if cap is not None and not 0 <= cap < float("inf"):
                raise ConfigError(f"a budget of {cap} {name}; expected a finite number that is not negative, or None for no cap.")

    def __str__(self) -> str:
        named = (("USD", self.usd), ("tokens", self.tokens), ("calls", self.calls))
        return ", ".join(f"{cap:.10g} {noun}" for noun, cap in named if cap is not None) or "no cap"


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum on the ledger: cost in USD, tokens (input and output) and calls."""

    usd: float = 0.0
    tokens: int = 0
    calls: int = 0

    def __str__(self) -> str:
        return f"{self.usd:.6g} USD, {self.tokens} tokens, {self.calls} calls"


class Grant:
    """A budget being spent, perhaps inside a larger one.

    At every level spent + reserved stays within the budget, unless an ask used
    more than was reserved for it: that is recorded in full and shown in
    `overrun`, and nothing more is granted until there is room again.

    Attributes:
        usage: All usage settled here and in grants inside this one.
        on_settled: Called after each settlement here or inside; must not raise or settle.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        budget = budget or Budget()
        self.usage = Usage()
        self.on_settled: Callable[[], None] | None = None
        self._parent: Grant | None = None
        self._meters = (_Meter(_units(budget.usd)), _Meter(budget.tokens), _Meter(budget.calls))

    @property
    def budget(self) -> Budget:
        """The caps of this level."""
        return _budget([meter.cap for meter in self._meters])

    @property
    def left(self) -> Budget:
        """What may still be reserved, here and at every level above; None where nothing caps it."""
        return _budget([meter.left for meter in self._meters])

    @property
    def spent(self) -> Amount:
        """What is gone."""
        return _amount([meter.spent for meter in self._meters])

    @property
    def reserved(self) -> Amount:
        """What is held for asks under way, and set aside for grants inside this one."""
        return _amount([meter.reserved for meter in self._meters])

    @property
    def overrun(self) -> Amount:
        """How much asks used beyond what was held for them, summed; zero in good order."""
        return _amount([meter.overrun for meter in self._meters])

    def child(self, budget: Budget, *, set_aside: bool = False) -> Grant:
        """Open a grant inside this one; what it spends counts here too.

        Args:
            budget: Its caps. One that exceeds what is left here is lowered to that.
            set_aside: Hold the capped amounts here from now on, so that siblings
                cannot take them. `close` gives back what was not used.

        Raises:
            BudgetExhausted: The amounts to set aside are not left.
        """
        caps = [_units(budget.usd), budget.tokens, budget.calls]
        if set_aside:
            self._hold([cap or 0 for cap in caps])
        inner = Grant()
        inner._parent = self
        pairs = list(zip(self._meters, caps, strict=True))
        inner._meters = tuple(meter.child(cap, set_aside) for meter, cap in pairs)  # type: ignore[assignment]  # three of three
        return inner

    def close(self) -> None:
        """Give back what was set aside and not used; twice does no harm.

        Raises:
            ValueError: An ask is still under way on this grant.
        """
        if any(meter.reserved for meter in self._meters):
            raise ValueError(f"this grant still holds {self.reserved} for asks under way; settle or release them before closing it.")
        for meter in self._meters:
            meter.close()

    def reserve(self, usage: Usage, cost_usd: float) -> Reservation:
        """Hold the worst case of an ask.

        Raises:
            BudgetExhausted: It does not fit, here or at a level above; nothing is held then.
        """
        worst = _units_of(usage, cost_usd)
        self._hold(worst)
        return Reservation(self, worst)

    def charge(self, usage: Usage, cost_usd: float) -> None:
        """Record what an earlier process spent, here and above, in full even where it is more than the caps."""
        used = _units_of(usage, cost_usd)
        for meter, amount in zip(self._meters, used, strict=True):
            meter.hold(amount)
        self._settle(used, used, usage)

    def _hold(self, worst: list[int]) -> None:
        pairs = list(zip(self._meters, worst, strict=True))
        if not all(meter.fits(amount) for meter, amount in pairs):
            raise BudgetExhausted(
                f"the worst case of the ask ({_amount(worst)}) exceeds what is left of the budget ({self.left}). "
                f"Of {self.budget} here, {self.spent} are spent and {self.reserved} reserved. Raise the budget, or ask for less."
            )
        for meter, amount in pairs:
            meter.hold(amount)

    def _settle(self, held: list[int], used: list[int], usage: Usage) -> None:
        for meter, was_held, was_used in zip(self._meters, held, used, strict=True):
            meter.settle(was_held, was_used)
        level: Grant | None = self
        while level is not None:
            level.usage += usage
            if level.on_settled is not None:
                level.on_settled()
            level = level._parent


class Reservation:
    """What is held for one ask; ends with exactly one of `settle` and `release`."""

    def __init__(self, grant: Grant, held: list[int]) -> None:
        self._grant, self._held, self._open = grant, held, True

    def settle(self, usage: Usage, cost_usd: float) -> None:
        """Record what the ask used, in full even where it is more than was held."""
        self._end(_units_of(usage, cost_usd), usage)

    def release(self) -> None:
        """Give everything back: the ask was not sent, or nothing was charged for it."""
        self._end([0, 0, 0], Usage())

    def _end(self, used: list[int], usage: Usage) -> None:
        if not self._open:
            raise ValueError("a reservation ends once, with settle or release; this one has ended before.")
        self._open = False
        self._grant._settle(self._held, used, usage)


class _Meter:
    """One dimension of a grant, in whole units.

    `backing` is what the meter above still holds for this one; None if nothing
    was set aside, so that every hold is passed upwards.
    """

    def __init__(self, cap: int | None, above: _Meter | None = None, backing: int | None = None) -> None:
        self.cap, self.above, self.backing = cap, above, backing
        self.spent = self.reserved = self.overrun = 0

    @property
    def left(self) -> int | None:
        own = None if self.cap is None else max(0, self.cap - self.spent - self.reserved)
        above = self.above.left if self.above is not None and self.backing is None else None
        return own if above is None else above if own is None else min(own, above)

    def fits(self, amount: int) -> bool:
        left = self.left
        return left is None or amount <= left

    def child(self, cap: int | None, set_aside: bool) -> _Meter:
        if cap is not None and set_aside:
            return _Meter(cap, self, cap)
        left = self.left
        return _Meter(cap if cap is None or left is None else min(cap, left), self)

    def hold(self, amount: int) -> None:
        self.reserved += amount
        if self.above is not None and self.backing is None:
            self.above.hold(amount)

    def settle(self, held: int, used: int) -> None:
        self.reserved -= held
        self.spent += used
        self.overrun += max(0, used - held)
        if self.above is None:
            return
        if self.backing is not None:
            held = min(used, self.backing)
            self.backing -= held
        self.above.settle(held, used)

    def close(self) -> None:
        if self.above is not None and self.backing is not None:
            self.above.settle(self.backing, 0)
            self.cap, self.backing = self.spent, 0


def _units(usd: float | None) -> int | None:
    return None if usd is None else round(usd * UNITS_PER_USD)


def _units_of(usage: Usage, cost_usd: float) -> list[int]:
    return [round(cost_usd * UNITS_PER_USD), usage.tokens, usage.calls]


def _amount(units: list[int]) -> Amount:
    return Amount(units[0] / UNITS_PER_USD, units[1], units[2])


def _budget(units: list[int | None]) -> Budget:
    usd, tokens, calls = units
    return Budget(None if usd is None else usd / UNITS_PER_USD, tokens, calls)
