"""Stand-in for the registries of transformers >= 4.53, with the documented names and signatures. Debian has no transformers."""

from collections.abc import MutableMapping


class _Interface(MutableMapping):
    """A mapping that all instances of a class share, with changes of one instance."""

    def __init__(self):
        self._local_mapping = {}

    def __getitem__(self, key):
        return self._local_mapping[key] if key in self._local_mapping else self._global_mapping[key]

    def __setitem__(self, key, value):
        self._local_mapping[key] = value

    def __delitem__(self, key):
        del self._local_mapping[key]

    def __iter__(self):
        return iter({**self._global_mapping, **self._local_mapping})

    def __len__(self):
        return len(self._global_mapping.keys() | self._local_mapping.keys())

    @classmethod
    def register(cls, key, value):
        cls._global_mapping[key] = value


class AttentionInterface(_Interface):
    """name -> f(module, query, key, value, attention_mask, **named) -> (output [batch, queries, heads, head_dim], weights)"""

    _global_mapping = {}


class AttentionMaskInterface(_Interface):
    """name -> f(batch_size, q_length, kv_length, q_offset, attention_mask=[batch, keys], ...) -> mask or None"""

    _global_mapping = {}
