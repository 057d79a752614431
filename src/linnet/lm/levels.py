"""An n-gram model in arrays: each n-gram hangs from the one without its first word."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array

Progress = Callable[
    [str, int, int], None
]  # what is being done, how much of it is done, of how much (0: unknown)
Unit = Literal["word", "char", "piece"]

PART_ROWS = 1 << 20
NO_EXTENSION = np.float32(-0.0)  # the back-off of what no longer n-gram begins with


@dataclass(frozen=True, slots=True)
class Level:
    """The n-grams of one order, sorted by `parent`, then `first`; all arrays are (n,).

    Attributes:
        first: uint32, the first word. Those of order 1 are all words in the order of their numbers.
        parent: uint32, the place of the n-gram without its first word in the level below; 0 in order 1.
        log10_probs: float32, of the last word after the others.
        log10_backoffs: float32, `NO_EXTENSION` where the n-gram begins no longer one; empty in the highest
            order.
    """

    first: Array
    parent: Array
    log10_probs: Array
    log10_backoffs: Array

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True, slots=True)
class NgramModel:
    """A whole model in arrays.

    Attributes:
        words: the words by their numbers, `SPECIAL_WORDS` first.
        levels: one for each order.
        unit: what the words are: words, letters, or pieces of a tokenizer.
    """

    words: Sequence[bytes]
    levels: Sequence[Level]
    unit: Unit = "word"

    @property
    def order(self) -> int:
        """The number of words in the longest n-grams."""
        return len(self.levels)


def spell_out(levels: Sequence[Level]) -> list[NDArray[np.uint32]]:
    """Return the words (n, order) of the n-grams of each level, from the first to the last."""
    spelled = [np.asarray(levels[0].first)[:, None]]
    for level in levels[1:]:
        spelled.append(np.column_stack((level.first, spelled[-1][level.parent])))
    return spelled


def file_array(path: Path, dtype: type, length: int) -> Array:
    """Make an array of zeros that lies in a file."""
    return np.memmap(path, dtype, "w+", shape=(length,)) if length else np.empty(0, dtype)


def parts(length: int) -> Iterator[slice]:
    """Cut a length into slices that fit into memory."""
    for start in range(0, length, PART_ROWS):
        yield slice(start, min(length, start + PART_ROWS))


def ordinals(levels: Sequence[Level], words: Array) -> NDArray[np.int64]:
    """Return the places of n-grams in the level of their order, -1 for those that are not there.

    Args:
        levels: those up to the order of the n-grams at least.
        words: (n, order) from the first to the last.
    """
    found = words[:, -1].astype(np.int64)
    for place in range(words.shape[1] - 2, -1, -1):
        level = levels[words.shape[1] - 1 - place]
        if not len(level):
            return np.full(len(words), -1)
        keys = pack(level.parent, level.first)
        sought = pack(np.maximum(found, 0), words[:, place])
        at = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
        found = np.where((found >= 0) & (keys[at] == sought), at, -1)
    return found


def pack(high: Array, low: Array) -> NDArray[np.uint64]:
    """Return high · 2^32 + low."""
    return (np.asarray(high).astype(np.uint64) << np.uint64(32)) | np.asarray(low).astype(np.uint64)


def no_progress(what: str, done: int, total: int) -> None:
    """Tell nobody of the work."""
