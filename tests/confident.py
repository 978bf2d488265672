"""What the tests of votes by confidence share: completions of known confidence."""

import pytest

from onedial.core.arm import Source
from onedial.core.ask import Completion, Samples
from onedial.core.query import Query
from onedial.core.usage import Usage

QUERY, SOURCE = Query("q", "2 + 2 ?"), Source("small", "0")


def texts(said):
    """`3:9` is the answer 3 of confidence 9; `3` has no log-probabilities at all."""
    pairs = [word.partition(":") for word in said.split()]
    return tuple(Completion(text, confidences=(float(sure),) if sure else None) for text, _, sure in pairs)


def brought(said):
    return Samples(texts(said), Usage(1), 0.0)


def ended(steps, reply):
    """What the strategy returns after this reply."""
    with pytest.raises(StopIteration) as end:
        steps.send(reply)
    return end.value.value
