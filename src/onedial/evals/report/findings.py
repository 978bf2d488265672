"""Findings: everything the report shows, as plain data that survives JSON, so that it can be redrawn without rerunning.

How findings are made from sweeps is in `summary`; how they are drawn, in `figure` and `report`.
Costs here are USD per 1,000 queries. A value that does not exist (a quality never
reached) is None.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from onedial.core.errors import TableError

VERSION = 1


@dataclass(frozen=True, slots=True)
class Point:
    """A mean cost (USD per 1,000 queries) and quality, with 95 % intervals where they are known."""

    cost: float
    quality: float
    cost_low: float | None = None
    cost_high: float | None = None
    quality_low: float | None = None
    quality_high: float | None = None
    target: float | None = None


@dataclass(frozen=True, slots=True)
class ArmPoint:
    """One fixed arm on the test split."""

    arm: str
    model: str
    cost: float
    quality: float


@dataclass(frozen=True, slots=True)
class Line:
    """One policy over its dial: `joint`, `model-only`, `compute-only`, `hull` or `hindsight`; points in order of target."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class MatchedRow:
    """Cost of a policy at the quality of the best fixed arm for a target, with 95 % intervals.

    Attributes:
        cost: USD per 1,000 queries; None if the policy does not reach that quality.
        over_fixed: Cost over the best fixed arm's.
        joint_over: The joint policy's cost over this one's.
        gap_closed: Share of the way from the best fixed arm to hindsight.
        unreached: Share of resamples in which the quality is not reached.
    """

    target: float
    level: float
    policy: str
    cost: float | None
    over_fixed: float | None
    over_fixed_low: float | None
    over_fixed_high: float | None
    joint_over: float | None
    joint_over_low: float | None
    joint_over_high: float | None
    gap_closed: float | None = None
    unreached: float = 0.0


@dataclass(frozen=True, slots=True)
class Shares:
    """What the joint policy spent on, by group of queries.

    Attributes:
        title: `model`, `thinking`, `samples`, ...
        options: From least to most, such as small to large.
        groups: From easiest to hardest.
        share: Per group, the share of each option, summing to 1.
        n_queries: Per group.
    """

    title: str
    options: tuple[str, ...]
    groups: tuple[str, ...]
    share: tuple[tuple[float, ...], ...]
    n_queries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Mean forecast against mean outcome over `n_queries` queries."""

    forecast: float
    outcome: float
    n_queries: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """Calibration of the quality forecast of the *selected* arm, at the moment of stopping."""

    bins: tuple[ReliabilityBin, ...]
    ece: float
    brier: float


@dataclass(frozen=True, slots=True)
class PromiseRow:
    """One target: what was promised, what the certificate says, what the test split gave.

    Attributes:
        label: Such as `best fixed arm - 2 points`.
        promised: Mean quality promised.
        reached: Mean quality on the test split, with its interval.
        cost: USD per 1,000 queries.
        verdict: `kept`, `within noise` or `missed`.
        certified: Whether a certificate was issued; None if none was asked for.
        certificate: The certificate's sentence.
    """

    label: str
    promised: float
    reached: float
    reached_low: float
    reached_high: float
    cost: float
    verdict: str
    certified: bool | None = None
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """What one step of model size costs in the smaller model's compute, for one group of queries.

    Attributes:
        multiple: Times one use of the smaller model; None if no amount reaches the larger one's quality.
        relative_cost: That cost over the larger model's.
    """

    small: str
    large: str
    group: str
    multiple: float | None
    relative_cost: float | None
    small_best: float
    large_quality: float


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that a report shows.

    Attributes:
        subtitle: What was run on what, in one line.
        n_train: Queries that choices were made on.
        n_test: Queries shown.
        arms: Every fixed arm.
        lines: Policies, hull and hindsight.
        matched: Costs at matched quality.
        promises: One per target.
        shares: Who got what.
        reliability: Of the selected arm.
        exchange: Compute against model size.
        notes: Caveats, one sentence each.
        headline: A title instead of the one derived from `matched`.
        split: How queries were divided, instead of what follows from `n_train` and `n_test`.
        unit: What costs are counted in.
        rivals: Published methods among the lines and in `matched`, as they are to be shown.
    """

    subtitle: str
    n_train: int
    n_test: int
    arms: tuple[ArmPoint, ...] = ()
    lines: tuple[Line, ...] = ()
    matched: tuple[MatchedRow, ...] = ()
    promises: tuple[PromiseRow, ...] = ()
    shares: tuple[Shares, ...] = ()
    reliability: Reliability | None = None
    exchange: tuple[ExchangeRow, ...] = ()
    notes: tuple[str, ...] = ()
    headline: str = ""
    split: str = ""
    unit: str = "USD"
    rivals: tuple[str, ...] = ()
    version: int = VERSION

    def line(self, name: str) -> Line | None:
        """The line of this name, or None."""
        return next((line for line in self.lines if line.name == name), None)

    @property
    def divided(self) -> str:
        """How queries were divided."""
        return self.split or f"chosen on {self.n_train:,} queries, shown on {self.n_test:,} others"

    @property
    def title(self) -> str:
        """The one-line takeaway: the joint policy at the first target, whatever it shows."""
        if self.headline:
            return self.headline
        row = next((r for r in self.matched if r.policy == "joint"), None)
        if row is None:
            return "Cost and quality of every way to answer"
        at = f"{100 * row.level:.0f} % right"
        if row.over_fixed is None:
            return f"At {at}, the best fixed setting is not matched by choosing per query"
        change = 100 * (1 - row.over_fixed)
        if row.over_fixed_high is not None and row.over_fixed_high < 1:
            return f"At {at}, choosing per query costs {change:.0f} % less than the best fixed setting"
        if row.over_fixed_low is not None and row.over_fixed_low > 1:
            return f"At {at}, choosing per query costs {-change:.0f} % more than the best fixed setting"
        return f"At {at}, choosing per query costs about as much as the best fixed setting"

    def to_json(self) -> str:
        """Write as indented JSON."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1).decode()

    @classmethod
    def from_json(cls, text: str) -> Findings:
        """Read back what `to_json` wrote.

        Raises:
            TableError: Malformed, or of a version not known here.
        """
        try:
            found = msgspec.json.decode(text.encode(), type=cls)
        except msgspec.DecodeError as error:
            raise TableError(f"not a file of findings: {error}. Run the report again from outcomes.") from error
        if found.version != VERSION:
            raise TableError(f"findings of version {found.version}; expected {VERSION}. Run the report again from outcomes.")
        return found
