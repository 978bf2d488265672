"""Random numbers that belong to a sample and not to the batch it is decoded in.

Every (stream, sample, step) has one number, computed from a hash. Whatever is
decoded beside a sample, and in whatever order, its numbers stay the same.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_BITS = 23  # One bit less than float32 holds, so that a product with a sum stays below the sum.


def stream(*parts: object) -> int:
    """Name a stream by what it belongs to; equal parts give equal streams."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


def uniforms(key: int, first: int, samples: int, steps: int) -> npt.NDArray[np.float32]:
    """Return the numbers in [0, 1) of samples `first` to `first + samples - 1`, as (samples, steps).

    Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number
    generators", OOPSLA 2014 (SplitMix64, used as a hash of sample and step).
    """
    starts = _mix(np.uint64(key) ^ _mix(np.arange(first, first + samples, dtype=np.uint64) * _GOLDEN))
    bits = _mix(starts[:, None] + np.arange(1, steps + 1, dtype=np.uint64) * _GOLDEN)
    return (bits >> np.uint64(64 - _BITS)).astype(np.float32) * np.float32(2.0**-_BITS)


def _mix(z: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble 64-bit integers, one to one."""
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))
