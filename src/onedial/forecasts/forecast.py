"""A fitted forecast: plain arrays from query text to latents. Fitting one is in `fit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from onedial.core.arm import Source
from onedial.core.outcome import Floats
from onedial.core.query import Query
from onedial.forecasts.calibration import apply_logistic
from onedial.forecasts.latents import Echo, Latents
from onedial.forecasts.learners.reader import Reader
from onedial.forecasts.sketch import sketch
from onedial.forecasts.token_signal import TokenSignal

COLLISION_EDGE = (0.005, 0.98)
BEYOND_MOST = 0.98
TOKEN_SCALE = 0.3
"""A factor of e in tokens weighs like so much of success when outputs are learned together."""


class Forecasts(Protocol):
    """What a policy needs to know of a query before its first token; attributes as in `Forecast`."""

    @property
    def sources(self) -> tuple[Source, ...]: ...  # noqa: D102

    @property
    def charged(self) -> Floats: ...  # noqa: D102

    @property
    def p_accept_right(self) -> float: ...  # noqa: D102

    @property
    def p_accept_wrong(self) -> float: ...  # noqa: D102

    def latents(self, queries: Sequence[Query], input_tokens: Floats | None = None) -> Latents: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everything needed to forecast a query's latents.

    Attributes:
        sources: The (model, effort) pairs it knows.
        reader: From sketched text to 2S + 4 outputs: success and log tokens per source, agreement of wrong answers, chance of a verdict,
            log prompt tokens, chance of being beyond every source; scaled as in `scale_of`.
        learner: Name of the learner of success that did best on unseen queries.
        line: (2, S) recalibration of success.
        kappa: (S,) see `Latents`.
        pi0: (S,) see `Latents`.
        sigma: See `Latents`.
        guess: (S,) see `Latents`.
        trap: See `Latents`.
        p_accept_right: Chance that the verifier accepts (scores at least 0.5) a right answer.
        p_accept_wrong: Chance that it accepts a wrong one.
        input_ratio: (S,) prompt tokens of each source over the exponential of the mean log prompt tokens.
        tokens_ratio: (S,) mean tokens over the exponential of the mean log tokens.
        charged: (S,) USD per output token, prompt and all, where recorded costs are charged as they stand; NaN where the model's price is.
        signal: What the tokens of a sample say about it.
        free_form: See `Latents`.
        echo: See `Latents`.
    """

    sources: tuple[Source, ...]
    reader: Reader
    learner: str
    line: Floats
    kappa: Floats
    pi0: Floats
    sigma: float
    guess: Floats
    trap: float
    p_accept_right: float
    p_accept_wrong: float
    input_ratio: Floats
    tokens_ratio: Floats
    charged: Floats
    signal: TokenSignal
    free_form: bool = False
    echo: Echo = field(default_factory=Echo)

    def latents(self, queries: Sequence[Query], input_tokens: Floats | None = None) -> Latents:
        """Forecast the latents of queries.

        Args:
            queries: Any number.
            input_tokens: (n, S) prompt tokens of one sending, NaN where unknown; those, or all of them, are forecast from the text.
        """
        return self.from_outputs(self.reader.predict(sketch(queries)) / scale_of(len(self.sources)), input_tokens)

    def from_outputs(self, outputs: Floats, input_tokens: Floats | None = None) -> Latents:
        """Turn outputs, (n, 2S + 4) and not scaled, into latents; training queries come with outputs that have not seen them."""
        s = len(self.sources)
        success, log_tokens, collision, check = outputs[:, :s], outputs[:, s : 2 * s], outputs[:, 2 * s], outputs[:, 2 * s + 1]
        prompt = np.exp(outputs[:, 2 * s + 2, None]) * self.input_ratio
        known = prompt if input_tokens is None else np.where(np.isfinite(input_tokens), input_tokens, prompt)
        return Latents(
            sources=self.sources,
            mu=np.clip(apply_logistic(success, self.line) / (1.0 - self.pi0), 1e-3, 1.0 - 1e-3),
            kappa=self.kappa,
            pi0=self.pi0,
            sigma=self.sigma,
            beyond=np.clip(outputs[:, 2 * s + 3], 0.0, BEYOND_MOST),
            guess=self.guess,
            agree=np.clip(collision, *COLLISION_EDGE),
            trap=self.trap,
            p_check=np.clip(check, 0.0, 1.0),
            output_tokens=np.exp(log_tokens) * self.tokens_ratio,
            input_tokens=np.asarray(known, dtype=float),
            signal=self.signal,
            free_form=self.free_form,
            echo=self.echo,
        )


def scale_of(sources: int) -> Floats:
    """(2S + 4,) what each output is multiplied by while it is learned."""
    tokens = np.full(sources, TOKEN_SCALE)
    return np.concatenate((np.ones(sources), tokens, np.ones(2), tokens[:1], np.ones(1)))
