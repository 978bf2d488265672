"""One fit on a generated world, shared by the tests of the loops."""

import pytest

from onedial.core.ask import Completion
from onedial.engine.fit import fit_policies
from onedial.engine.recorded import Recorded
from onedial.runtime.scripted import samples_of
from onedial.strategies.draw import Reading
from worlds import MODELS, World


@pytest.fixture(scope="session")
def world():
    return World(5)


@pytest.fixture(scope="session")
def reading(world):
    return Reading(verify=world.verify)


@pytest.fixture(scope="session")
def splits(world):
    """Recorded outcomes of 160 training, 200 held-out and 120 test queries."""
    sizes = {"train": 160, "proof": 200, "test": 120}
    queries = {name: world.queries(n, name) for name, n in sizes.items()}
    return {name: Recorded.of(asked, world.outcomes(asked, 8), MODELS) for name, asked in queries.items()}


@pytest.fixture(scope="session")
def fitting(splits, reading):
    return fit_policies(splits["train"], splits["proof"], MODELS, reading, seed=0)


@pytest.fixture
def script(world, queries):
    """Answers as the world would; `queries` are those of the module that asks."""
    known = {query.id: query for query in queries}

    def play(ask, model):
        drawn = [world.sample(known[ask.query_id], ask.source, ask.first_index + i) for i in range(ask.n)]
        return samples_of(ask, model, [Completion(text, output_tokens=tokens) for text, tokens in drawn])

    return play
