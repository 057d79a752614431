"""The pieces of an exported model from the text files that travel with it."""

from collections.abc import Sequence
from pathlib import Path

from linnet.core.errors import CheckpointError, TextError
from linnet.text.vocabulary import BLANK, BOUNDARY, MAX_TOKENS_BYTES, TokenizerKind, Vocabulary

# What the blank is called where it is listed.
BLANKS = (BLANK, "<blank>", "<eps>", "<b>", "_")
_REMEDY = "Give the file with one piece and its id per line that belongs to the model"


def read_foreign_tokens(path: Path, num_tokens: int) -> Vocabulary:
    """Read `piece id` a line in any order, or one piece a line; a space as a piece is the boundary of words.

    Args:
        path: tokens.txt, vocab.txt or the like.
        num_tokens: V, the outputs of the model with the blank.

    Raises:
        CheckpointError: when it cannot be read, does not fit the model, or its blank is not the last.
    """
    if num_tokens < 2:
        raise CheckpointError(
            "has one output and so no token besides the blank", where="the model", remedy="Give a CTC model"
        )
    lines = _lines(path)
    pieces = _numbered(lines, path) or [BOUNDARY if line == " " else line for line in lines]
    named = [token_id for token_id, piece in enumerate(pieces) if piece in BLANKS[:3]]
    if len(pieces) == num_tokens and pieces[-1] in BLANKS:
        pieces = pieces[:-1]
    elif named and named != [num_tokens - 1]:
        raise CheckpointError(
            f"the blank {pieces[named[0]]!r} is token {named[0]}; only models with the blank as their last "
            f"token, here {num_tokens - 1}, are read",
            where=str(path),
            remedy="Export the model again with the blank last",
        )
    if len(pieces) != num_tokens - 1:
        raise CheckpointError(
            f"lists {len(pieces)} pieces besides the blank, but the model has {num_tokens - 1}",
            where=str(path),
            remedy=_REMEDY,
        )
    return vocabulary_of(pieces, str(path))


def vocabulary_of(pieces: Sequence[str], where: str) -> Vocabulary:
    """Check pieces in SentencePiece's notation.

    Raises:
        CheckpointError: when one is empty, holds a space or is there twice.
    """
    try:
        return Vocabulary(tuple(pieces))
    except TextError as error:
        raise CheckpointError(error.what, where=where, remedy=error.remedy or _REMEDY) from None


def kind_of(vocabulary: Vocabulary) -> TokenizerKind:
    """Tell letters with a space as their first piece from pieces of words."""
    letters = vocabulary.pieces[0] == BOUNDARY and all(len(piece) == 1 for piece in vocabulary.pieces)
    return "char" if letters else "sentencepiece"


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MAX_TOKENS_BYTES:
            raise CheckpointError(
                f"a tokens file is at most {MAX_TOKENS_BYTES} bytes long",
                where=str(path),
                remedy="Give the tokens that belong to the model",
            )
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CheckpointError(f"the tokens cannot be read: {what}", where=str(path), remedy=_REMEDY) from None
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _numbered(lines: Sequence[str], path: Path) -> list[str] | None:
    """Read `piece id` lines; None where a line has no number behind its piece."""
    pairs = [line.rpartition(" ") for line in lines]
    if not all(between and number.isdecimal() for _, between, number in pairs):
        return None
    by_id: dict[int, str] = {}
    for line, (piece, _, number) in enumerate(pairs, start=1):
        token_id = int(number) if len(number) < 10 else len(lines)
        if token_id >= len(lines) or token_id in by_id:
            raise CheckpointError(
                f"the id {number[:20]} is there twice, or higher than the number of lines",
                where=f"{path}, line {line}",
                remedy=_REMEDY,
            )
        by_id[token_id] = piece.replace(" ", BOUNDARY) or BOUNDARY
    return [by_id[token_id] for token_id in range(len(lines))]
