"""Sorting of more rows than memory holds: sorted runs on disk, then one merge of all of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array

Rows = Array  # (n,) structured, with a field "key" of shape (m,) uint32, the most significant number first

_MIN_BLOCK_ROWS = 1 << 10


def sort_order(key: NDArray[np.uint32]) -> NDArray[np.intp]:
    """Return what sorts rows by their numbers, the first number first.

    Numbers are packed into 64 bits as long as they fit; then the packed values give way to their ranks.

    Args:
        key: (n, m), fewer than 2^32 rows.
    """
    packed, num_bits = np.zeros(len(key), np.uint64), 0
    for column in key.T:
        width = int(column.max(initial=0)).bit_length()
        if num_bits + width > 64:
            packed = _ranks(packed)
            num_bits = int(packed.max(initial=0)).bit_length()
        packed = (packed << np.uint64(width)) | column
        num_bits += width
    return np.argsort(packed)


def _ranks(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    order = np.argsort(values)
    ordered = values[order]
    ranks = np.empty_like(values)
    ranks[order] = np.cumsum(np.concatenate(([False], ordered[1:] != ordered[:-1])), dtype=np.uint64)
    return ranks


def starts_of_groups(key: NDArray[np.uint32]) -> NDArray[np.intp]:
    """Return where a row (n, m) differs from the one before; the first row does."""
    differs = np.ones(len(key), bool)
    differs[1:] = (key[1:] != key[:-1]).any(axis=1)
    return np.flatnonzero(differs)


def whole_groups(blocks: Iterator[Rows]) -> Iterator[Rows]:
    """Cut sorted blocks anew, so that rows with the same key stay together."""
    kept: Rows | None = None
    for block in blocks:
        rows = block if kept is None else np.concatenate((kept, block))
        last = starts_of_groups(rows["key"])[-1]
        if last:
            yield rows[:last]
        kept = rows[last:]
    if kept is not None:
        yield kept


class ExternalSorter:
    """Takes rows in any order and gives them back sorted by their key.

    Args:
        dtype: of the rows, with the field "key".
        folder: where runs are kept; files named "run-*" there are its own.
        memory_bytes: about what it may use.
        combine: makes of sorted rows fewer, when rows with the same key can be told in one.
    """

    def __init__(
        self, dtype: np.dtype, folder: Path, memory_bytes: int, combine: Callable[[Rows], Rows] | None = None
    ) -> None:
        self._dtype, self._folder, self._combine = dtype, folder, combine
        # What one row takes while it is sorted: itself in three copies, and five numbers of eight bytes.
        self._max_rows = max(_MIN_BLOCK_ROWS, memory_bytes // (3 * dtype.itemsize + 40))
        self._buffer: list[Rows] = []
        self._num_buffered = 0
        self._runs: list[Path] = []

    def add(self, rows: Rows) -> None:
        """Take rows."""
        self._buffer.append(rows)
        self._num_buffered += len(rows)
        if self._num_buffered >= self._max_rows:
            run = self._sorted_buffer()
            if len(run) > self._max_rows // 2:
                self._spill(run)
            else:
                self._buffer, self._num_buffered = [run], len(run)

    def blocks(self) -> Iterator[Rows]:
        """Yield all rows, sorted, in blocks; call it once."""
        last = self._sorted_buffer()
        if not self._runs:
            for start in range(0, len(last), block_rows := max(_MIN_BLOCK_ROWS, self._max_rows // 8)):
                yield last[start : start + block_rows]
            return
        self._spill(last)
        del last
        yield from self._merged()

    def _sorted_buffer(self) -> Rows:
        rows = np.concatenate(self._buffer) if self._buffer else np.empty(0, self._dtype)
        self._buffer, self._num_buffered = [], 0
        return self._sort(rows)

    def _sort(self, rows: Rows) -> Rows:
        rows = rows[sort_order(rows["key"])]
        return self._combine(rows) if self._combine else rows

    def _spill(self, rows: Rows) -> None:
        path = self._folder / f"run-{len(self._runs)}"
        rows.tofile(path)
        self._runs.append(path)

    def _merged(self) -> Iterator[Rows]:
        block_rows = max(_MIN_BLOCK_ROWS, self._max_rows // (2 * len(self._runs)))
        runs = [_Run(path, self._dtype, block_rows) for path in self._runs]
        while runs := [run for run in runs if run.fill()]:
            unfinished = [run.last_key() for run in runs if not run.is_at_end]
            bound = min(unfinished) if unfinished else None
            yield self._sort(np.concatenate([run.take(bound) for run in runs]))


class _Run:
    """A sorted file that is read block by block."""

    def __init__(self, path: Path, dtype: np.dtype, block_rows: int) -> None:
        self._path, self._dtype, self._block_rows = path, dtype, block_rows
        self._rows = np.empty(0, dtype)
        self._num_read, self._num_rows = 0, path.stat().st_size // dtype.itemsize

    @property
    def is_at_end(self) -> bool:
        return self._num_read == self._num_rows

    def fill(self) -> bool:
        """Read on when nothing is left of the last block; False at the end, where the file goes."""
        if not len(self._rows) and not self.is_at_end:
            offset = self._num_read * self._dtype.itemsize
            self._rows = np.fromfile(self._path, self._dtype, self._block_rows, offset=offset)
            self._num_read += len(self._rows)
        if not len(self._rows):
            self._path.unlink()
        return len(self._rows) > 0

    def last_key(self) -> tuple[int, ...]:
        return tuple(self._rows["key"][-1].tolist())

    def take(self, bound: tuple[int, ...] | None) -> Rows:
        """Take the rows whose keys are at most `bound`."""
        keys, low, high = self._rows["key"], 0, len(self._rows)
        while bound is not None and low < high:
            middle = (low + high) // 2
            if tuple(keys[middle].tolist()) <= bound:
                low = middle + 1
            else:
                high = middle
        taken, self._rows = self._rows[:high], self._rows[high:]
        return taken
