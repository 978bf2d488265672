"""Refuse an ask that its model cannot carry out, before anything is sent or paid. Pure."""

from __future__ import annotations

from onedial.core.arm import Source
from onedial.core.ask import Sample
from onedial.core.errors import ConfigError
from onedial.core.model import Model
from onedial.runtime.endpoint import Endpoint
from onedial.runtime.thinking import refuse_unfit_cap


def refuse_unfit(ask: Sample, endpoint: Endpoint) -> None:
    """See whether an endpoint has what an ask takes.

    Raises:
        ConfigError: An effort, a capability or a cap on thought that is not there.
    """
    model = endpoint.model
    model.effort(ask.source.effort)
    if ask.logprobs and "logprobs" not in model.capabilities:
        raise ConfigError(
            f"model {model.name!r} is asked for log-probabilities; it lacks the capability 'logprobs'. Add it if the endpoint has it."
        )
    if ask.continue_from and "continue" not in model.capabilities:
        raise ConfigError(
            f"model {model.name!r} is asked to continue a text; it lacks the capability 'continue'. Add it if the endpoint has it."
        )
    refuse_unfit_cap(ask, endpoint)


def refuse_unsent(source: Source, endpoint: Endpoint) -> None:
    """See whether one request can ask for an effort: a cap that the client keeps takes two.

    Raises:
        ConfigError: The model has no such effort, or it is such a cap.
    """
    effort = endpoint.model.effort(source.effort)
    if effort is not None and not effort.native:
        raise ConfigError(
            f"{str(source)!r} caps its thought by cutting it, which takes two requests, and was to be handed on as one. "
            "Take another effort, or a family with a hard cap."
        )


def refuse_lacking(ask: Sample, model: Model) -> None:
    """See whether a model can do what this ask, and later ones of the same run, take.

    Raises:
        ConfigError: It lacks a capability.
    """
    needs = ask.needs | ({"continue"} if ask.in_steps else set())
    if lacking := sorted(needs - model.capabilities):
        raise ConfigError(
            f"model {model.name!r} lacks the capability {', '.join(map(repr, lacking))} that a later ask of this run takes, so nothing "
            "was asked. Add it if the endpoint has it, or take another strategy."
        )
