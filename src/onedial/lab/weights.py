"""Find and read the weights of the embedded models.

A weights file is a safetensors file with the tensor names of a Hugging Face
Llama checkpoint and the sizes as JSON under `shape` in its metadata. Training
writes such files, the runtime computes with them, the export rewrites them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from onedial.core.errors import ConfigError, unknown
from onedial.lab.shape import Shape
from onedial.lab.tokenizer import VOCABULARY

Floats = npt.NDArray[np.float32]

FOLDER = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class Weights:
    """One trained model.

    Attributes:
        name: File name without its suffix; this is what the model is called.
        shape: Its sizes.
        tensors: float32 arrays under Hugging Face Llama names, matrices as (outputs, inputs).
        metadata: What the training run wrote down: seed, tokens, recipe, ...
    """

    name: str
    shape: Shape
    tensors: dict[str, Floats]
    metadata: dict[str, str]


def find(folder: Path | None = None) -> dict[str, Path]:
    """List the weights files of a folder by model name, smallest model first.

    Raises:
        ConfigError: There is none, or one cannot be read.
    """
    folder = folder or FOLDER
    shapes = {path: read_shape(path) for path in sorted(folder.glob("*.safetensors"))}
    if not shapes:
        raise ConfigError(f"no *.safetensors file in {folder}; expected weights such as tiny.safetensors. Train or copy some there.")
    return {path.stem: path for path in sorted(shapes, key=lambda path: shapes[path].parameters)}


def path_of(name: str, folder: Path | None = None) -> Path:
    """Return the weights file of a model.

    Raises:
        ConfigError: No file has this name.
    """
    found = find(folder)
    if name not in found:
        raise ConfigError(unknown("embedded model", name, found))
    return found[name]


def read_shape(path: Path) -> Shape:
    """Read a file's sizes without reading its tensors.

    Raises:
        ConfigError: The file is missing or is not a weights file of this project.
    """
    return _shape_in(_metadata(path), path)


def load(path: Path) -> Weights:
    """Read a weights file.

    Raises:
        ConfigError: The file is missing or malformed, or a tensor is missing, superfluous or of the wrong size, or holds
            a number that is not finite.
    """
    metadata = _metadata(path)
    shape = _shape_in(metadata, path)
    with safe_open(path, "np") as file:
        tensors = {name: np.ascontiguousarray(file.get_tensor(name), np.float32) for name in file.keys()}  # noqa: SIM118
    expected, found = tensor_sizes(shape), {name: tensor.shape for name, tensor in tensors.items()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        name = wrong[0]
        raise ConfigError(
            f"{path}: {len(wrong)} tensors do not fit shape {shape.name!r}; the first is {name!r}, "
            f"found {found.get(name, 'none')}, expected {expected.get(name, 'none')}. Train or copy the file again."
        )
    infinite = [name for name, tensor in tensors.items() if not np.isfinite(tensor).all()]
    if infinite:
        raise ConfigError(f"{path}: tensor {infinite[0]!r} holds infinite or undefined numbers; the training run diverged. Train again.")
    return Weights(path.stem, shape, tensors, metadata)


def tensor_sizes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """List every tensor of a checkpoint with its size."""
    width, square, wide = (shape.width,), (shape.width, shape.width), (shape.ff, shape.width)
    layer = {
        "input_layernorm": width,
        "self_attn.q_proj": square,
        "self_attn.k_proj": square,
        "self_attn.v_proj": square,
        "self_attn.o_proj": square,
        "post_attention_layernorm": width,
        "mlp.gate_proj": wide,
        "mlp.up_proj": wide,
        "mlp.down_proj": wide[::-1],
    }
    sizes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (shape.vocab, shape.width), "model.norm.weight": width}
    for index in range(shape.layers):
        sizes |= {f"model.layers.{index}.{name}.weight": size for name, size in layer.items()}
    return sizes


def _metadata(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise ConfigError(f"no weights file {path}; expected a safetensors file. Check the folder, or train the model.")
    try:
        with safe_open(path, "np") as file:
            return dict(file.metadata() or {})
    except SafetensorError as error:
        raise ConfigError(f"{path} is not a readable safetensors file ({error}). Train or copy it again.") from error


def _shape_in(metadata: dict[str, str], path: Path) -> Shape:
    try:
        shape = Shape(**json.loads(metadata["shape"]))
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{path} has no usable `shape` in its metadata ({error!r}); expected JSON with name, width, layers, heads, ff. "
            "Only files written by the training script can be used."
        ) from error
    if shape.vocab != len(VOCABULARY):
        raise ConfigError(f"{path} has a vocabulary of {shape.vocab}; the tokenizer has {len(VOCABULARY)} pieces. Train it again.")
    return shape
