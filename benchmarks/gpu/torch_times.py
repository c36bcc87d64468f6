"""The work of `headscope bench` in PyTorch, on one GPU, as JSON: {name: milliseconds, median of 10 runs, or of
as many as a minute holds}.

bf16, causal, head width 128, 32 heads, T = 8192: fused attention without statistics, and the eager route that keeps
every head's map and reads the statistics off it. Symmetric spectra: 1,024 matrices of n = 32, 128 and 512 in fp32.
"""

import json
import statistics
import sys

import torch
import torch.nn.functional as functional
from torch.nn.attention import SDPBackend, sdpa_kernel

RUNS = 10
ENOUGH = 60e3  # milliseconds: large matrices may be solved one after the other
FLUSH = torch.empty(64 << 20, dtype=torch.float32, device="cuda")


def milliseconds(work):
    work()
    times = []
    while len(times) < RUNS and sum(times) < ENOUGH:
        FLUSH.zero_()
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    return statistics.median(times)


def flash(q, k, v):
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def eager(q, k, v):
    """Maps of one head at a time, so that they fit: [T, T] each, then what is observed of them."""
    tokens = q.shape[-2]
    hidden = torch.ones(tokens, tokens, dtype=torch.bool, device="cuda").triu(1)
    for head in range(q.shape[1]):
        scores = (q[0, head] @ k[0, head].T).float() * q.shape[-1] ** -0.5
        scores = scores.masked_fill(hidden, float("-inf"))
        logs = torch.log_softmax(scores, dim=-1)
        probs = logs.exp()
        probs.to(v.dtype) @ v[0, head]
        logs.diagonal()
        probs.sum(dim=0)
        -(probs * logs.masked_fill(hidden, 0)).sum(dim=-1)
        probs.amax(dim=-1)


def spectra(matrices, n):
    """What `symmetricSpectrum` does after the maps: I - D^-1/2 W D^-1/2 of W = (A + A') / 2, then its eigenvalues."""
    a = torch.rand(matrices, n, n, device="cuda").tril()
    a = a / a.sum(dim=-1, keepdim=True)
    w = (a + a.transpose(1, 2)) / 2
    d = w.sum(dim=-1).rsqrt()
    laplacian = torch.eye(n, device="cuda") - d[:, :, None] * w * d[:, None, :]
    return milliseconds(lambda: torch.linalg.eigvalsh(laplacian))


def main():
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, 32, 8192, 128, dtype=torch.bfloat16, device="cuda") for _ in range(3))
    times = {
        "torch": torch.__version__,
        "flash": milliseconds(lambda: flash(q, k, v)),
        "eager": milliseconds(lambda: eager(q, k, v)),
    }
    for n in (32, 128, 512):
        times[f"eigvalsh {n}"] = spectra(1024, n)
    json.dump(times, sys.stdout, indent=2)


main()
