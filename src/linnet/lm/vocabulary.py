"""The words of an n-gram model and their numbers."""

from collections.abc import Iterable

UNK, BOS, EOS = 0, 1, 2
SPECIAL_WORDS = (b"<unk>", b"<s>", b"</s>")
UNKNOWN_WORDS = frozenset({b"<unk>", b"<UNK>"})
SENTENCE_END = b"\xff"  # no word: the byte never appears in UTF-8

_MARKS = frozenset({b"<s>", b"</s>"})


class GrowingVocabulary(dict[bytes, int]):
    """Gives each new word the next number, in the order of appearance, as lmplz does.

    Attributes:
        reserved: what no text may hold.
    """

    reserved = _MARKS | UNKNOWN_WORDS

    def __init__(self) -> None:
        super().__init__(zip(SPECIAL_WORDS[:EOS], (UNK, BOS), strict=True))
        self[SENTENCE_END] = EOS

    def __missing__(self, word: bytes) -> int:
        """Number a word that is seen for the first time."""
        number = self[word] = len(self)
        return number

    def words(self) -> list[bytes]:
        """List the words by their numbers, the three special ones first."""
        return [*SPECIAL_WORDS, *list(self)[len(SPECIAL_WORDS) :]]


class FixedVocabulary(dict[bytes, int]):
    """Numbers the words of a finished model; all others are `UNK`.

    Attributes:
        reserved: what no text may hold.
    """

    reserved = _MARKS

    def __init__(self, words: Iterable[bytes]) -> None:
        super().__init__((word, number) for number, word in enumerate(words))
        self[SENTENCE_END] = EOS

    def __missing__(self, word: bytes) -> int:
        """Number an unknown word, without keeping it."""
        return UNK
