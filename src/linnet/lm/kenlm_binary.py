"""Binary files of KenLM: tries are read; hash tables hold hashes in place of n-grams and cannot be.

A trie (Heafield 2011, KenLM: faster and smaller language model queries, section 3.2) goes from the last word
of an n-gram to the first, as a model of linnet does. Its file has a header, the hashes of the words, the
unigrams, one array of bit-packed records for each order, and the words themselves.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.lm.assembly import Ngrams, assemble
from linnet.lm.config import MAX_ORDER
from linnet.lm.levels import NgramModel, Unit
from linnet.lm.vocabulary import SPECIAL_WORDS, UNK, UNKNOWN_WORDS

KENLM_MAGIC = b"mmap lm http://kheafield.com/code"

_VERSION_5 = KENLM_MAGIC + b" format version 5\n\0"
_SANITY = struct.Struct("<56s3f2I4xQ")
_PARAMETERS = struct.Struct("<B3xfI?3xI")  # order, -, kind of model, whether the words are there, -
_KINDS = (
    "probing hash tables",
    "probing hash tables with rest costs",
    "trie",
    "quantized trie",
    "trie with compressed pointers",
    "quantized trie with compressed pointers",
)
_TRIE = 2
_UNIGRAM = np.dtype([("prob", "<f4"), ("backoff", "<f4"), ("next", "<u8")])
_PROB_BITS, _BACKOFF_BITS = 31, 32  # a probability goes without its sign
_REMEDY = "Give the ARPA file that it was made of"


def is_kenlm_binary(path: Path) -> bool:
    """Tell whether a file begins as a binary file of KenLM; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(KENLM_MAGIC)) == KENLM_MAGIC
    except OSError:
        return False


def read_kenlm_binary(path: Path, unit: Unit = "word") -> NgramModel:
    """Read a trie of KenLM, as `build_binary trie` writes it.

    Args:
        path: the file.
        unit: what the words of the model are.

    Raises:
        LanguageModelError: when it is of another kind or damaged.
    """
    try:
        return _Trie(np.asarray(np.memmap(path, np.uint8, "r"))).read(unit)
    except LanguageModelError as error:
        raise LanguageModelError(error.what, where=str(path), remedy=_REMEDY) from None
    except OSError as error:
        raise LanguageModelError(f"cannot be read: {error.strerror}", where=str(path)) from None


@dataclass(slots=True)
class _Node:
    """The n-grams of one order.

    Attributes:
        words: (n, order) from the first to the last.
        starts: (n + 1,) where in the next order those begin that end with each.
    """

    words: NDArray[np.uint32]
    starts: NDArray[np.int64]


class _Trie:
    def __init__(self, content: NDArray[np.uint8]) -> None:
        self._content = content
        self._offset = 0
        self.counts = self._read_header()

    def _take(self, num_bytes: int) -> NDArray[np.uint8]:
        end = self._offset + num_bytes
        if end > len(self._content):
            raise LanguageModelError("the file is cut off")
        taken, self._offset = self._content[self._offset : end], end
        return taken

    def _read_header(self) -> list[int]:
        magic, *numbers = _SANITY.unpack(self._take(_SANITY.size).tobytes())
        if not magic.startswith(_VERSION_5) or numbers != [0.0, 1.0, -0.5, 1, 2**32 - 1, 1]:
            raise LanguageModelError(
                "is a binary file of KenLM, but incomplete or of another version or machine"
            )
        order, _, kind, has_words, _ = _PARAMETERS.unpack(self._take(_PARAMETERS.size).tobytes())
        if kind != _TRIE:
            name = _KINDS[kind] if kind < len(_KINDS) else f"kind {kind}"
            raise LanguageModelError(
                f"is a binary file of KenLM with {name}, from which n-grams cannot be read back"
            )
        if not has_words or not 2 <= order <= MAX_ORDER:
            raise LanguageModelError(f"is a trie of KenLM of order {order} that does not hold its words")
        counts = [int(count) for count in self._take(8 * order).view("<u8")]
        self._take(-self._offset % 8)
        return counts

    def read(self, unit: Unit) -> NgramModel:
        counts = self.counts
        self._take(8 + 8 * counts[0])  # the hashes of the words
        unigrams = self._take(_UNIGRAM.itemsize * (counts[0] + 2)).view(_UNIGRAM)[: counts[0] + 1]
        numbers = np.arange(counts[0], dtype=np.uint32)[:, None]
        node = _Node(numbers, unigrams["next"].astype(np.int64))
        orders = [self._ngrams(numbers, unigrams["prob"][:-1], unigrams["backoff"][:-1])]
        for n in range(2, len(counts) + 1):
            is_longest = n == len(counts)
            node, ngrams = self._read_order(counts[n - 1], 0 if is_longest else counts[n], node, is_longest)
            orders.append(ngrams)
        words, renumbered = self._read_words()
        for ngrams in orders:
            ngrams.words[:] = renumbered[ngrams.words]
        return assemble(words, orders, unit)

    def _read_order(self, count: int, max_next: int, above: _Node, is_longest: bool) -> tuple[_Node, Ngrams]:
        starts = above.starts
        if np.any(starts[1:] < starts[:-1]) or starts[0] or starts[-1] != count:
            raise LanguageModelError("is damaged: its n-grams do not hang together")
        word_bits, next_bits = self.counts[0].bit_length(), max_next.bit_length()
        inner_bits = 0 if is_longest else _BACKOFF_BITS + next_bits
        widths = word_bits, _PROB_BITS, inner_bits
        records = self._take(((1 + count) * sum(widths) + 7) // 8 + 8)
        at = np.arange(count + 1) * sum(widths)
        words = _bits(records, at[:-1], word_bits)
        if np.any(words >= self.counts[0]):
            raise LanguageModelError("is damaged: an n-gram has a word that is none")
        spelled = np.column_stack((words.astype(np.uint32), np.repeat(above.words, np.diff(starts), axis=0)))
        probs = _bits(records, at[:-1] + word_bits, _PROB_BITS).astype(np.uint32) | np.uint32(1 << 31)
        backoffs, nexts = np.zeros(count, np.uint32), np.zeros(1, np.int64)
        if not is_longest:
            backoffs = _bits(records, at[:-1] + word_bits + _PROB_BITS, _BACKOFF_BITS).astype(np.uint32)
            nexts = _bits(records, at + word_bits + _PROB_BITS + _BACKOFF_BITS, next_bits).astype(np.int64)
        return _Node(spelled, nexts), self._ngrams(spelled, probs.view(np.float32), backoffs.view(np.float32))

    def _ngrams(self, words: NDArray[np.uint32], probs: Array, backoffs: Array) -> Ngrams:
        if np.any(np.isnan(probs) | (probs > 0)) or not np.isfinite(backoffs).all():
            raise LanguageModelError("is damaged: a probability is above 1, or no number")
        # What is there only because a longer n-gram ends so may have the probability 0; it gets its own.
        known = np.where(np.isinf(probs), np.nan, probs).astype(np.float32)
        return Ngrams(words.copy(), known, backoffs.astype(np.float32), np.full(len(words), -1))

    def _read_words(self) -> tuple[list[bytes], NDArray[np.uint32]]:
        """Return the words with the special ones first, and the new number of each."""
        read = self._content[self._offset :].tobytes().split(b"\0")[:-1]
        read = [SPECIAL_WORDS[UNK] if word in UNKNOWN_WORDS else word for word in read]
        if len(set(read)) != self.counts[0] or len(read) != self.counts[0]:
            raise LanguageModelError(f"is damaged: it has {len(read)} words in place of {self.counts[0]}")
        if missing := set(SPECIAL_WORDS).difference(read):
            raise LanguageModelError(f"the model has no {min(missing).decode()}")
        try:
            b" ".join(read).decode("utf-8")
        except UnicodeDecodeError as error:
            raise LanguageModelError(f"its words are not UTF-8: {error.reason}") from None
        words = list(dict.fromkeys((*SPECIAL_WORDS, *read)))
        numbers = {word: number for number, word in enumerate(words)}
        return words, np.array([numbers[word] for word in read], np.uint32)


def _bits(records: NDArray[np.uint8], offsets: NDArray[np.int64], width: int) -> NDArray[np.uint64]:
    """Read numbers of up to 57 bits that begin at any bit."""
    at_every_byte: NDArray[np.uint64] = np.ndarray(
        (len(records) - 7,), np.dtype("<u8"), buffer=records.tobytes(), strides=(1,)
    )
    values = at_every_byte[offsets >> 3] >> (offsets & 7).astype(np.uint64)
    return np.asarray(values & np.uint64((1 << width) - 1))
