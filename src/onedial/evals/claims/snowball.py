"""Snowball errors: accuracy by chain length, without a check, with every chain checked as a whole, and with every step checked.

One source is chosen on one half of the questions: the one that starts well and falls
furthest. On the other half its chains are drawn live and read: up to where they are
sound, and whether an error is ever undone. A check of the whole starts a chain with a
slip anew; a check of steps goes on from the last sound one. Both may try equally often.

Source: 2501.15602 (snowball errors of slow thinking).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.outcome import Floats, Ints
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.evals.claims.canvas import DEPTH, MIXED, WIDTH, band, in_percent, legend, panels
from onedial.evals.claims.contract import Claim, Finding, Row, Verdict, told
from onedial.evals.claims.workbench import Workbench
from onedial.metrics.bootstrap import Interval, mean_interval
from onedial.strategies.draw import Drawn, conclude, put

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRIES = 4
"""Chains that a check may cost."""
STARTS, READ = 0.6, 0.5
"""Accuracy on the shortest chains, and share of the longest with readable steps, that a source must have."""
WAYS = ("unchecked", "whole checked", "steps checked")


@dataclass(frozen=True, slots=True)
class Chained:
    """Chains of one length on the scoring questions; arrays are (n_queries,).

    Attributes:
        length: In steps.
        right: Per way, the quality of the answers.
        tokens: Per way, mean output tokens.
        slipped: Whether the unchecked chain has a wrong step; NaN where none could be read.
    """

    length: int
    right: dict[str, Floats]
    tokens: dict[str, float]
    slipped: Floats


async def measure(bench: Workbench) -> Finding:
    """Choose a source, then draw chains of every length in every way."""
    lengths = [length for length in bench.tasks.chain_lengths if bench.tasks.chains(length, 1)]
    if len(lengths) < 2:
        return Finding.unmeasured("This needs chains of two lengths.")
    choose, score = bench.halves(bench.questions)
    source = await falling(bench, lengths, choose)
    if source is None:
        return Finding.unmeasured(f"No model answers {100 * STARTS:.0f} % of the shortest chains in steps that can be read.")
    ways = WAYS if "continue" in bench.pool.model(source.model).capabilities else WAYS[:2]
    found = []
    for k, length in enumerate(lengths):
        queries = [bench.tasks.chains(length, bench.questions)[i] for i in score]
        found.append(await chained(bench, queries, source, length, ways))
        bench.progress("chains", k + 1, len(lengths))
    return _finding(bench, source, found, ways)


async def falling(bench: Workbench, lengths: Sequence[int], choose: Ints) -> Source | None:
    """The source that falls furthest from the shortest to the longest chains, of those that start well and write their steps down."""
    able: dict[Source, float] = {}
    sources = [source for model in bench.models for source in bench.sources(model)]
    for k, source in enumerate(sources):
        ends = []
        for length in (lengths[0], lengths[-1]):
            queries = [bench.tasks.chains(length, bench.questions)[i] for i in choose]
            ends.append(await chained(bench, queries, source, length, WAYS[:1]))
        first, last = (float(end.right[WAYS[0]].mean()) for end in ends)
        if first >= STARTS and np.isfinite(ends[1].slipped).mean() >= READ:
            able[source] = first - last
        bench.progress("sources", k + 1, len(sources))
    return max(able, key=lambda source: able[source]) if able else None


async def chained(bench: Workbench, queries: Sequence[Query], source: Source, length: int, ways: Sequence[str]) -> Chained:
    """Draw chains in every way; the unchecked one is the first chain of the others."""
    right, tokens, slipped = {}, {}, np.zeros(0)
    for way in ways:
        tries = 1 if way == WAYS[0] else TRIES
        answers = await bench.carried_out(queries, partial(checked_chain, bench, source, tries, way == WAYS[2]))
        right[way] = np.array([bench.grade(query, answer.answer) or 0.0 for query, answer in zip(queries, answers, strict=True)])
        tokens[way] = float(np.mean([answer.spend.usage.output_tokens for answer in answers]))
        if way == WAYS[0]:
            slipped = np.array([_SLIPS[answer.stopped] for answer in answers])
    return Chained(length, right, tokens, slipped)


SOUND, SLIPPED, UNREAD = "every step is sound", "a step is wrong", "no step can be read"
_SLIPS = {SOUND: 0.0, SLIPPED: 1.0, UNREAD: np.nan}


def checked_chain(bench: Workbench, source: Source, tries: int, keep: bool, query: Query) -> Steps[Answer]:
    """Draw a chain of thought until every step is sound, or `tries` are used up; the last one answers.

    Args:
        bench: Its tasks check steps, its reading reads answers.
        source: Whom to ask.
        tries: Asks at most.
        keep: Go on from the last sound step; else from the start.
        query: A chain.
    """
    drawn, kept, state = list[Drawn](), "", UNREAD
    for i in range(tries):
        ask = Sample(query.id, source, query.messages, 1, i, continue_from=kept, in_steps=keep)
        drawn.append((yield from put(query, ask, bench.reading)))
        if not drawn[-1].completions:
            break
        said = drawn[-1].completions[0]
        text = kept + (said.thinking or said.text)
        sound = bench.tasks.sound(query, text)
        state = UNREAD if sound is None else SOUND if sound == text else SLIPPED
        if state != SLIPPED:
            break
        kept = sound or "" if keep else ""
    last = [c for one in drawn for c in one.candidates][-1:]
    answer = conclude(drawn, last[0] if last else None, state)
    return replace(answer, stopped=state)


def _finding(bench: Workbench, source: Source, found: Sequence[Chained], ways: Sequence[str]) -> Finding:
    half = len(found) // 2
    short, long = found[:half], found[-half:]
    fall = mean_interval(_mean(short, WAYS[0]) - _mean(long, WAYS[0]), bench.rng(30))
    slip = np.concatenate([each.slipped for each in found])
    after = np.concatenate([each.right[WAYS[0]] for each in found])[slip == 1]
    numbers = {"accuracy lost from short to long chains": fall}
    if len(after) > 1:
        numbers["right after a slip"] = mean_interval(after, bench.rng(31))
    for way in ways[1:]:
        numbers[f"gain on long chains, {way}"] = mean_interval(_mean(long, way) - _mean(long, WAYS[0]), bench.rng(32))
    checked = numbers.get(f"gain on long chains, {WAYS[2]}")
    holds = fall.low > 0 and (checked is None or checked.low > 0)
    fails = fall.high <= 0 or (checked is not None and checked.high <= 0)
    verdict: Verdict = "holds" if holds else "does not hold" if fails else "not told apart"
    return Finding(verdict, _sentence(source, found, numbers, ways), numbers, tuple(_row(bench, each) for each in found))


def _mean(chains: Sequence[Chained], way: str) -> Floats:
    """Mean over lengths, question by question."""
    return np.asarray(np.mean([each.right[way] for each in chains], axis=0))


def _sentence(source: Source, found: Sequence[Chained], numbers: dict[str, Interval], ways: Sequence[str]) -> str:
    half = len(found) // 2
    text = (
        f"{source} loses {told(numbers['accuracy lost from short to long chains'], unit=' points')} from chains of {found[0].length} to "
        f"{found[half - 1].length} steps to chains of {found[-half].length} to {found[-1].length}."
    )
    if "right after a slip" in numbers:
        text += f" Once a step is wrong, the answer is right in {told(numbers['right after a slip'])}."
    for way in ways[1:]:
        tokens = found[-1].tokens[way] / found[-1].tokens[WAYS[0]]
        gain = numbers[f"gain on long chains, {way}"]
        text += f" With {way} ({TRIES} tries at most, {tokens:.1f} × the tokens at {found[-1].length} steps) long chains gain "
        text += f"{told(gain, unit=' points')}."
    return text if len(ways) == len(WAYS) else f"{text} Checking step by step is not measured: {source.model} cannot continue a text."


def _row(bench: Workbench, each: Chained) -> Row:
    row: dict[str, str | float | None] = {"row": "length", "length": each.length}
    for way, right in each.right.items():
        i = mean_interval(right, bench.rng(33), 500)
        row |= {way: i.estimate, f"{way} low": i.low, f"{way} high": i.high, f"{way} tokens": each.tokens[way]}
    known = each.slipped[np.isfinite(each.slipped)]
    return row | {"chains with a slip": float(known.mean()) if known.size else None}


def draw(figure: Figure, finding: Finding) -> None:
    """Draw accuracy and tokens by chain length, a line per way."""
    one, two = panels(figure, 2, CLAIM.question, f"bands are 95 % intervals; a check may cost {TRIES} chains")
    rows = finding.kind("length")
    x = [row["length"] for row in rows]
    for way, colour in zip(WAYS, (WIDTH, MIXED, DEPTH), strict=True):
        if way in rows[0]:
            band(one, x, rows, way, colour, way)
            two.plot(x, [row[f"{way} tokens"] for row in rows], "o-", color=colour, lw=1.9, ms=4, label=way)
    one.set_title("answers right", loc="left", fontsize=8.6)
    two.set_title("output tokens", loc="left", fontsize=8.6)
    one.set_ylim(0, 1.03)
    two.set_ylim(0, None)
    two.grid(axis="y")
    in_percent(one)
    for ax in (one, two):
        ax.set_xlabel("steps in the chain")
        ax.set_xticks(x)
    legend(one, loc="lower left")


CLAIM = Claim(
    "snowball",
    "Do errors snowball along a chain, and does checking steps stop them?",
    "2501.15602",
    measure,
    draw,
    (9.4, 3.8),
)
