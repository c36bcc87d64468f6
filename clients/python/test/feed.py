"""Feeds a ring from a small GPT-2, for tests: feed.py NAME FOLDER MODE.

Prints a line when the tap is open, runs when it reads a line, prints the new tokens, and ends when it reads another line.
Mode "together" runs together.py instead.
"""

import pathlib
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import torch

import headscope_tap
import together
from small_gpt2 import SmallGpt2, read_safetensors

NEW_TOKENS = 9


class Letters:
    """A tokenizer: the name of token 65 is A65."""

    def decode(self, ids):
        return "".join(f"A{token}" for token in ids)


def observe(tap):
    """Two layers of another module: 16 bits, grouped key heads, a window, a soft cap and sinks."""
    generator = torch.Generator().manual_seed(5)
    layers = [[torch.randn(1, heads, 7, 8, generator=generator).bfloat16() for heads in (4, 2)] for _ in range(2)]
    sinks = torch.tensor([-1.0, 0.0, 1.0, 2.0])
    for begin, end in ((0, 5), (5, 6), (6, 7)):
        for layer, (q, k) in enumerate(layers):
            keys = k[:, :, max(0, end - 3) if begin else 0:end]  # a rolling cache
            tap.observe(layer, q[:, :, begin:end], keys, scale=0.25, window=3, soft_cap=5.0, sinks=sinks, end=end)


def observe_threads(tap):
    """Two threads read texts in turn: the one that began last is handed over."""
    first, second = (ThreadPoolExecutor(1) for _ in range(2))

    def read(thread, begin, end, *layers):
        for layer in layers:
            q, k = torch.zeros(1, 2, end - begin, 4), torch.zeros(1, 2, end, 4)
            thread.submit(tap.observe, layer, q, k).result()

    read(first, 0, 5, 0, 1)
    read(first, 5, 6, 0, 1)
    read(second, 0, 3, 0)
    read(first, 6, 7, 0, 1)
    read(second, 0, 3, 1)
    read(second, 3, 4, 0, 1)
    read(first, 0, 2, 0, 1)
    read(second, 4, 5, 0, 1)


def main():
    name, folder, mode = sys.argv[1:]
    torch.set_num_threads(1)
    if mode == "together":
        together.main(name)
        print("end", flush=True)
        return
    if mode in ("observe", "threads"):
        with headscope_tap.tap(name=name, layers=2) as tap:
            print("open", flush=True)
            sys.stdin.readline()
            (observe if mode == "observe" else observe_threads)(tap)
            with headscope_tap.tap(layers=2, capture=True) as capture:
                observe(capture)
            headscope_tap.save(name + ".safetensors")
            print("saved", flush=True)
            sys.stdin.readline()
        print("end", flush=True)
        return
    copied = []  # within the GPU
    if mode.startswith("gpu"):
        # As if the tensors were on a GPU: the emulated driver's memory of a GPU is the host's.
        headscope_tap._ordinal = lambda tensor: 1 if mode == "gpu1" else 0
        write = headscope_tap._Gpu.write
        headscope_tap._Gpu.write = lambda *arguments: copied.append(arguments) or write(*arguments)
    if mode == "gpu-withdrawn":  # the reader withdraws its offer while the memory is being opened
        opens = headscope_tap._Gpu.__init__

        def opens_late(gpu, offer, *arguments):
            print("opens", flush=True)
            while tap._ring._words[headscope_tap._OFFER] == offer:
                time.sleep(0.001)
            time.sleep(0.1)
            pathlib.Path("opened").touch()
            opens(gpu, offer, *arguments)

        headscope_tap._Gpu.__init__ = opens_late
    if mode == "late":  # the thread that hands over begins after the model has ended
        ended = threading.Event()
        begins, runs = headscope_tap._Background._run, headscope_tap._Background._run_next
        handed_over = []  # whether a job was small, and its thread
        headscope_tap._Background._run = lambda self: ended.wait() and begins(self)

        def run_next(self):
            handed_over.append((self._jobs[0][-1], threading.current_thread()))
            runs(self)

        headscope_tap._Background._run_next = run_next
    if mode == "full":
        headscope_tap._NANOS_OF_A_READER = 1 << 62  # however slow this machine is
    model = SmallGpt2(folder)
    ids = read_safetensors(pathlib.Path(folder) / "expected.safetensors")["input_ids"].view(1, -1)
    mask = torch.ones_like(ids)
    if mode == "batch":  # the first text is shorter than the second one
        model.set_attn_implementation("sdpa")  # which is in the registry, unlike eager attention
        padding = torch.zeros(1, 5, dtype=torch.int64)
        ids = torch.cat([torch.cat([padding, ids], 1), torch.cat([ids, ids[:, :5]], 1)])
        mask = torch.cat([torch.cat([padding, mask], 1), torch.ones(1, mask.shape[1] + 5, dtype=torch.int64)])
    untapped = model.generate(ids, mask, NEW_TOKENS)
    options = {
        "background": {"background": True}, "late": {"background": True}, "huge": {"megabytes": 1 << 30}, "small": {"megabytes": 0.25},
        "full": {"background": True, "megabytes": 0.02}, "capture": {"capture": True},
        "gpu": {"background": True}, "gpu-killed": {"background": True}, "gpu-withdrawn": {"background": True},
        "gpu1": {"background": True}, "gpu-capture": {"background": True, "capture": True},
    }.get(mode, {})
    with headscope_tap.tap(model, name, tokenizer=Letters(), **options) as tap:
        if mode == "failing":
            tap._how = lambda *arguments: 1 / 0
        if mode == "interrupted":  # a text whose fourth token ends before the last layer
            passes = []

            def stop(*call):
                passes.append(call)
                if len(passes) == 5:
                    raise KeyboardInterrupt

            stops = model.layers[-1].register_forward_pre_hook(stop)
            try:
                model.generate(ids, mask, NEW_TOKENS)
            except KeyboardInterrupt:
                stops.remove()
        if mode in ("full", "gpu", "gpu-killed"):  # something to read: the ring waits only for a reader that has read
            model.generate(ids, mask, NEW_TOKENS)
        print("open" if tap.feeding else "closed", flush=True)
        sys.stdin.readline()
        while mode in ("gpu", "gpu-killed") and tap._ring.gpu is None:
            time.sleep(0.001)
        if mode == "gpu-killed":
            print("accepted", flush=True)
            sys.stdin.readline()
            while tap._ring._words[headscope_tap._ACCEPTED]:
                time.sleep(0.001)
        while mode == "endless":
            model.generate(ids, mask, NEW_TOKENS)
            time.sleep(0.001)
        tokens, logits = model.generate(ids, mask, NEW_TOKENS)
        same = tokens == untapped[0] and torch.equal(logits, untapped[1])
        if mode == "late":
            ended.set()
            while tap._background._jobs:
                time.sleep(0.001)
            same = same and (False, tap._background._thread) in handed_over
            same = same and (False, threading.main_thread()) not in handed_over  # it might wait for a reader
        print("same" if same else "different", *tokens, flush=True)
        if mode == "capture":
            headscope_tap.save(name + ".safetensors", label="yes")
        sys.stdin.readline()
    after = model.generate(ids, mask, NEW_TOKENS)
    if mode == "gpu":
        print("copied", len(copied), flush=True)
    print("skipped", tap.skipped, "restored" if after[0] == tokens else "changed", flush=True)


main()
