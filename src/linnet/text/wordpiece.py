"""BERT's notation of word pieces, and a list of them trained from text."""

from collections.abc import Iterable, Sequence

from linnet.text.vocabulary import BOUNDARY

CONTINUATION = "##"
UNKNOWN = "[UNK]"
SPECIAL_PIECES = frozenset({"[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]"})


def from_bert(piece: str) -> str:
    """Turn a line of BERT's vocab.txt into SentencePiece's notation: "go" → "▁go", "##ing" → "ing"."""
    if piece in SPECIAL_PIECES or piece == BOUNDARY:
        return piece
    if piece.startswith(CONTINUATION) and piece != CONTINUATION:
        return piece.removeprefix(CONTINUATION)
    return BOUNDARY + piece


def to_bert(piece: str) -> str:
    """Turn a piece into BERT's notation, as NeMo writes it beside its SentencePiece models."""
    if piece == BOUNDARY:
        return piece
    return piece.removeprefix(BOUNDARY) if piece.startswith(BOUNDARY) else CONTINUATION + piece


def wordpieces_from_merges(characters: Iterable[str], merges: Sequence[str], vocab_size: int) -> list[str]:
    """Make a list of word pieces from the merges of byte pair encoding, the earliest first.

    Every character is there twice, at the start of a word and inside of one, so that no word of these
    characters is unknown.

    Args:
        characters: what the texts consist of.
        merges: pieces in SentencePiece's notation, the earliest merge first.
        vocab_size: the most pieces wanted; fewer come back when the merges end before.
    """
    letters = sorted(characters)
    pieces = [UNKNOWN, *letters, *(CONTINUATION + letter for letter in letters)]
    merged = [to_bert(piece) for piece in merges if piece != BOUNDARY]
    return list(dict.fromkeys(pieces + merged))[:vocab_size]
