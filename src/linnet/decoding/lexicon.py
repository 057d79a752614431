"""A trie over the words of a language model: what can a half-written word become?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.decoding.compiled import compiled, compiled_lean

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Records = NDArray[np.void]

ROOT = 0
OUTSIDE = -1

# One node of the trie over UTF-8 bytes. The nodes lie in the order of their depth, and children in that of
# their parents: so those of a node end where those of the next begin, and are all read at once.
PLACE = np.dtype(
    [
        ("children", np.int32),  # the first of them
        ("byte", np.int32),  # that leads from the parent to it
        ("word", np.int32),  # id of the word that ends here, -1 where none does
        # The best unigram log-prob (natural) of a word that passes through here ("language model look-ahead",
        # Ortmanns et al. 1996).
        ("ahead", np.float32),
    ]
)


def build_lexicon(spellings: Sequence[bytes], ids: Array, unigrams: Array) -> Records:
    """Build the trie: an array of `PLACE`, with one more at its end that closes the last children.

    Args:
        spellings: UTF-8 of each word.
        ids: (W,) its id in the language model.
        unigrams: (W,) its natural log-prob without context.
    """
    text = np.frombuffer(b"".join(spellings), np.uint8)
    offsets = np.concatenate([[0], np.cumsum([len(spelling) for spelling in spellings], dtype=np.int64)])
    places = np.zeros(len(text) + 1, PLACE)
    siblings = np.zeros(len(places), np.int32)
    count = _insert_all(text, offsets, ids.astype(np.int32), unigrams.astype(np.float32), places, siblings)
    lexicon = np.zeros(count + 1, PLACE)
    _lay_out(places, siblings, lexicon)
    return lexicon


def empty_lexicon() -> Records:
    """Return the trie of no words."""
    return build_lexicon((), np.zeros(0), np.zeros(0))


@compiled_lean
def child_of(lexicon: Records, place: int, byte: int) -> int:
    """Return the node below `place` along `byte`, or OUTSIDE."""
    for child in range(lexicon[place].children, lexicon[place + 1].children):
        if lexicon[child].byte == byte:
            return int(child)
    return OUTSIDE


@compiled
def _insert_all(
    text: NDArray[np.uint8], offsets: Int64, ids: Int32, unigrams: Float64, places: Records, siblings: Int32
) -> int:
    """Build the trie as the words come, the children of a node a chain of `siblings`; gives its size."""
    count = 1
    places[ROOT].word, places[ROOT].ahead = -1, -np.inf
    for word in range(len(ids)):
        place = ROOT
        places[ROOT].ahead = max(places[ROOT].ahead, unigrams[word])
        for i in range(offsets[word], offsets[word + 1]):
            child = places[place].children
            while child != 0 and places[child].byte != text[i]:
                child = siblings[child]
            if child == 0:
                child, count = count, count + 1
                siblings[child], places[place].children = places[place].children, child
                places[child].byte, places[child].word, places[child].ahead = text[i], -1, -np.inf
            place = child
            places[place].ahead = max(places[place].ahead, unigrams[word])
        places[place].word = ids[word]
    return count


@compiled
def _lay_out(places: Records, siblings: Int32, lexicon: Records) -> None:
    """Copy the trie in the order that `PLACE` asks for."""
    origins = np.zeros(len(lexicon), np.int64)
    count = 1
    for place in range(len(lexicon) - 1):
        lexicon[place] = places[origins[place]]
        child = lexicon[place].children
        lexicon[place].children = count
        while child != 0:
            origins[count] = child
            count += 1
            child = siblings[child]
    lexicon[len(lexicon) - 1].children = count
