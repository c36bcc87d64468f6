"""Compares tokens that a tap hands over together with the same ones, each handed over at once; run by feed.py.

Also of texts at which the tap stops, whose line is printed. Every scenario calls a tap as transformers does, for two layers of
random queries and keys.
"""

import contextlib
import io
import itertools
import mmap
import os
import struct
import sys
import threading
import time
from types import SimpleNamespace

import torch

import headscope_tap

LAYERS, HEADS, KV_HEADS, WIDTH = 2, 4, 2, 8
CONFIG = SimpleNamespace(num_hidden_layers=LAYERS, num_attention_heads=HEADS, head_dim=WIDTH)


class Text:
    """A text that a model reads.

    padding  of its first tokens; further tokens have 1
    windows  of the layers
    caches   numbers of keys that the layers' rolling caches keep, by default the windows; 0 for a cache that keeps every key
    """

    has_padding = True  # otherwise positions tell where a token is
    modules = [torch.nn.Module() for _ in range(LAYERS)]

    def __init__(self, tap, seed, padding=(), windows=(0, 0), caches=None):
        self._tap = tap
        self._generator = torch.Generator().manual_seed(seed)
        self._windows = windows
        self._caches = windows if caches is None else caches
        self._padding = torch.tensor([padding], dtype=torch.int64).view(1, -1)
        self._keys = [torch.zeros(1, KV_HEADS, 0, WIDTH) for _ in range(LAYERS)]
        self._read = 0

    def read(self, count=1, layers=LAYERS, ids=None, seen=1, drops=0, crops=0, scale=0.5, causal=None, gradients=False):
        """Reads tokens.

        layers  the first ones only: the pass is interrupted
        ids     a tensor that is written, instead of a new one
        seen    padding of the tokens
        drops   oldest keys that the last layer's cache drops before
        crops   newest tokens that the text and all caches drop before
        """
        self._read -= crops
        positions = torch.arange(self._read, self._read + count).view(1, -1)
        self._read += count
        ids = positions + 10 if ids is None else ids.copy_(positions + 10)
        missing = self._read - self._padding.shape[1]
        if missing > 0:
            self._padding = torch.cat((self._padding, torch.full((1, missing), seen)), 1)
        self._tap._embed(None, (ids,))
        self._tap._mask({"attention_mask": self._padding[:, :self._read] if self.has_padding else None})
        for layer, module in enumerate(self.modules[:layers]):
            q, k = (torch.randn(1, heads, count, WIDTH, generator=self._generator) for heads in (HEADS, KV_HEADS))
            size = self._caches[layer]
            q.requires_grad_(gradients)
            kept = self._keys[layer][:, :, drops if layer == LAYERS - 1 else 0:self._keys[layer].shape[2] - crops]
            self._keys[layer] = k = torch.cat((kept, k), 2)
            if size:
                self._keys[layer] = k[:, :, -size:]
                k = k if count > 1 else self._keys[layer]
            named = {
                "scaling": scale, "sliding_window": self._windows[layer] or None, "position_ids": positions, "is_causal": causal}
            self._tap._attention(module, q, k, named, True)


for number, one in enumerate(Text.modules):
    one.layer_idx, one.config, one.is_causal = number, CONFIG, True


def read_all(text, prompt, tokens, **options):
    text.read(prompt)
    for _ in range(tokens):
        text.read(**options)


def short(tap):
    read_all(Text(tap, 1), 5, 3)


def ends_within(tap):
    read_all(Text(tap, 1), 5, headscope_tap._TOKENS_TOGETHER * 2 + 5)


def one_after_the_other(tap):
    for seed in range(3):
        read_all(Text(tap, seed), 4 + seed, 7)


def in_turn(tap):
    texts = [Text(tap, 1), Text(tap, 2)]
    for text in texts:
        text.read(6)
    for _ in range(4):
        for text in texts:
            text.read()


def padded(tap):
    read_all(Text(tap, 1, padding=(0, 0, 1, 1)), 4, 20)


def padding_within(tap):
    text = Text(tap, 1)
    text.read(4)
    for token in range(20):
        text.read(seen=int(token % 5 != 3))


def rolling(tap):
    for windows in ((5, 0), (3, 3), (1, 7)):
        read_all(Text(tap, 1, windows=windows), 2, 20)
        read_all(Text(tap, 2, windows=windows), 9, 20)


def interrupted(tap):
    text = Text(tap, 1)
    read_all(text, 4, 6)
    text.read(layers=1)
    read_all(Text(tap, 2), 4, 6)
    Text(tap, 3).read(layers=1)


def other_scale(tap):
    text = Text(tap, 1)
    read_all(text, 4, 6)
    text.read(scale=0.25)
    read_all(text, 1, 6)


def rolling_shrinks(tap):
    text = Text(tap, 1, windows=(9, 9))
    read_all(text, 3, 3)
    text.read(crops=1)
    read_all(text, 1, 6)


def ids_in_turn(tap):
    text = Text(tap, 1)
    text.read(4)
    buffers = [torch.zeros(1, 1, dtype=torch.int64) for _ in range(2)]
    for i in range(20):
        text.read(ids=buffers[i % 2])


def same_ids(tap):
    read_all(Text(tap, 1), 4, 20, ids=torch.zeros(1, 1, dtype=torch.int64))


def several_at_once(tap):
    text = Text(tap, 1)
    read_all(text, 4, 6)
    read_all(text, 3, 6)


def with_gradients(tap):
    read_all(Text(tap, 1), 4, 20, gradients=True)


def threads(tap):
    first, second = Text(tap, 1), Text(tap, 2)
    read_all(first, 4, 6)
    other = threading.Thread(target=read_all, args=(second, 4, 6))
    other.start()
    other.join()
    first.read()


def in_the_midst_of_tokens(tap):
    """Another thread hands over whenever it can."""
    ended = threading.Event()

    def hand_over():
        while not ended.is_set():
            with tap._lock:
                tap._hand_over_collected(may_skip=False)

    other = threading.Thread(target=hand_over)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    if tap._in_background:
        other.start()
    for seed in range(5):
        read_all(Text(tap, seed, windows=(0, 9)), 10, 20)
    ended.set()
    if tap._in_background:
        other.join()
    sys.setswitchinterval(interval)


def rolling_several_at_once(tap):
    text = Text(tap, 1, windows=(5, 0))
    read_all(text, 9, 3)
    read_all(text, 4, 3)


def both_directions(tap):
    Text(tap, 1, windows=(0, 9)).read(9, causal=False)


SCENARIOS = [short, ends_within, one_after_the_other, in_turn, padded, padding_within, rolling, interrupted, other_scale,
             rolling_shrinks, ids_in_turn, same_ids, several_at_once, rolling_several_at_once, with_gradients, threads,
             both_directions, in_the_midst_of_tokens]


def cache_drops(tap):
    text = Text(tap, 1)
    read_all(text, 8, 6)
    text.read(drops=3)
    read_all(text, 1, 6)


def no_window(tap):
    read_all(Text(tap, 1, caches=(7, 7)), 3, 20)


def no_window_after_padding(tap):
    read_all(Text(tap, 1, padding=(0, 0, 1), caches=(0, 7)), 3, 20)


def no_window_after_the_prompt(tap):
    read_all(Text(tap, 1, windows=(5, 0), caches=(5, 7)), 9, 20)


def smaller_than_the_window(tap):
    read_all(Text(tap, 1, windows=(5, 9), caches=(5, 8)), 3, 20)


def several_at_once_without_keys(tap):
    text = Text(tap, 1, caches=(7, 7))
    read_all(text, 5, 2)
    text.read(3)
    text.read(3)


def window_of_one_keeps_all(tap):
    read_all(Text(tap, 1, windows=(0, 1), caches=(0, 0)), 4, 6)


def window_in_both_directions(tap):
    Text(tap, 1, windows=(0, 9)).read(10, causal=False)


STOPS_OF_THE_MODELS_THREAD = [window_of_one_keeps_all, window_in_both_directions]  # what is being copied is not handed over
STOPS = [cache_drops, no_window, no_window_after_padding, no_window_after_the_prompt, smaller_than_the_window,
         several_at_once_without_keys, *STOPS_OF_THE_MODELS_THREAD]


class Reader:
    """Maps a ring; a tap that ends deletes the file only."""

    def __init__(self, name):
        with open(os.path.join(headscope_tap.FOLDER, f"headscope-{name}.ring"), "rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def published(self):
        return struct.unpack_from("<Q", self._map, headscope_tap._PUBLISHED * 8)[0]

    def messages(self):
        """Header without time and checksum, and payload."""
        _, _, _, slots, size, *_ = headscope_tap._RING.unpack_from(self._map)
        assert self.published() <= slots
        messages = []
        for i in range(self.published()):
            at = headscope_tap._RING_BYTES + i * size
            fields = headscope_tap._SLOT.unpack_from(self._map, at)
            payload = at + headscope_tap._SLOT_BYTES
            messages.append((fields[:7] + fields[8:9] + fields[10:], self._map[payload:payload + fields[8]]))
        return messages


def open_tap(name, together, capture=False):
    tap = headscope_tap.tap(name=name, layers=LAYERS, megabytes=32, background=together, capture=capture)
    tap._config = CONFIG
    return tap


def messages(name, scenario, together):
    """What a scenario has handed over at the end of the tap."""
    with open_tap(name, together) as tap:
        reader = Reader(name)
        scenario(tap)
    assert tap._stopped == (scenario in STOPS) and tap.skipped == 0, scenario.__name__
    return reader.messages()


def stops(name, scenario):
    """The one line that the tap prints when it stops, and whether that does not depend on how tokens are handed over."""
    lines, handed_over = [], []
    for together in (False, True):
        with contextlib.redirect_stderr(io.StringIO()) as line:
            handed_over.append(messages(name, scenario, together))
        lines.append(line.getvalue())
        with contextlib.redirect_stderr(io.StringIO()) as line, open_tap(None, together, capture=True) as tap:
            scenario(tap)
        lines.append(line.getvalue())
        assert tap._stopped and not headscope_tap._captured.layers, scenario.__name__
    equal = handed_over[0] == handed_over[1] or scenario in STOPS_OF_THE_MODELS_THREAD
    return lines[0].rstrip("\n"), equal and lines == lines[:1] * 4


def pause(name):
    """Returns once the tokens that a pausing model has read are handed over."""
    with open_tap(name, True) as tap:
        reader = Reader(name)
        read_all(Text(tap, 1), 4, 10)
        end = time.monotonic() + 600  # a busy machine takes long
        while reader.published() < 1 + LAYERS + 10 * 2:
            if time.monotonic() > end:
                sys.exit("the tokens of a model that pauses are not handed over")
            time.sleep(0.001)


def main(name):
    sizes = []
    joined = headscope_tap._Decoded.joined

    def count(decoded):
        sizes.append(len(decoded.ids))
        return joined(decoded)

    headscope_tap._Decoded.joined = count
    nanos, headscope_tap._NANOS_TOGETHER = headscope_tap._NANOS_TOGETHER, 1 << 62  # however slow this machine is
    for Text.has_padding, scenario in itertools.product((True, False), SCENARIOS):
        at_once = messages(name, scenario, False)
        sizes.clear()
        together = messages(name, scenario, True)
        largest = max(sizes, default=0)
        print(f"{scenario.__name__}: {'equal' if together == at_once else 'different'}, at most {largest} together", flush=True)
    for Text.has_padding, scenario in itertools.product((True, False), STOPS):
        line, equal = stops(name, scenario)
        print(f"{scenario.__name__}: {'equal' if equal else 'different'}, {line}", flush=True)
    headscope_tap._NANOS_TOGETHER = nanos
    pause(name)
    print("pause: handed over", flush=True)
