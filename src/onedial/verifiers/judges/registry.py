"""The judges by name, for those that need no more than a model. To add one, write it in a file of this folder and name it in `JUDGES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from onedial.core.arm import Arm, Source
from onedial.core.errors import ConfigError, unknown
from onedial.core.model import Model
from onedial.verifiers.judges.contract import Judge
from onedial.verifiers.judges.generative import generative
from onedial.verifiers.judges.listwise import listwise
from onedial.verifiers.judges.pairwise import pairwise
from onedial.verifiers.judges.pointwise import pointwise
from onedial.verifiers.judges.reward import outcome_reward, process_reward

VOTES = 3
JUDGES: dict[str, Callable[[Source, Model], Judge]] = {
    "pointwise": lambda source, model: pointwise(source),
    "pairwise": lambda source, model: pairwise(source),
    "listwise": lambda source, model: listwise(source),
    "generative": lambda source, model: _by_probability(source, model),
    "outcome": lambda source, model: outcome_reward(source),
    "process": lambda source, model: process_reward(source),
}


def named_judge(text: str, models: Mapping[str, Model]) -> Judge:
    """Make the judge that `kind=model` names, with an effort where the model has some: `pointwise=small/think=2`.

    Args:
        text: The name.
        models: By name. `generative` takes log-probabilities of one that has the capability, else `VOTES` votes.

    Raises:
        ConfigError: No such judge or model, or the model has no such effort.
    """
    kind, _, whom = text.partition("=")
    if kind not in JUDGES:
        raise ConfigError(f"judge {text!r}: {unknown('kind of judge', kind, JUDGES)}")
    source = Arm.parse(whom).source
    if source.model not in models:
        raise ConfigError(f"judge {text!r}: {unknown('model', source.model, models)}")
    models[source.model].effort(source.effort)
    return JUDGES[kind](source, models[source.model])


def _by_probability(source: Source, model: Model) -> Judge:
    logprobs = "logprobs" in model.capabilities
    return generative(source, 1 if logprobs else VOTES, logprobs)
