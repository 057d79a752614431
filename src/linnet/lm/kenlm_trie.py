"""Tries of KenLM, which hold their n-grams word by word.

A trie (Heafield 2011, KenLM: faster and smaller language model queries, section 3.2) goes from the last word
of an n-gram to the first, as a model of linnet does. Its file has a header, the hashes of the words, the
unigrams, one array of bit-packed records for each order, and the words themselves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.core.errors import LanguageModelError
from linnet.lm.assembly import Ngrams
from linnet.lm.kenlm_file import KenlmFile, checked_ngrams

_UNIGRAM = np.dtype([("prob", "<f4"), ("backoff", "<f4"), ("next", "<u8")])
_PROB_BITS, _BACKOFF_BITS = 31, 32  # a probability goes without its sign


@dataclass(slots=True)
class _Node:
    """The n-grams of one order.

    Attributes:
        words: (n, order) from the first to the last.
        starts: (n + 1,) where in the next order those begin that end with each.
    """

    words: NDArray[np.uint32]
    starts: NDArray[np.int64]


def read_trie(file: KenlmFile) -> tuple[list[bytes], NDArray[np.uint32], list[Ngrams]]:
    """Return the words, the number in them of each word of the file, and the n-grams in those of the file.

    Raises:
        LanguageModelError: when the file is damaged.
    """
    counts = file.counts
    file.take(8 + 8 * counts[0])  # the hashes of the words
    unigrams = file.take(_UNIGRAM.itemsize * (counts[0] + 2)).view(_UNIGRAM)[: counts[0] + 1]
    numbers = np.arange(counts[0], dtype=np.uint32)[:, None]
    node = _Node(numbers, unigrams["next"].astype(np.int64))
    orders = [checked_ngrams(numbers.copy(), unigrams["prob"][:-1], unigrams["backoff"][:-1])]
    for n in range(2, len(counts) + 1):
        node, ngrams = _read_order(file, n, node)
        orders.append(ngrams)
    return *file.take_words(counts[0]), orders


def _read_order(file: KenlmFile, n: int, above: _Node) -> tuple[_Node, Ngrams]:
    count, starts, is_longest = file.counts[n - 1], above.starts, n == len(file.counts)
    if np.any(starts[1:] < starts[:-1]) or starts[0] or starts[-1] != count:
        raise LanguageModelError("is damaged: its n-grams do not hang together")
    word_bits, next_bits = file.counts[0].bit_length(), 0 if is_longest else file.counts[n].bit_length()
    inner_bits = 0 if is_longest else _BACKOFF_BITS + next_bits
    widths = word_bits, _PROB_BITS, inner_bits
    records = file.take(((1 + count) * sum(widths) + 7) // 8 + 8)
    at = np.arange(count + 1) * sum(widths)
    words = _bits(records, at[:-1], word_bits)
    if np.any(words >= file.counts[0]):
        raise LanguageModelError("is damaged: an n-gram has a word that is none")
    spelled = np.column_stack((words.astype(np.uint32), np.repeat(above.words, np.diff(starts), axis=0)))
    probs = _bits(records, at[:-1] + word_bits, _PROB_BITS).astype(np.uint32) | np.uint32(1 << 31)
    backoffs, nexts = np.zeros(count, np.uint32), np.zeros(1, np.int64)
    if not is_longest:
        backoffs = _bits(records, at[:-1] + word_bits + _PROB_BITS, _BACKOFF_BITS).astype(np.uint32)
        nexts = _bits(records, at + word_bits + _PROB_BITS + _BACKOFF_BITS, next_bits).astype(np.int64)
    # What is there only because a longer n-gram ends so may have the probability 0; it gets its own.
    ngrams = checked_ngrams(
        spelled.copy(), probs.view(np.float32), backoffs.view(np.float32), may_lack_probs=True
    )
    return _Node(spelled, nexts), ngrams


def _bits(records: NDArray[np.uint8], offsets: NDArray[np.int64], width: int) -> NDArray[np.uint64]:
    """Read numbers of up to 57 bits that begin at any bit."""
    at_every_byte: NDArray[np.uint64] = np.ndarray(
        (len(records) - 7,), np.dtype("<u8"), buffer=records.tobytes(), strides=(1,)
    )
    values = at_every_byte[offsets >> 3] >> (offsets & 7).astype(np.uint64)
    return np.asarray(values & np.uint64((1 << width) - 1))
