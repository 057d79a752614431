"""From text to the token ids a model learns: letter by letter, or word by word."""

from difflib import get_close_matches
from string import ascii_lowercase
from typing import Literal, Protocol, Self

from pydantic import BaseModel, ConfigDict, model_validator

from linnet.core.errors import TextError
from linnet.text.vocabulary import BOUNDARY, Vocabulary


class TokenizerConfig(BaseModel):
    """Which pieces a model writes with.

    Attributes:
        kind: "char" spells words letter by letter; "word" has one token for each word.
        pieces: the letters (without the space, which always is id 0) or the words.
        skip_unknown: leave out words that the pieces cannot write, as keyword spotting wants, instead of
            refusing the text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["char", "word"] = "char"
    pieces: tuple[str, ...] = (*ascii_lowercase, "'")
    skip_unknown: bool = False

    @model_validator(mode="after")
    def _check_pieces(self) -> Self:
        if not self.pieces:
            raise ValueError("a vocabulary needs at least one piece")
        for piece in self.pieces:
            if piece == "" or BOUNDARY in piece or len(piece.split()) != 1:
                raise ValueError(f"piece {piece!r} must be one word without spaces or {BOUNDARY!r}")
            if self.kind == "char" and len(piece) > 1:
                raise ValueError(f"piece {piece!r} is not a single letter; for whole words say kind: word")
        return self


class Tokenizer(Protocol):
    """What turns text into token ids."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The pieces behind the ids."""
        ...

    def encode(self, text: str) -> list[int]:
        """Return the ids of a normalized text; raises TextError on what the pieces cannot write."""
        ...


def build_tokenizer(config: TokenizerConfig) -> Tokenizer:
    """Build the tokenizer that `config` describes.

    Raises:
        TextError: when a piece appears twice.
    """
    return PieceTokenizer(config)


class PieceTokenizer:
    """Looks words up whole, or letter by letter with id 0 (the space) between words, as NeMo does."""

    def __init__(self, config: TokenizerConfig) -> None:
        letters = config.kind == "char"
        pieces = (BOUNDARY, *config.pieces) if letters else tuple(BOUNDARY + word for word in config.pieces)
        self.vocabulary = Vocabulary(pieces)
        self._config = config
        self._ids = {piece: token_id for token_id, piece in enumerate(pieces)}

    def encode(self, text: str) -> list[int]:
        """Return the ids of a normalized text.

        Raises:
            TextError: on a word the pieces cannot write, unless the config says to skip such words.
        """
        ids: list[int] = []
        for word in text.split():
            units = tuple(word) if self._config.kind == "char" else (BOUNDARY + word,)
            unknown = next((unit for unit in units if unit == BOUNDARY or unit not in self._ids), None)
            if unknown is None:
                separator = [self._ids[BOUNDARY]] if ids and self._config.kind == "char" else []
                ids += separator + [self._ids[unit] for unit in units]
            elif not self._config.skip_unknown:
                raise self._error(word, unknown, text)
        return ids

    def _error(self, word: str, unit: str, text: str) -> TextError:
        near = get_close_matches(unit, self._ids, n=1)
        hint = f"Did you mean {near[0].removeprefix(BOUNDARY)!r}? " if near else ""
        lacking = f"the character {unit!r} of the word {word!r}" if unit in word else f"the word {word!r}"
        return TextError(
            f"the vocabulary lacks {lacking}",
            where=f"text {text[:80]!r}",
            remedy=f"{hint}Normalize the text, add the piece, or set skip_unknown to leave such words out",
        )
