"""Read prompts, and remember the recent ones, so that a beginning in common is not computed twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onedial.lab.llama import Llama
from onedial.lab.tree import Tree
from onedial.lab.weights import Floats

_SHORTEST = 8
"""Beginnings shorter than this are not worth looking for."""
_TOKENS_AT_ONCE = 1024

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prompt that has been read.

    Attributes:
        tree: Its keys and values, at least; not to be changed.
        logits: Scores of the next token.
        cached: How many of the tokens were remembered.
    """

    tree: Tree
    logits: Floats
    cached: int = 0

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return self.tree.nbytes + self.logits.nbytes


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
        self._nothing = Prefix(Tree(model.shape, 0), np.zeros(model.shape.vocab, np.float32))

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
        missing = [index for index, prefix in enumerate(found) if prefix.cached < len(prompts[index])]
        for index, prefix in zip(missing, self._compute([prompts[i] for i in missing], [found[i] for i in missing]), strict=True):
            found[index] = prefix
            self._remember(prompts[index], prefix)
        return found

    def _compute(self, prompts: list[Tokens], begun: list[Prefix]) -> list[Prefix]:
        """Go on from what is remembered of each prompt."""
        if not prompts:
            return []
        trees, rest = [], []
        for prompt, prefix in zip(prompts, begun, strict=True):
            tree = prefix.tree.fork(prefix.cached, len(prompt))
            tree.chain(len(prompt) - prefix.cached)
            trees.append(tree)
            rest.append(prompt[prefix.cached :])
        tokens = np.array([token for part in rest for token in part])
        positions = np.concatenate([np.arange(prefix.cached, len(prompt)) for prompt, prefix in zip(prompts, begun, strict=True)])
        logits = self._model.forward(tokens, positions, trees, np.cumsum([len(part) for part in rest]) - 1)
        return [Prefix(tree, line, prefix.cached) for tree, line, prefix in zip(trees, logits, begun, strict=True)]

    def _find(self, prompt: Tokens) -> Prefix:
        """Find the prompt, or its longest beginning that was read; the logits are right only for the whole of it."""
        for length in range(len(prompt), _SHORTEST - 1, -1):
            beginning = prompt[:length]
            whole = beginning if beginning in self._read else self._stems.get(beginning)
            if whole is not None:
                self._read.move_to_end(whole)
                known = self._read[whole]
                fresh = length == len(prompt) and whole != prompt  # Its logits are not known: read the last token again.
                return Prefix(known.tree, known.logits, length - fresh)
        return self._nothing

    def _remember(self, prompt: Tokens, prefix: Prefix) -> None:
        size = prefix.nbytes
        if size > self._max_bytes:
            return
        self._read[prompt] = prefix
        self._stems[prompt[:-1]] = prompt
        self._bytes += size
        while self._bytes > self._max_bytes:
            old, dropped = self._read.popitem(last=False)
            self._bytes -= dropped.nbytes
            if self._stems.get(old[:-1]) == old:
                del self._stems[old[:-1]]
