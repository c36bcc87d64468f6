"""What the scripts that time other programs share."""

import json
import statistics
import time

import torch

SLOW = 0.5  # seconds


class Report:
    """Prints each measurement as soon as it is taken, and rewrites a JSON file of {name: milliseconds}."""

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

    def measure(self, name, seconds):
        """Adds the time that a function returns, or the reason why there is none."""
        try:
            self.add(name, 1e3 * seconds())
        except RuntimeError as failure:  # also when memory runs out
            self.add(name, "not measured: " + (str(failure).strip().splitlines() or [type(failure).__name__])[0])


def median_seconds(work, device, before=lambda: None, kernels=False):
    """The median of 10 runs, or of 3 if one takes more than half a second, each after `before` and with a GPU's caches emptied.

    A run is timed from its start until its result is there or, with `kernels`, on a GPU by events around its kernels.
    """
    gpu = device == "cuda"
    flush = torch.empty(64 << 20, device=device) if gpu else None

    def synchronise():
        if gpu:
            torch.cuda.synchronize()

    def once():
        before()
        if gpu:
            flush.zero_()
        if gpu and kernels:
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            work()
            end.record()
            synchronise()
            return start.elapsed_time(end) / 1e3
        synchronise()
        start = time.perf_counter()
        work()
        synchronise()
        return time.perf_counter() - start

    once()
    times = [once()]
    while len(times) < (3 if times[0] > SLOW else 10):
        times.append(once())
    return statistics.median(times)
