"""The Muon optimiser for weight matrices.

Everything that is not a hidden matrix belongs to AdamW instead.

Source: K. Jordan et al., "Muon: an optimizer for hidden layers in neural
networks", 2024 (momentum, then five Newton-Schulz steps).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

_A, _B, _C = 3.4445, -4.7750, 2.0315


class Muon(Optimizer):
    """Momentum whose every update is made nearly orthogonal.

    Matrices of one shape are treated together, which is what makes this cheap
    on a CPU.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        """Take matrices only."""
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every matrix once; `closure` is not supported."""
        for group in self.param_groups:
            alike: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for weight in group["params"]:
                alike[weight.shape].append(weight)
            for weights in alike.values():
                self._step_alike(weights, group["lr"], group["momentum"])

    def _step_alike(self, weights: list[Tensor], lr: float, momentum: float) -> None:
        updates = []
        for weight in weights:
            buffer = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
            grad = weight.grad if weight.grad is not None else torch.zeros_like(weight)
            buffer.lerp_(grad, 1 - momentum)
            updates.append(grad.lerp(buffer, momentum))
        scale = max(1.0, weights[0].shape[0] / weights[0].shape[1]) ** 0.5
        for weight, update in zip(weights, orthogonal(torch.stack(updates)), strict=True):
            weight.add_(update.to(weight.dtype), alpha=-lr * scale)


def orthogonal(matrices: Tensor, steps: int = 5) -> Tensor:
    """Push the singular values of (count, rows, columns) towards one."""
    x = matrices.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = _A * x + (_B * square + _C * square @ square) @ x
    return x.mT if tall else x
