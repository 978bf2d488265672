"""Train one embedded model on one core, so that it may be killed and resumed.

This file needs torch; import it only to train. What is learned is decided in
`corpus.py`, how the network computes in `network.py`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from onedial.lab.corpus import KINDS, NO_LABEL, Batch, batches, draw_chunk, recipe_at
from onedial.lab.families import FAMILIES
from onedial.lab.grow import grow
from onedial.lab.muon import Muon
from onedial.lab.network import Network
from onedial.lab.shape import SHAPES, Shape
from onedial.runtime.whole import whole_file

RECIPE = "onedial-lab-1"
_CHUNK_ROWS = 6000
_PREDICTED = 256

Forward = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Settings:
    """The dials of one training run.

    Attributes:
        batch_tokens: Tokens per optimiser step.
        lr_matrix: Muon's learning rate.
        lr_rest: AdamW's, for embeddings and norms.
        ramp_steps: Steps over which both rise from zero.
        decay: Last share of training over which both fall linearly to zero.
        warm_up: First share spent mostly on look-ups; zero for a grown model.
        save_s: Seconds between checkpoints.
    """

    batch_tokens: int = 6000
    lr_matrix: float = 0.02
    lr_rest: float = 3e-3
    ramp_steps: int = 100
    decay: float = 0.3
    warm_up: float = 0.12
    save_s: float = 120.0


@dataclass(slots=True)
class Progress:
    """Where a run stands; all of it is in the checkpoint."""

    tokens: int = 0
    steps: int = 0
    chunk: int = 0
    cpu_s: float = 0.0


def train(
    shape: Shape,
    seed: int,
    tokens: int,
    out: Path,
    init_from: Path | None = None,
    settings: Settings | None = None,
) -> Path:
    """Train `shape` on `tokens` tokens and return the weights file in `out`.

    A run that was cut off goes on from its last checkpoint. `init_from` is a
    weights file of the same or a smaller shape, which is then grown.
    """
    settings = settings or Settings()
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    network = Network(shape)
    if init_from is not None:
        network.load_state_dict(_grown(init_from, shape, seed))
    optimizers = _optimizers(network, settings)
    progress = _resume(out, network, optimizers)
    forward = _compiled(network)
    meter = _Meter(tokens, progress)
    saved = time.monotonic()
    for chunk_index, group in _stream(seed, tokens, progress, settings):
        _set_lr(optimizers, settings, _lr_scale(progress, tokens, settings))
        losses = _step(network, forward, optimizers, group)
        progress.tokens += sum(batch.size for batch in group)
        progress.steps += 1
        meter.add(losses)
        if chunk_index != progress.chunk:
            progress.chunk = chunk_index
            if time.monotonic() - saved > settings.save_s:
                _save(out, network, optimizers, progress)
                saved = time.monotonic()
        if progress.tokens >= tokens:
            break
    metadata = {
        "shape": json.dumps(asdict(shape)),
        "seed": str(seed),
        "tokens": str(progress.tokens),
        "recipe": RECIPE,
        "settings": json.dumps(asdict(settings)),
        "grown": str(init_from is not None).lower(),
        "cpu_s": f"{progress.cpu_s:.0f}",
    }
    return export(network, out / f"{shape.name}.safetensors", metadata)


def export(network: Network, path: Path, metadata: dict[str, str]) -> Path:
    """Write fp16 weights under Hugging Face Llama names, atomically."""
    weights = {k: v.detach().half().contiguous() for k, v in network.state_dict().items()}
    with whole_file(path) as partial:
        save_file(weights, partial, metadata)
    return path


def _grown(path: Path, shape: Shape, seed: int) -> dict[str, Tensor]:
    """Read the weights in `path`, grown to `shape` if they are smaller."""
    with safe_open(path, "np") as file:
        old = Shape(**json.loads(file.metadata()["shape"]))
        weights = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118  a safetensors file is no mapping
    return {name: torch.from_numpy(w) for name, w in grow(weights, old, shape, seed).items()}


def _lr_scale(progress: Progress, tokens: int, settings: Settings) -> float:
    """Ramp up over the first steps, stay flat, fall linearly to zero."""
    left = max(0.0, 1 - progress.tokens / tokens)
    return min(1.0, (progress.steps + 1) / settings.ramp_steps, left / settings.decay)


def _stream(seed: int, tokens: int, progress: Progress, settings: Settings) -> Iterator[tuple[int, list[Batch]]]:
    """Yield optimiser steps for ever, chunk after chunk."""
    index = progress.chunk
    while True:
        recipe = recipe_at(progress.tokens / tokens, settings.warm_up)
        chunk = draw_chunk(seed, index, _CHUNK_ROWS, recipe)
        for group in batches(chunk, Random(f"order-{seed}-{index}"), settings.batch_tokens):
            yield index, group
        index += 1


def _optimizers(network: Network, settings: Settings) -> list[torch.optim.Optimizer]:
    matrices = [p for p in network.model.layers.parameters() if p.ndim == 2]
    rest = [p for p in network.parameters() if p.ndim < 2]
    rest.append(network.model.embed_tokens.weight)
    return [
        Muon(matrices, settings.lr_matrix),
        torch.optim.AdamW(rest, settings.lr_rest, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def _set_lr(optimizers: list[torch.optim.Optimizer], settings: Settings, scale: float) -> None:
    for optimizer, lr in zip(optimizers, (settings.lr_matrix, settings.lr_rest), strict=True):
        for group in optimizer.param_groups:
            group["lr"] = lr * scale


def _compiled(network: Network) -> Forward:
    """Fuse the forward and backward pass where there is a C++ compiler; 1.5 times as fast."""
    if not any(map(shutil.which, ("g++", "clang++"))):
        return network
    compiled: Forward = torch.compile(network, dynamic=False)
    return compiled


def _step(
    network: Network,
    forward: Forward,
    optimizers: list[torch.optim.Optimizer],
    group: list[Batch],
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Take one optimiser step; return (kinds, losses) of the predicted tokens."""
    predicted = sum(int((batch.labels >= 0).sum()) for batch in group)
    seen = []
    for batch in group:
        losses, kinds = _losses(network, forward, batch)
        (losses.sum() / predicted).backward()
        seen.append((kinds, losses.detach().float().numpy()))
    for optimizer in optimizers:
        optimizer.step()
    network.zero_grad(set_to_none=True)
    return seen


def _losses(network: Network, forward: Forward, batch: Batch) -> tuple[Tensor, np.ndarray]:
    """Return losses and kinds of the predicted tokens; their number is padded to few values."""
    wanted = np.flatnonzero(batch.labels.ravel() >= 0)
    padded = np.resize(wanted, -(-len(wanted) // _PREDICTED) * _PREDICTED)
    labels = torch.from_numpy(batch.labels.ravel()[padded])
    labels[len(wanted) :] = NO_LABEL
    with torch.autocast("cpu", torch.bfloat16):
        hidden = forward(
            torch.from_numpy(batch.tokens),
            torch.from_numpy(batch.positions),
            torch.from_numpy(batch.mask),
        )
        logits = network.logits(hidden.flatten(0, 1)[torch.from_numpy(padded)])
    losses = F.cross_entropy(logits.float(), labels, reduction="none")[: len(wanted)]
    return losses, batch.kinds.ravel()[wanted]


def _save(out: Path, network: Network, optimizers: list[torch.optim.Optimizer], progress: Progress) -> None:
    state = {
        "network": network.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "progress": asdict(progress),
    }
    with whole_file(out / "checkpoint.pt") as partial:
        torch.save(state, partial)


def _resume(out: Path, network: Network, optimizers: list[torch.optim.Optimizer]) -> Progress:
    path = out / "checkpoint.pt"
    if not path.exists():
        return Progress()
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    return Progress(**state["progress"])


class _Meter:
    """Prints a progress line now and then: tokens, speed, losses, time left."""

    def __init__(self, tokens: int, progress: Progress, every_s: float = 20.0) -> None:
        self.total, self.progress, self.every_s = tokens, progress, every_s
        self.clock, self.cpu, self.at = time.monotonic(), time.process_time(), progress.tokens
        self.sums = np.zeros((len(FAMILIES), len(KINDS)))
        self.counts = np.zeros_like(self.sums)

    def add(self, losses: list[tuple[np.ndarray, np.ndarray]]) -> None:
        for kinds, values in losses:
            self.sums += np.bincount(kinds, values, self.sums.size).reshape(self.sums.shape)
            self.counts += np.bincount(kinds, minlength=self.sums.size).reshape(self.sums.shape)
        if time.monotonic() - self.clock >= self.every_s:
            self._print()

    def _print(self) -> None:
        progress, cpu = self.progress, time.process_time()
        wall = time.monotonic() - self.clock
        speed = (progress.tokens - self.at) / wall
        progress.cpu_s += cpu - self.cpu
        left = (self.total - progress.tokens) / max(speed, 1.0)
        with np.errstate(invalid="ignore"):
            means = self.sums / self.counts
        families = "  ".join(
            f"{name} " + "/".join("-" if np.isnan(v) else f"{v:.2f}" for v in means[row]) for row, name in enumerate(FAMILIES)
        )
        print(
            f"{progress.tokens / 1e6:6.2f}M  {speed / 1e3:5.1f}k tok/s  left {left / 60:4.1f} min  {families}",
            flush=True,
        )
        self.clock, self.cpu, self.at = time.monotonic(), cpu, progress.tokens
        self.sums[:], self.counts[:] = 0, 0


def main(argv: list[str] | None = None) -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(prog="onedial lab train", description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tokens", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--init-from", type=Path)
    parser.add_argument("--warm-up", type=float, default=Settings().warm_up)
    parser.add_argument("--lr-matrix", type=float, default=Settings().lr_matrix)
    parser.add_argument("--lr-rest", type=float, default=Settings().lr_rest)
    args = parser.parse_args(argv)
    settings = Settings(lr_matrix=args.lr_matrix, lr_rest=args.lr_rest, warm_up=args.warm_up)
    print(train(SHAPES[args.shape], args.seed, int(args.tokens), args.out, args.init_from, settings))


if __name__ == "__main__":
    main()
