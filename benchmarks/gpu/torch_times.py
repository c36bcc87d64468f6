"""Times in PyTorch and cuSOLVER the work that `headscope bench` times, on one GPU.

    python3 torch_times.py [FILE]

Prints one line per measurement as soon as it is taken. FILE receives all of them as JSON, {name: milliseconds}, and is
rewritten after each, so that a stopped run keeps its measurements. A time is the median of 10 runs, or of 3
if one run takes more than half a second. Exit status: 0; 2 without a GPU that PyTorch can use.

Attention: bf16, causal, 32 heads of width 128, T = 8192. `flash` is fused attention without statistics; `eager` stores
the map of one head at a time and reads the statistics from it.

Symmetric spectra: eigenvalues of 1,024 fp32 matrices, n = 32, 128 and 512. torch.linalg.eigvalsh solves large matrices
one by one, so for n = 512 it is given 128 matrices and `eigvalsh 512` is eight times their time. cuSOLVER's
XsyevBatched always gets all 1,024.
"""

import ctypes
import glob
import json
import os
import statistics
import sys

MATRICES = 1024
SLOW = 500  # milliseconds
LIBRARIES = ("libcusolver.so.12", "libcusolver.so.11")  # of CUDA 13 and 12


def milliseconds(work, before=lambda: None):
    """The median over runs, each after `before` and with the second-level cache emptied."""
    flush = torch.empty(64 << 20, dtype=torch.float32, device="cuda")

    def once():
        before()
        flush.zero_()
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end)

    once()
    times = [once()]
    while len(times) < (3 if times[0] > SLOW else 10):
        times.append(once())
    return statistics.median(times)


def flash(q, k, v):
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def eager(q, k, v):
    """One [T, T] map at a time, so that it fits in memory, then its statistics."""
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


def laplacians(n):
    """Input of the eigenvalue solvers, [MATRICES, n, n]: I - D^-1/2 W D^-1/2 with W = (A + A') / 2."""
    a = torch.rand(MATRICES, n, n, device="cuda").tril()
    a = a / a.sum(dim=-1, keepdim=True)
    w = (a + a.transpose(1, 2)) / 2
    d = w.sum(dim=-1).rsqrt()
    return (torch.eye(n, device="cuda") - d[:, :, None] * w * d[:, None, :]).contiguous()


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


class Report:
    """Prints each measurement and rewrites the JSON file."""

    def __init__(self, path):
        self.path = path
        self.times = {}

    def add(self, name, value):
        self.times[name] = value
        print(f"{name}: {value}" if isinstance(value, str) else f"{name}: {value:.4g} ms", flush=True)
        if self.path:
            with open(self.path, "w", encoding="utf-8") as file:
                json.dump(self.times, file, indent=2)
                file.write("\n")


def spectra(report, n, cusolver):
    matrices = laplacians(n)
    sample = matrices[:128] if n == 512 else matrices
    report.add(f"eigvalsh {n}", milliseconds(lambda: torch.linalg.eigvalsh(sample)) * MATRICES / len(sample))
    if cusolver is None:
        return
    solver = XsyevBatched(cusolver, matrices)
    report.add(f"XsyevBatched {n}", milliseconds(solver, solver.restore))
    difference = (solver.values[:len(sample)] - torch.linalg.eigvalsh(sample)).abs().max().item()
    failed = int((solver.info != 0).sum())
    report.add(f"XsyevBatched {n}, check",
               f"{failed} matrices without a result, at most {difference:.1e} from eigvalsh,"
               f" {solver.device_workspace.numel() / 2**30:.2f} GiB of workspace")
    solver.close()


def main():
    report = Report(sys.argv[1] if len(sys.argv) > 1 else None)
    report.add("torch", torch.__version__)
    torch.manual_seed(0)
    q, k, v = (torch.randn(1, 32, 8192, 128, dtype=torch.bfloat16, device="cuda") for _ in range(3))
    report.add("flash", milliseconds(lambda: flash(q, k, v)))
    report.add("eager", milliseconds(lambda: eager(q, k, v)))
    del q, k, v
    torch.linalg.eigvalsh(torch.eye(2, device="cuda"))  # makes PyTorch load its own cuSOLVER
    cusolver = load_cusolver()
    if cusolver is None:
        report.add("XsyevBatched", "not measured: no " + " or ".join(LIBRARIES) + " with cusolverDnXsyevBatched")
    for n in (32, 128, 512):
        spectra(report, n, cusolver)


if __name__ == "__main__":
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    try:
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel
    except ImportError as missing:
        print(f"not run: PyTorch is not installed ({missing})")
        sys.exit(2)
    if not torch.cuda.is_available():
        print("not run: PyTorch finds no GPU")
        sys.exit(2)
    main()
