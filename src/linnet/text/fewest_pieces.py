"""Spells words with as few pieces of a vocabulary as possible."""

import re

from linnet.text.unwritable import unknown_character, unwritable_at
from linnet.text.vocabulary import BOUNDARY, Vocabulary, byte_piece

_WORD = re.compile(r"\S+")


class FewestPieces:
    """Writes each word with as few pieces as possible, of equally few with the longest first.

    Byte pieces stand in for characters that no piece has. A model trained on other cuts of the same word
    hears them nearly as well: an alignment asks for a spelling, not for the likeliest.

    Args:
        vocabulary: pieces as SentencePiece has them; of a piece with several ids the first is taken.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._ids: dict[str, int] = {}
        for token_id, piece in enumerate(vocabulary.pieces):
            self._ids.setdefault(piece, token_id)
        self._longest = max(map(len, vocabulary.pieces))

    def encode(self, text: str) -> list[int]:
        """Return the ids of a normalized text.

        Raises:
            TextError: on a word the pieces cannot write.
        """
        ids: list[int] = []
        for match in _WORD.finditer(text):
            at = unwritable_at(match[0])
            spelled = None if at is not None else self._spell(BOUNDARY + match[0])
            if spelled is None:
                raise unknown_character(text, match[0], match.start() + (at or self._reach(match[0])))
            ids += spelled
        return ids

    def _spell(self, marked: str) -> list[int] | None:
        """Go through the word from its end: best[i] is the best spelling of what follows character i."""
        best: list[list[int] | None] = [None] * len(marked) + [[]]
        for start in range(len(marked) - 1, -1, -1):
            for end in range(min(start + self._longest, len(marked)), start, -1):
                piece, rest = self._write(marked[start:end]), best[end]
                shortest = best[start]
                if piece and rest is not None and (shortest is None or len(piece + rest) < len(shortest)):
                    best[start] = piece + rest
        return best[0]

    def _write(self, text: str) -> list[int]:
        """Return the piece that is `text`, or the bytes of a single character, or nothing."""
        if text in self._ids:
            return [self._ids[text]]
        if len(text) > 1:
            return []
        found = [self._ids.get(byte_piece(byte)) for byte in text.encode("utf-8")]
        return [token_id for token_id in found if token_id is not None] if None not in found else []

    def _reach(self, word: str) -> int:
        """Find how many characters of a word that cannot be written can be."""
        return max((end for end in range(len(word)) if self._spell(BOUNDARY + word[:end])), default=0)
