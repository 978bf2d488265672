"""Write an embedded model in the formats of other runtimes: a Hugging Face folder, or one GGUF file.

Both carry the tokenizer as a Unigram model whose words are single pieces, so
that it gives the ids of `tokenizer.py`, and a chat template that ends the
prompt with a budget token: `budget` among the template's arguments, `"0"` to
`"3"`, chooses the effort. An assistant's text that is to be continued stands
behind that token. Nothing is ever half written.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from onedial.core.errors import ConfigError
from onedial.lab import weights
from onedial.lab.shape import HEAD_DIM, NORM_EPS, ROPE_THETA, Shape
from onedial.lab.tokenizer import BOS, EOS, PAD, SCORES, SPACE, SPECIALS, THINK, UNK, VOCABULARY
from onedial.lab.weights import Floats, Weights
from onedial.runtime.whole import whole_file

DEFAULT_BUDGET = "2"
_BUDGET = f"<think{{{{ budget if budget is defined else '{DEFAULT_BUDGET}' }}}}>"
CHAT_TEMPLATE = (
    "{% set opens = add_generation_prompt is not defined or add_generation_prompt %}"
    "{% for message in messages %}"
    "{% if loop.last and not opens and message['role'] == 'assistant' %}" + _BUDGET + "{% endif %}"
    "{{ message['content'] }} "
    "{% endfor %}"
    "{% if opens %}" + _BUDGET + "{% endif %}"
)

_FOREIGN = "\ufffd"
_HIDDEN = {PAD, EOS, BOS}
"""Special tokens that other runtimes leave out of the text; the rest, `<ans>` above all, is shown."""


def export_hf(name: str, folder: Path, source: Path | None = None) -> Path:
    """Write a folder that `transformers` and engines built on it can load, and return it.

    Args:
        name: The embedded model.
        folder: Where to; it must not exist yet, or be empty.
        source: Where the weights files are; None is those of the package.

    Raises:
        ConfigError: There is no such model, or the folder holds something already.
    """
    model = weights.load(weights.path_of(name, source))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists and is not an empty folder; expected a new one. Remove it or choose another.")
    with _whole_folder(folder) as partial:
        save_file({key: _half(value) for key, value in model.tensors.items()}, partial / "model.safetensors", {"format": "pt"})
        _write_json(partial / "config.json", _hf_config(model.shape))
        _write_json(partial / "generation_config.json", {"eos_token_id": EOS, "pad_token_id": PAD, "do_sample": True, "temperature": 1.0})
        _write_json(partial / "tokenizer.json", hf_tokenizer())
        _write_json(partial / "tokenizer_config.json", _hf_tokenizer_config(model.shape))
    return folder


def export_gguf(name: str, path: Path, source: Path | None = None) -> Path:
    """Write a GGUF file in half precision for llama.cpp, and return its path.

    Args:
        name: The embedded model.
        path: Where to; an existing file is replaced.
        source: Where the weights files are; None is those of the package.

    Raises:
        ConfigError: There is no such model, or the package `gguf` is not installed.
    """
    model = weights.load(weights.path_of(name, source))
    try:
        import gguf
    except ImportError as error:
        raise ConfigError("writing GGUF needs the package `gguf`, which is not installed. Run: pip install 'onedial[llamacpp]'") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        writer = gguf.GGUFWriter(partial, "llama")
        _add_sizes(writer, model)
        _add_tokenizer(writer, gguf.TokenType)
        for key, tensor in gguf_tensors(model).items():
            writer.add_tensor(key, tensor)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return path


def hf_tokenizer() -> dict[str, Any]:
    """Describe the tokenizer for the `tokenizers` library, as the content of `tokenizer.json`."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": index, "content": piece, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": special}
            for index, piece in enumerate(SPECIALS)
            for special in [index in _HIDDEN]
        ],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": _FOREIGN},
                {"type": "Replace", "pattern": {"Regex": r"[\s\x1c-\x1f]+"}, "content": " "},
                {"type": "Strip", "strip_left": True, "strip_right": True},
            ],
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True},
            ],
        },
        "post_processor": None,
        "decoder": {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True},
        "model": {"type": "Unigram", "unk_id": UNK, "vocab": list(zip(VOCABULARY, SCORES, strict=True)), "byte_fallback": False},
    }


def gguf_tensors(model: Weights) -> dict[str, npt.NDArray[np.float16] | Floats]:
    """Rename the tensors as llama.cpp does, with the rows of queries and keys in its order of rotation."""
    heads = (model.shape.heads, 2, HEAD_DIM // 2, model.shape.width)
    names = {
        "input_layernorm": "attn_norm",
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
        "post_attention_layernorm": "ffn_norm",
        "mlp.gate_proj": "ffn_gate",
        "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }
    found = model.tensors
    tensors: dict[str, npt.NDArray[np.float16] | Floats] = {}
    tensors |= {"token_embd.weight": _half(found["model.embed_tokens.weight"]), "output_norm.weight": found["model.norm.weight"]}
    for index in range(model.shape.layers):
        for old, new in names.items():
            tensor = found[f"model.layers.{index}.{old}.weight"]
            if new in ("attn_q", "attn_k"):
                tensor = np.ascontiguousarray(tensor.reshape(heads).swapaxes(1, 2)).reshape(tensor.shape)
            tensors[f"blk.{index}.{new}.weight"] = tensor if tensor.ndim == 1 else _half(tensor)
    return tensors


def _add_sizes(writer: Any, model: Weights) -> None:
    shape = model.shape
    writer.add_name(f"onedial {model.name}")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ff)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(NORM_EPS)
    writer.add_rope_dimension_count(HEAD_DIM)
    writer.add_rope_freq_base(ROPE_THETA)
    writer.add_vocab_size(shape.vocab)
    writer.add_file_type(1)  # Mostly half precision.


def _add_tokenizer(writer: Any, kinds: Any) -> None:
    """Describe the tokenizer as Unigram, which llama.cpp knows by the name of the model that brought it, T5."""
    types = [kinds.NORMAL] * len(VOCABULARY)
    for index in range(len(SPECIALS)):
        types[index] = kinds.CONTROL if index in _HIDDEN else kinds.UNKNOWN if index == UNK else kinds.USER_DEFINED
    writer.add_tokenizer_model("t5")
    writer.add_token_list(list(VOCABULARY))
    writer.add_token_scores(list(SCORES))
    writer.add_token_types([int(kind) for kind in types])
    writer.add_add_space_prefix(True)
    writer.add_remove_extra_whitespaces(True)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_pad_token_id(PAD)
    writer.add_unk_token_id(UNK)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _hf_config(shape: Shape) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocab,
        "hidden_size": shape.width,
        "intermediate_size": shape.ff,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": HEAD_DIM,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": NORM_EPS,
        "rope_theta": ROPE_THETA,
        "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_THETA},
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "pad_token_id": PAD,
        "torch_dtype": "float16",
    }


def _hf_tokenizer_config(shape: Shape) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": shape.context,
        "bos_token": VOCABULARY[BOS],
        "eos_token": VOCABULARY[EOS],
        "pad_token": VOCABULARY[PAD],
        "unk_token": VOCABULARY[UNK],
        "additional_special_tokens": [VOCABULARY[token] for token in THINK],
        "add_bos_token": False,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }


def _half(tensor: Floats) -> npt.NDArray[np.float16]:
    return np.ascontiguousarray(tensor, np.float16)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def _whole_folder(folder: Path) -> Iterator[Path]:
    """Lend a folder beside `folder` to fill; it takes the place of `folder` at the end, unless an exception ends it first."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    try:
        yield partial
        partial.chmod(0o755)
        os.replace(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
