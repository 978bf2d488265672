"""The registry of task families, and judging any of their prompts.

The families themselves live in a file each.
"""

from __future__ import annotations

from onedial.lab.arith import Arith
from onedial.lab.facts import Facts
from onedial.lab.path import Path
from onedial.lab.subset import Subset
from onedial.lab.swap import Swap
from onedial.lab.tasks import Task, proposal_in

FAMILIES: dict[str, Task] = {task.name: task for task in (Arith(), Swap(), Path(), Subset(), Facts())}


def family_of(prompt: str) -> Task | None:
    """Find the family whose question `prompt` is, or None."""
    return next((task for task in FAMILIES.values() if task.owns(prompt)), None)


def check(prompt: str, answer: str) -> bool:
    """Judge `answer` to any family's prompt; an unknown prompt has no right answer.

    After a check question the right answer is `yes` or `no`.
    """
    task = family_of(prompt)
    if task is None:
        return False
    proposal = proposal_in(prompt)
    if proposal is None:
        return task.check(prompt, answer)
    return answer.strip() == ("yes" if task.check(prompt, proposal) else "no")


def verify(prompt: str, answer: str) -> bool | None:
    """Judge `answer` where that is cheaper than solving, else return None."""
    task = family_of(prompt)
    return None if task is None or proposal_in(prompt) else task.verify(prompt, answer)
