"""Times in PyTorch and cuSOLVER the work that `headscope bench` times, on one device.

    python3 torch_times.py [--json FILE] [--device cuda|cpu] [--tokens 2048,8192,16384] [--spectra 32,128,512,1024]

Prints one line per measurement as soon as it is taken; FILE receives {name: milliseconds} after each, so that a stopped run
keeps its measurements. A time is the median of 10 runs, or of 3 if one takes more than half a second.

Attention: bf16, causal, 32 heads of width 128, T tokens.

    cudnn T             cuDNN's fused attention, without statistics
    flash T             FlashAttention 2, without statistics
    flash backward T    its backward pass; at most 8,192 tokens
    eager T             the map of one head at a time is stored and the statistics are read from it; 8,192 tokens, or the most

Symmetric spectra: eigenvalues of 1,024 fp32 matrices, from n = 1,024 on of 128.

    XsyevBatched n      by cuSOLVER, values only; four of them are compared with torch.linalg.eigvalsh

Exit status: 0; 2 if there is no PyTorch, or it finds no such device.
"""

import argparse
import ctypes
import glob
import os
import sys

EAGER_TOKENS = 8192
BACKWARD_TOKENS = 8192
MATRICES = 1024
LARGE_MATRICES = 128  # from n = LARGE on
LARGE = 1024
CHECKED = 4
LIBRARIES = ("libcusolver.so.12", "libcusolver.so.11")  # of CUDA 13 and 12


def fused(q, k, v, backend):
    with sdpa_kernel(backend):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def eager(q, k, v):
    """One [T, T] map at a time, so that it fits in memory, then its statistics."""
    tokens = q.shape[-2]
    hidden = torch.ones(tokens, tokens, dtype=torch.bool, device=q.device).triu(1)
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


def laplacians(n, count, device):
    """Input of the eigenvalue solvers, [count, n, n]: I - D^-1/2 W D^-1/2 with W = (A + A') / 2."""
    a = torch.rand(count, n, n, device=device).tril()
    a = a / a.sum(dim=-1, keepdim=True)
    w = (a + a.transpose(1, 2)) / 2
    d = w.sum(dim=-1).rsqrt()
    return (torch.eye(n, device=device) - d[:, :, None] * w * d[:, None, :]).contiguous()


def load_cusolver():
    """cuSOLVER with XsyevBatched, which CUDA 12.6 and later have; None if it is not found."""
    packages = os.path.join(os.path.dirname(os.path.dirname(torch.__file__)), "nvidia", "*", "lib")
    for name in LIBRARIES:
        for path in [name, *glob.glob(os.path.join(packages, name)), *glob.glob("/usr/local/cuda*/lib64/" + name)]:
            try:
                library = ctypes.CDLL(path)
                library.cusolverDnXsyevBatched
                return library
            except (OSError, AttributeError):
                continue
    return None


class XsyevBatched:
    """cusolverDnXsyevBatched on fp32 matrices [count, n, n], values only. Each call overwrites its input."""

    NO_VECTORS = ctypes.c_int(0)
    LOWER = ctypes.c_int(0)
    FP32 = ctypes.c_int(0)  # CUDA_R_32F

    def __init__(self, library, matrices):
        self.library = library
        self.matrices = matrices
        self.input = matrices.clone()
        count, n, _ = matrices.shape
        self.values = torch.empty(count, n, device="cuda")
        self.info = torch.zeros(count, dtype=torch.int32, device="cuda")
        handle, parameters = ctypes.c_void_p(), ctypes.c_void_p()
        self.check("cusolverDnCreate", ctypes.byref(handle))
        self.check("cusolverDnCreateParams", ctypes.byref(parameters))
        self.check("cusolverDnSetStream", handle, ctypes.c_void_p(torch.cuda.current_stream().cuda_stream))
        problem = (
            handle, parameters, self.NO_VECTORS, self.LOWER, ctypes.c_int64(n),
            self.FP32, ctypes.c_void_p(self.input.data_ptr()), ctypes.c_int64(n),
            self.FP32, ctypes.c_void_p(self.values.data_ptr()), self.FP32,
        )
        on_device, on_host = ctypes.c_size_t(), ctypes.c_size_t()
        self.check("cusolverDnXsyevBatched_bufferSize", *problem, ctypes.byref(on_device), ctypes.byref(on_host),
                   ctypes.c_int64(count))
        self.device_workspace = torch.empty(max(on_device.value, 1), dtype=torch.uint8, device="cuda")
        self.host_workspace = ctypes.create_string_buffer(max(on_host.value, 1))
        self.arguments = (
            *problem, ctypes.c_void_p(self.device_workspace.data_ptr()), on_device,
            self.host_workspace, on_host, ctypes.c_void_p(self.info.data_ptr()), ctypes.c_int64(count),
        )
        self.handle, self.parameters = handle, parameters

    def check(self, function, *arguments):
        status = getattr(self.library, function)(*arguments)
        if status != 0:
            raise RuntimeError(f"{function} returned status {status}")

    def restore(self):
        self.input.copy_(self.matrices)

    def __call__(self):
        self.check("cusolverDnXsyevBatched", *self.arguments)

    def close(self):
        self.library.cusolverDnDestroyParams(self.parameters)
        self.library.cusolverDnDestroy(self.handle)


def spectra(report, n, cusolver, device):
    matrices = laplacians(n, MATRICES if n < LARGE else LARGE_MATRICES, device)
    solver = XsyevBatched(cusolver, matrices)
    report.add(f"XsyevBatched {n}", 1e3 * median_seconds(solver, device, solver.restore, kernels=True))
    difference = (solver.values[:CHECKED] - torch.linalg.eigvalsh(matrices[:CHECKED])).abs().max().item()
    failed = int((solver.info != 0).sum())
    report.add(f"XsyevBatched {n}, check",
               f"{failed} of {len(matrices)} matrices without a result, at most {difference:.1e} from eigvalsh,"
               f" {solver.device_workspace.numel() / 2**30:.2f} GiB of workspace")
    solver.close()


def attention(report, tokens, device, largest):
    q, k, v = (torch.randn(1, 32, tokens, 128, dtype=torch.bfloat16, device=device) for _ in range(3))

    def time(name, work):
        report.measure(f"{name} {tokens}", lambda: median_seconds(work, device, kernels=True))

    time("cudnn", lambda: fused(q, k, v, SDPBackend.CUDNN_ATTENTION))
    time("flash", lambda: fused(q, k, v, SDPBackend.FLASH_ATTENTION))
    if tokens <= BACKWARD_TOKENS:
        leaves = [x.detach().requires_grad_() for x in (q, k, v)]
        gradient = torch.randn_like(q)
        out = fused(*leaves, SDPBackend.FLASH_ATTENTION)
        time("flash backward", lambda: torch.autograd.grad(out, leaves, gradient, retain_graph=True))
    if tokens == min(EAGER_TOKENS, largest):
        time("eager", lambda: eager(q, k, v))


def numbers(text):
    return [int(part) for part in text.split(",")]


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--tokens", default="2048,8192,16384", type=numbers)
    parser.add_argument("--spectra", default="32,128,512,1024", type=numbers)
    return parser.parse_args()


def main(options):
    report = Report(options.json)
    report.add("torch", torch.__version__)
    torch.manual_seed(0)
    for tokens in options.tokens:
        attention(report, tokens, options.device, max(options.tokens))
    cusolver = None
    if options.device == "cuda":
        torch.linalg.eigvalsh(torch.eye(2, device="cuda"))  # makes PyTorch load its own cuSOLVER
        cusolver = load_cusolver()
    if cusolver is None:
        report.add("XsyevBatched", "not measured: no " + " or ".join(LIBRARIES) + " with cusolverDnXsyevBatched")
        return
    for n in options.spectra:
        spectra(report, n, cusolver, options.device)


if __name__ == "__main__":
    given = read_options()
    try:
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel
        sys.dont_write_bytecode = True  # the folder may be read-only, and is packed as it is
        from peers import Report, median_seconds
    except ImportError as missing:
        print(f"not run: {missing}")
        sys.exit(2)
    if given.device == "cuda" and not torch.cuda.is_available():
        print("not run: PyTorch finds no GPU")
        sys.exit(2)
    main(given)
