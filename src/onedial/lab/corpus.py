"""Training rows: one prompt followed by several completions that share it.

Completions of a row cannot see each other: each token may attend to the prompt
and to its own branch, and positions restart after the prompt. Loss falls on
completions only. Rows are drawn in chunks, as flat integer arrays, so that
training never waits for generation. Models and optimisers do not live here.

The random streams are salted with the word `train`; the mix used to measure
has salts of its own. Very short questions (one operation, one swap) can still
coincide, because there are few of them; longer ones practically cannot.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from onedial.lab.families import FAMILIES
from onedial.lab.tasks import LEVELS, Example, Lesson, check_form, revise_form, solve
from onedial.lab.tokenizer import ANSWER, EOS, LOOK, PAD, THINK, encode

NO_LABEL = -100
BUCKET = 32
KINDS = ("think0", "think1", "think2", "think3", "look", "check", "revise")
LOOK_KIND, CHECK_KIND, REVISE_KIND = 4, 5, 6


@dataclass(frozen=True, slots=True)
class Recipe:
    """How often each family and each form is drawn.

    Attributes:
        shares: Relative frequency of rows of each family.
        steepness: How strongly low difficulties are preferred: a step of
            difficulty divides the frequency by `exp(steepness)`.
        p_only_look: Chance that a row with look-ups carries nothing else.
        p_look: Chance that any other row with look-ups carries them too.
        p_check: Chance of a check question in a row.
        p_revise: Chance of a revision in a row.
    """

    shares: dict[str, float]
    steepness: float
    p_only_look: float
    p_look: float
    p_check: float
    p_revise: float


WARM_UP = Recipe(
    shares={"arith": 0.18, "swap": 0.12, "path": 0.28, "subset": 0.1, "facts": 0.32},
    steepness=0.5,
    p_only_look=0.85,
    p_look=0.5,
    p_check=0.05,
    p_revise=0.05,
)


def recipe_at(progress: float, warm_up: float = 0.12) -> Recipe:
    """Return the recipe for a point of training, `progress` from 0 to 1.

    Look-ups come first; afterwards difficulty rises steadily.
    """
    if progress < warm_up:
        return WARM_UP
    return Recipe(
        shares={"arith": 0.24, "swap": 0.14, "path": 0.24, "subset": 0.18, "facts": 0.20},
        steepness=0.08 + 0.3 * max(0.0, 1 - progress / 0.7),
        p_only_look=0.1,
        p_look=0.3,
        p_check=0.3,
        p_revise=0.2,
    )


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows end to end; row r is the slice `starts[r]:starts[r + 1]`.

    `labels` holds, at every position, the token to predict there or
    `NO_LABEL`; `branches` is 0 in the prompt; `kinds` is
    `len(KINDS) * family + kind`.
    """

    starts: NDArray[np.int64]
    tokens: NDArray[np.int16]
    positions: NDArray[np.int16]
    branches: NDArray[np.int16]
    labels: NDArray[np.int16]
    kinds: NDArray[np.int16]


@dataclass(slots=True)
class _Columns:
    """The columns of a chunk while it grows."""

    tokens: list[int]
    positions: list[int]
    branches: list[int]
    labels: list[int]
    kinds: list[int]

    def extend(self, ids: list[int], labels: list[int], position: int, branch: int, kind: int) -> None:
        """Append a run of tokens that starts at `position`."""
        self.tokens += ids
        self.labels += labels
        self.positions += range(position, position + len(ids))
        self.branches += [branch] * len(ids)
        self.kinds += [kind] * len(ids)


def draw_chunk(seed: int, index: int, rows: int, recipe: Recipe) -> Chunk:
    """Generate chunk `index` of the training stream `seed`."""
    rng = Random(f"train-{seed}-{index}")
    columns = _Columns([], [], [], [], [])
    starts = [0]
    names = list(FAMILIES)
    families = rng.choices(range(len(names)), [recipe.shares[name] for name in names], k=rows)
    weights = {name: _weights(name, recipe.steepness) for name in names}
    for family in families:
        task = FAMILIES[names[family]]
        (difficulty,) = rng.choices(task.difficulties, weights[task.name])
        _add_row(columns, task.generate(rng, difficulty), family, rng, recipe)
        starts.append(len(columns.tokens))
    return Chunk(
        np.array(starts),
        np.array(columns.tokens, np.int16),
        np.array(columns.positions, np.int16),
        np.array(columns.branches, np.int16),
        np.array(columns.labels, np.int16),
        np.array(columns.kinds, np.int16),
    )


def _weights(name: str, steepness: float) -> list[float]:
    return [math.exp(-steepness * step) for step in range(len(FAMILIES[name].difficulties))]


def _add_row(columns: _Columns, example: Example, family: int, rng: Random, recipe: Recipe) -> None:
    prompt = encode(example.prompt)
    base = len(KINDS) * family
    columns.extend(prompt, [NO_LABEL] * len(prompt), 0, 0, base)
    for branch, (kind, ids, labels) in enumerate(_branches(example, rng, recipe), 1):
        columns.extend(ids, labels, len(prompt), branch, base + kind)


def _branches(example: Example, rng: Random, recipe: Recipe) -> Iterator[tuple[int, list[int], list[int]]]:
    """Yield (kind, ids, labels) of every completion of a row."""
    if example.looks:
        only = rng.random() < recipe.p_only_look
        if only or rng.random() < recipe.p_look:
            yield (LOOK_KIND, *look_branch(example))
        if only:
            return
    for level in range(LEVELS):
        yield (level, *lesson_branch(solve(example, level), level))
    if rng.random() < recipe.p_check:
        level = int(rng.random() * LEVELS)
        lesson = check_form(FAMILIES[example.family], example, rng, level)
        yield (CHECK_KIND, *lesson_branch(lesson, level))
    if rng.random() < recipe.p_revise:
        level = int(rng.random() * LEVELS)
        yield (REVISE_KIND, *lesson_branch(revise_form(example, rng, level), level))


def lesson_branch(lesson: Lesson, level: int) -> tuple[list[int], list[int]]:
    """Encode a lesson; everything after the budget token is to be predicted."""
    question = [*encode(lesson.question), THINK[level]]
    completion = [*encode(lesson.thought), ANSWER, *encode(lesson.answer), EOS]
    labels = [NO_LABEL] * (len(question) - 1) + completion + [NO_LABEL]
    return question + completion, labels


def look_branch(example: Example) -> tuple[list[int], list[int]]:
    """Encode dense look-ups; only the values are to be predicted."""
    ids, labels = [LOOK], [NO_LABEL]
    for key, value in example.looks:
        keys, values = encode(key), encode(value)
        ids += keys + values
        labels += [NO_LABEL] * (len(keys) - 1) + values + [NO_LABEL] * len(values)
    return ids, labels


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows padded to one length; all arrays are (rows, length).

    `mask` is (rows, length, length): may the second index be seen from the first?
    """

    tokens: NDArray[np.int64]
    positions: NDArray[np.int64]
    labels: NDArray[np.int64]
    kinds: NDArray[np.int64]
    mask: NDArray[np.bool_]
    size: int


def batches(chunk: Chunk, rng: Random, tokens: int, parts: int = 3) -> Iterator[list[Batch]]:
    """Shuffle a chunk and yield optimiser steps of about `tokens` tokens, once through.

    A step is `parts` batches. Rows are padded to a multiple of `BUCKET` and
    wait until there are enough of that length, so that every batch of one
    length has one shape: matrix kernels are made once per shape, which on a CPU
    doubles the speed. The few rows that still wait at the end are left out.
    """
    order = list(range(len(chunk.starts) - 1))
    rng.shuffle(order)
    lengths = -(-np.diff(chunk.starts) // BUCKET) * BUCKET
    waiting: dict[int, list[int]] = defaultdict(list)
    step: list[Batch] = []
    for row in order:
        length = int(lengths[row])
        waiting[length].append(row)
        if len(waiting[length]) >= max(1, tokens // parts // length):
            step.append(pad(chunk, waiting.pop(length), length))
        if len(step) == parts:
            yield step
            step = []


def pad(chunk: Chunk, rows: list[int], width: int) -> Batch:
    """Stack rows of a chunk into one batch of `width` positions."""
    spans = [slice(int(chunk.starts[row]), int(chunk.starts[row + 1])) for row in rows]
    lengths = [span.stop - span.start for span in spans]
    shape = (len(rows), width)
    tokens, labels = np.full(shape, PAD), np.full(shape, NO_LABEL)
    positions, kinds, branches = np.zeros(shape, int), np.zeros(shape, int), np.full(shape, -1)
    for row, (span, length) in enumerate(zip(spans, lengths, strict=True)):
        tokens[row, :length] = chunk.tokens[span]
        labels[row, :length] = chunk.labels[span]
        positions[row, :length] = chunk.positions[span]
        kinds[row, :length] = chunk.kinds[span]
        branches[row, :length] = chunk.branches[span]
    return Batch(tokens, positions, labels, kinds, block_mask(branches), sum(lengths))


def block_mask(branches: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Let every token see the prompt (branch 0) and its own branch, backwards only."""
    length = branches.shape[1]
    seen, seer = branches[:, None, :], branches[:, :, None]
    earlier = np.tril(np.ones((length, length), bool))
    allowed: NDArray[np.bool_] = earlier & ((seen == 0) | (seen == seer))
    return allowed
