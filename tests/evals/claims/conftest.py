"""Models whose truth is a table, and the workbench around them: what each claim must say of them is known."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from onedial.core.ask import Completion
from onedial.core.model import Effort, Model
from onedial.core.query import Query
from onedial.core.usage import Price
from onedial.evals.claims.workbench import Workbench
from onedial.runtime.pool import Pool
from onedial.runtime.scripted import ScriptedClient, samples_of
from onedial.runtime.store import Store
from onedial.strategies.draw import Reading
from onedial.verifiers.process import Process

RIGHT = "right"
TOKENS = {"0": 3, "3": 30}


def no_answer_is_checked(query, answer):
    return None


def picks_are_checked(query, answer):
    return float(answer == RIGHT) if "pick" in query.prompt else None


@dataclass
class Fake:
    """A world: the chance of being right by (kind, model, effort, length), how wrong answers look, and which answers can be checked."""

    chance: object
    kinds: tuple = ("pick", "dig")
    verify: object = no_answer_is_checked
    wrongs: int = 6
    chain_lengths: tuple = (2, 4, 8)
    walk_lengths: tuple = (1, 2, 3, 4)
    models: tuple = ("small", "large")
    prices: dict = field(default_factory=lambda: {"small": 1.0, "large": 4.0})

    def mixed(self, n):
        kinds = [self.kinds[i % len(self.kinds)] for i in range(n)]
        return [Query(f"m-{k}-0-{i}", f"{k} a number like {i} please", reference=RIGHT, dataset=k) for i, k in enumerate(kinds)]

    def chains(self, length, n):
        return [Query(f"c-chain-{length}-{i}", f"chain of {length} , {i}", reference=RIGHT) for i in range(n)]

    def walks(self, length, n):
        return [Query(f"w-walk-{length}-{i}", f"walk of {length} , {i}", reference=RIGHT) for i in range(n)]

    def sound(self, query, text):
        return None

    @property
    def writing(self):
        return Process()

    def completion(self, ask, index):
        _, kind, length, number = ask.query_id.split("-")
        p = self.chance(kind, ask.source.model, ask.source.effort, int(length), int(number))
        drawn = 0 if ask.temperature is not None and ask.temperature < 0.1 else index
        rng = np.random.default_rng([*ask.query_id.encode(), *str(ask.source).encode(), drawn, len(ask.messages)])
        right = rng.random() < p
        return Completion(RIGHT if right else f"wrong{rng.integers(self.wrongs)}", output_tokens=TOKENS[ask.source.effort or "0"])

    def script(self, ask, model):
        return samples_of(ask, model, [self.completion(ask, ask.first_index + i) for i in range(ask.n)])

    def client(self):
        able = frozenset({"n", "cache"})
        efforts = tuple(map(Effort, TOKENS))
        return ScriptedClient(
            [Model(name, Price(self.prices[name], self.prices[name]), efforts, 4096, 64, able) for name in self.models], self.script
        )


@pytest.fixture
async def bench_of(tmp_path):
    """Make the workbench of a world."""
    opened = []

    def make(world, questions=20, **others):
        opened.append(Store.open(tmp_path / f"samples-{len(opened)}.db"))
        reading = Reading(verify=world.verify)
        return Workbench(
            Pool([world.client()]), world, reading, lambda query, answer: float(answer == RIGHT), opened[-1], questions, **others
        )

    yield make
    for store in opened:
        store.close()
