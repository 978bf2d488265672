"""`onedial lab claims`: what the literature says about spending compute, measured on the models at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onedial.apps.options import Json, Options, money, opened
from onedial.apps.terminal import aside, screen, stages, write_json
from onedial.core.arm import Source
from onedial.verifiers.process import Process

if TYPE_CHECKING:
    from onedial.core.query import Query
    from onedial.engine.dial import Dial
    from onedial.engine.ladders import Progress
    from onedial.evals.claims.carry_out import Tried
    from onedial.evals.claims.workbench import Workbench
    from onedial.runtime.store import Store

SAMPLES = "samples.db"
SYSTEM = (
    "Work the question out as far as you need. Then write the answer alone on the last line: "
    "a digit, a letter, numbers with spaces between them, yes or no."
)
LAB = "questions of the lab"
AT_ONCE, AT_ONCE_REMOTE = 128, 8


@dataclass(frozen=True, slots=True)
class OwnPrompts:
    """A user's prompts as the mix; there are no chains and walks of a chosen length among them."""

    prompts: tuple[Query, ...]
    chain_lengths: tuple[int, ...] = ()
    walk_lengths: tuple[int, ...] = ()

    def mixed(self, n: int) -> Sequence[Query]:
        """The first `n` of them."""
        return self.prompts[:n]

    def chains(self, length: int, n: int) -> Sequence[Query]:
        """None."""
        return ()

    def walks(self, length: int, n: int) -> Sequence[Query]:
        """None."""
        return ()

    def sound(self, query: Query, text: str) -> str | None:
        """Cannot be told."""
        return None

    @property
    def writing(self) -> Process:
        """As most models write."""
        return Process()


def claims(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Claims to try; by default all of them.", show_default=False)] = None,
    questions: Annotated[int, typer.Option(min=4, help="Questions of each kind; of the mix four times as many.")] = 60,
    out: Annotated[Path, typer.Option(help="Folder of tables, pictures and verdicts, and of the samples drawn.")] = Path("onedial-claims"),
    prompts: Annotated[
        Path | None, typer.Option(help="Own prompts with references in place of the lab's questions.", show_default=False)
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Spend at most so much, as in 5usd.", show_default=False)] = None,
    again: Annotated[bool, typer.Option(help="Measure also what is there already, from the samples that are.")] = False,
    json: Json = False,
) -> None:
    """Try what the literature claims about spending compute, on the embedded models or on those that are configured.

    Each claim leaves a table, a picture and a verdict. What was interrupted goes on where it was.
    """
    from onedial.evals.claims.carry_out import named
    from onedial.runtime.store import Store

    chosen = named(names or ())
    out.mkdir(parents=True, exist_ok=True)
    with opened(ctx) as dial, Store.open(out / SAMPLES) as store, stages() as told:
        bench = workbench(dial, store, questions, ctx.ensure_object(Options).seed, prompts, money(budget) if budget else None, told)

        async def every() -> list[Tried]:
            from onedial.evals.claims.carry_out import carry_out

            tried = []
            async for one in carry_out(chosen, bench, out, str(prompts) if prompts else LAB, again):
                tried.append(one)
                if not json:
                    show(one)
            return tried

        found = dial.block(every())
    if json:
        write_json({"claims": [summary(one) for one in found]})


def workbench(
    dial: Dial, store: Store, questions: int, seed: int, prompts: Path | None, budget_usd: float | None, progress: Progress
) -> Workbench:
    """Join models and questions; models that are not embedded are told how to answer, own prompts are read and graded as configured."""
    from onedial.apps.workspace import grader, verifier
    from onedial.evals.claims.workbench import Workbench
    from onedial.lab.client import LabClient
    from onedial.lab.trials import Trials
    from onedial.runtime.ledger import Budget, Grant
    from onedial.runtime.prompts import read_prompts
    from onedial.strategies.draw import Reading

    plain = [name for name in dial.pool.models if Source(name).base == name]
    embedded = all(isinstance(dial.pool.client(name), LabClient) for name in plain)
    grant, at_once = Grant(Budget(usd=budget_usd)), AT_ONCE if embedded else AT_ONCE_REMOTE
    if prompts is not None:
        own = OwnPrompts(tuple(read_prompts(prompts)))
        settings = dial.settings
        return Workbench(dial.pool, own, settings.reading, settings.grade, store, questions, seed, grant, at_once, progress)
    reading = dial.settings.reading if embedded else Reading(last_line, verifier("lab"))
    trials = Trials(seed) if embedded else Trials(seed, SYSTEM)
    return Workbench(dial.pool, trials, reading, grader("lab"), store, questions, seed, grant, at_once, progress)


def last_line(text: str) -> str | None:
    """Read the answer off the last line: its words, marks around them left out; yes and no in lower case.

    >>> last_line("Let me see." + chr(10) + "**Yes.**")
    'yes'
    """
    lines = [line for line in text.splitlines() if line.strip()]
    words = " ".join(lines[-1].replace(",", " ").replace("+", " ").split()).strip(" .*`$:'\"") if lines else ""
    return (words.lower() if words.lower() in ("yes", "no") else words) or None


def show(tried: Tried) -> None:
    """Print the verdict, and where the rest is."""
    out, finding = screen(), tried.finding
    out.print(f"\n[bold]{tried.claim.name}[/]: {tried.claim.question}  [bold]{finding.verdict}[/]", soft_wrap=True)
    out.print(finding.sentence, markup=False)
    out.print(str(tried.files.png), style="dim", soft_wrap=True)
    if tried.kept:
        aside().print("This was measured before; --again measures anew.", style="dim")


def summary(tried: Tried) -> dict[str, object]:
    """A claim as a program would read it."""
    finding = tried.finding
    head: dict[str, object] = {"claim": tried.claim.name, "verdict": finding.verdict, "sentence": finding.sentence}
    return head | {"numbers": finding.numbers, "files": tried.files, "measured_before": tried.kept}
