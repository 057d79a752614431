"""STOPGAP until the packed format is here: n-gram scores in compiled code."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class NgramTables(NamedTuple):
    keys: NDArray[np.int64]
    logs: NDArray[np.float64]
    backoffs: NDArray[np.float64]
    order: int
    unknown: int
    start: int
    end: int


@njit(cache=True, nogil=True)
def hashed(key, word):
    value = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(word + 1)
    value ^= value >> np.uint64(29)
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= value >> np.uint64(32)
    return np.int64(value | np.uint64(1))


@njit(cache=True, nogil=True)
def find(tables, key):
    mask = len(tables.keys) - 1
    place = key & mask
    while tables.keys[place] != 0:
        if tables.keys[place] == key:
            return place
        place = (place + 1) & mask
    return -1


@njit(cache=True, nogil=True)
def score(tables, context, context_length, word):
    """log p(word | context), context[0] the latest word."""
    best = find(tables, hashed(0, word))
    value = tables.logs[best] if best >= 0 else -23.0
    matched = 0
    for length in range(1, context_length + 1):
        key = hashed(0, word)
        for i in range(length):
            key = hashed(key, context[i])
        place = find(tables, key)
        if place < 0:
            break
        value = tables.logs[place]
        matched = length
    for length in range(matched + 1, context_length + 1):
        key = hashed(0, context[0])
        for i in range(1, length):
            key = hashed(key, context[i])
        place = find(tables, key)
        if place < 0:
            break
        value += tables.backoffs[place]
    return value


@njit(cache=True, nogil=True)
def advance(context, context_length, word, out):
    """Put `word` before the context; gives the new length."""
    size = len(out)
    length = min(context_length + 1, size)
    for i in range(length - 1, 0, -1):
        out[i] = context[i - 1]
    if size:
        out[0] = word
    return length
