"""A cap on thought kept by the client: cut the text there, close the thought with its mark, and go on with the answer. Pure.

The first request is cut at the cap, so that its thought cannot be longer; if it was not over by then, a second one continues the
text behind a closed thought. A capped answer is never empty: what has no text is no completion, and its tokens are charged.

Source: budget forcing, Muennighoff 2501.19393.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from onedial.core.ask import Completion, Sample
from onedial.core.usage import Usage
from onedial.runtime.bound import output_bound
from onedial.runtime.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Part:
    """What one request brought, or the two of a completion that was cut.

    Attributes:
        completions: As they came.
        usage: What was used, also where nothing came.
        trouble: What kept completions away.
    """

    completions: tuple[Completion, ...] = ()
    usage: Usage = Usage()
    trouble: str = ""


def rest_of(ask: Sample, first: Completion, cut: int, endpoint: Endpoint) -> Sample | None:
    """What is to be asked next of a completion that was cut after `cut` tokens; None if it is whole, or hides what it was about."""
    if first.finish != "length" or not (first.text or first.thinking):
        return None
    said = (closed(first.thinking, endpoint) if first.thinking else "") + first.text
    left = output_bound(ask, endpoint.model) - (cut if first.output_tokens is None else first.output_tokens)
    return replace(ask, max_tokens=left, max_thinking_tokens=None, continue_from=said) if left > 0 else None


def closed(thought: str, endpoint: Endpoint) -> str:
    """A thought between its marks, as a text that an answer follows."""
    gap = ("\n", "\n\n") if endpoint.opening else (" ", " ")
    return f"{endpoint.opening}{thought.strip()}{gap[0]}{endpoint.closing}{gap[1]}"


def unmarked(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose text is an answer from its first word on."""
    return replace(endpoint, thinking_end=None, family=None)


def joined(first: Part, second: Part, endpoint: Endpoint) -> Part:
    """Both requests of one completion as one; without a completion where no answer came.

    An answer that the endpoint takes for thought, because it did not see the mark, is an answer all the same; of one that
    thinks again, it is what follows the last mark.
    """
    begun, usage = first.completions[0], with_thought(first) + second.usage
    if not second.completions:
        return Part((), usage, second.trouble or "its thought was cut and no answer followed")
    ended = second.completions[0]
    answer = (ended.text if ended.text.strip() else ended.thinking).rpartition(endpoint.closing)[2]
    text = begun.text + (answer if begun.text else answer.strip())
    if not text.strip():
        return Part((), usage, f"model {endpoint.model.name!r} said nothing once its thought was closed")
    return Part((_whole(begun, ended, text, usage),), usage)


def _whole(begun: Completion, ended: Completion, text: str, usage: Usage) -> Completion:
    known = begun.output_tokens is not None and ended.output_tokens is not None
    logprobs = begun.logprobs + ended.logprobs if begun.logprobs and ended.logprobs else None
    confidences = begun.confidences + ended.confidences if begun.confidences and ended.confidences else None
    return replace(
        begun,
        text=text,
        finish=ended.finish,
        output_tokens=(begun.output_tokens or 0) + (ended.output_tokens or 0) if known else None,
        thinking_tokens=thought_of(begun),
        logprobs=logprobs,
        confidences=confidences,
        usage=usage,
    )


def thought_of(begun: Completion) -> int | None:
    """Thinking tokens of a completion that was cut: all of them if it had not come to its answer."""
    return begun.output_tokens if begun.thinking_tokens is None and not begun.text else begun.thinking_tokens


def with_thought(part: Part) -> Usage:
    """The usage of a part whose completion was cut, its thought counted where the reply does not."""
    begun = part.completions[0]
    told = thought_of(begun) if begun.thinking_tokens is None else None
    return replace(part.usage, thinking_tokens=part.usage.thinking_tokens + (told or 0))


def as_cut(part: Part, cut: int, endpoint: Endpoint) -> Part:
    """A part that needs no second request, or cannot have one as its thought is hidden: then there is no answer."""
    if not part.completions or part.completions[0].text.strip() or part.completions[0].finish != "length":
        return part
    told = f"model {endpoint.model.name!r} shows nothing of its thought, so that one cut after {cut} tokens cannot be closed and answered"
    return Part((), with_thought(part), f"{told}. Take a level instead, or a family with a hard cap.")


def without_empty(part: Part, endpoint: Endpoint) -> Part:
    """Leave out completions that were cut before they had any text: their endpoint did not keep the cap."""
    whole = tuple(c for c in part.completions if c.text.strip() or c.finish != "length")
    if len(whole) == len(part.completions):
        return part
    needs = endpoint.family.needs if endpoint.family else ""
    start = f" Start it with {needs}." if needs else ""
    told = f"model {endpoint.model.name!r} was cut within its thought, so that its endpoint does not keep the cap on it.{start}"
    return Part(whole, part.usage, told)
