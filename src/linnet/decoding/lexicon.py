"""A trie over the words of a language model: what can a half-written word become?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.decoding.compiled import compiled

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

ROOT = 0
OUTSIDE = -1


class LexiconTables(NamedTuple):
    """The trie over UTF-8 bytes.

    Attributes:
        keys, values: open-addressing table from `node << 8 | byte` (plus 1; 0 is empty) to the child.
        words: (nodes,) id of the word that ends at a node, −1 where none does.
        ahead: (nodes,) the best unigram log-prob (natural) of a word that passes through the node ("language
            model look-ahead", Ortmanns et al. 1996).
    """

    keys: NDArray[np.int64]
    values: NDArray[np.int32]
    words: NDArray[np.int32]
    ahead: NDArray[np.float64]


def build_lexicon(spellings: Sequence[bytes], ids: Array, unigrams: Array) -> LexiconTables:
    """Build the trie.

    Args:
        spellings: UTF-8 of each word.
        ids: (W,) its id in the language model.
        unigrams: (W,) its natural log-prob without context.
    """
    text = np.frombuffer(b"".join(spellings), np.uint8)
    offsets = np.concatenate([[0], np.cumsum([len(spelling) for spelling in spellings], dtype=np.int64)])
    size = 1 << max(4, int(2 * len(text)).bit_length())
    keys, values = np.zeros(size, np.int64), np.zeros(size, np.int32)
    words, ahead = np.full(len(text) + 1, -1, np.int32), np.full(len(text) + 1, -np.inf)
    count = _insert_all(
        text,
        offsets,
        ids.astype(np.int32),
        unigrams.astype(np.float64),
        LexiconTables(keys, values, words, ahead),
    )
    return LexiconTables(keys, values, words[:count].copy(), ahead[:count].copy())


@compiled
def mixed(key: np.int64) -> np.int64:
    """Spread the bits of a key (the finalizer of SplitMix64)."""
    value = np.uint64(key)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((value ^ (value >> np.uint64(31))) >> np.uint64(1))


@compiled
def child_of(lexicon: LexiconTables, node: int, byte: int) -> int:
    """Return the node below `node` along `byte`, or OUTSIDE."""
    key = (np.int64(node) << 8 | np.int64(byte)) + 1
    mask = len(lexicon.keys) - 1
    place = mixed(key) & mask
    while lexicon.keys[place] != 0:
        if lexicon.keys[place] == key:
            return int(lexicon.values[place])
        place = (place + 1) & mask
    return OUTSIDE


@compiled
def _insert_all(
    text: NDArray[np.uint8], offsets: Int64, ids: Int32, unigrams: Float64, lexicon: LexiconTables
) -> int:
    count = 1
    mask = len(lexicon.keys) - 1
    for word in range(len(ids)):
        node = ROOT
        lexicon.ahead[ROOT] = max(lexicon.ahead[ROOT], unigrams[word])
        for i in range(offsets[word], offsets[word + 1]):
            key = (np.int64(node) << 8 | np.int64(text[i])) + 1
            place = mixed(key) & mask
            while lexicon.keys[place] != 0 and lexicon.keys[place] != key:
                place = (place + 1) & mask
            if lexicon.keys[place] == 0:
                lexicon.keys[place] = key
                lexicon.values[place] = count
                count += 1
            node = lexicon.values[place]
            lexicon.ahead[node] = max(lexicon.ahead[node], unigrams[word])
        lexicon.words[node] = ids[word]
    return count
