"""Make a model think longer than it would: continue its text with a word of doubt, as if it had not ended.

The model needs the capability `continue`; one that lacks it is refused before the first ask is paid. What is continued is the thought
where the endpoint shows one, from its opening mark on, and else the text. The opposite, a cap on thought, is `thinking_budget`.

Source: budget forcing, Muennighoff 2501.19393.
"""

from __future__ import annotations

from onedial.core.answer import Answer
from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.query import Query
from onedial.core.steps import Steps
from onedial.strategies.draw import Drawn, Reading, conclude, judged, put
from onedial.strategies.self_refine import latest_best

SUFFIX = "\n\nWait,"


def budget_forcing(query: Query, source: Source, n: int, reading: Reading) -> Steps[Answer]:
    """Ask once, then continue up to `n - 1` times; the latest answer that was not cut is taken unless an earlier one scores higher.

    A reply that is empty or was cut ends it. The text of a candidate is what its own ask brought.
    """
    needs = frozenset({"continue"} if n > 1 else ())
    drawn = [(yield from put(query, Sample(query.id, source, query.messages, needs=needs), reading))]
    said = _doubted("", drawn[0])
    while len(drawn) < n and said:
        ask = Sample(query.id, source, query.messages, 1, len(drawn), continue_from=said)
        drawn.append((yield from put(query, ask, reading)))
        said = _doubted(said, drawn[-1])
    drawn = yield from judged(query, drawn, reading)
    candidates = [c for d in drawn for c in d.candidates]
    whole = [c for d in drawn if not _cut(d) for c in d.candidates if c.answer is not None]
    return conclude(drawn, latest_best(whole or candidates), f"the thought was ended {len(candidates)} of {n} times")


def _cut(drawn: Drawn) -> bool:
    return any(completion.finish != "stop" for completion in drawn.completions)


def _doubted(said: str, drawn: Drawn) -> str:
    """All that was said with a doubt at its end; '' if the last reply leaves nothing to continue."""
    thought = "".join(c.thinking or c.text for c in drawn.completions).strip()
    begun = f"{said} " if said else "".join(c.opening for c in drawn.completions)
    return "" if _cut(drawn) or not thought else begun + thought + SUFFIX
