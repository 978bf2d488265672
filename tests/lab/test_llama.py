"""The fast runtime computes what a Llama computes."""

import numpy as np
import pytest

from onedial.lab.cache import Prompts, Rows
from onedial.lab.llama import Llama
from onedial.lab.shape import HEAD_DIM, NORM_EPS, ROPE_THETA

from .conftest import SMALL, random_weights

PROMPTS = [[5, 17, 200, 30, 31, 9], [40, 41, 42], list(range(20, 60)), [7]]


def reference(weights, tokens):
    """Logits at every position, from the definition: no cache, no batch, double precision."""
    shape = weights.shape
    t = {name: tensor.astype(np.float64) for name, tensor in weights.tensors.items()}

    def norm(x, gain):
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + NORM_EPS) * gain

    def rotate(x):
        half = HEAD_DIM // 2
        angles = np.arange(len(x))[:, None] * ROPE_THETA ** (-np.arange(half) * 2 / HEAD_DIM)
        cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
        return np.concatenate((x[..., :half] * cos - x[..., half:] * sin, x[..., half:] * cos + x[..., :half] * sin), -1)

    x = t["model.embed_tokens.weight"][tokens]
    for layer in range(shape.layers):
        p = f"model.layers.{layer}."
        h = norm(x, t[p + "input_layernorm.weight"])
        q, k, v = ((h @ t[f"{p}self_attn.{name}_proj.weight"].T).reshape(len(tokens), shape.heads, HEAD_DIM) for name in ("q", "k", "v"))
        scores = np.einsum("ihd,jhd->hij", rotate(q), rotate(k)) / np.sqrt(HEAD_DIM)
        scores[:, np.triu(np.ones((len(tokens), len(tokens)), bool), 1)] = -np.inf
        probs = np.exp(scores - scores.max(-1, keepdims=True))
        probs /= probs.sum(-1, keepdims=True)
        x = x + np.einsum("hij,jhd->ihd", probs, v).reshape(x.shape) @ t[p + "self_attn.o_proj.weight"].T
        h = norm(x, t[p + "post_attention_layernorm.weight"])
        gate = h @ t[p + "mlp.gate_proj.weight"].T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ t[p + "mlp.up_proj.weight"].T)) @ t[p + "mlp.down_proj.weight"].T
    return norm(x, t["model.norm.weight"]) @ t["model.embed_tokens.weight"].T


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=2e-3, rtol=1e-3)


def test_prompts_of_different_lengths_read_together_give_the_reference_logits(random_model):
    for (_, logits), prompt in zip(random_model.prefill(PROMPTS), PROMPTS, strict=True):
        close(logits, reference(random_weights(), prompt)[-1])


def test_reading_goes_on_from_a_beginning_that_was_read_before(random_model):
    (cells, _), _, (longer, _), _ = random_model.prefill(PROMPTS)
    again = random_model.prefill(PROMPTS, [cells[:, :4], None, longer[:, :39], None])
    for (cells, logits), prompt in zip(again, PROMPTS, strict=True):
        assert cells.shape[1] == len(prompt)
        close(logits, reference(random_weights(), prompt)[-1])


@pytest.mark.parametrize("scale", [1.0, 12.0], ids=["", "with scores that overflow"])
def test_rows_that_share_prompts_give_the_reference_logits_at_every_step(scale):
    weights = random_weights(1, scale)
    model = Llama(weights)
    read = model.prefill(PROMPTS[:3])
    shared, own = Prompts(SMALL, 8), Rows(SMALL, 8, 2)
    for line, (cells, _) in enumerate(read):
        shared.put(line, cells)
    lines = np.array([2, 0, 0, 1, 2, 0])
    shared.prepare(lines, 3, 40)
    fed = np.random.default_rng(2).integers(10, 300, (6, 12))
    lengths = np.array([len(PROMPTS[line]) for line in lines])
    for step in range(12):
        own.prepare(np.full(6, step))
        logits = model.step(fed[:, step], lengths + step, own, shared)
        for row, line in enumerate(lines):
            close(logits[row], reference(weights, [*PROMPTS[line], *fed[row, : step + 1]])[-1])


def test_the_overflow_above_is_real():
    weights = random_weights(1, 12.0)
    read = Llama(weights).prefill([PROMPTS[2]])[0][0]
    keys = read[-1, :, 0, :HEAD_DIM]
    assert (keys @ keys.T).max() / np.sqrt(HEAD_DIM) > 89


def test_rows_with_prompts_of_their_own_give_the_reference_logits(random_model):
    own = Rows(SMALL, 8, 4)
    for row, (cells, _) in enumerate(random_model.prefill(PROMPTS)):
        own.put(row, cells)
    lengths = np.array([len(prompt) for prompt in PROMPTS])
    fed = np.random.default_rng(3).integers(10, 300, (4, 5))
    for step in range(5):
        own.prepare(lengths + step)
        logits = random_model.step(fed[:, step], lengths + step, own)
        for row, prompt in enumerate(PROMPTS):
            close(logits[row], reference(random_weights(), [*prompt, *fed[row, : step + 1]])[-1])


def test_the_training_network_computes_the_same():
    torch = pytest.importorskip("torch", reason="the training network needs torch")
    from onedial.lab.network import Network

    weights, prompt = random_weights(), PROMPTS[2]
    network = Network(SMALL)
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in weights.tensors.items()})
    earlier = torch.ones(1, len(prompt), len(prompt), dtype=torch.bool).tril()
    with torch.no_grad():
        hidden = network(torch.tensor([prompt]), torch.arange(len(prompt))[None], earlier)
        close(Llama(weights).prefill([prompt])[0][1], network.logits(hidden)[0, -1].numpy())
