"""Shows the attention of a PyTorch model in Headscope while the model runs.

A single file that needs Linux, PyTorch >= 1.13 and the standard library. Copy it next to your program.

For a model of transformers >= 4.53:

    import headscope_tap

    with headscope_tap.tap(model, "NAME", tokenizer=tokenizer):
        model.generate(**inputs)

and, at the same time, in another terminal: ./headscope live --attach NAME

For any other module, after norm and position encoding:

    with headscope_tap.tap(name="NAME", layers=12) as tap:
        ...
        tap.observe(layer, q, k, scale=0.125)   # q [batch, heads, queries, head_dim], k [batch, kv_heads, keys, head_dim]

To write a file instead, for ./headscope live --replay and spectra --captured:

    with headscope_tap.tap(model, capture=True):
        model(**inputs)
    headscope_tap.save("text.safetensors", label="yes")

The model computes exactly what it computes without a tap: it calls the same attention function. It never waits for a reader.
Up to 16 generated tokens of a model on a GPU are handed over together, at the latest 0.25 s after the first, if the buffers have
room.
Of a batch, the first row is shown, without padding. If several threads generate, the text that began last is shown. Not
supported: compiled models, static caches, caches that drop keys although the layer has no window, windows of attention in both
directions, encoder-decoder models, cross attention, and beam search, which moves texts between rows. If the feed fails, one line
on standard error says why, and the model continues.
docs/ring.md describes the shared memory.
"""

import collections
import contextlib
import copy
import ctypes
import errno
import fcntl
import json
import math
import mmap
import os
import re
import struct
import sys
import threading
import time
import uuid
import zlib
from threading import get_ident
from typing import NamedTuple, Optional, Union

import torch

__all__ = ["tap", "save", "Tap"]

FOLDER = "/dev/shm"
VERSION = 3
_CAPTURED_VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

# The ring's header, and the words in it that change: index of 8 bytes.
_RING = struct.Struct("<4sIQIIII")
_RING_BYTES = 4096
_PUBLISHED, _SKIPPED, _READ = 64 // 8, 72 // 8, 128 // 8
_OFFER, _ACCEPTED, _REFUSED = 256 // 8, 264 // 8, 272 // 8
_OFFERED = struct.Struct("<16sQ64s")  # of a GPU: UUID, bytes, handle
_OFFERED_AT, _REASON_AT, _REASON_BYTES = 280, 368, 256

# A slot's header: magic, version, kind, element type, flags, layer, sequence, nanoseconds, length, checksum, first token,
# tokens, tokens of the text, window, scale, soft cap, heads, key heads, head width, text.
_SLOT = struct.Struct("<2sBBBBHQQIIIIIIffHHHH")
_SLOT_BYTES = 64
_SEQUENCE, _CHECKSUM = 8, 28
_ATTENTION, _TOKENS, _LAYERS = 1, 2, 3
_CAUSAL, _SINKS, _ON_GPU = 1, 2, 4
_DTYPES = {torch.float32: 1, torch.float16: 2, torch.bfloat16: 3}
_SAFETENSORS = {
    torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.int32: "I32",
}

# Limits of one message of tokens.
_TOKENS_A_MESSAGE = 256
_NAME_BYTES = 200

_NANOS_OF_A_READER = 1_000_000_000  # how long the background waits for a reader that has stopped

# How many decoded tokens are handed over together, the longest time between hand-overs, and how long without a token counts as a
# pause.
_TOKENS_TOGETHER = 16
_NANOS_TOGETHER = 100_000_000
_NANOS_OF_A_PAUSE = 50_000_000

_EAGER = "headscope_tap"  # a name for eager attention, which has none in the registry of transformers

_names = set()  # rings of this process, which its own lock does not exclude
_captured = None  # the newest tap that captures
_tapped = {}  # name of an attention implementation -> _Tapped
_tapped_lock = threading.Lock()

# torch.compile must not trace what reads and writes outside of the model.
_is_compiling = getattr(getattr(torch, "compiler", None), "is_compiling", lambda: False)


def tap(model=None, name=None, *, layers=None, tokenizer=None, capture=False, megabytes=None, background=None):
    """Taps a model; to be used in a with statement.

    model       a model of transformers; if absent, call observe
    name        name for ./headscope live --attach NAME; None writes no shared memory
    layers      number of layers; by default that of the model
    tokenizer   whose decode([id]) names the tokens; without it, they are shown by position
    capture     keeps queries and keys of the newest text in memory, for save
    megabytes   size of the shared memory; by default 256, but at most half of what is free
    background  whether tensors are copied, and handed over once the copies are complete; by default for models on a GPU
    """
    return Tap(model, name, layers, tokenizer, capture, megabytes, background)


def save(file, label=None):
    """Writes the newest captured text to a safetensors file, with a label if one is given."""
    if _captured is None or not _captured.layers:
        raise RuntimeError("nothing is captured: use headscope_tap.tap(..., capture=True) and run the model first")
    _captured.save(file, label)


class _How(NamedTuple):
    """How a layer attends, and its heads."""

    scale: float
    causal: bool
    window: int
    soft_cap: float
    sinks: Optional[torch.Tensor]  # f32 [heads], on the CPU
    heads: int
    kv_heads: int
    width: int
    dtype: Optional[torch.dtype]  # of queries and keys; None if it is not one that a ring can hold

    def attends_like(self, other):
        return self.sinks is None and other.sinks is None and self[:4] + self[5:] == other[:4] + other[5:]


class Tap:
    """Feeds a ring, a capture, or both. Made by tap."""

    def __init__(self, model, name, layers, tokenizer, capture, megabytes, background):
        if name is not None and not _NAME.fullmatch(name):
            raise ValueError(f"{name!r}: a name has up to 64 letters, digits, dots, hyphens and underscores")
        config = _text_config(model)
        layers = layers or getattr(config, "num_hidden_layers", None)
        if not layers:
            raise ValueError("the number of layers is unknown: use tap(..., layers=N)")
        self.skipped = 0  # passes that were skipped because the buffers were full
        self._model = model
        self._config = config
        self._name = name
        self._layers = layers
        self._tokenizer = tokenizer
        self._capture = _Captured(self._name_of) if capture else None
        self._megabytes = megabytes
        self._in_background = background
        self._background = None
        self._ring = None
        self._detach = None
        self._process = os.getpid()
        self._stopped = False
        self._reported = set()
        self._lock = threading.RLock()
        # Of the thread whose text is shown:
        self._thread = None
        self._first = None  # the layer that begins a pass
        self._layer = self._final = layers - 1  # the last layer that was seen, and the one that ends a pass
        self._readers = {}  # module -> its layer, None if it is not of the model's self-attention
        self._hows = {}
        self._plan = None
        self._collected = None  # _Decoded while decoded tokens attend as planned
        self._handed_over = 0  # when the last of them were, in nanoseconds
        self._copied_messages = 0  # of the tokens that were copied last
        self._misfits = False  # tokens of this text do not attend as planned: they are not collected
        self._recent = collections.deque(maxlen=2 * _TOKENS_TOGETHER)  # ids and places of the last decoded tokens
        self._addresses = collections.deque(maxlen=2 * _TOKENS_TOGETHER)  # of these tensors
        self._leaves_out = False  # the rest of this pass
        self._rows = []  # layers of this pass that are not handed over yet
        self._around = None  # what _advance is told of this pass, for its first rows
        self._masked = 0  # entries of the last pass's padding, if it was handed over
        # Of every thread: token ids, padding and last layer of its pass
        self._own = threading.local()
        # On the thread that hands over:
        self._total = self._end = 0
        self._kept = None
        self._text = 0
        self._names = {}  # token id -> UTF-8

    def __enter__(self):
        global _captured
        if self._capture is not None:
            _captured = self._capture
        try:
            if self._name is not None:
                self._ring = _Ring(self._name, self._layers, self._megabytes, self._token_bytes())
            if self._model is not None and self._feeds():
                on_gpu = next((parameter for parameter in self._model.parameters() if parameter.is_cuda), None)
                if self._tokenizer is not None and (self._in_background or on_gpu is not None):
                    # Another thread will use it, and fast tokenizers reject two threads at once.
                    self._tokenizer = copy.deepcopy(self._tokenizer)
                if on_gpu is not None:  # before the model runs: pinning memory takes a fraction of a second
                    self._begin_background(on_gpu)
                self._detach = _attach(self._model, self)
        except Exception as failure:
            self._stop(failure)
        return self

    def __exit__(self, *failure):
        try:
            if self._detach:
                self._detach()
            with self._lock:
                self._flush()
        except Exception as broken:
            self._stop(broken)
        if self._background:
            self._background.close()
        if self._detach and self._first is None:
            self._report("no layer has called an attention function of transformers: the model was not run, is compiled, or"
                         " has its own attention code")
        # Modules of the model, whose memory must be free to go:
        self._model = self._detach = self._plan = self._collected = None
        self._recent.clear()
        self._addresses.clear()
        self._readers.clear()
        with self._lock:
            if self._ring:
                ring, self._ring = self._ring, None
                ring.close()
        return False

    def _feeds(self):
        # A process that was forked must not write what its parent writes.
        return (self._ring is not None or self._capture is not None) and os.getpid() == self._process

    @property
    def feeding(self):
        """Whether the ring is being written; False if it could not be made, with one line on standard error."""
        return self._ring is not None

    def observe(self, layer, q, k, *, scale=None, causal=True, window=0, soft_cap=0.0, sinks=None, end=None):
        """Hands over the attention of one layer for the next tokens of a text. Call it for every layer, in order.

        layer    from 0
        q        [batch, heads, queries, head_dim], after norm and position encoding
        k        [batch, kv_heads, keys, head_dim], likewise, the new keys last; earlier ones are not read
        scale    of q k'; by default 1 / sqrt(head_dim)
        window   maximum number of keys per query, itself included; 0 for no limit; only for causal attention
        sinks    [heads], scores that take part in the softmax without a key
        end      number of tokens of the text after this call; by default the number of keys
        """
        try:
            scale = q.shape[-1] ** -0.5 if scale is None else float(scale)
            self._observe(
                layer, q, k, (scale, causal, window or 0, soft_cap or 0.0, sinks), None if end is None else end - 1)
        except Exception as failure:  # a picture must not end the model
            self._stop(failure)

    def _attention(self, module, q, k, named, ignores_extras):
        """Called by the attention functions of transformers.

        What is done here for every layer of a decoded token is what slows a small model down: while tokens attend as the one
        before did, their calls are collected, and handed over together.
        """
        try:
            decoded = self._collected
            if decoded is not None and get_ident() == self._thread:
                if decoded.calls:
                    if decoded.add((module, q, k, named, ignores_extras)):
                        if len(decoded.calls) == decoded.layers:
                            self._end_collected(decoded)
                        return
                    self._stop_collecting()
                elif module is decoded.first and self._begin_collected(decoded, (module, q, k, named, ignores_extras)):
                    return
            layer = self._readers.get(module, self)
            if layer is self:
                layer = self._readers[module] = self._layer_of(module)
            if layer is None:
                return
            call = _Call(module, q, k, named, ignores_extras)
            scale, causal, window, soft_cap, sinks = _options(named)
            self._observe(
                layer, q, k,
                (q.shape[-1] ** -0.5 if scale is None else float(scale),
                 getattr(module, "is_causal", True) if causal is None else causal, window or 0,
                 0.0 if ignores_extras else soft_cap or 0.0, None if ignores_extras else sinks),
                named.get("position_ids"), call)
        except Exception as failure:
            self._stop(failure)

    def _begin_collected(self, decoded, call):
        """Begins a token whose calls are collected; False if it does not continue the text."""
        own = self._own
        ids, padding = getattr(own, "ids", None), getattr(own, "padding", None)
        if ids is None or ids.shape != (1, 1) or self._ring.gpu is not None:
            return False
        if ids.is_cuda and torch.cuda.is_current_stream_capturing():
            return False
        masked = self._masked + 1 if decoded.is_padded else 0
        place = padding if masked else call[3].get("position_ids")
        if place is None or place.shape != (1, masked or 1) or (padding is None) != (masked == 0):
            return False
        with self._lock:
            if decoded is not self._collected:  # another thread's text is shown
                return False
            if not decoded.begin_token(ids, place, call, may_wait=self._are_elsewhere(ids, place)):
                return False
            own.ids = own.padding = None
            self._masked = masked
            self._leaves_out = False
            return True

    def _are_elsewhere(self, ids, place):
        """Whether neither tensor lies where one of a recent token lies: such a tensor would be overwritten before it is read."""
        own, known = (ids.data_ptr(), place.data_ptr()), self._addresses
        elsewhere = bool(known) and own[0] not in known and own[1] not in known
        self._recent += ids, place  # kept, so that the next ones have other addresses
        known += own
        return elsewhere

    def _end_collected(self, decoded):
        """Ends a token; hands over those that were collected if they are enough, or have waited enough."""
        with self._lock:
            now = time.monotonic_ns()
            decoded.end_token(now)
            if decoded.is_full() or now - self._handed_over > _NANOS_TOGETHER:
                self._handed_over = now
                self._hand_over_collected()
            elif self._background.has_jobs():
                self._hand_over_copied()

    def _stop_collecting(self):
        """Hands over what was collected; calls of a token that has not ended are looked at one by one."""
        with self._lock:
            self._hand_over_collected()
            decoded, self._collected = self._collected, None
            if decoded is None or not decoded.calls:
                return
            self._plan = None  # this token's will be made
            self._misfits = decoded.ended == 0
            own = self._own
            newer = getattr(own, "ids", None), getattr(own, "padding", None)
            ids, place = decoded.token
            own.ids, own.padding = ids, place if decoded.is_padded else None
            self._masked = max(self._masked - 1, 0)
            for call in decoded.calls:
                self._attention(*call)
            own.ids, own.padding = newer

    def _hand_over_collected(self, may_skip=True):
        """Hands over tokens that were collected, or has them copied.

        may_skip  whether they are skipped if there is no room; otherwise they stay
        """
        decoded = self._collected
        if decoded is None or not decoded.ids:
            return
        if not self._feeds():
            self._collected = None
            return
        count = len(decoded.ids)
        if decoded.is_on_gpu() and torch.cuda.is_current_stream_capturing():  # which copies and their events would break
            decoded.drop()
            self._skip(None, count)
            return
        with torch.no_grad(), decoded.stream():
            joined = decoded.joined()
            if joined.dtype != decoded.plan.dtype:
                raise _Unsupported("the type of queries and keys changes within a text")
            done = self._hand_over_or_copy(joined, decoded.keys(), decoded.numbers(), decoded.plan)
        if done or may_skip:
            decoded.drop()
        if not done and may_skip:
            self._skip(None, count)

    def _hand_over_waiting(self):
        """On the thread that hands over: tokens that wait for more while the model pauses."""
        with self._lock:
            decoded = self._collected
            if decoded is not None and decoded.ids and time.monotonic_ns() - decoded.ended > _NANOS_OF_A_PAUSE:
                self._hand_over_collected(may_skip=False)

    def _layer_of(self, module):
        if (getattr(module, "config", self._config) is not self._config
                or getattr(module, "is_cross_attention", False) or "Cross" in type(module).__name__):
            return None
        return getattr(module, "layer_idx", None)

    def _mask(self, named):
        """Called by the mask functions of transformers, before the first layer of a pass."""
        if named.get("config", self._config) is self._config:
            self._own.padding = named.get("attention_mask")

    def _embed(self, module, arguments):
        if arguments and isinstance(arguments[0], torch.Tensor) and arguments[0].dim() == 2 and not _is_compiling():
            self._own.ids = arguments[0]

    def _how(self, layer, q, k, heads, kv_heads, width, scale, causal, window, soft_cap, sinks):
        # A tensor's version changes when it is written, as in training.
        version = None if sinks is None else 0 if sinks.is_inference() else sinks._version
        key = (scale, causal, window, soft_cap, version, heads, kv_heads, width, q.dtype, k.dtype)
        known = self._hows.get(layer)
        if known is None or known[0] != key:
            sinks = None if sinks is None else sinks.detach().float().cpu().contiguous()
            dtype = q.dtype if q.dtype == k.dtype and q.dtype in _DTYPES else None
            known = self._hows[layer] = key, _How(
                scale, bool(causal), window if causal else 0, soft_cap, sinks, heads, kv_heads, width, dtype)
        return known[1]

    def _observe(self, layer, q, k, how, positions, call=None):
        """
        how        the arguments of _how
        positions  None, that of the last query, or a tensor whose first row ends with it
        call       the _Call, if q and k stay as they are until the pass ends
        """
        *_, heads, queries, width = q.shape
        *_, kv_heads, keys, _ = k.shape
        causal = how[1]
        if not causal and keys != queries:
            return  # cross attention
        with self._lock:
            if not self._feeds() or not self._follows(layer, queries, keys, positions):
                return
            if not self._rows and q.is_cuda and torch.cuda.is_current_stream_capturing():
                self._skip("passes captured in a CUDA graph are not shown")
            if self._leaves_out:
                return
            window = how[2]
            if not causal and 0 < window < keys:
                raise _Unsupported(f"attention in both directions with a window of {window} tokens is not supported")
            if window == 1 and keys > queries and call is not None:
                # Rolling caches of transformers keep the last window - 1 keys; the last 0 are all of them.
                raise _Unsupported("caches of layers with a window of 1 token are not supported")
            how = self._how(layer, q, k, heads, kv_heads, width, *how)
            if self._rows and (self._rows[0][3].width != width or self._rows[0][1].device != q.device):
                self._flush()
            self._rows.append((layer, q, k, how, keys, call))
            # The layers of a decoded token are handed over together, which takes a fraction of the time.
            if queries > 1 or layer == self._final or call is None:
                self._flush()

    def _follows(self, layer, queries, keys, positions):
        """Whether the calling thread reads the text that is shown: the one that began last. Begins its passes."""
        own, thread = self._own, get_ident()
        before = getattr(own, "layer", None)
        own.layer = layer
        if before is None or layer <= before:
            self._first = layer if self._first is None else min(self._first, layer)
            begins_text = keys == queries or self._thread is None
            # The backward pass may compute layers again, from the last one to the first.
            own.follows = layer == self._first and (thread == self._thread or begins_text)
            if own.follows:
                if thread == self._thread:
                    self._flush()
                    self._final = self._layer
                else:
                    self._hand_over_collected()
                    self._collected = None
                    self._masked = 0
                self._thread = thread
                self._begin(queries, positions)
        if thread != self._thread or not own.follows:
            return False
        self._layer = layer
        return True

    def _begin(self, queries, positions):
        """Begins a pass."""
        own = self._own
        ids, padding = getattr(own, "ids", None), getattr(own, "padding", None)
        own.ids = own.padding = None
        masked = padding.shape[1] if padding is not None and padding.dim() == 2 else 0
        place = padding if masked else positions
        if queries > 1:
            self._misfits = False
            self._recent.clear()
            self._addresses.clear()
        if (queries == 1 and ids is not None and ids.shape[1] == 1 and isinstance(place, torch.Tensor)
                and ids.device == place.device and (masked == self._masked + 1 > 1 if masked else place.shape == (1, 1))):
            self._are_elsewhere(ids, place)
            self._around = _following([ids[:1]], [place], masked > 0)
        else:
            ids = None if ids is None else ids[0]
            padding = padding[0] if masked else None
            if padding is not None:
                positions = None  # the padding tells
            last = positions.reshape(-1, queries)[0, -1:] if isinstance(positions, torch.Tensor) else positions
            self._around = _Around(ids, last, padding)
        self._masked = masked
        self._rows = []
        self._leaves_out = False

    @torch.no_grad()
    def _flush(self):
        """Hands over the rows that have been collected, or has them copied in the background."""
        self._stop_collecting()
        rows, self._rows = self._rows, []
        if not rows:
            return
        around, self._around = self._around, None
        queries = rows[0][1].shape[-2]
        keys = _keys(rows, queries)
        if queries == 1 and self._capture is None and self._ring.gpu is None:
            plan = self._plan
            if plan is None or not plan.describes(rows):
                plan = self._plan = _Plan(rows, self._ring)
            if plan.messages:
                joined = torch.cat([_newest_token(x) for _, q, k, *_ in rows for x in (q, k)], 1)
                if not self._hand_over_or_copy(joined, keys, around, plan):
                    self._skip(None)
                elif plan.planned and isinstance(around, _Following) and not self._misfits:
                    self._collected = _Decoded(
                        plan, [row[4] for row in rows], keys, around.is_padded, self._most_together(rows[0][1], joined))
                return
        dtype = rows[0][1].dtype
        layers = [(row[0], row[3]) for row in rows]
        parts = [_newest(x, queries) for _, q, k, *_ in rows for x in (q, k)]
        if dtype not in _DTYPES or any(part.dtype != dtype for part in parts):
            parts = [part.to(dtype if dtype in _DTYPES else torch.float32) for part in parts]
        if self._is_copied(parts[0]):
            self._copy(layers, keys, parts, around)
        else:
            self._hand_over(layers, keys, parts, _on_host(around))

    def _is_copied(self, tensor):
        """Whether a tensor is copied first; otherwise it is handed over at once."""
        device = tensor.device
        if device.type not in ("cpu", "cuda"):
            raise _Unsupported(f"the model is on {device}: only CPUs and CUDA GPUs are supported")
        if self._in_background or device.type == "cuda":
            if self._background is None:
                self._begin_background(tensor)
            if device != self._background.device:
                raise _Unsupported("the model is spread over several devices, which is not supported")
            return True
        if self._ring:
            self._ring.follow_offer(None)
        return False

    def _most_together(self, q, token):
        """How many tokens like this one may wait for each other: they take up to a quarter of the copies' memory."""
        if self._background is None or q.requires_grad:  # queries with gradients keep what they were computed from
            return 1
        return min(_TOKENS_TOGETHER, self._background.size // 4 // (token.numel() * token.element_size()))

    def _hand_over_or_copy(self, joined, keys, around, plan):
        """Hands over some tokens of several layers, or has them copied; see _hand_over_decoded. False if there is no room."""
        if not self._is_copied(joined):
            self._hand_over_decoded(plan, keys, joined, _on_host(around))
            return True
        small = _tensors(around)

        def job(joined, *copies):
            try:
                if not self._stopped:
                    self._hand_over_decoded(plan, keys, joined, _copied(around, copies))
            except Exception as failure:
                self._stop(failure)

        has_room = self._background.submit([joined, *small], job, small=True)
        self._copied_messages = joined.shape[0] * (len(plan.messages) + 1)
        self._hand_over_copied()
        return has_room

    def _hand_over_copied(self):
        """Hands over tokens whose copies are complete, unless that would wait for a reader."""
        self._background.hand_over(lambda: self._ring is None or self._ring.has_room(self._copied_messages))

    def _copy(self, layers, keys, parts, around):
        """Has a side stream copy the rows; skips the pass if there is no room."""
        small = _tensors(around)
        shapes = [part.shape for part in parts]
        stays = self._ring is not None and self._ring.gpu is not None  # on the GPU

        def job(joined, *copies):
            try:
                if not self._stopped:
                    on_gpu = stays and self._ring.gpu is not None  # which may have been closed meanwhile
                    rows = joined.cpu() if stays and not on_gpu else joined
                    separate = [
                        part.view(shape) for part, shape in zip(rows.split([a * b for a, b, _ in shapes]), shapes)]
                    self._hand_over(layers, keys, separate, _copied(around, copies), on_gpu)
            except Exception as failure:
                self._stop(failure)

        joined = torch.cat([part.reshape(-1, part.shape[-1]) for part in parts])
        if not self._background.submit([joined, *small], job, stays=stays):
            self._skip(None)

    def _begin_background(self, tensor):
        """Begins the thread that hands over what is on the device of a tensor."""
        ordinal = _ordinal(tensor)
        self._background = _Background(
            tensor.device, self._megabytes or 256, lambda closing: self._follow_offer(ordinal, closing))
        if self._ring:
            self._ring.waits = True

    def _follow_offer(self, ordinal, closing):
        """On the thread that hands over: opens and closes the memory of a GPU that a reader offers."""
        try:
            if closing and self._ring:
                self._ring.close_gpu()
            elif not self._stopped and self._ring:
                self._hand_over_waiting()
                self._ring.follow_offer(ordinal, "the tap also captures" if self._capture else None)
        except Exception as failure:
            self._stop(failure)

    def _hand_over(self, layers, keys, parts, around, on_gpu=False):
        """Writes rows.

        layers  (layer, how) of each layer
        keys    _Keys
        parts   its queries [queries, heads, head_dim] and its keys [queries, kv_heads, head_dim]
        around  _Around or _Following if a pass begins, in the host's memory
        on_gpu  whether parts are there, contiguous; otherwise they are in the host's memory
        """
        queries = len(parts[0])
        around, = _each(around)
        first, count = self._advance(queries, keys, around)
        if count == 0:
            return
        kept = self._kept
        if on_gpu:
            rows = range(queries) if kept is None else kept.tolist()
            for (layer, how), q, k in zip(layers, parts[::2], parts[1::2]):
                self._ring.write_on_gpu(self._text, layer, first, self._end, q, k, rows, how)
            return
        for (layer, how), q, k in zip(layers, parts[::2], parts[1::2]):
            if kept is not None:
                q, k = q[kept], k[kept]
            if self._capture is not None:
                self._capture.add(layer, first, q, k, how)
            if self._ring is not None:
                self._ring.write_attention(self._text, layer, first, self._end, q, k, how)

    def _hand_over_decoded(self, plan, keys, joined, around):
        """Writes some tokens of several layers.

        keys    _Keys at the last token
        joined  [tokens, ...], contiguous: of each token, queries and keys of all layers, one after the other
        around  as in _hand_over, of all tokens
        """
        payload, tokens = _bytes(joined), joined.shape[0]
        size = len(payload) // tokens
        for token, one in enumerate(_each(around)):
            newer = tokens - 1 - token
            _, count = self._advance(1, keys.after(-newer), one)
            if count:
                self._ring.write_token(self._text, self._end, plan, payload[token * size:(token + 1) * size])

    def _advance(self, queries, keys, around):
        """The position of the first of these queries, and how many are not padding. Hands over the tokens of a new pass."""
        ids = None
        if isinstance(around, _Next):
            ids = [around.id]
            self._total += 1
            self._end += around.padding
            self._kept = None if around.padding else torch.arange(0)
        elif isinstance(around, _At):
            ids = [around.id]
            self._total = self._end = around.position + 1
            self._kept = None
        elif around is not None:
            ids = None if around.ids is None else around.ids.tolist()
            self._total, self._end, self._kept = _window(queries, keys.first, around.last, around.padding)
        if keys.most > max(self._total, queries):
            raise _Unsupported("the keys come from a static cache, which is not supported: use a dynamic one")
        if keys.fewest < self._total:
            raise _Unsupported(
                f"a layer is given {keys.fewest} keys of a text of {self._total} tokens, and has no window of that size: caches"
                " that drop keys, by a sliding_window or attention_chunk_size that the model ignores, are not supported")
        kept = self._kept
        count = queries if kept is None else len(kept)
        first = self._end - count
        if around is not None and count:
            if first == 0:
                self._text = self._text % 0xffff + 1
            if ids is not None and len(ids) == queries:
                self._hand_over_tokens(first, ids if kept is None else [ids[i] for i in kept.tolist()])
        return first, count

    def _hand_over_tokens(self, first, ids):
        if self._capture is not None:
            self._capture.add_tokens(first, ids)
        if self._ring is not None:
            self._ring.write_tokens(self._text, first, ids, self._name_of)

    def _name_of(self, token):
        if self._tokenizer is None:
            return b""
        name = self._names.get(token)
        if name is None:
            name = self._names[token] = self._decoded(token)
        return name

    def _decoded(self, token):
        try:
            name = self._tokenizer.decode([token])
        except Exception:  # an id that the tokenizer does not know
            return b""
        return name.encode("utf-8", "replace")[:_NAME_BYTES].decode("utf-8", "ignore").replace("\0", " ").encode()

    def _token_bytes(self):
        """Upper limit for the bytes of one token's queries and keys, as far as the model tells."""
        heads = getattr(self._config, "num_attention_heads", None) or 0
        width = getattr(self._config, "head_dim", None) or getattr(self._config, "hidden_size", 0) // max(heads, 1)
        return 2 * 4 * heads * width + 4 * heads

    def _skip(self, reason, passes=1):
        self._leaves_out = True
        self._masked = 0
        self.skipped += passes
        if self._ring:
            self._ring.report_skipped(self.skipped)
        if reason:
            self._report(reason)

    def _stop(self, failure):
        """Ends the feed and says why. Throws nothing: a picture must not end the model."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            self._report(_reason(failure))
            if self._capture:
                self._capture.layers.clear()
            self._capture = self._collected = None
            self._ring, ring = None, self._ring
            if ring:
                ring.close()

    def _report(self, text):
        with self._lock:
            if text not in self._reported and os.getpid() == self._process:
                self._reported.add(text)
                with contextlib.suppress(Exception):
                    print(f"headscope_tap: {text}; the model continues without being shown", file=sys.stderr, flush=True)


class _Unsupported(Exception):
    pass


def _reason(failure):
    if isinstance(failure, _Unsupported):
        return str(failure)
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.filename}: {failure.strerror}" if failure.filename else failure.strerror
    return " ".join(f"{type(failure).__name__}: {failure}".split())


def _ordinal(tensor):
    """Number of the GPU that holds a tensor, as NVIDIA's driver counts; None on a CPU."""
    return tensor.get_device() if tensor.is_cuda else None


def _text_config(model):
    config = getattr(model, "config", None)
    return config.get_text_config() if hasattr(config, "get_text_config") else config


def _bytes(tensor):
    """The memory of a contiguous tensor, which the caller keeps alive."""
    size = tensor.numel() * tensor.element_size()
    return memoryview((ctypes.c_char * size).from_address(tensor.data_ptr())).cast("B")


def _newest(x, count):
    """[batch, heads, tokens, width] -> [count, heads, width], the newest tokens of the first text."""
    if x.dim() == 3:
        x = x[None]
    return x[:1, :, -1] if count == 1 else x[0].transpose(0, 1)[x.shape[2] - count:]


def _newest_token(x):
    """[batch, heads, tokens, width] -> [1, heads, 1, width], the newest token of the first text."""
    if x.dim() == 3:
        x = x[None]
    batch, _, tokens, _ = x.shape
    if batch != 1:
        x = x[:1]
    return x if tokens == 1 else x.narrow(2, tokens - 1, 1)


class _Keys(NamedTuple):
    """Numbers of keys that layers are given."""

    first: int  # of the first layer
    fewest: float  # the smallest one that the layer's window does not explain; infinite if there is none
    most: int  # the largest one

    def after(self, tokens):
        """The same so many decoded tokens later, if each layer has one key more for each of them."""
        return _Keys(self.first + tokens, self.fewest + tokens, self.most + tokens)


def _keys(rows, queries):
    counts = [row[4] for row in rows]
    # A rolling cache for a window holds fewer keys than the text has tokens. Of what observe is given, only the newest keys count.
    unexplained = [
        count for _, _, _, how, count, call in rows if call is not None and not 0 < how.window <= count - queries + 1]
    return _Keys(counts[0], min(unexplained, default=math.inf), max(counts))


class _Around(NamedTuple):
    """What is known of a pass beside its attention."""

    ids: Optional[torch.Tensor]  # of its tokens
    last: Union[torch.Tensor, int, None]  # position
    padding: Optional[torch.Tensor]  # of all tokens of the text so far: 0, otherwise 1


class _Next(NamedTuple):
    """The same of a pass with one token more, whose padding continues that of the pass before."""

    id: int
    padding: int


class _At(NamedTuple):
    """The same of a pass with one token, of a text without padding."""

    id: int
    position: int


class _Following(NamedTuple):
    """The same of some passes that are all _Next or all _At."""

    numbers: torch.Tensor  # [2, tokens]: ids, then padding or positions
    is_padded: bool


def _following(ids, places, is_padded):
    """_Following of tokens.

    ids     of each token [1, 1]
    places  of each token: its position [1, 1], or padding [texts, tokens so far], of which the last one contains the others
    """
    count = len(ids)
    if is_padded:
        places = [places[-1][:1, -count:]]
    return _Following(torch.cat(ids + places, 1).view(2, count), is_padded)


def _each(around):
    """What is known of each pass."""
    if not isinstance(around, _Following):
        return [around]
    one = _Next if around.is_padded else _At
    return [one(*numbers) for numbers in zip(*around.numbers.tolist())]


def _tensors(around):
    return [x for x in around or () if isinstance(x, torch.Tensor)]


def _on_host(around):
    return _copied(around, [x.cpu() for x in _tensors(around)])


def _copied(around, copies):
    """The same with copies in place of tensors."""
    copies = iter(copies)
    return around and type(around)(*(next(copies) if isinstance(x, torch.Tensor) else x for x in around))


def _window(queries, keys, last, padding):
    """Number of tokens so far with and without padding, and which of the queries are tokens of the text: None for all."""
    if isinstance(last, torch.Tensor):
        last = int(last)
    total = len(padding) if padding is not None else keys if last is None else last + 1
    if padding is None or len(padding) < queries:
        return total, total, None
    padding = padding.bool()
    kept = padding[len(padding) - queries:]
    return total, int(padding.sum()), None if bool(kept.all()) else kept.nonzero()[:, 0]


def _attach(model, tap):
    """Makes the attention and mask functions of a model call the tap; returns a function that undoes it."""
    try:
        from transformers import AttentionInterface, AttentionMaskInterface
    except ImportError:
        raise _Unsupported("transformers 4.53 or later is needed; otherwise call observe (see headscope_tap.py)")
    config = tap._config
    before = config._attn_implementation or "eager"
    if hasattr(model, "_orig_mod"):
        raise _Unsupported("a compiled model cannot be tapped: tap and run the model without torch.compile")
    if getattr(model.config, "is_encoder_decoder", False):
        raise _Unsupported("an encoder-decoder model cannot be tapped: only decoders and encoders can")
    if before == "eager" and getattr(config, "reorder_and_upcast_attn", False):
        raise _Unsupported("eager attention with reorder_and_upcast_attn cannot be tapped: use sdpa")
    name = before
    with _tapped_lock:
        if before not in AttentionInterface():  # eager attention is a function in the file of each model
            name = _EAGER
            if name not in AttentionInterface():
                AttentionInterface.register(name, _eager_attention)
                if before in AttentionMaskInterface():
                    AttentionMaskInterface.register(name, AttentionMaskInterface()[before])
        if name not in _tapped:
            _tapped[name] = _Tapped(name, AttentionInterface, AttentionMaskInterface)
        tapped = _tapped[name]
        tapped.taps += (tap,)
    # The part of a model with several parts, such as one for images, that reads the text.
    reader = next((part for part in model.modules() if getattr(part, "config", None) is config), model)
    if name != before:
        _set_attention(reader, name)
    embeddings = model.get_input_embeddings() if hasattr(model, "get_input_embeddings") else None
    hook = embeddings.register_forward_pre_hook(tap._embed) if embeddings is not None else None

    def detach():
        if name != before:
            _set_attention(reader, before)
        if hook is not None:
            hook.remove()
        with _tapped_lock:
            tapped.taps = tuple(other for other in tapped.taps if other is not tap)
            if not tapped.taps:
                tapped.restore()
                _tapped.pop(name, None)

    return detach


def _set_attention(model, name):
    if hasattr(model, "set_attn_implementation"):  # transformers >= 4.54
        model.set_attn_implementation(name)
    else:
        model.config._attn_implementation = name


class _Tapped:
    """An attention implementation of transformers whose functions also call taps.

    It takes the place of the implementation under the same name, because models compare the name with "sdpa" or
    "flash_attention_2", and load the kernels of the latter by it.
    """

    def __init__(self, name, attentions, masks):
        self.taps = ()
        self._ignores_extras = name == "sdpa"  # which computes neither soft caps nor sinks
        attend = attentions()[name]
        mask = masks()[name] if name in masks() else None

        def attend_and_tap(module, query, key, value, attention_mask, **named):
            if not _is_compiling():
                for tap in self.taps:
                    tap._attention(module, query, key, named, self._ignores_extras)
            return attend(module, query, key, value, attention_mask, **named)

        def mask_and_tap(*arguments, **named):
            if not _is_compiling():
                for tap in self.taps:
                    tap._mask(named)
            return mask(*arguments, **named)

        self._places = [(attentions, attend, attend_and_tap)]
        if mask is not None:
            self._places.append((masks, mask, mask_and_tap))
        for registry, _, ours in self._places:
            registry.register(name, ours)
        self._name = name

    def restore(self):
        for registry, function, ours in self._places:
            if registry()[self._name] is ours:
                registry.register(self._name, function)


def _eager_attention(module, query, key, value, attention_mask, **named):
    """The attention function of a model's own file, which is in no registry."""
    for kind in type(module).__mro__:
        found = getattr(sys.modules[kind.__module__], "eager_attention_forward", None)
        if found is not None:
            return found(module, query, key, value, attention_mask, **named)
    raise _Unsupported(f"{type(module).__module__} has no eager_attention_forward")


class _Call(NamedTuple):
    """Arguments of an attention function of transformers."""

    module: torch.nn.Module
    q: torch.Tensor
    k: torch.Tensor
    named: dict
    ignores_extras: bool


def _options(named):
    """Scale, causality, window, soft cap and sinks, as they are given."""
    get = named.get
    return get("scaling"), get("is_causal"), get("sliding_window"), get("softcap"), get("s_aux")


class _Plan:
    """How one token of some layers is divided into messages: successive layers that attend alike share one.

    messages  (fields of kind, fields of heads, first byte, last byte, sinks); empty if layers differ in width or type
    planned   calls of the layers, without their tensors; empty if the next token's calls cannot be collected
    last      the last layer
    """

    def __init__(self, rows, ring):
        self._layers = [(layer, how) for layer, _, _, how, *_ in rows]
        self.last = rows[-1][0]
        self.messages = []
        self.planned = []
        hows = [how for _, how in self._layers]
        if any(how.dtype is None or how.dtype != hows[0].dtype or how.width != hows[0].width for how in hows):
            return
        runs = []  # lists of layers
        room = ring.room()
        for layer, how in self._layers:
            run = runs[-1] if runs else []
            if not (run and run[-1][0] == layer - 1 and run[-1][1].attends_like(how)
                    and (len(run) + 1) * _token_bytes(how) <= room):
                runs.append(run := [])
            run.append((layer, how))
        at = 0
        for run in runs:
            layer, how = run[0]
            (kind, *rest), sinks = ring.kind(layer, how)
            end = at + len(run) * _token_bytes(how)
            ring.require_room(how, end - at + sum(map(len, sinks)))
            self.messages.append((
                (_LAYERS if len(run) > 1 else kind, *rest),
                (how.window, how.scale, how.soft_cap, how.heads, how.kv_heads, how.width), at, end, sinks))
            at = end
        self.dtype = hows[0].dtype
        # A call does not tell whether its sinks have changed.
        if len(rows) > 1 and all(
                call is not None and how.sinks is None and call.q.shape[0] == 1 for _, _, _, how, _, call in rows):
            self.planned = [
                _Planned(call.module, _options(call.named), how.heads, how.kv_heads, how.window)
                for _, _, _, how, _, call in rows]

    def describes(self, rows):
        if len(rows) != len(self._layers):
            return False
        for row, (layer, how) in zip(rows, self._layers):
            if row[3] is not how or row[0] != layer:
                return False
        return True


class _Planned(NamedTuple):
    module: torch.nn.Module
    options: tuple
    heads: int
    kv_heads: int
    window: int  # of whose keys a full cache drops the oldest one for a new one; 0 if it keeps all


class _Decoded:
    """Decoded tokens whose layers attend as a plan says, collected to be handed over together.

    Of each layer, all queries are kept, but only the newest call's keys: they end with the keys of all collected tokens.
    """

    def __init__(self, plan, counts, keys, is_padded, most):
        """
        counts     number of each layer's keys at the token before
        keys       _Keys at that token
        is_padded  whether padding tells where a token is; otherwise its position
        most       how many tokens may be collected
        """
        self.plan = plan
        self.is_padded = is_padded
        self.layers = len(counts)
        self.first = plan.planned[0].module
        self._modules = [planned.module for planned in plan.planned]
        self._options = [planned.options for planned in plan.planned]
        self._windows = [planned.window for planned in plan.planned]
        self._is_uniform = len({(planned.heads, planned.kv_heads) for planned in plan.planned}) == 1
        self._before = keys
        self._read = 0  # tokens that have ended, those that were dropped too
        self._most = most
        # Of the token that has not ended:
        self.calls = []
        self.token = None  # ids, and padding or position
        self._may_wait = False
        # Of the tokens that have:
        self.ids = []
        self.ended = 0  # when the last one has, in nanoseconds
        self._places = []  # padding or positions
        self._queries = []  # of all layers of a token, then of the next one
        self._stream = None  # which has computed them
        # Of each layer's newest call:
        self._counts = counts
        self._keys = [None] * self.layers
        self._limit()

    def _limit(self):
        """A rolling cache must still hold the keys of all tokens."""
        held = [count for count, window in zip(self._counts, self._windows) if window]
        self._room = min([self._most, *held]) if self._is_uniform else 1

    def is_full(self):
        return not self._may_wait or len(self.ids) >= self._room

    def begin_token(self, ids, place, call, may_wait):
        """Begins a token with the call of its first layer; False as in add.

        may_wait  whether it may be handed over together with later tokens
        """
        self.token = ids, place
        self._may_wait = may_wait
        return self.add(call)

    def add(self, call):
        """Adds the call of the next layer; False if it does not attend as planned, to the keys of the tokens before and one."""
        calls = self.calls
        layer = len(calls)
        module, _, k, named, _ = call
        keys = k.shape[2]
        newer = keys - self._counts[layer]
        if (module is not self._modules[layer] or newer != 1 and not (newer == 0 and 0 < self._windows[layer] <= keys)
                or _options(named) != self._options[layer]):
            return False
        self._counts[layer] = keys
        calls.append(call)
        self._keys[layer] = k  # in this order: another thread may be in joined
        return True

    def end_token(self, now):
        """Its layers are complete: it is one of the tokens to hand over."""
        if not self.ids and self._keys[0].is_cuda:
            self._stream = torch.cuda.current_stream(self._keys[0].device)
        self._queries += [call[1] for call in self.calls]
        ids, place = self.token
        self.ids.append(ids)
        self._places.append(place)
        self._read += 1
        self.calls = []
        self.ended = now

    def is_on_gpu(self):
        return self._stream is not None

    def stream(self):
        """The stream that has computed the tokens."""
        return contextlib.nullcontext() if self._stream is None else torch.cuda.stream(self._stream)

    def keys(self):
        """_Keys at the last token that has ended; see add."""
        return self._before.after(self._read)

    def numbers(self):
        """Ids, and padding or positions, of the tokens that have ended."""
        return _following(self.ids, self._places, self.is_padded)

    def joined(self):
        """[tokens, ...]: of each token that has ended, queries and keys of one layer after the other."""
        tokens, calls = len(self.ids), self.calls
        keys = []
        for layer, k in enumerate(self._keys):
            is_newer = layer < len(calls) and k is calls[layer][2]  # of a token that has not ended
            keys.append(k.narrow(2, k.shape[2] - is_newer - tokens, tokens))
        if tokens == 1:
            return torch.cat([x for pair in zip(self._queries, keys) for x in pair], 1)
        _, heads, _, width = self._queries[0].shape
        queries = torch.cat(self._queries, 1).view(tokens, self.layers, heads, width)
        keys = torch.cat(keys, 1).view(self.layers, -1, tokens, width).permute(2, 0, 1, 3)
        return torch.cat((queries, keys), 2)

    def drop(self):
        """Drops the tokens that have ended."""
        self.ids = []
        self._places = []
        self._queries = []
        if not self.calls:  # otherwise the thread of the model is replacing them
            self._keys = [None] * self.layers
        self._limit()


def _token_bytes(how):
    """Bytes of one token's queries and keys of a layer."""
    return (how.heads + how.kv_heads) * how.width * (4 if how.dtype == torch.float32 else 2)


class _Ring:
    """Writes docs/ring.md. The file is locked while this process lives, and deleted by close."""

    def __init__(self, name, layers, megabytes, token_bytes):
        if name in _names:
            raise OSError(errno.EBUSY, f"the name {name} is in use by this process")
        self._name = name
        self._process = os.getpid()
        self._path = os.path.join(FOLDER, f"headscope-{name}.ring")
        self._slot_bytes = max(1 << 16, 1 << (token_bytes + _SLOT_BYTES - 1).bit_length())
        self._slots = max(2, _size(megabytes) // self._slot_bytes)
        size = _RING_BYTES + self._slots * self._slot_bytes
        started = f"{self._path}.{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(started)  # of a dead process with the same id
        self._file = os.open(started, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _allocate(self._file, size)
            # All pages at once: a page fault for every 4 KiB would slow the first pass down.
            self._map = mmap.mmap(self._file, size, mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0))
            generation = int.from_bytes(os.urandom(8), "little")
            self._map[:_RING.size] = _RING.pack(
                b"HSRG", VERSION, generation, self._slots, self._slot_bytes, layers, os.getpid())
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
            _put_in_place(started, self._path)
        except OSError:
            os.close(self._file)
            os.unlink(started)
            raise
        _names.add(name)
        self._view = memoryview(self._map)
        self._words = self._view.cast("Q")
        self._published = 0
        self._stopped_reader = -1
        self.gpu = None  # _Gpu, whose slots take queries and keys
        self.waits = False  # for readers, as long as they progress

    def report_skipped(self, passes):
        self._words[_SKIPPED] = passes

    def has_room(self, messages):
        """Whether so many messages can be written without a wait for a reader."""
        read = self._words[_READ]
        return not 0 < read < self._published + messages - self._slots or read == self._stopped_reader

    def room(self):
        """Bytes of a slot for a payload."""
        return self._slot_bytes - _SLOT_BYTES

    def require_room(self, how, size):
        if size > self.room():
            raise _Unsupported(f"one token of {how.heads} + {how.kv_heads} heads of width {how.width} does not fit into a slot"
                               f" of {self._slot_bytes} bytes")

    def write_attention(self, text, layer, first, end, q, k, how):
        kind, tail = self.kind(layer, how, q.dtype)
        shape = how.window, how.scale, how.soft_cap, q.shape[1], k.shape[1], q.shape[2], text
        room = self.room() - sum(map(len, tail))
        tokens = room // ((q.shape[1] + k.shape[1]) * q.shape[2] * q.element_size())
        if tokens == 0:
            self.require_room(how, self._slot_bytes)
        q, k = q.contiguous(), k.contiguous()
        q_bytes, k_bytes = _bytes(q), _bytes(k)
        a, b = len(q_bytes) // len(q), len(k_bytes) // len(k)
        for i in range(0, len(q), tokens):
            to = min(i + tokens, len(q))
            self._write(kind, (first + i, to - i, end, *shape), q_bytes[a * i:a * to], k_bytes[b * i:b * to], *tail)

    def write_token(self, text, end, plan, payload):
        """One token of several layers."""
        for kind, shape, first, last, sinks in plan.messages:
            self._write(kind, (end - 1, 1, end, *shape, text), payload[first:last], *sinks)

    @staticmethod
    def kind(layer, how, dtype=None):
        """Fields of a message's kind, and the sinks at its end."""
        tail = () if how.sinks is None else (_bytes(how.sinks),)
        flags = (_CAUSAL if how.causal else 0) | (_SINKS if tail else 0)
        return (_ATTENTION, _DTYPES[dtype or how.dtype], flags, layer), tail

    def write_on_gpu(self, text, layer, first, end, q, k, rows, how):
        """Rows of q and k, which are contiguous, in memory of the GPU; the offer and sinks are written into the slot."""
        (*kind, flags, _), tail = self.kind(layer, how, q.dtype)
        shape = how.window, how.scale, how.soft_cap, q.shape[1], k.shape[1], q.shape[2], text
        widths = [x.shape[1] * x.shape[2] * x.element_size() for x in (q, k)]
        tokens = self._slot_bytes // sum(widths)
        if tokens == 0:
            raise _Unsupported(f"one token of {sum(widths)} bytes does not fit into a slot of {self._slot_bytes} bytes")
        for i in range(0, len(rows), tokens):
            part = rows[i:i + tokens]
            pieces = [
                piece for x, width in zip((q, k), widths) for piece in _pieces(x.data_ptr(), width, part)]
            self._write(
                (*kind, flags | _ON_GPU, layer), (first + i, len(part), end, *shape), struct.pack("<Q", self.gpu.offer), *tail,
                on_gpu=pieces)

    def follow_offer(self, ordinal, obstacle=None):
        """Opens the memory that a reader offers, refuses it, or closes it once it is no longer offered.

        ordinal   of the GPU that holds the tensors; None on a CPU
        obstacle  why no memory of a GPU can be used
        """
        offer = self._words[_OFFER]
        if self.gpu is not None and (offer != self.gpu.offer or not self._has_receiver()):
            self.close_gpu()
        if self.gpu is not None or offer in (0, self._words[_REFUSED]) or not self._has_receiver():
            return
        try:
            if ordinal is None:
                raise _Unsupported("the model's tensors are not on a GPU")
            if obstacle:
                raise _Unsupported(obstacle)
            gpu, size, handle = _OFFERED.unpack_from(self._map, _OFFERED_AT)
            if size < self._slots * self._slot_bytes:
                raise _Unsupported(f"{size} bytes are offered for {self._slots} slots of {self._slot_bytes} bytes")
            # A reader that withdraws its offer frees the memory unless it sees this number: before the memory is opened.
            self._words[_ACCEPTED] = offer
            if self._has_receiver() and self._words[_OFFER] == offer:
                self.gpu = _Gpu(offer, ordinal, gpu, handle)
            else:
                self._words[_ACCEPTED] = 0
        except Exception as failure:  # reported by the reader
            reason = _reason(failure).encode("utf-8", "replace")[:_REASON_BYTES - 1]
            self._map[_REASON_AT:_REASON_AT + _REASON_BYTES] = reason.ljust(_REASON_BYTES, b"\0")
            self._words[_ACCEPTED] = 0
            self._words[_REFUSED] = offer

    def _has_receiver(self):
        """Whether the process that offers GPU memory is alive: it holds a lock on the second byte."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1)
        except OSError:
            return True
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, 1)
        return False

    def close_gpu(self):
        gpu, self.gpu = self.gpu, None
        if gpu is not None:
            gpu.close()
            self._words[_ACCEPTED] = 0

    def write_tokens(self, text, first, ids, name_of):
        end = first + len(ids)
        for i in range(0, len(ids), _TOKENS_A_MESSAGE):
            part = ids[i:i + _TOKENS_A_MESSAGE]
            names = b"".join([name_of(token) + b"\0" for token in part])
            self._write(
                (_TOKENS, 0, 0, 0), (first + i, len(part), end, 0, 0.0, 0.0, 0, 0, 0, text),
                struct.pack(f"<{len(part)}i", *part), names)

    def _write(self, kind, window, *parts, on_gpu=()):
        # Twice for every decoded token, in the model's thread: local names and no call that is not needed.
        view, words, before = self._view, self._words, self._published
        if self.waits and 0 < words[_READ] <= before - self._slots:
            self._wait_for_reader()
        number = before + 1
        at = _RING_BYTES + before % self._slots * self._slot_bytes
        sequence = (at + _SEQUENCE) // 8
        words[sequence] = 0
        begin = to = at + _SLOT_BYTES
        for part in parts:
            start, to = to, to + len(part)
            view[start:to] = part
        if on_gpu:
            self.gpu.write(before % self._slots * self._slot_bytes, on_gpu)
        header = _SLOT.pack(b"HS", VERSION, *kind, number, time.time_ns(), to - begin, 0, *window)
        checksum = zlib.crc32(view[begin:to], zlib.crc32(header))
        view[at:at + _SEQUENCE] = header[:_SEQUENCE]
        view[at + _SEQUENCE + 8:begin] = header[_SEQUENCE + 8:]
        struct.pack_into("<I", view, at + _CHECKSUM, checksum)
        words[sequence] = number
        words[_PUBLISHED] = self._published = number

    def _wait_for_reader(self):
        """Waits before an unread message would be overwritten, as long as a reader progresses."""
        read = self._words[_READ]
        since = time.monotonic_ns()
        while 0 < read <= self._published - self._slots and read != self._stopped_reader:
            time.sleep(0.001)
            now = self._words[_READ]
            if now != read:
                read, since = now, time.monotonic_ns()
            elif time.monotonic_ns() - since > _NANOS_OF_A_READER:
                self._stopped_reader = read

    def close(self):
        """Throws nothing. The file is deleted, unless this is a copy of its process."""
        if os.getpid() == self._process:
            _names.discard(self._name)
            with contextlib.suppress(OSError):
                os.unlink(self._path)
        with contextlib.suppress(Exception):
            self.close_gpu()
        with contextlib.suppress(Exception):  # another thread may be writing
            self._words.release()
            self._view.release()
            self._map.close()
        os.close(self._file)


def _size(megabytes):
    """Bytes of a ring's slots."""
    if megabytes is not None:
        return int(megabytes * (1 << 20))
    free = os.statvfs(FOLDER)
    return min(256 << 20, free.f_bavail * free.f_frsize // 2)


def _allocate(file, size):
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as failure:
        raise OSError(failure.errno, f"{FOLDER}: no room for a ring of {-(-size >> 20)} MiB ({failure.strerror}); free some,"
                      " or choose a smaller ring: tap(..., megabytes=N)")


def _put_in_place(started, path):
    """Renames a new ring to its name, in place of that of a dead producer; fails if the producer lives."""
    while True:
        try:
            os.link(started, path)  # fails if there is a file
            os.unlink(started)
            return
        except FileExistsError:
            pass
        try:
            old = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            _lock(old, path)
            if os.stat(path).st_ino == os.fstat(old).st_ino:  # otherwise another producer was faster
                os.rename(started, path)
                return
        except FileNotFoundError:
            pass
        finally:
            os.close(old)


def _lock(file, path):
    for _ in range(20):
        try:
            return fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
        except OSError:
            time.sleep(0.005)  # a reader that looks for the producer holds the lock for a moment
    header = os.pread(file, _RING.size, 0)
    owner = f" by process {_RING.unpack(header)[6]}" if len(header) == _RING.size else ""
    raise OSError(errno.EBUSY, f"{path}: the name is in use{owner}; end it, or choose another name")


class _Background:
    """Copies tensors into pinned memory, and hands them over once the copies are complete, in order.

    Jobs run in a thread of their own, or in the model's if that takes less of its time than a change of threads.
    """

    def __init__(self, device, megabytes, between):
        """
        between  called in the thread before its jobs and ten times a second with False, at last with True
        """
        self._between = between
        on_gpu = device.type == "cuda"
        self.device = device
        self.size = int(megabytes * (1 << 20))
        self._memory = torch.empty(self.size, dtype=torch.uint8, pin_memory=on_gpu)
        self._stream = torch.cuda.Stream(device) if on_gpu else None
        # Memory is taken and given back in order. Both counters only grow; modulo the size they are offsets.
        self._taken = 0
        self._given_back = 0
        self._jobs = collections.deque()
        self._turn = threading.Lock()  # held by the thread that runs jobs
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="headscope_tap", daemon=True)
        self._thread.start()

    def submit(self, tensors, job, stays=False, small=False):
        """Runs job(*copies) once the copies are made; returns False if there is no room for them.

        stays  whether the job takes the first tensor itself
        small  whether the copies take less time than a change of streams, and the job waits for hand_over, at most for 0.1 s
        """
        if not self._jobs:  # from the start again: pages that were used are faster than new ones
            self._given_back = self._taken = -(-self._taken // self.size) * self.size
        places = []
        taken = self._taken
        for tensor in tensors:
            size = -(-tensor.numel() * tensor.element_size() // 64) * 64
            start = taken % self.size
            if start + size > self.size:
                taken += self.size - start
                start = 0
            taken += size
            places.append(start)
        if taken - self._given_back > self.size:
            return False
        copies = [self._place(start, tensor) for start, tensor in zip(places, tensors)]
        if stays:
            copies[0] = tensors[0]
        self._taken = taken
        self._jobs.append((self._copy(copies, tensors, small), job, copies, taken, small))
        if not small:
            self._wanted.set()
        return True

    def _place(self, start, tensor):
        size = tensor.numel() * tensor.element_size()
        return self._memory[start:start + size].view(tensor.dtype).view(tensor.shape)

    def _copy(self, copies, tensors, small):
        if self._stream is None:
            for place, tensor in zip(copies, tensors):
                if place is not tensor:
                    place.copy_(tensor)
            return None
        own = torch.cuda.current_stream(self._stream.device)
        if small:
            for place, tensor in zip(copies, tensors):
                place.copy_(tensor, non_blocking=True)
            return own.record_event()
        self._stream.wait_stream(own)
        with torch.cuda.stream(self._stream):
            for place, tensor in zip(copies, tensors):
                if place is not tensor:
                    place.copy_(tensor, non_blocking=True)
                    tensor.record_stream(self._stream)
            return self._stream.record_event()

    def has_jobs(self):
        return bool(self._jobs)

    def hand_over(self, may):
        """Runs small jobs in the calling thread: those whose copies are complete, as long as may() allows it."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            while self._jobs:
                event, *_, small = self._jobs[0]
                if not small or event is not None and not event.query():
                    return
                if not may():
                    self._wanted.set()
                    return
                self._run_next()
        finally:
            self._turn.release()

    def _run_next(self):
        event, job, copies, taken, _ = self._jobs[0]
        if event is not None:
            event.synchronize()
        job(*copies)
        self._given_back = taken  # first: without jobs it is written by submit
        self._jobs.popleft()

    def _run(self):
        if self._stream is not None:
            _allow_captures()
        while True:
            self._wanted.wait(0.1)
            self._wanted.clear()
            ends = self._closing
            with self._turn:
                self._between(False)
                while self._jobs:
                    self._run_next()
                    self._between(False)
                if ends:
                    self._between(True)
                    return

    def close(self):
        """Returns when everything has been handed over."""
        self._closing = True
        self._wanted.set()
        self._thread.join()


def _allow_captures():
    """Keeps what the calling thread asks of the GPU from breaking a CUDA graph that another thread is capturing."""
    with contextlib.suppress(Exception):
        relaxed = ctypes.c_int(2)  # CU_STREAM_CAPTURE_MODE_RELAXED
        ctypes.CDLL("libcuda.so.1").cuThreadExchangeStreamCaptureMode(ctypes.byref(relaxed))


class _Gpu:
    """Memory of a GPU that Headscope has allocated, opened through NVIDIA's driver. Used by one thread.

    of_reader  UUID of the GPU
    """

    def __init__(self, offer, ordinal, of_reader, handle):
        self.offer = offer
        self._driver = ctypes.CDLL("libcuda.so.1")
        self._device, self._context, self._memory, self._stream, self._event = (
            ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p())
        self._call("cuInit", 0)
        self._call("cuDeviceGet", ctypes.byref(self._device), ordinal)
        own = (ctypes.c_ubyte * 16)()
        self._call("cuDeviceGetUuid_v2", own, self._device)
        if bytes(own) != of_reader:
            raise _Unsupported("the model is on GPU-{}, Headscope on GPU-{}".format(
                *(uuid.UUID(bytes=one) for one in (bytes(own), of_reader))))
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(self._context), self._device)
        try:
            self._call("cuCtxSetCurrent", self._context)
            peer_access = 1  # CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS, the only flag and required
            self._call(
                "cuIpcOpenMemHandle_v2", ctypes.byref(self._memory), _IpcHandle.from_buffer_copy(handle), peer_access)
            self._call("cuStreamCreate", ctypes.byref(self._stream), 1)  # CU_STREAM_NON_BLOCKING
            self._call("cuEventCreate", ctypes.byref(self._event), 2)  # CU_EVENT_DISABLE_TIMING
        except Exception:
            self._driver.cuDevicePrimaryCtxRelease_v2(self._device)
            raise

    def _call(self, function, *arguments):
        status = getattr(self._driver, function)(*arguments)
        if status:
            name = ctypes.c_char_p()
            self._driver.cuGetErrorName(status, ctypes.byref(name))
            raise _Unsupported(f"{function}: {(name.value or str(status).encode()).decode()}")

    def write(self, at, pieces):
        """Copies pieces (address, bytes) of the GPU's memory one after the other; returns when the copies are complete."""
        for address, size in pieces:
            self._call(
                "cuMemcpyDtoDAsync_v2", ctypes.c_void_p(self._memory.value + at), ctypes.c_void_p(address),
                ctypes.c_size_t(size), self._stream)
            at += size
        self._call("cuEventRecord", self._event, self._stream)
        self._call("cuEventSynchronize", self._event)

    def close(self):
        self._call("cuIpcCloseMemHandle", self._memory)
        self._call("cuEventDestroy_v2", self._event)
        self._call("cuStreamDestroy_v2", self._stream)
        self._call("cuDevicePrimaryCtxRelease_v2", self._device)


class _IpcHandle(ctypes.Structure):
    _fields_ = [("reserved", ctypes.c_ubyte * 64)]


def _pieces(address, width, rows):
    """(address, bytes) of rows; those that follow each other are one piece."""
    pieces = []
    for row in rows:
        start = address + row * width
        if pieces and sum(pieces[-1]) == start:
            pieces[-1] = pieces[-1][0], pieces[-1][1] + width
        else:
            pieces.append((start, width))
    return pieces


class _Captured:
    """Queries and keys of one text."""

    def __init__(self, name_of):
        self._name_of = name_of  # token id -> UTF-8, empty without a tokenizer
        self.layers = {}  # layer -> (how, queries, keys), lists of [tokens, heads, head_dim]
        self.tokens = {}  # layer -> how many it has
        self.ids = []

    def add_tokens(self, first, ids):
        if first == 0:
            self.ids.clear()
        self.ids += ids

    def add(self, layer, first, q, k, how):
        if first == 0:
            if layer == 0:
                self.layers.clear()
            self.layers[layer] = how, [], []
            self.tokens[layer] = 0
        if layer not in self.layers or self.tokens[layer] != first:
            raise _Unsupported("the text was not captured from its first token")
        self.tokens[layer] += len(q)
        _, queries, keys = self.layers[layer]
        queries.append(q.clone())
        keys.append(k.clone())

    def save(self, file, label):
        layers = sorted(self.layers)
        if layers != list(range(len(layers))) or len({sum(map(len, queries)) for _, queries, _ in self.layers.values()}) > 1:
            raise RuntimeError(
                f"layers {layers} were captured; they must be 0, 1, ... without a gap, with equal numbers of tokens")
        hows = [self.layers[layer][0] for layer in layers]
        tensors = {
            "positions": torch.arange(sum(map(len, self.layers[0][1]))),
            "scale": torch.tensor([how.scale for how in hows]),
            "causal": torch.tensor([how.causal for how in hows], dtype=torch.int32),
            "window": torch.tensor([how.window for how in hows], dtype=torch.int32),
            "soft_cap": torch.tensor([how.soft_cap for how in hows]),
        }
        for layer in layers:
            how, queries, keys = self.layers[layer]
            tensors[f"query.{layer}"] = torch.cat(queries)
            tensors[f"key.{layer}"] = torch.cat(keys)
            if how.sinks is not None:
                tensors[f"sinks.{layer}"] = how.sinks
        metadata = {"format": "headscope-captured", "version": str(_CAPTURED_VERSION)}
        if len(self.ids) == len(tensors["positions"]):
            tensors = {"ids": torch.tensor(self.ids), **tensors}
            names = [self._name_of(token).decode() for token in self.ids]
            if any(names):
                metadata["tokens"] = "".join(name + "\0" for name in names)
        if label is not None:
            metadata["label"] = str(label)
        _write_safetensors(file, tensors, metadata)


def _write_safetensors(file, tensors, metadata):
    """Writes a file at once: a kill leaves the old file or the new one."""
    header, at = {"__metadata__": metadata}, 0
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": _SAFETENSORS[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    partial = f"{os.fspath(file)}.partial-{os.getpid()}"
    try:
        with open(partial, "wb") as out:
            out.write(struct.pack("<Q", len(text)) + text)
            for tensor in tensors.values():
                out.write(_bytes(tensor))
        os.replace(partial, file)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)
