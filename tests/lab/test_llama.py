"""The fast runtime computes what a Llama computes."""

import numpy as np
import pytest

from onedial.lab.llama import Llama
from onedial.lab.shape import HEAD_DIM, NORM_EPS, ROPE_THETA
from onedial.lab.tree import Tree

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


def read(model, prompts, begun=None):
    """Read prompts, each in a tree of its own or in one that was begun; return the trees and the last logits."""
    trees = begun or [Tree(model.shape, 0) for _ in prompts]
    starts = [tree.size for tree in trees]
    rest = [prompt[start:] for prompt, start in zip(prompts, starts, strict=True)]
    for tree, part in zip(trees, rest, strict=True):
        tree.chain(len(part))
    positions = np.concatenate([np.arange(start, len(prompt)) for prompt, start in zip(prompts, starts, strict=True)])
    return trees, model.forward(np.concatenate(rest), positions, trees, np.cumsum([len(part) for part in rest]) - 1)


def test_prompts_of_different_lengths_read_together_give_the_reference_logits(random_model):
    for logits, prompt in zip(read(random_model, PROMPTS)[1], PROMPTS, strict=True):
        close(logits, reference(random_weights(), prompt)[-1])


def test_reading_goes_on_from_a_beginning_that_was_read_before(random_model):
    (first, _, third, _), _ = read(random_model, PROMPTS)
    begun = [first.fork(4, 6), Tree(SMALL, 3), third.fork(39, 39), Tree(SMALL, 0)]
    for logits, prompt in zip(read(random_model, PROMPTS, begun)[1], PROMPTS, strict=True):
        close(logits, reference(random_weights(), prompt)[-1])


@pytest.mark.parametrize("scale", [1.0, 12.0], ids=["", "with scores that overflow"])
def test_paths_that_part_and_end_give_the_reference_logits_at_every_step(scale):
    weights, rng = random_weights(1, scale), np.random.default_rng(2)
    model = Llama(weights)
    trees = [tree.fork(tree.size, tree.size + 5) for tree in read(model, PROMPTS)[0]]
    paths = [[prompt] for prompt in PROMPTS]
    for step in range(12):
        for index, tree in enumerate(trees):
            parents = np.sort(rng.integers(0, tree.rows, 1 if index == 3 else rng.integers(1, 6)))
            tree.branch(parents)
            paths[index] = [[*paths[index][parent], int(rng.integers(10, 300))] for parent in parents]
        tokens = [path[-1] for tips in paths for path in tips]
        logits = model.forward(np.array(tokens), np.array([len(path) - 1 for tips in paths for path in tips]), trees)
        if step % 3 == 2:
            for found, path in zip(logits, (path for tips in paths for path in tips), strict=True):
                close(found, reference(weights, path)[-1])


def test_the_overflow_above_is_real():
    weights = random_weights(1, 12.0)
    (tree,), _ = read(Llama(weights), [PROMPTS[2]])
    keys = tree._keys[-1, 0, :, : tree.size]
    assert (keys.T @ keys).max() / np.sqrt(HEAD_DIM) > 89


def test_the_training_network_computes_the_same():
    torch = pytest.importorskip("torch", reason="the training network needs torch")
    from onedial.lab.network import Network

    weights, prompt = random_weights(), PROMPTS[2]
    network = Network(SMALL)
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in weights.tensors.items()})
    earlier = torch.ones(1, len(prompt), len(prompt), dtype=torch.bool).tril()
    with torch.no_grad():
        hidden = network(torch.tensor([prompt]), torch.arange(len(prompt))[None], earlier)
        close(read(Llama(weights), [prompt])[1][0], network.logits(hidden)[0, -1].numpy())
