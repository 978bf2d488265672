"""The ways in which learners see a query: its place in the space, its raw features, or every word that it has."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from onedial.forecasts.learners.contract import Sees
from onedial.forecasts.learners.space import Space
from onedial.forecasts.sketch import GRAMS, Sketch


def view(sees: Sees, x: Sketch, space: Space | None) -> Any:
    """(n, d) queries as a learner sees them; sparse for `words`.

    Args:
        sees: What the learner looks at.
        x: Sketches.
        space: Needed for `space`; without one there are no coordinates.
    """
    if sees == "words":
        return sparse.csr_array((x.counts, x.codes, x.indptr), shape=(len(x), GRAMS))
    if sees == "features":
        return x.features()
    return space.place(x) if space else np.zeros((len(x), 0))
