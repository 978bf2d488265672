"""Exported models are whole, tokenize as we do, and write the same text in llama.cpp."""

import json
from functools import partial
from random import Random

import numpy as np
import pytest
from safetensors.numpy import load_file

from onedial.core.errors import ConfigError
from onedial.lab import export, weights
from onedial.lab.batch import Job
from onedial.lab.decoder import Decoder
from onedial.lab.export import export_gguf, export_hf
from onedial.lab.families import FAMILIES
from onedial.lab.mix import queries
from onedial.lab.prefix import Prefixes
from onedial.lab.tasks import check_form, revise_form, solve
from onedial.lab.tokenizer import EOS, SPACE, THINK, VOCABULARY, decode, encode

NAME = next(iter(weights.find()))


@pytest.fixture(scope="module")
def texts():
    """Prompts of every family and form, with their completions, words run together, and foreign text."""
    rng, texts = Random(4), []
    for question in queries(60, seed=8, split="test"):
        example, level = question.example, rng.randrange(4)
        forms = (solve(example, level), check_form(FAMILIES[example.family], example, rng, level), revise_form(example, rng, level))
        texts += [f"{example.prompt} {one.question}<think{level}>{one.thought}<ans>{one.answer}" for one in forms]
    words = [piece.removeprefix(SPACE) for piece in VOCABULARY[11:]]
    texts += ["".join(rng.choices(words, k=rng.randint(2, 4))) for _ in range(300)]
    return [*texts, "Hello, island! 123 x==y", "  two   spaces ", "na\u00efve \u4f60\u597d", "7<think2>8 <ans> 9", "<think1> <ans>"]


@pytest.fixture(scope="module")
def server(llama_cpp):
    """POST to a llama.cpp server that has the exported model."""
    return partial(llama_cpp.post, NAME)


def test_the_gguf_tokenizer_gives_our_ids(server, texts):
    for text in texts:
        assert server("/tokenize", content=text)["tokens"] == encode(text), text


def test_the_hugging_face_tokenizer_gives_our_ids(tmp_path, texts):
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(export_hf(NAME, tmp_path / "hf") / "tokenizer.json"))
    for text in [*texts, "a\n\tb \u2003 c", f"x{SPACE}y", ""]:
        assert tokenizer.encode(text).ids == encode(text), text
    assert tokenizer.decode(encode("start with 99 .")) == "start with 99 ."


def test_greedy_text_in_llama_cpp_is_ours_until_a_choice_is_close(server, tiny):
    """Llama.cpp computes in half precision: it may take another token where our two best logits are closer than `tolerance`."""
    tolerance, same, total = 0.05, 0, 0
    for question in queries(15, seed=6, split="test"):
        for level in range(4):
            text = f"{question.example.prompt}<think{level}>"
            job = Job(tuple(encode(text)), 1, key=0, limit=60, deadline=54, temperature=0.0)
            Decoder(tiny).run([job])
            ours = [token for token in job.written[0].tokens if token != EOS]
            theirs = encode(server("/v1/completions", prompt=text, temperature=0, max_tokens=60)["choices"][0]["text"])
            total, same = total + 1, same + (ours == theirs)
            split = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
            if split is not None and split < job.deadline:
                logits = np.sort(Prefixes(tiny, 0).read([(*job.prompt, *ours[:split])])[0].logits)
                assert logits[-1] - logits[-2] < tolerance, text
            elif split is None:
                assert abs(len(ours) - len(theirs)) == 0 or max(len(ours), len(theirs)) >= 59, text
    assert total >= 40 and same >= 0.9 * total


def test_the_chat_template_chooses_the_effort(server):
    content = "compute modulo 10 : start with 7 . #1 minus 5 #2 plus 3 . what is the result ?"
    for budget in ("0", "3"):
        chat = server(
            "/v1/chat/completions",
            messages=[{"role": "system", "content": ""}, {"role": "user", "content": content}],
            temperature=0,
            max_tokens=40,
            chat_template_kwargs={"budget": budget},
        )
        plain = server("/v1/completions", prompt=f"{content}<think{budget}>", temperature=0, max_tokens=40)
        assert chat["choices"][0]["message"]["content"].split() == plain["choices"][0]["text"].split()
        assert "<ans>" in plain["choices"][0]["text"]


def test_the_hugging_face_folder_holds_the_weights_and_their_sizes(tmp_path):
    folder = export_hf(NAME, tmp_path / "hf")
    config, shape = json.loads((folder / "config.json").read_text()), weights.read_shape(weights.path_of(NAME))
    assert (config["hidden_size"], config["num_hidden_layers"], config["vocab_size"]) == (shape.width, shape.layers, shape.vocab)
    tensors, original = load_file(folder / "model.safetensors"), load_file(weights.path_of(NAME))
    assert tensors.keys() == original.keys()
    assert all((tensors[name] == original[name]).all() for name in tensors)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    assert "<think{{ budget" in settings["chat_template"] and settings["eos_token"] == decode([EOS])


@pytest.mark.parametrize("write", [export_hf, export_gguf])
def test_an_export_that_fails_leaves_nothing_behind(tmp_path, monkeypatch, write):
    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(export, "_half", fail)
    with pytest.raises(OSError, match="no space"):
        write(NAME, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_not_touched(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not an empty folder"):
        export_hf(NAME, tmp_path)
    with pytest.raises(ConfigError, match="unknown embedded model"):
        export_hf("tinny", tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_every_effort_is_a_budget_token():
    assert [f"<think{level}>" for level in range(4)] == [VOCABULARY[token] for token in THINK]
