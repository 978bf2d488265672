"""Text to token ids and back: a fixed vocabulary, a pure function of the text.

The rules are those of a Unigram tokenizer whose whole words are single pieces,
so that other runtimes reproduce the same ids from `VOCABULARY` and `SCORES`:

1. Special tokens such as `<ans>` are recognised anywhere in the text.
2. The rest is split at white space; runs of white space count as one.
3. A word becomes its longest known beginning, then single characters.
4. A run of characters outside printable ASCII becomes one `<unk>`.

Prompts, tasks and models do not live here.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache

SPACE = "\u2581"  # Marks the beginning of a word, as SentencePiece does.

SPECIALS = (
    "<pad>",
    "<eos>",
    "<unk>",
    "<bos>",
    "<ans>",
    "<look>",
    "<think0>",
    "<think1>",
    "<think2>",
    "<think3>",
)
WORDS = (
    ". , : ? + = "
    "a add again and answer at attempt ball begin boss can choose compute cup cups digit do "
    "doctor facts find follow from friend get give go i in is it know minus modulo "
    "neighbor no numbers of ok one pick plus proposed result right roads sister so "
    "some start stop sum swap take teacher that the then there times to under up way we "
    "what where which who with yes you"
).split()
_NUMBERS = [str(number) for number in range(100)]
_STEPS = [f"#{step}" for step in range(1, 13)]
_WHOLE = _NUMBERS + list(string.ascii_uppercase) + _STEPS + WORDS
_CHARACTERS = [chr(code) for code in range(33, 127)]

VOCABULARY: tuple[str, ...] = (
    *SPECIALS,
    SPACE,
    *(SPACE + word for word in _WHOLE),
    *_CHARACTERS,
)
"""Every piece, in id order; a leading U+2581 means 'a new word starts here'."""

SCORES: tuple[float, ...] = tuple(0.0 if piece in SPECIALS else -1.0 if len(piece) > 1 else -10.0 for piece in VOCABULARY)
"""Unigram scores under which the best segmentation is the one of rule 3."""

_IDS = {piece: index for index, piece in enumerate(VOCABULARY)}
_SPECIAL = re.compile("(" + "|".join(map(re.escape, SPECIALS)) + ")")

PAD, EOS, UNK, BOS, ANSWER, LOOK = (_IDS[piece] for piece in SPECIALS[:6])
THINK: tuple[int, int, int, int] = (
    _IDS["<think0>"],
    _IDS["<think1>"],
    _IDS["<think2>"],
    _IDS["<think3>"],
)
"""The budget tokens, shortest thoughts first."""


def encode(text: str) -> list[int]:
    """Turn any text into ids; never fails.

    >>> decode(encode("start with  7 <think2>"))
    'start with 7 <think2>'
    >>> encode("")
    []
    """
    ids: list[int] = []
    for part in _SPECIAL.split(text):
        if part in SPECIALS:
            ids.append(_IDS[part])
        else:
            for word in part.split():
                ids.extend(_encode_word(word))
    return ids


def decode(ids: list[int]) -> str:
    """Turn ids back into text, with one space between words.

    Special tokens stand as words of their own.
    """
    pieces = (VOCABULARY[index] for index in ids)
    text = "".join(f"{SPACE}{p}{SPACE}" if p in SPECIALS else p for p in pieces)
    return " ".join(text.replace(SPACE, " ").split())


@lru_cache(maxsize=4096)
def _encode_word(word: str) -> tuple[int, ...]:
    marked = SPACE + word
    end = next(end for end in range(len(marked), 0, -1) if marked[:end] in _IDS)
    ids = [_IDS[marked[:end]]]
    for character in marked[end:]:
        known = character != SPACE and character in _IDS
        if known or ids[-1] != UNK:
            ids.append(_IDS[character] if known else UNK)
    return tuple(ids)
