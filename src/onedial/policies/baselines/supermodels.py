"""What the best of a set of models is expected to reach, when only forecasts of their answers' quality are known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from onedial.core.outcome import Floats, Ints

Flags = npt.NDArray[np.bool_]
DRAWS = 64


@dataclass(frozen=True, slots=True)
class Residuals:
    """How far judgements of answers differ from forecasts made before them, jointly over models.

    Attributes:
        covariance: (models, models).
        noise: (draws, models) evenly spread standard normals, fixed, so that equal questions have equal answers.
    """

    covariance: Floats
    noise: Floats

    @classmethod
    def of(cls, residuals: Floats, seed: int) -> Residuals:
        """From (rows, models) differences."""
        from scipy.stats import qmc

        models = residuals.shape[1]
        noise = ndtri(qmc.Sobol(models, rng=seed).random(DRAWS))
        spread = np.cov(residuals, rowvar=False).reshape(models, models) + 1e-6 * np.eye(models)
        return cls(spread, noise)

    def draws(self, ante: Floats, run: Ints, post: Floats) -> Floats:
        """(draws, models) judgements: known ones of the models that were run, those of the others given these.

        Args:
            ante: (models,) forecasts.
            run: (k,) models that were run.
            post: (k,) judgements of their answers.
        """
        left = np.setdiff1d(np.arange(len(ante)), run)
        found = np.empty((len(self.noise), len(ante)))
        found[:, run] = post
        if not left.size:
            return found
        mean, spread = ante[left], self.covariance[np.ix_(left, left)]
        if run.size:
            pull = np.linalg.solve(self.covariance[np.ix_(run, run)], self.covariance[np.ix_(run, left)]).T
            mean = mean + pull @ (post - ante[run])
            spread = spread - pull @ self.covariance[np.ix_(run, left)]
        root = np.linalg.cholesky(spread + 1e-9 * np.eye(len(left)))
        found[:, left] = np.clip(mean + self.noise[:, left] @ root.T, 0.0, 1.0)
        return found


@lru_cache(maxsize=16)
def subsets(models: int) -> Flags:
    """(2 ** models, models) every set, as flags."""
    return (np.arange(1 << models)[:, None] >> np.arange(models)) & 1 > 0


def best_of_sets(draws: Floats, run: Ints) -> tuple[Floats, Flags]:
    """Value every set that contains what was run.

    Returns:
        (sets,) expected quality of the best member, and (sets, models) the sets; the empty set is left out.
    """
    sets = subsets(draws.shape[1])
    sets = sets[sets[:, run].all(axis=1) & sets.any(axis=1)]
    value = np.where(sets[None, :, :], draws[:, None, :], -1.0).max(axis=2).mean(axis=0)
    return np.asarray(value), sets
