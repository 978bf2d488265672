"""Do searches pay? Each against best-of-n under the same checker of steps, live on an embedded model.

    python benchmarks/searches.py [--model tiny] [--effort 3] [--questions 150] [--arms dvts=16 ...]

Steps are checked from the question's text alone, without error: what a search can gain at best. `mcts=16/branches=16` is
best-of-16 under that checker, since all its completions are drawn whole at the root. Test questions, seed 0; accuracy with
its standard error, tokens, calls and cost per question.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from math import sqrt

from onedial.core.arm import Arm
from onedial.lab.checker import grade, lab_checker
from onedial.lab.client import LabClient
from onedial.lab.prompts import lab_queries
from onedial.lab.stepwise import lab_process, lab_step_checker
from onedial.runtime.driver import run
from onedial.runtime.ledger import Grant
from onedial.runtime.pool import Pool
from onedial.strategies.draw import Reading
from onedial.strategies.registry import steps_of

WIDTHS = (4, 8, 16)
SIZES = (16, 49)
SEARCHED = ("beam", "dvts", "lookahead", "rebase", "particle")
ARMS = (
    *("direct", "vote=16", "best=16"),
    *(f"mcts={n}/branches={n}" for n in WIDTHS),
    *(f"{name}={n}" for name in SEARCHED for n in SIZES),
    "mcts=16",
)


async def compare(model: str, effort: str, arms: Sequence[str], questions: int) -> None:
    """Print one row per arm."""
    queries = lab_queries(questions, "test")
    reading = Reading(verify=lab_checker, process=lab_process(lab_step_checker))
    print(f"{'arm':24s} {'right':>14s} {'output':>8s} {'input':>8s} {'cached':>8s} {'calls':>6s} {'nano-USD':>9s}")
    for name in arms:
        arm = Arm.parse(f"{model}/think={effort}/{name}" if "=" in name else f"{model}/think={effort}")
        async with Pool([LabClient([model])]) as pool:
            answers = await asyncio.gather(*(run(steps_of(arm, query, reading), pool, Grant()) for query in queries))
        right = sum(grade(query.prompt, answer.answer) for query, answer in zip(queries, answers, strict=True)) / questions
        used = [answer.spend.usage for answer in answers]
        tokens = [sum(getattr(usage, key) for usage in used) / questions for key in ("output_tokens", "input_tokens", "cached_tokens")]
        calls, usd = sum(usage.calls for usage in used) / questions, sum(answer.spend.cost_usd for answer in answers) / questions
        error = sqrt(right * (1 - right) / questions)
        print(
            f"{name:24s} {right:.3f} ± {error:.3f} {tokens[0]:8.1f} {tokens[1]:8.1f} {tokens[2]:8.1f} {calls:6.1f} {usd * 1e9:9.2f}",
            flush=True,
        )


def main() -> None:
    """Read the options and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--effort", default="3")
    parser.add_argument("--questions", type=int, default=150)
    parser.add_argument("--arms", nargs="+", default=ARMS, metavar="STRATEGY=N")
    options = parser.parse_args()
    asyncio.run(compare(options.model, options.effort, options.arms, options.questions))


if __name__ == "__main__":
    main()
