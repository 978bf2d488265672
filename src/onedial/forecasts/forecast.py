"""A fitted forecast: plain arrays from query text to latents. Fitting one is in `fit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onedial.core.arm import Source
from onedial.core.outcome import Floats
from onedial.core.query import Query
from onedial.forecasts.calibration import apply_logistic
from onedial.forecasts.features import features
from onedial.forecasts.forest import Forest
from onedial.forecasts.latents import Echo, Latents
from onedial.forecasts.token_signal import TokenSignal

COLLISION_EDGE = (0.005, 0.98)
BEYOND_MOST = 0.98


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everything needed to forecast a query's latents.

    Attributes:
        sources: The (model, effort) pairs it knows.
        forest: From features to 2S + 4 outputs: success and log tokens per source, agreement of wrong answers, chance of a verdict,
            log prompt tokens, chance of being beyond every source.
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
        signal: What the tokens of a sample say about it.
        free_form: See `Latents`.
        echo: See `Latents`.
    """

    sources: tuple[Source, ...]
    forest: Forest
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
    signal: TokenSignal
    free_form: bool = False
    echo: Echo = Echo()

    def latents(self, queries: Sequence[Query], input_tokens: Floats | None = None) -> Latents:
        """Forecast the latents of queries.

        Args:
            queries: Any number.
            input_tokens: (n, S) prompt tokens of one sending, if they are known; forecast from the text otherwise.
        """
        return self.from_outputs(self.forest.predict(features(queries)), input_tokens)

    def from_outputs(self, outputs: Floats, input_tokens: Floats | None = None) -> Latents:
        """Turn raw forest outputs, (n, 2S + 4), into latents; training queries come with out-of-bag outputs."""
        s = len(self.sources)
        success, log_tokens, collision, check = outputs[:, :s], outputs[:, s : 2 * s], outputs[:, 2 * s], outputs[:, 2 * s + 1]
        if input_tokens is None:
            input_tokens = np.exp(outputs[:, 2 * s + 2, None]) * self.input_ratio
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
            input_tokens=np.asarray(input_tokens, dtype=float),
            signal=self.signal,
            free_form=self.free_form,
            echo=self.echo,
        )
