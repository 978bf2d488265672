"""Small random models, and the packaged ones where what was learned matters."""

import numpy as np
import pytest

from onedial.lab import weights
from onedial.lab.llama import Llama
from onedial.lab.mix import queries
from onedial.lab.shape import Shape
from onedial.lab.weights import Weights

SMALL = Shape("random", width=64, layers=3, heads=2, ff=96)


def random_weights(seed: int = 0, scale: float = 1.0, shape: Shape = SMALL) -> Weights:
    """Weights whose attention is sharp and whose logits spread; `scale` multiplies queries and keys."""
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, size in weights.tensor_sizes(shape).items():
        tensor = rng.normal(0, 1.5 * size[-1] ** -0.5, size) if len(size) == 2 else rng.uniform(0.5, 1.5, size)
        tensors[name] = (tensor * (scale if "q_proj" in name or "k_proj" in name else 1)).astype(np.float32)
    return Weights("random", shape, tensors, {})


@pytest.fixture(scope="session")
def random_model():
    return Llama(random_weights())


@pytest.fixture(scope="session")
def tiny():
    """The smallest packaged model."""
    return Llama(weights.load(next(iter(weights.find().values()))))


@pytest.fixture(scope="session")
def questions():
    """Questions of every family, both short and long."""
    return queries(25, seed=5, split="test")
