"""Try claims one after the other; a finding that is there already, made with the same things, is not made again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from onedial.core.errors import ConfigError, unknown
from onedial.evals.claims.contract import Claim, Finding
from onedial.evals.claims.files import About, Written, paths, read, write
from onedial.evals.claims.registry import CLAIMS
from onedial.evals.claims.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Tried:
    """One claim, what came of it, where that is, and whether it was there before."""

    claim: Claim
    finding: Finding
    files: Written
    kept: bool


def named(names: Sequence[str]) -> list[Claim]:
    """The claims of these names; all of them if there are none.

    Raises:
        ConfigError: There is no claim of a name.
    """
    for name in names:
        if name not in CLAIMS:
            raise ConfigError(unknown("claim", name, CLAIMS))
    return [CLAIMS[name] for name in names or CLAIMS]


async def carry_out(claims: Sequence[Claim], bench: Workbench, folder: Path, tasks: str, again: bool = False) -> AsyncIterator[Tried]:
    """Try each claim and write what comes of it.

    Args:
        claims: In the order in which they are tried.
        bench: Models and questions.
        folder: Where findings go.
        tasks: What the questions are, in words; a finding on others is made anew.
        again: Measure also what is there.
    """
    about = About(tuple(model.name for model in bench.models), tasks, bench.questions, bench.seed)
    for claim in claims:
        found = None if again else read(claim, about, folder)
        if found is not None:
            yield Tried(claim, found, paths(folder, claim.name), True)
            continue
        before = bench.grant.spent
        finding = await claim.measure(bench)
        after = bench.grant.spent
        spent = {"usd": after.usd - before.usd, "tokens": after.tokens - before.tokens, "calls": after.calls - before.calls}
        yield Tried(claim, finding, write(claim, finding, about, spent, folder), False)
