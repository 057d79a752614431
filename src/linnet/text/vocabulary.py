"""The pieces a model writes with, their ids, and the tokens file they travel in."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from linnet.core.errors import TextError
from linnet.core.files import write_text

BOUNDARY = "▁"  # U+2581, SentencePiece's mark for the space before a word
BLANK = "<blk>"
MAX_TOKENS_BYTES = 16 * 2**20
NUM_BYTES = 256

TokenizerKind = Literal["char", "word", "byte", "tevr", "wordpiece", "sentencepiece", "aggregate"]

_BYTE = re.compile("<0x([0-9A-F]{2})>")  # SentencePiece's name for one byte of UTF-8


def byte_piece(value: int) -> str:
    """Name the piece that stands for one byte of UTF-8: 65 → "<0x41>"."""
    return f"<0x{value:02X}>"


def is_byte_piece(piece: str) -> bool:
    """Tell whether a piece stands for a byte; no other piece may look like one."""
    return _BYTE.fullmatch(piece) is not None


def join_pieces(pieces: Sequence[str]) -> str:
    """Join pieces into words with single spaces between them.

    Neighboring byte pieces are read as UTF-8; bytes that are no UTF-8 give U+FFFD, so that nothing a model
    wrote is lost from sight.
    """
    if any(map(is_byte_piece, pieces)):
        joined = b"".join(_piece_bytes(piece) for piece in pieces).decode("utf-8", errors="replace")
    else:
        joined = "".join(pieces)
    return " ".join(joined.replace(BOUNDARY, " ").split())


def is_half_a_pair(character: str) -> bool:
    """Tell whether a character is half of a surrogate pair, which is no text and which UTF-8 cannot write."""
    return "\ud800" <= character <= "\udfff"


def _is_no_text(character: str) -> bool:
    return character.isspace() or is_half_a_pair(character)


def _piece_bytes(piece: str) -> bytes:
    byte = _BYTE.fullmatch(piece)
    return bytes.fromhex(byte[1]) if byte else piece.encode("utf-8")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The pieces of a model in SentencePiece notation; the blank of CTC comes after the last piece.

    Args:
        pieces: one string per id. "▁" begins a word: "▁two" is a whole word, "▁" alone a space. "<0xC3>" is a
            byte of UTF-8.
        repeats: whether a piece may have several ids, as where every language of a model brings its own.

    Raises:
        TextError: when a piece is empty, holds a space, is the blank's name, or has a second id unasked.
    """

    pieces: tuple[str, ...]
    repeats: bool = False

    def __post_init__(self) -> None:
        seen: dict[str, int] = {}
        for token_id, piece in enumerate(self.pieces):
            if not piece or piece == BLANK or any(map(_is_no_text, piece)):
                raise TextError(
                    f"piece {token_id} of the vocabulary is {piece!r}",
                    remedy=f"A piece is valid text, neither empty nor {BLANK!r}; its spaces are {BOUNDARY!r}",
                )
            if seen.setdefault(piece, token_id) != token_id and not self.repeats:
                raise TextError(
                    f"piece {piece!r} of the vocabulary has two ids, {seen[piece]} and {token_id}",
                    remedy="Name each piece once",
                )

    @property
    def blank_id(self) -> int:
        """The id of the blank: one past the last piece."""
        return len(self.pieces)

    @property
    def size(self) -> int:
        """V: the number of pieces with the blank."""
        return len(self.pieces) + 1

    def decode(self, ids: Iterable[int]) -> str:
        """Join the pieces of `ids` (no blanks) into words with single spaces between them."""
        return join_pieces([self.pieces[token_id] for token_id in ids])


def write_tokens(path: Path, vocabulary: Vocabulary) -> None:
    """Write one `piece id` per line with `<blk> V` last, the form sherpa-onnx and onnx-asr read."""
    lines = [f"{piece} {token_id}\n" for token_id, piece in enumerate((*vocabulary.pieces, BLANK))]
    write_text(path, "".join(lines))


def read_tokens(path: Path, *, repeats: bool = False) -> Vocabulary:
    """Read a tokens file.

    Args:
        path: the file.
        repeats: whether a piece may have several ids.

    Raises:
        TextError: when it is missing, too large or not UTF-8, or a line is not `piece id` with ids counting
            from 0 and the blank last.
    """
    pieces = tuple(_read_pieces(path))
    if pieces[-1:] != (BLANK,):
        raise TextError(f"the last token is not {BLANK!r}", where=str(path), remedy="Export the model again")
    return Vocabulary(pieces[:-1], repeats=repeats)


def _read_pieces(path: Path) -> Iterator[str]:
    for expected_id, line in enumerate(_read_lines(path)):
        piece, _, token_id = line.rpartition(" ")
        if token_id != str(expected_id):
            raise TextError(
                f"found {line[:80]!r} where 'piece {expected_id}' should stand",
                where=f"{path}, line {expected_id + 1}",
                remedy="A tokens file has one piece and its id per line, ids counting from 0",
            )
        yield piece


def _read_lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MAX_TOKENS_BYTES:
            raise TextError(
                f"a tokens file is at most {MAX_TOKENS_BYTES} bytes long",
                where=str(path),
                remedy="Export the model again",
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(
            f"cannot read the tokens file: {error}", where=str(path), remedy="Export the model again"
        ) from error
    return text.removesuffix("\n").split("\n")
