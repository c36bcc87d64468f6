"""Times the demo model in transformers on two threads: observing texts with eager attention, and an update of gates.

    python3 benchmarks/cpu/demo_peers.py [MODEL]     default: models/demo

Random tokens, fp32; medians of nine runs. Observing a text stores its attention maps and computes from them, for every head,
AttnScore and the mean of the ten largest Laplacian eigenvalues. An update is a forward pass and the gradients of a factor per head; PyTorch computes
no gradients of weights.
"""

import statistics
import sys
import time

import torch
import transformers

THREADS = 2
LARGEST = 10


def report(name, work, count, unit):
    for _ in range(3):
        work()
    seconds = []
    for _ in range(9):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(f"{name}: {median * 1e3:.1f} ms, {count / median:.1f} {unit}", flush=True)


def observe(model, ids):
    with torch.no_grad():
        maps = torch.stack(model(ids, output_attentions=True).attentions)
        diagonal = maps.diagonal(dim1=-2, dim2=-1)
        received = maps.sum(-2) / torch.arange(maps.shape[-1], 0, -1)
        return diagonal.log().mean(-1), (received - diagonal).topk(LARGEST, -1).values.mean(-1)


def gate_heads(model):
    """A factor for each head's output [layers, heads]."""
    heads = model.config.num_attention_heads
    gates = torch.full((model.config.num_hidden_layers, heads), 0.5, requires_grad=True)

    def gated(layer):
        def scale(_, inputs):
            parts = inputs[0].view(*inputs[0].shape[:-1], heads, -1) * gates[layer][:, None]
            return (parts.view_as(inputs[0]),)
        return scale

    for layer, block in enumerate(model.transformer.h):
        block.attn.c_proj.register_forward_pre_hook(gated(layer))
    return gates


def update(model, gates, ids):
    gates.grad = None
    logits = model(ids).logits[:, -1]
    torch.nn.functional.cross_entropy(logits, ids[:, 0]).backward()


def main(folder):
    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    print(f"PyTorch {torch.__version__}, transformers {transformers.__version__}, {THREADS} threads")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    model.requires_grad_(False)
    words = model.config.vocab_size
    for texts in (1, 48):
        ids = torch.randint(words, (texts, 45))
        report(f"observe {texts} x 45 tokens", lambda: observe(model, ids), texts, "texts/s")
    gates = gate_heads(model)
    ids = torch.randint(words, (64, 24))
    for attention in ("eager", "sdpa"):
        model.set_attn_implementation(attention)
        report(f"update of gates, 64 x 24 tokens, {attention}", lambda: update(model, gates, ids), 1, "updates/s")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "models/demo")
