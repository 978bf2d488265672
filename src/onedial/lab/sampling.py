"""Take the next token: which ones are allowed where, and how one is drawn.

A completion is thoughts, `<ans>`, an answer, `<eos>`. Masks keep to that
grammar: no second `<ans>`, no `<eos>` before an answer has a word, no token
that only prompts contain.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onedial.lab.llama import Ints
from onedial.lab.tokenizer import ANSWER, EOS, SPACE, SPECIALS, VOCABULARY
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


def draw(logits: Floats, modes: Ints, sharpness: Floats | None, greedy: npt.NDArray[np.bool_] | None, uniforms: Floats) -> Ints:
    """Draw one token per row.

    Args:
        logits: (rows, vocabulary).
        modes: (rows,), which mask applies.
        sharpness: (rows, 1), one over the temperature, or None if that is 1 everywhere.
        greedy: (rows,), which ones take the likeliest token instead, or None if none does.
        uniforms: (rows,), in [0, 1).
    """
    allowed = logits + MASKS[modes]
    weights = allowed - allowed.max(1, keepdims=True)
    if sharpness is not None:
        weights *= sharpness
    sums = np.exp(weights, out=weights).cumsum(1)
    drawn: Ints = (sums <= (uniforms * sums[:, -1])[:, None]).sum(1)
    if greedy is not None:
        np.copyto(drawn, allowed.argmax(1), where=greedy)
    return drawn


def logprobs(logits: Floats, tokens: Ints) -> npt.NDArray[np.float32]:
    """Return the model's own log-probability of each token, natural log: no mask, temperature 1."""
    top = logits.max(1, keepdims=True)
    sums = np.exp(logits - top).sum(1)
    taken: npt.NDArray[np.float32] = logits[np.arange(len(tokens)), tokens] - top[:, 0] - np.log(sums)
    return taken
