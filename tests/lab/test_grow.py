"""Growing a model keeps what it computes."""

import json

import numpy as np
import pytest

from onedial.lab.grow import grow
from onedial.lab.shape import SHAPES, Shape

torch = pytest.importorskip("torch", reason="the training network needs torch")
network = pytest.importorskip("onedial.lab.network")


def trained(shape: Shape):
    """Make a network whose every weight matters."""
    torch.manual_seed(0)
    model = network.Network(shape)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return model


def logits(model) -> np.ndarray:
    """Run a model on a fixed row."""
    tokens = torch.arange(10, 30)[None]
    positions = torch.arange(20)[None]
    mask = torch.ones(1, 20, 20, dtype=torch.bool).tril()
    with torch.no_grad():
        return model.logits(model(tokens, positions, mask)).numpy()


def grown(model, new: Shape, noise: float):
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    bigger = network.Network(new)
    bigger.load_state_dict({k: torch.from_numpy(v) for k, v in grow(weights, model.shape, new, 0, noise).items()})
    return bigger


@pytest.mark.parametrize(("old", "new"), [("tiny", "small"), ("small", "medium")])
def test_growing_without_noise_preserves_the_logits(old, new):
    model = trained(SHAPES[old])
    after = logits(grown(model, SHAPES[new], 0.0))
    np.testing.assert_allclose(after, logits(model), atol=5e-3)  # eps weighs a little more


def test_growing_with_noise_moves_the_logits_only_a_little():
    model = trained(SHAPES["tiny"])
    before, after = logits(model), logits(grown(model, SHAPES["small"], 0.01))
    assert 0 < np.abs(before - after).max() < 0.2 * np.abs(before).max()


def test_shrinking_is_refused():
    with pytest.raises(ValueError, match="every size must stay or rise"):
        grow({}, SHAPES["small"], SHAPES["tiny"], 0)


def test_a_training_run_can_start_from_a_smaller_model_and_be_resumed(tmp_path):
    pytest.importorskip("safetensors")
    from safetensors import safe_open

    from onedial.lab import train as training

    micro = Shape("micro", width=32, layers=1, heads=1, ff=32)
    wider = Shape("wider", width=64, layers=2, heads=2, ff=64)
    settings = training.Settings(batch_tokens=500, save_s=0.0)
    first = training.train(micro, 0, 1_000, tmp_path / "a", settings=settings)
    second = training.train(wider, 0, 1_000, tmp_path / "b", first, settings)
    with safe_open(second, "np") as file:
        assert json.loads(file.metadata()["shape"])["name"] == "wider"
        assert file.metadata()["grown"] == "true"
        assert "model.layers.1.mlp.down_proj.weight" in file.keys()  # noqa: SIM118  a safetensors file is no mapping
