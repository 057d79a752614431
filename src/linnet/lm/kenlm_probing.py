"""Probing files of KenLM, which hold hashes of 64 bits in place of n-grams: those are found by trial.

The file (Heafield 2011, KenLM: faster and smaller language model queries, section 3.1) has a header, a hash
table of the words, the unigrams, one hash table for each order, and the words themselves. The hash of
w1 … wn is mixed from the hash of w2 … wn and w1; that of a single word is its number.

KenLM takes care that w2 … wn and w1 … w(n-1) are in the model as well, and marks both. So the n-grams of
order n are among the pairs of marked shorter ones that overlap in w2 … w(n-1), which for n = 2 are all pairs
of words. An order is taken for read only when each of its hashes has been spelled exactly once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.lm.assembly import Ngrams
from linnet.lm.kenlm_file import KenlmFile, checked_ngrams
from linnet.lm.kenlm_hashes import Hashes64, HashSet, Hits, ending_parts, first_word_parts, joined
from linnet.lm.levels import Progress

_WORDS_HEADER = np.dtype([("version", "<u4"), ("num_words", "<u4")])
_WORD_BYTES = 12  # in the hash table of the words: a hash and a number
_UNIGRAM = np.dtype([("prob", "<f4"), ("backoff", "<f4")])
_INNER = np.dtype([("hash", "<u8"), ("prob", "<f4"), ("backoff", "<f4")])
_LONGEST = np.dtype([("hash", "<u8"), ("prob", "<f4")])
_MAX_SPREAD = 1e6
_MANY_PAIRS, _MANY_ROWS = 1 << 16, 1 << 6  # from here on, an overlap is worth a search of its own
_PAIRS_AT_ONCE = 1 << 18


@dataclass(frozen=True, slots=True)
class _Order:
    """The n-grams of one order; all arrays but `words` are (n,).

    Attributes:
        words: (n, order) uint32 from the first to the last.
        hashes: what they are found by.
        beginnings: where those without the last word are in the order below.
        endings: where those without the first word are.
        log10_probs: without the mark in their sign.
        log10_backoffs: zeros in the highest order.
        begins: whether a longer n-gram begins so.
        ends: whether a longer n-gram ends so.
    """

    words: NDArray[np.uint32]
    hashes: Hashes64
    beginnings: NDArray[np.int64]
    endings: NDArray[np.int64]
    log10_probs: Array
    log10_backoffs: Array
    begins: NDArray[np.bool_]
    ends: NDArray[np.bool_]


def read_probing(file: KenlmFile, report: Progress) -> tuple[list[bytes], NDArray[np.uint32], list[Ngrams]]:
    """Return the words, the number in them of each word of the file, and the n-grams in those of the file.

    Raises:
        LanguageModelError: when the file is damaged, or has n-grams that cannot be spelled.
    """
    header = file.take(_WORDS_HEADER.itemsize).view(_WORDS_HEADER)[0]
    num_words = int(header["num_words"])
    if header["version"] or not 0 <= num_words - file.counts[0] <= 1:  # <unk> is there in any case
        raise LanguageModelError("is damaged: it does not tell how many words it has")
    file.take(_num_places(file, 1) * _WORD_BYTES)
    unigrams = file.take((file.counts[0] + 1) * _UNIGRAM.itemsize).view(_UNIGRAM)[:num_words]
    tables = []
    for n in range(2, len(file.counts) + 1):
        dtype = _LONGEST if n == len(file.counts) else _INNER
        tables.append(file.take(_num_places(file, n) * dtype.itemsize).view(dtype))
    words, renumbered = file.take_words(num_words)  # before the search, which may take long
    orders = [_of_words(unigrams)]
    for count, table in zip(file.counts[1:], tables, strict=True):
        orders.append(_spell(table, count, orders[-1], report))
    return words, renumbered, [checked_ngrams(o.words, o.log10_probs, o.log10_backoffs) for o in orders]


def _num_places(file: KenlmFile, n: int) -> int:
    if not 1 <= file.spread <= _MAX_SPREAD:
        raise LanguageModelError("is damaged: its hash tables have no size")
    count = file.counts[n - 1]
    return max(count + 1, int(np.float32(file.spread) * np.float32(count)))


def _of_words(unigrams: Array) -> _Order:
    numbers = np.arange(len(unigrams))
    whole = np.zeros_like(numbers)  # all overlap in nothing
    return _Order(
        numbers.astype(np.uint32)[:, None], numbers.astype(np.uint64), whole, whole, **_values(unigrams)
    )


def _values(table: Array) -> dict[str, Array]:
    """Tell apart values and marks: the sign of a probability, and a back-off of -0."""
    backoffs = np.zeros(len(table), np.float32)
    if table.dtype != _LONGEST:
        backoffs = table["backoff"].astype(np.float32)
    probs = table["prob"].astype(np.float32)
    return {
        "log10_probs": -np.abs(probs),
        "log10_backoffs": backoffs,
        "begins": (backoffs != 0) | ~np.signbit(backoffs),
        "ends": ~np.signbit(probs),
    }


def _spell(table: Array, count: int, below: _Order, report: Progress) -> _Order:
    order = below.words.shape[1] + 1
    taken = table[table["hash"] != 0]
    taken = taken[np.argsort(taken["hash"])]
    if len(taken) < count:  # more are there where KenLM added endings that pruning had left out
        raise LanguageModelError(f"is damaged: it holds {len(taken)} of {count} {order}-grams")
    hashes = np.ascontiguousarray(taken["hash"])
    hits: list[Hits] = []
    num_found = 0
    for done, total, found in _search(hashes, below):
        report(f"{order}-grams", done, total)
        hits.append(found)
        num_found += len(found[0])
        if num_found > len(taken):
            break
    endings, beginnings, places = joined(hits)
    num_spelled = len(np.unique(places))
    if num_spelled < num_found:
        raise LanguageModelError(f"the hash of one of its {order}-grams can be spelled in more than one way")
    if num_spelled < len(taken):
        raise LanguageModelError(
            f"{num_spelled} of its {len(taken)} {order}-grams could be spelled from their hashes"
        )
    by_hash = np.argsort(places)
    endings, beginnings = endings[by_hash], beginnings[by_hash]
    words = np.column_stack((below.words[beginnings, 0], below.words[endings]))
    return _Order(words, hashes, beginnings, endings, **_values(taken))


def _search(hashes: Hashes64, below: _Order) -> Iterator[tuple[int, int, Hits]]:
    """Yield how many pairs were tried, of how many, and hits: endings, beginnings, places of the hashes."""
    known = HashSet(hashes)
    begin, end = np.flatnonzero(below.begins), np.flatnonzero(below.ends)
    begin = begin[np.argsort(below.endings[begin], kind="stable")]
    end = end[np.argsort(below.beginnings[end], kind="stable")]
    rows, columns = ending_parts(below.hashes[end]), first_word_parts(below.words[begin, 0])
    overlap, row_starts = np.unique(below.beginnings[end], return_index=True)
    row_counts = np.diff(row_starts, append=len(end))
    column_starts = np.searchsorted(below.endings[begin], overlap)
    column_counts = np.searchsorted(below.endings[begin], overlap, side="right") - column_starts
    num_pairs = row_counts * column_counts
    is_large = (num_pairs >= _MANY_PAIRS) & (np.minimum(row_counts, column_counts) >= _MANY_ROWS)
    total, done = int(num_pairs.sum()), 0
    for place in np.flatnonzero(is_large).tolist():
        top, left = int(row_starts[place]), int(column_starts[place])
        part = rows[top : top + row_counts[place]], columns[left : left + column_counts[place]]
        for tried, (row, column, found) in known.in_all(*part):
            done += tried
            yield done, total, (end[row + top], begin[column + left], found)
    row = np.flatnonzero(np.repeat(~is_large, row_counts))
    starts, counts = np.repeat(column_starts, row_counts)[row], np.repeat(column_counts, row_counts)[row]
    sums = np.cumsum(counts)
    cuts = np.searchsorted(sums, np.arange(_PAIRS_AT_ONCE, int(counts.sum()), _PAIRS_AT_ONCE))
    for some in np.split(np.arange(len(row)), cuts):
        part_of_rows, column, found = known.in_ranges(rows[row[some]], columns, starts[some], counts[some])
        done += int(counts[some].sum())
        yield done, total, (end[row[some]][part_of_rows], begin[column], found)
