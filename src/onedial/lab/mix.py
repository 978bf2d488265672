"""The frozen mix of questions on which the embedded models are measured.

The five families come in equal parts, each family's difficulties in equal
parts, and the paraphrases at random. This list is a contract: change it and
published tables no longer compare.

| family | difficulties | what the dial counts |
|---|---|---|
| arith | 1-14 | operations |
| swap | 1-14 | swaps |
| path | 1-8 | roads to walk |
| subset | 3-10 | numbers to choose from |
| facts | 1-8 | hops |

The easiest are trivial for every model. The hardest are longer than anything
that a model was trained on (12 operations or swaps, 8 numbers, 6 hops), and
beyond the largest one. No two splits, whatever their seeds, share a prompt: a
prompt belongs to the split that a hash of its text names, and training
streams are salted differently. Training may still meet the very shortest
questions, because there are few of them (arith and swap with one step).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from onedial.lab.families import FAMILIES
from onedial.lab.tasks import Example

SPLITS = ("train", "certify", "test")
MIX: dict[str, tuple[int, ...]] = {
    "arith": tuple(range(1, 15)),
    "swap": tuple(range(1, 15)),
    "path": tuple(range(1, 9)),
    "subset": tuple(range(3, 11)),
    "facts": tuple(range(1, 9)),
}


@dataclass(frozen=True, slots=True)
class Question:
    """An example of the mix, with an id that never changes."""

    id: str
    example: Example


def queries(n: int, seed: int = 0, split: str = "train") -> list[Question]:
    """Return the first `n` questions of a split; a longer list extends a shorter one.

    `train` is for fitting policies, `certify` for certificates, `test` for
    reports; none of them is what the models themselves were trained on.

    Raises:
        ValueError: If `split` is not one of `SPLITS`.

    >>> [question.id for question in queries(2, seed=0, split="test")]
    ['test-0-arith-00000', 'test-0-swap-00001']
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(SPLITS)}.")
    stream = _stream(seed, split)
    return [next(stream) for _ in range(n)]


def split_of(prompt: str) -> str:
    """Name the only split in which `prompt` may appear."""
    return SPLITS[int.from_bytes(sha256(prompt.encode()).digest()[:4]) % len(SPLITS)]


def _stream(seed: int, split: str) -> Iterator[Question]:
    rng = Random(f"mix-{split}-{seed}")
    seen: set[str] = set()
    index = 0
    while True:
        for family, difficulties in MIX.items():
            example = _fresh(rng, family, rng.choice(difficulties), split, seen)
            yield Question(f"{split}-{seed}-{family}-{index:05d}", example)
            index += 1


def _fresh(rng: Random, family: str, difficulty: int, split: str, seen: set[str]) -> Example:
    """Draw until the prompt belongs to `split` and, if possible, is new to this list."""
    for attempt in range(200):
        example = FAMILIES[family].generate(rng, difficulty)
        if split_of(example.prompt) == split and (example.prompt not in seen or attempt > 100):
            break
    seen.add(example.prompt)
    return example
