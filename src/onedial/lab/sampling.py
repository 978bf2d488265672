"""Take the next token: which ones are allowed where, and how one is drawn.

A completion is thoughts, `<ans>`, an answer, `<eos>`. Masks keep to that
grammar: no second `<ans>`, no `<eos>` before an answer has a word, no token
that only prompts contain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onedial.lab.tokenizer import ANSWER, EOS, SPACE, SPECIALS, VOCABULARY
from onedial.lab.tree import Ints
from onedial.lab.weights import Floats

THINKING, OPENED, ANSWERING = range(3)
"""Before `<ans>`, right behind it, and after the answer's first word."""

_BANNED = {VOCABULARY.index(piece) for piece in (*SPECIALS, SPACE)} - {ANSWER, EOS}
_BANNED_IN = {THINKING: _BANNED | {EOS}, OPENED: _BANNED | {EOS, ANSWER}, ANSWERING: _BANNED | {ANSWER}}

MASKS: Floats = np.zeros((3, len(VOCABULARY)), np.float32)
for _mode, _tokens in _BANNED_IN.items():
    MASKS[_mode, sorted(_tokens)] = -np.inf

NEXT: Ints = np.full((3, len(VOCABULARY)), ANSWERING)
NEXT[THINKING] = THINKING
NEXT[THINKING, ANSWER] = OPENED


def mode_after(tokens: Sequence[int]) -> int:
    """Where in the grammar a completion goes on that has begun with these tokens."""
    mode = THINKING
    for token in tokens:
        mode = int(NEXT[mode, token])
    return mode


def draw(logits: Floats, rows: Ints, modes: Ints, temperatures: Floats, uniforms: Floats) -> Ints:
    """Draw one token for every completion.

    Completions of a row must have one mode and one temperature.

    Args:
        logits: (rows, vocabulary).
        rows: (completions,), whose logits each one draws from.
        modes: (completions,), which mask applies.
        temperatures: (completions,); zero takes the likeliest token.
        uniforms: (completions,), in [0, 1).
    """
    mode, temperature = np.zeros(len(logits), np.int64), np.ones(len(logits), np.float32)
    mode[rows], temperature[rows] = modes, temperatures
    allowed = logits + MASKS[mode]
    weights = allowed - allowed.max(1, keepdims=True)
    greedy = temperature == 0
    weights /= np.where(greedy, 1, temperature)[:, None]
    sums = np.exp(weights, out=weights).cumsum(1)
    drawn: Ints = (sums[rows] <= (uniforms * sums[rows, -1])[:, None]).sum(1)
    if greedy.any():
        np.copyto(drawn, allowed.argmax(1)[rows], where=greedy[rows])
    return drawn


def logprobs(logits: Floats, rows: Ints, tokens: Ints) -> npt.NDArray[np.float32]:
    """Return the model's own log-probability of each token, given the row of its logits; natural log, no mask, temperature 1."""
    taken: npt.NDArray[np.float32] = logits[rows, tokens] - _log_sums(logits)[rows]
    return taken


def confidences(logits: Floats, rows: Ints, top: int) -> npt.NDArray[np.float32]:
    """Return minus the mean log-probability of the `top` likeliest tokens, of each row's logits; no mask, temperature 1.

    A `top` of the whole vocabulary or more takes every token.
    """
    wanted = logits[rows]
    count = min(top, wanted.shape[1])
    likeliest = np.partition(wanted, -count, axis=1)[:, -count:]
    sure: npt.NDArray[np.float32] = _log_sums(wanted) - likeliest.mean(1)
    return sure


def _log_sums(logits: Floats) -> npt.NDArray[np.float32]:
    """(rows,) the logarithm of what the exponentials of each row add up to."""
    top = logits.max(1, keepdims=True)
    sums: npt.NDArray[np.float32] = top[:, 0] + np.log(np.exp(logits - top).sum(1))
    return sums
