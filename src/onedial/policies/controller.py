"""The one rule: take the block of samples with the best gain in quality net of its cost; stop when none is worth it.

With everything on the menu it is the joint policy. With one model it is
compute-only; with one effort, strategy and count, committed before the first
token, it is model-only. Routing, adaptive voting, best-of-n with optimal stopping
and cascades are what the rule does, not features.

Source: THEORY.md section 1, dual rule and sequential form with blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onedial.core.answer import Candidate
from onedial.core.arm import Arm
from onedial.core.decision import Decision, Outlook
from onedial.core.outcome import Floats
from onedial.core.query import Query
from onedial.policies.assessor import Assessment, Assessor
from onedial.policies.blocks import BLOCKS, LOOKS
from onedial.policies.lookahead import Flags, look_first
from onedial.policies.one_by_one import Course

SHOWN = 12


@dataclass(frozen=True, slots=True)
class Menu:
    """What a policy may do.

    Attributes:
        sources: Columns of the forecast's sources that may be asked.
        blocks: Sizes that may be drawn at once, among `BLOCKS`.
        max_draws: Samples of one source at most, one number for all or one for each source of the assessor.
        once: Decide before the first token and never again.
        look: Value small blocks one step further; without, every block as if one stopped after it.
    """

    sources: tuple[int, ...]
    blocks: tuple[int, ...] = BLOCKS
    max_draws: int | tuple[int, ...] = 8
    once: bool = False
    look: bool = True

    def depth(self, source: int) -> int:
        """Samples of one source at most."""
        return self.max_draws if isinstance(self.max_draws, int) else self.max_draws[source]


@dataclass(frozen=True, slots=True)
class Controller:
    """A policy: the rule at one worth of quality.

    Attributes:
        assessor: Forecasts and believes.
        menu: What may be done.
        worth: USD per unit of probability of being right.
        cap_usd: No block that could take the query beyond this, at its worst.
    """

    assessor: Assessor
    menu: Menu
    worth: float
    cap_usd: float = float("inf")

    def choose(self, query: Query, tried: tuple[Candidate, ...] = (), spent_usd: float = 0.0) -> Decision:
        """Decide the next block, or to stop."""
        now = self.assessor.assess(query, tried)
        if self.menu.once and tried:
            return Decision(None, now.answer, now.quality, "everything was decided before the first token", pick=now.pick)
        allowed = self._allowed(now)
        net = self._net(now, allowed, spent_usd)
        j, b = np.unravel_index(int(net.argmax()), net.shape)
        outlooks = self._outlooks(now, net)
        if np.isneginf(net[j, b]):
            return Decision(None, now.answer, now.quality, self._why_none(bool(allowed.any()), spent_usd), outlooks, pick=now.pick)
        if net[j, b] <= 0 and tried:
            return Decision(None, now.answer, now.quality, self._why_stop(now, int(j), int(b)), outlooks, pick=now.pick)
        arm = Arm(self.assessor.sources[j], "vote" if BLOCKS[b] > 1 else "direct", BLOCKS[b])
        return Decision(arm, now.answer, now.quality, self._why_draw(now, int(j), int(b)), outlooks)

    def _allowed(self, now: Assessment) -> Flags:
        """(S, blocks) what is on the menu and has not been drawn."""
        allowed = np.zeros(now.then.shape, dtype=bool)
        for j in self.menu.sources:
            allowed[j] = [size in self.menu.blocks and now.draws[j] + size <= self.menu.depth(j) for size in BLOCKS]
        return allowed

    def _net(self, now: Assessment, allowed: Flags, spent_usd: float) -> Floats:
        """(S, blocks) worth of the quality gained less the cost; minus infinity for what is not allowed or beyond the cap."""
        net = self.worth * (now.then - now.quality) - now.cost_usd
        if self.menu.look and not self.menu.once and now.course is not None:
            net[0, 0] = max(net[0, 0], self._one_by_one(now, now.course, np.where(allowed[0], net[0], -np.inf)))
        elif self.menu.look and not self.menu.once:
            look = look_first(now, self.worth, allowed, self.assessor.same_model) - self.worth * now.quality
            net[:, : len(LOOKS)] = np.maximum(net[:, : len(LOOKS)], look)
        return np.where(allowed & (spent_usd + now.worst_usd <= self.cap_usd), net, -np.inf)

    def _one_by_one(self, now: Assessment, course: Course, blocks: Floats) -> float:
        """Worth of what is gained, less its cost, by drawing the only source one by one: by its plan, or a block in pieces."""
        first, later, left = float(now.cost_usd[0, 0]), float(now.cached_usd[0, 0]), self.menu.depth(0) - now.draws[0]
        apart = first + later * (np.array(BLOCKS) - 1) - now.cost_usd[0]  # what the pieces of a block cost beyond the block
        if now.draws[0] == 0:
            plan = max(self.worth * float(course.mass[0].max()), course.going_on(self.worth, later, left - 1)) - first
        else:
            plan = course.going_on(self.worth, later, left) - (first - later)
        return max(plan - self.worth * now.quality, float((blocks - np.maximum(apart, 0.0)).max()))

    def _outlooks(self, now: Assessment, net: Floats) -> tuple[Outlook, ...]:
        order = [divmod(int(i), len(BLOCKS)) for i in np.argsort(-net, axis=None)[:SHOWN]]
        return tuple(
            Outlook(Arm(self.assessor.sources[j], "vote" if BLOCKS[b] > 1 else "direct", BLOCKS[b]), *map(float, values))
            for j, b in order
            if np.isfinite(net[j, b])
            for values in [(now.then[j, b], now.cost_usd[j, b], net[j, b])]
        )

    def _why_draw(self, now: Assessment, j: int, b: int) -> str:
        size = BLOCKS[b]
        what = f"{size} sample{'s' if size > 1 else ''} of {self.assessor.sources[j]}"
        change = f"the chance of being right from {100 * now.quality:.1f} % to {100 * now.then[j, b]:.1f} %"
        return f"{what} should raise {change} for ${now.cost_usd[j, b]:.2g}, the best gain for its cost"

    def _why_none(self, any_left: bool, spent_usd: float) -> str:
        if not any_left:
            return "every block allowed has been drawn"
        return f"no block fits the ${max(self.cap_usd - spent_usd, 0.0):.2g} that are left of the cap of ${self.cap_usd:.2g}"

    def _why_stop(self, now: Assessment, j: int, b: int) -> str:
        gain = 100 * (now.then[j, b] - now.quality)
        return (
            f"{100 * now.quality:.1f} % sure; the best next step, {BLOCKS[b]} of {self.assessor.sources[j]}, "
            f"would add {max(gain, 0.0):.1f} points for ${now.cost_usd[j, b]:.2g}, which is not worth it"
        )
