"""Weights files are found by size and refused with a reason when they are not whole."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from safetensors.numpy import save_file

from onedial.core.errors import ConfigError
from onedial.lab import weights
from onedial.lab.shape import SHAPES, Shape


def save(path, shape, change=None):
    tensors = {name: np.zeros(size, np.float16) for name, size in weights.tensor_sizes(shape).items()}
    metadata = {"shape": json.dumps(asdict(shape))}
    if change:
        change(tensors, metadata)
    save_file(tensors, path, metadata)
    return path


def test_models_are_listed_by_size(tmp_path):
    for name in ("small", "large", "tiny"):
        save(tmp_path / f"{name}.safetensors", SHAPES[name])
    assert list(weights.find(tmp_path)) == ["tiny", "small", "large"]


def test_tensors_come_as_float32_with_their_shape(tmp_path):
    loaded = weights.load(save(tmp_path / "tiny-1.safetensors", SHAPES["tiny"]))
    assert (loaded.name, loaded.shape) == ("tiny-1", SHAPES["tiny"])
    assert {tensor.dtype for tensor in loaded.tensors.values()} == {np.dtype(np.float32)}
    assert sum(tensor.size for tensor in loaded.tensors.values()) == SHAPES["tiny"].parameters


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors, _: tensors.pop("model.norm.weight"), r"'model.norm.weight', found none, expected \(64,\)"),
        (lambda tensors, _: tensors.update(extra=np.zeros(3)), r"'extra', found \(3,\), expected none"),
        (lambda tensors, _: tensors["model.norm.weight"].fill(np.inf), "training run diverged"),
        (lambda _, metadata: metadata.pop("shape"), "no usable `shape`"),
        (lambda _, metadata: metadata.update(shape="{"), "no usable `shape`"),
        (lambda _, metadata: metadata.update(shape=json.dumps(asdict(Shape("t", 64, 2, 2, 192, vocab=300)))), "vocabulary of 300"),
    ],
)
def test_a_malformed_file_is_refused_with_a_reason(tmp_path, change, message):
    path = save(tmp_path / "tiny.safetensors", SHAPES["tiny"], change)
    with pytest.raises(ConfigError, match=message):
        weights.load(path)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"no \*.safetensors file"):
        weights.find(tmp_path)
    with pytest.raises(ConfigError, match="no weights file"):
        weights.load(tmp_path / "tiny.safetensors")
    (tmp_path / "tiny.safetensors").write_bytes(b"not weights")
    with pytest.raises(ConfigError, match="not a readable safetensors file"):
        weights.find(tmp_path)
