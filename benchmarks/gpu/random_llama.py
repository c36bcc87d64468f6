"""Writes a Llama with random weights as a folder in the layout of Hugging Face, with a tokenizer of single bytes.

    python3 random_llama.py FOLDER [1b|tiny]

1b: 16 layers, 32 query and 8 key/value heads of width 64, hidden width 2048; 1.04 billion parameters in bf16, 2.1 GB.
tiny: the same kind of model with 0.2 million parameters. Needs Python's standard library only. The weights repeat a million
normally distributed numbers, so that writing them takes seconds; the same command always writes the same bytes.
"""

import array
import json
import os
import random
import struct
import sys

POOL = 1_000_003  # prime: rows of a matrix do not repeat
DEVIATION = 0.02

SHAPES = {
    "1b": dict(num_hidden_layers=16, hidden_size=2048, intermediate_size=8192, num_attention_heads=32,
               num_key_value_heads=8, head_dim=64, vocab_size=32000, max_position_embeddings=131072),
    "tiny": dict(num_hidden_layers=2, hidden_size=128, intermediate_size=256, num_attention_heads=8,
                 num_key_value_heads=2, head_dim=16, vocab_size=320, max_position_embeddings=1024),
}


def config(shape):
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "dtype": "bfloat16", "hidden_act": "silu",
        "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "tie_word_embeddings": True, "attention_bias": False,
        "mlp_bias": False, "attention_dropout": 0.0, "initializer_range": DEVIATION, "bos_token_id": 256,
        "eos_token_id": 257, "use_cache": True, **shape,
    }


def tensors(shape):
    """Names and shapes of all tensors; the output projection is the embedding."""
    hidden, inner = shape["hidden_size"], shape["intermediate_size"]
    queries = shape["num_attention_heads"] * shape["head_dim"]
    keys = shape["num_key_value_heads"] * shape["head_dim"]
    yield "model.embed_tokens.weight", (shape["vocab_size"], hidden)
    for layer in range(shape["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        yield prefix + "input_layernorm.weight", (hidden,)
        yield prefix + "self_attn.q_proj.weight", (queries, hidden)
        yield prefix + "self_attn.k_proj.weight", (keys, hidden)
        yield prefix + "self_attn.v_proj.weight", (keys, hidden)
        yield prefix + "self_attn.o_proj.weight", (hidden, queries)
        yield prefix + "post_attention_layernorm.weight", (hidden,)
        yield prefix + "mlp.gate_proj.weight", (inner, hidden)
        yield prefix + "mlp.up_proj.weight", (inner, hidden)
        yield prefix + "mlp.down_proj.weight", (hidden, inner)
    yield "model.norm.weight", (hidden,)


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def bf16(values):
    """The upper halves of fp32 numbers, little-endian."""
    words = array.array("f", values).tobytes()
    halves = bytearray(len(words) // 2)
    halves[0::2] = words[2::4]
    halves[1::2] = words[3::4]
    return bytes(halves)


def write_weights(path, shape):
    header, end = {}, 0
    for name, sizes in tensors(shape):
        bytes_ = 2 * count(sizes)
        header[name] = {"dtype": "BF16", "shape": list(sizes), "data_offsets": [end, end + bytes_]}
        end += bytes_
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    normal = random.Random(0)
    pool = bf16(normal.gauss(0, DEVIATION) for _ in range(POOL))
    at = 0
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, sizes in tensors(shape):
            left = 2 * count(sizes)
            if len(sizes) == 1:
                file.write(bf16([1.0]) * sizes[0])
                continue
            while left > 0:
                part = pool[at:at + left]
                file.write(part)
                at = (at + len(part)) % len(pool)
                left -= len(part)


def byte_letters():
    """The printable letter that stands for each byte in a byte-level vocabulary (Radford et al. 2019)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable}
    letters.update({byte: chr(256 + i) for i, byte in enumerate(others)})
    return [letters[byte] for byte in range(256)]


def tokenizer():
    special = [{"id": 256 + i, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for i, content in enumerate(["<s>", "</s>"])]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": level, "post_processor": None, "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "vocab": {**{letter: i for i, letter in enumerate(byte_letters())}, "<s>": 256, "</s>": 257}, "merges": []},
    }


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1] in ("-h", "--help") or sys.argv[2:3] and sys.argv[2] not in SHAPES:
        sys.exit(__doc__)
    folder, shape = sys.argv[1], SHAPES[sys.argv[2] if len(sys.argv) == 3 else "1b"]
    os.makedirs(folder, exist_ok=True)
    for name, content in {
        "config.json": config(shape),
        "generation_config.json": {"bos_token_id": 256, "eos_token_id": 257, "do_sample": False},
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"},
    }.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
    write_weights(os.path.join(folder, "model.safetensors"), shape)
    parameters = sum(count(sizes) for _, sizes in tensors(shape))
    print(f"{folder}: {parameters:,} parameters in bf16")


if __name__ == "__main__":
    main()
