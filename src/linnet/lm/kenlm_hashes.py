"""The hashes of n-grams in KenLM's tables, and the search for the pairs of shorter n-grams that give them.

The hash of w1 … wn is an exclusive or of two numbers: one of w2 … wn, one of w1 (`ending_parts` and
`first_word_parts`). Most pairs are told apart by a map of the lowest bits that are in use. The parts are
grouped by the upper ones of these bits, so that two groups need a piece of the map that a fast cache holds.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array

Hashes64 = NDArray[np.uint64]
Hits = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]  # rows, columns, places of the hashes

_ENDING_FACTOR, _WORD_FACTOR = np.uint64(8978948897894561157), np.uint64(17894857484156487943)
_MAP_BITS_ABOVE, _MAX_MAP_BITS = 5, 30  # both maps have 32 to 64 bytes for each hash, up to 1 GiB
_FAR_SHIFT = np.uint64(_MAX_MAP_BITS + 2)
_PIECE_BITS = 18  # of the map, in bytes
_GROUP_BITS = 7  # groups have at least so many members
_BLOCK = 256  # so many rows and columns, at most, are tried at once


def ending_parts(hashes: Hashes64) -> Hashes64:
    """Return what n-grams w2 … wn of these hashes give to the hash of w1 … wn."""
    return hashes * _ENDING_FACTOR


def first_word_parts(words: Array) -> Hashes64:
    """Return what w1 gives to the hash of w1 … wn."""
    return (words.astype(np.uint64) + np.uint64(1)) * _WORD_FACTOR


class _Group(NamedTuple):
    """Parts that have the upper bits of a place in the map in common: where they are, and its other bits."""

    places: NDArray[np.int64]
    parts: Hashes64
    bits: NDArray[np.int64]


class HashSet:
    """Hashes in ascending order, and the pairs that make them."""

    def __init__(self, hashes: Hashes64) -> None:
        """Map hashes, which are in ascending order."""
        self._hashes = hashes
        self._bits = min(len(hashes).bit_length() + _MAP_BITS_ABOVE, _MAX_MAP_BITS)
        self._mask = np.uint64((1 << self._bits) - 1)
        self._near = np.zeros(1 << self._bits, bool)
        self._near[hashes & self._mask] = True
        self._far = np.zeros(1 << self._bits, bool)
        self._far[hashes >> _FAR_SHIFT & self._mask] = True

    def in_ranges(
        self, rows: Hashes64, columns: Hashes64, starts: NDArray[np.int64], counts: NDArray[np.int64]
    ) -> Hits:
        """Try each row with its own range of columns, all at once."""
        row = np.repeat(np.arange(len(rows)), counts)
        offsets = starts - (np.cumsum(counts) - counts)
        column = np.arange(len(row)) + np.repeat(offsets, counts)
        hashes = rows[row] ^ columns[column]
        likely = np.flatnonzero(self._near.take((hashes & self._mask).view(np.int64)))
        return self._verified(row[likely], column[likely], hashes[likely])

    def in_all(self, rows: Hashes64, columns: Hashes64) -> Iterator[tuple[int, Hits]]:
        """Try each row with each column; yields how many pairs were tried, and hits."""
        shorter = min(len(rows), len(columns))
        cut = max(0, min(shorter.bit_length() - 1 - _GROUP_BITS, self._bits - _PIECE_BITS))
        row_groups, column_groups = self._grouped(rows, cut), self._grouped(columns, cut)
        for number, piece in enumerate(self._near.reshape(1 << cut, -1)):
            tried, hits = 0, []
            for left, some_rows in enumerate(row_groups):
                some_columns = column_groups[left ^ number]
                for i, j in _likely(piece, some_rows.bits, some_columns.bits):
                    hashes = some_rows.parts[i] ^ some_columns.parts[j]
                    hits.append(self._verified(some_rows.places[i], some_columns.places[j], hashes))
                tried += len(some_rows.places) * len(some_columns.places)
            yield tried, joined(hits)

    def _grouped(self, parts: Hashes64, cut: int) -> list[_Group]:
        """Group parts by the upper `cut` bits of a place in the map."""
        bits = (parts & self._mask).view(np.int64)
        order = np.argsort(bits)
        width = self._bits - cut
        bounds = np.searchsorted(bits[order] >> width, np.arange(1, 1 << cut))
        inner = (1 << width) - 1
        return [_Group(places, parts[places], bits[places] & inner) for places in np.split(order, bounds)]

    def _verified(self, rows: NDArray[np.int64], columns: NDArray[np.int64], hashes: Hashes64) -> Hits:
        """Keep those pairs whose hash is there."""
        likely = np.flatnonzero(self._far.take((hashes >> _FAR_SHIFT & self._mask).view(np.int64)))
        if not len(likely):
            return likely, likely, likely
        hashes = hashes[likely]
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        is_there = self._hashes[places] == hashes
        likely = likely[is_there]
        return rows[likely], columns[likely], places[is_there]


def joined(hits: list[Hits]) -> Hits:
    """Make one of several."""
    if not hits:
        return (np.zeros(0, np.int64),) * 3
    rows, columns, places = (np.concatenate(parts) for parts in zip(*hits, strict=True))
    return rows, columns, places


def _likely(
    piece: NDArray[np.bool_], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs, as places of rows and of columns, that the piece of the map has, block by block."""
    for top, some_rows in _blocks(rows):
        for start, some_columns in _blocks(columns):
            likely = np.flatnonzero(piece.take(some_rows[:, None] ^ some_columns))
            if len(likely):
                row, column = np.divmod(likely, len(some_columns))
                yield row + top, column + start


def _blocks(values: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    size = -(-len(values) // -(-len(values) // _BLOCK)) if len(values) else 1  # of about equal sizes
    for start in range(0, len(values), size):
        yield start, values[start : start + size]
