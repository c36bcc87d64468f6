"""GPT-2 in plain PyTorch, built as transformers builds it: attention and mask functions come from the two registries."""

import json
import math
import pathlib
import struct
from types import SimpleNamespace

import torch
from transformers import AttentionInterface, AttentionMaskInterface

_DTYPES = {"F32": torch.float32, "I64": torch.int64}


def read_safetensors(file):
    data = bytearray(pathlib.Path(file).read_bytes())
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        bytes_of = torch.frombuffer(data[8 + length + begin:8 + length + end], dtype=torch.uint8)
        tensors[name] = bytes_of.view(_DTYPES[entry["dtype"]]).view(entry["shape"])
    return tensors


def eager_attention_forward(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **kwargs):
    scores = query @ key.transpose(-1, -2) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = scores.softmax(-1)
    return (weights @ value).transpose(1, 2), weights


def eager_mask(batch_size, q_length, kv_length, q_offset=0, attention_mask=None, **kwargs):
    """[batch, 1, queries, keys]: 0 where a query sees a key, otherwise the smallest number."""
    seen = torch.arange(kv_length) <= torch.arange(q_length)[:, None] + q_offset
    seen = seen.expand(batch_size, 1, -1, -1)
    if attention_mask is not None:
        seen = seen & attention_mask[:, None, None, :].bool()
    return torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)


AttentionMaskInterface.register("eager", eager_mask)
AttentionMaskInterface.register("sdpa", eager_mask)
AttentionInterface.register("sdpa", eager_attention_forward)


def gelu(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


class Attention(torch.nn.Module):
    def __init__(self, config, layer_idx):
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.is_causal = True

    def forward(self, q, k, v, mask, **named):
        function = AttentionInterface().get(self.config._attn_implementation, eager_attention_forward)
        return function(self, q, k, v, mask, dropout=0.0, scaling=q.shape[-1] ** -0.5, **named)[0]


class SmallGpt2(torch.nn.Module):
    def __init__(self, folder):
        super().__init__()
        config = json.loads((pathlib.Path(folder) / "config.json").read_text())
        self.config = SimpleNamespace(
            num_hidden_layers=config["n_layer"], num_attention_heads=config["n_head"], hidden_size=config["n_embd"],
            epsilon=config["layer_norm_epsilon"], _attn_implementation="eager")
        tensors = read_safetensors(pathlib.Path(folder) / "model.safetensors")
        self.weights = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
        self.embedding = torch.nn.Embedding.from_pretrained(self.weights["wte.weight"])
        self.layers = torch.nn.ModuleList(Attention(self.config, i) for i in range(self.config.num_hidden_layers))
        self.keys_and_values = []

    def set_attn_implementation(self, name):
        self.config._attn_implementation = name

    def get_input_embeddings(self):
        return self.embedding

    def norm(self, x, name):
        return torch.nn.functional.layer_norm(
            x, x.shape[-1:], self.weights[name + ".weight"], self.weights[name + ".bias"], self.config.epsilon)

    def linear(self, x, name):
        return x @ self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def heads(self, x):
        return x.view(*x.shape[:2], self.config.num_attention_heads, -1).transpose(1, 2)

    def forward(self, ids, attention_mask, begins):
        """Logits [batch, queries, words] of the next tokens; attention_mask [batch, all tokens so far]."""
        if begins:
            self.keys_and_values = [None] * len(self.layers)
        queries, keys = ids.shape[1], attention_mask.shape[1]
        positions = (attention_mask.cumsum(-1) - 1).clamp(min=0)[:, keys - queries:]
        mask = AttentionMaskInterface()[self.config._attn_implementation](
            batch_size=len(ids), q_length=queries, kv_length=keys, q_offset=keys - queries, attention_mask=attention_mask)
        x = self.embedding(ids) + self.weights["wpe.weight"][positions]
        for i, attention in enumerate(self.layers):
            q, k, v = map(self.heads, self.linear(self.norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn").chunk(3, -1))
            if self.keys_and_values[i] is not None:
                k, v = (torch.cat(pair, 2) for pair in zip(self.keys_and_values[i], (k, v)))
            self.keys_and_values[i] = k, v
            attended = attention(q, k, v, mask, position_ids=positions).reshape(x.shape)
            x = x + self.linear(attended, f"h.{i}.attn.c_proj")
            inner = gelu(self.linear(self.norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc"))
            x = x + self.linear(inner, f"h.{i}.mlp.c_proj")
        return self.norm(x, "ln_f") @ self.weights["wte.weight"].t()

    @torch.no_grad()
    def generate(self, ids, attention_mask, new_tokens):
        """Greedy. The last token is not fed back. Returns the new tokens of the first text, and its last logits."""
        tokens = []
        begins = True
        while True:
            logits = self(ids, attention_mask, begins)[:, -1]
            begins = False
            ids = logits.argmax(-1, keepdim=True)
            tokens.append(int(ids[0]))
            if len(tokens) == new_tokens:
                return tokens, logits[0]
            attention_mask = torch.cat([attention_mask, torch.ones_like(ids)], 1)
