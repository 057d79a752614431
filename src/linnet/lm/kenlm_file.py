"""What the binary files of KenLM share: the header, the words at the end, and what may stand in them."""

import struct

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.lm.assembly import Ngrams
from linnet.lm.config import MAX_ORDER
from linnet.lm.vocabulary import SPECIAL_WORDS, UNK, UNKNOWN_WORDS

KENLM_MAGIC = b"mmap lm http://kheafield.com/code"
PROBING, TRIE = 0, 2

_VERSION_5 = KENLM_MAGIC + b" format version 5\n\0"
_SANITY = struct.Struct("<56s3f2I4xQ")
_PARAMETERS = struct.Struct("<B3xfI?3xI")  # order, spread, kind of model, whether the words are there, -
_KINDS = (
    "probing hash tables",
    "probing hash tables with rest costs",
    "trie",
    "quantized trie",
    "trie with compressed pointers",
    "quantized trie with compressed pointers",
)


class KenlmFile:
    """A binary file of KenLM, read from its beginning to its end.

    Attributes:
        kind: what it holds, `PROBING` or `TRIE`.
        spread: how many places a hash table has for each entry.
        counts: the number of n-grams of each order.
    """

    def __init__(self, content: NDArray[np.uint8]) -> None:
        """Read the header.

        Args:
            content: the whole file, of which only what is read is touched.

        Raises:
            LanguageModelError: when it is incomplete, or of a kind that is not read.
        """
        self._content = content
        self._offset = 0
        magic, *numbers = _SANITY.unpack(self.take(_SANITY.size).tobytes())
        if not magic.startswith(_VERSION_5) or numbers != [0.0, 1.0, -0.5, 1, 2**32 - 1, 1]:
            raise LanguageModelError(
                "is a binary file of KenLM, but incomplete or of another version or machine"
            )
        order, self.spread, self.kind, has_words, _ = _PARAMETERS.unpack(
            self.take(_PARAMETERS.size).tobytes()
        )
        name = _KINDS[self.kind] if self.kind < len(_KINDS) else f"kind {self.kind}"
        if self.kind not in (PROBING, TRIE):
            raise LanguageModelError(f"is a binary file of KenLM with {name}, which cannot be read back")
        if not has_words or not 2 <= order <= MAX_ORDER:
            raise LanguageModelError(
                f"is a binary file of KenLM with {name} of order {order} that does not hold its words"
            )
        self.counts = [int(count) for count in self.take(8 * order).view("<u8")]
        self.take(-self._offset % 8)

    def take(self, num_bytes: int) -> NDArray[np.uint8]:
        """Return the bytes that follow.

        Raises:
            LanguageModelError: when the file has fewer.
        """
        end = self._offset + num_bytes
        if end > len(self._content):
            raise LanguageModelError("the file is cut off")
        taken, self._offset = self._content[self._offset : end], end
        return taken

    def take_words(self, count: int) -> tuple[list[bytes], NDArray[np.uint32]]:
        """Return the words, which end the file, with the special ones first, and the new number of each.

        Raises:
            LanguageModelError: when they are not `count` different words in UTF-8 with all special ones.
        """
        read = self._content[self._offset :].tobytes().split(b"\0")[:-1]
        read = [SPECIAL_WORDS[UNK] if word in UNKNOWN_WORDS else word for word in read]
        if len(set(read)) != count or len(read) != count:
            raise LanguageModelError(f"is damaged: it has {len(read)} words in place of {count}")
        if missing := set(SPECIAL_WORDS).difference(read):
            raise LanguageModelError(f"the model has no {min(missing).decode()}")
        try:
            b" ".join(read).decode("utf-8")
        except UnicodeDecodeError as error:
            raise LanguageModelError(f"its words are not UTF-8: {error.reason}") from None
        words = list(dict.fromkeys((*SPECIAL_WORDS, *read)))
        numbers = {word: number for number, word in enumerate(words)}
        return words, np.array([numbers[word] for word in read], np.uint32)


def checked_ngrams(
    words: NDArray[np.uint32], probs: Array, backoffs: Array, *, may_lack_probs: bool = False
) -> Ngrams:
    """Make n-grams of what a file says of them.

    Args:
        words: (n, order) the words.
        probs: (n,) log10 probabilities.
        backoffs: (n,) log10 back-offs.
        may_lack_probs: whether -inf says that backing off gives the probability, and is allowed.

    Raises:
        LanguageModelError: when a value cannot be a probability or a back-off.
    """
    lacking = np.isneginf(probs)
    is_wrong = np.isnan(probs) | (probs > 0)
    if is_wrong.any() or not np.isfinite(backoffs).all() or (lacking.any() and not may_lack_probs):
        raise LanguageModelError("is damaged: a probability is above 1, or no number")
    known = np.where(lacking, np.nan, probs).astype(np.float32) + np.float32(0)  # makes 0 of -0
    return Ngrams(words, known, backoffs.astype(np.float32), np.full(len(words), -1))
