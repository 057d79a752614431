"""Adjusted counts of all n-grams of a text (Chen & Goodman 1998, section 3; Heafield et al. 2013).

The n-grams of the highest order are counted by an external sort. They come in suffix order, that is compared
from the last word to the first, so that all n-grams with a common ending stand together: one pass over them
gives the adjusted counts of the lower orders, which are the numbers of different words before each.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.lm.external_sort import ExternalSorter, Rows, starts_of_groups
from linnet.lm.sentences import Numbers, Sentences
from linnet.lm.vocabulary import BOS, EOS

# An n-gram is the word it begins with and the n-gram of all its other words, by its place among those.
# A count below zero is that of an n-gram that counts but is pruned.
GRAM = np.dtype([("first", "<u4"), ("parent", "<u4"), ("count", "<i8")])


def count_ngrams(batches: Iterable[Sentences], order: int, folder: Path, memory_bytes: int) -> Iterator[Rows]:
    """Yield the different n-grams of the highest order in suffix order.

    Returns:
        blocks of rows: "key", the n words from the last to the first, and "count". Sentences begin with as
        many `BOS` as the first word needs.
    """
    dtype = np.dtype([("key", "<u4", (order,)), ("count", "<i8")])
    sorter = ExternalSorter(dtype, folder, memory_bytes, _add_up)
    for batch in batches:
        rows = np.empty(len(batch.words), dtype)
        for distance in range(order):
            rows["key"][:, distance] = batch.before(distance, beyond=BOS)
        rows["count"] = 1
        sorter.add(rows)
    return sorter.blocks()


def _add_up(rows: Rows) -> Rows:
    starts = starts_of_groups(rows["key"])
    summed = rows[starts]
    if len(starts):
        summed["count"] = np.add.reduceat(rows["count"], starts)
    return summed


@dataclass(slots=True)
class OrderCounts:
    """The n-grams of one order.

    Attributes:
        path: a file of `GRAM` in suffix order.
        num_grams: how many.
        num_kept: how many are not pruned.
        counts_of_counts: how many have the adjusted count 1, 2, 3 and 4, at these places.
    """

    path: Path
    num_grams: int = 0
    num_kept: int = 0
    counts_of_counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(5, np.int64))

    def append(self, grams: Rows) -> None:
        """Write n-grams to the end of the file."""
        with self.path.open("ab") as file:
            grams.tofile(file)
        self.num_grams += len(grams)
        self.num_kept += int((grams["count"] >= 0).sum())

    def note(self, counts: Numbers) -> None:
        """Add to the counts of counts."""
        self.counts_of_counts += np.bincount(counts[(counts > 0) & (counts < 5)], minlength=5)


def adjust_counts(
    blocks: Iterable[Rows],
    prune: Sequence[int],
    excluded: NDArray[np.bool_] | None,
    folder: Path,
    *,
    raw: bool = False,
) -> list[OrderCounts]:
    """Write the adjusted counts of every order.

    Args:
        blocks: as `count_ngrams` gives them.
        prune: for each order the count up to which an n-gram is pruned. As in lmplz this is how often it
            stands in the text, not the adjusted count.
        excluded: for each word whether n-grams with it are pruned.
        folder: where the files are written.
        raw: write how often n-grams occur in place of adjusted counts.
    """
    adjusting = _Adjusting(prune, excluded, folder, raw=raw)
    for block in blocks:
        adjusting.add(block["key"], block["count"])
    return adjusting.finish()


class _Adjusting:
    def __init__(
        self, prune: Sequence[int], excluded: NDArray[np.bool_] | None, folder: Path, *, raw: bool
    ) -> None:
        self._order, self._excluded = len(prune), excluded
        self._orders = [OrderCounts(folder / f"counts-{n}") for n in range(1, len(prune) + 1)]
        self._endings = [
            _Endings(counts, threshold, last_special=EOS if n == 1 else -1, raw=raw)
            for n, (counts, threshold) in enumerate(zip(self._orders, prune, strict=True), start=1)
        ]
        self._before: NDArray[np.uint32] | None = None
        unigrams = np.zeros(EOS, GRAM)  # <unk> and <s>, which no n-gram of a text ends with
        unigrams["first"] = range(EOS)
        self._orders[0].append(unigrams)
        self._started = [EOS] + [0] * (self._order - 1)

    def add(self, words: NDArray[np.uint32], counts: Numbers) -> None:
        """Add n-grams: (n, order) words from the last to the first, and (n,) counts."""
        new = self._where_new(words)
        excluded = np.zeros(len(words), bool)
        parents = np.zeros(len(words), np.int64)
        for place in range(self._order):
            # Beyond a <s> at the start there is only filling.
            real = words[:, place - 1] != BOS if place else np.ones(len(words), bool)
            is_longest = place + 1 == self._order
            extends = None if is_longest else new[:, place + 1] & (words[:, place] != BOS)
            if self._excluded is not None:
                excluded |= self._excluded[words[:, place]]
            started = np.cumsum(new[:, place] & real) + self._started[place]
            groups = np.flatnonzero(new[:, place])
            if not len(groups) or groups[0]:
                groups = np.concatenate(([0], groups))
            found = _Groups(
                first=words[groups, place],
                parent=parents[groups],
                extensions=_sums(counts if extends is None else extends, groups),
                occurrences=_sums(counts, groups),
                excluded=excluded[groups],
                real=real[groups],
            )
            self._endings[place].add(found, goes_on=not new[0, place])
            parents = started - 1
            self._started[place] = int(started[-1])
        self._before = words[-1]

    def _where_new(self, words: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Tell for each number of words whether an ending of that many begins here."""
        differs = np.ones(words.shape, bool)
        differs[1:] = words[1:] != words[:-1]
        if self._before is not None:
            differs[0] = words[0] != self._before
        return np.logical_or.accumulate(differs, axis=1)

    def finish(self) -> list[OrderCounts]:
        for endings in self._endings:
            endings.finish()
        return self._orders


@dataclass(frozen=True, slots=True)
class _Groups:
    """N-grams of the highest order, summed by their common endings.

    Attributes:
        first: the first word of the ending.
        parent: the place of the ending without it.
        extensions: how many different words stand before the ending.
        occurrences: how often it occurs.
        excluded: whether it holds an excluded word.
        real: whether it is an n-gram of the text, with no <s> but at its start.
    """

    first: NDArray[np.uint32]
    parent: Numbers
    extensions: Numbers
    occurrences: Numbers
    excluded: NDArray[np.bool_]
    real: NDArray[np.bool_]

    def cut(self, part: slice) -> "_Groups":
        return _Groups(*(getattr(self, name)[part].copy() for name in self.__slots__))


def _sums(values: NDArray[np.int64] | NDArray[np.bool_], starts: NDArray[np.intp]) -> Numbers:
    return np.add.reduceat(values.astype(np.int64), starts)


class _Endings:
    """Collects the endings of one length; the last one waits, for the next block may go on with it."""

    def __init__(self, counts: OrderCounts, threshold: int, last_special: int, *, raw: bool) -> None:
        self._counts, self._threshold, self._last_special = counts, threshold, last_special
        self._raw = raw
        self._waiting: _Groups | None = None

    def add(self, groups: _Groups, goes_on: bool) -> None:
        if goes_on and self._waiting is not None:
            self._waiting.extensions[0] += groups.extensions[0]
            self._waiting.occurrences[0] += groups.occurrences[0]
            groups = groups.cut(slice(1, None))
        if not len(groups.first):
            return
        if self._waiting is not None:
            self._write(self._waiting)
        self._write(groups.cut(slice(None, -1)))
        self._waiting = groups.cut(slice(-1, None))

    def _write(self, groups: _Groups, *, is_last: bool = False) -> None:
        grams = np.empty(int(groups.real.sum()), GRAM)
        occurrences = groups.occurrences[groups.real]
        for name in ("first", "parent"):
            grams[name] = getattr(groups, name)[groups.real]
        counts = np.where(self._raw | (grams["first"] == BOS), occurrences, groups.extensions[groups.real])
        pruned = (occurrences <= self._threshold) | groups.excluded[groups.real]
        pruned &= grams["first"].astype(np.int64) > self._last_special
        grams["count"] = np.where(pruned, -counts, counts)
        self._counts.append(grams)
        # lmplz takes the plain count of the very last n-grams into its statistics. With few n-grams that
        # can be seen in the discounts.
        self._counts.note(occurrences if is_last else counts)

    def finish(self) -> None:
        if self._waiting is not None:
            self._write(self._waiting, is_last=True)
