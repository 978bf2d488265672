"""Read prompts, and remember the recent ones, so that a beginning in common is not computed twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from onedial.lab.llama import Llama
from onedial.lab.weights import Floats

_SHORTEST = 8
"""Beginnings shorter than this are not worth looking for."""
_TOKENS_AT_ONCE = 1024

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prompt that has been read.

    Attributes:
        cells: Keys and values, (layers, positions, heads, CELL).
        logits: Scores of the next token.
        cached: How many of the positions were remembered.
    """

    cells: Floats
    logits: Floats
    cached: int = 0


class Prefixes:
    """The prompts that one model has read lately, up to a number of bytes.

    A prompt is found whole, as the beginning of a longer one, and without its
    last token: that is the budget token, which another effort replaces.
    """

    def __init__(self, model: Llama, max_bytes: int) -> None:
        """Remember up to `max_bytes`; zero remembers nothing."""
        self._model, self._max_bytes, self._bytes = model, max_bytes, 0
        self._read: OrderedDict[Tokens, Prefix] = OrderedDict()
        self._stems: dict[Tokens, Tokens] = {}

    def read(self, prompts: Sequence[Tokens]) -> list[Prefix]:
        """Read prompts; those that begin alike are read one after the other."""
        results: dict[int, Prefix] = {}
        waiting = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        while waiting:
            wave, later, begun, size = [], [], set[Tokens](), 0
            for index in waiting:
                stem = prompts[index][:-1]
                if (stem in begun and self._max_bytes) or size > _TOKENS_AT_ONCE:
                    later.append(index)
                else:
                    begun.add(stem)
                    wave.append(index)
                    size += len(stem) + 1
            results |= zip(wave, self._read_wave([prompts[index] for index in wave]), strict=True)
            waiting = later
        return [results[index] for index in range(len(prompts))]

    def _read_wave(self, prompts: list[Tokens]) -> list[Prefix]:
        found = [self._find(prompt) for prompt in prompts]
        missing = [index for index, prefix in enumerate(found) if prefix is None or prefix.cached < len(prompts[index])]
        pasts = [None if (prefix := found[index]) is None else prefix.cells for index in missing]
        read = self._model.prefill([prompts[index] for index in missing], pasts) if missing else []
        for index, (cells, logits), past in zip(missing, read, pasts, strict=True):
            found[index] = Prefix(cells, logits, 0 if past is None else past.shape[1])
            self._remember(prompts[index], Prefix(cells, logits))
        return [prefix for prefix in found if prefix is not None]

    def _find(self, prompt: Tokens) -> Prefix | None:
        """Find the prompt, or the cells of its longest beginning that was read."""
        for length in range(len(prompt), _SHORTEST - 1, -1):
            beginning = prompt[:length]
            whole = beginning if beginning in self._read else self._stems.get(beginning)
            if whole is not None:
                self._read.move_to_end(whole)
                prefix = self._read[whole]
                same = len(whole) == length
                if length == len(prompt) and not same:  # Its logits are not known: read the last token again.
                    return Prefix(prefix.cells[:, : length - 1], prefix.logits, length - 1)
                return Prefix(prefix.cells[:, :length], prefix.logits, length)
        return None

    def _remember(self, prompt: Tokens, prefix: Prefix) -> None:
        size = prefix.cells.nbytes + prefix.logits.nbytes
        if size > self._max_bytes:
            return
        self._read[prompt] = prefix
        self._stems[prompt[:-1]] = prompt
        self._bytes += size
        while self._bytes > self._max_bytes:
            old, dropped = self._read.popitem(last=False)
            self._bytes -= dropped.cells.nbytes + dropped.logits.nbytes
            if self._stems.get(old[:-1]) == old:
                del self._stems[old[:-1]]
