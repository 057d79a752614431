"""Token ids for a text from nothing but the pieces of a model, as a bundle holds them."""

from linnet.text.fewest_pieces import FewestPieces
from linnet.text.tokenizer import Tokenizer, TokenizerConfig, build_tokenizer
from linnet.text.vocabulary import BOUNDARY, TokenizerKind, Vocabulary
from linnet.text.wordpiece import SPECIAL_PIECES, to_bert


def tokenizer_from_pieces(vocabulary: Vocabulary, kind: TokenizerKind) -> Tokenizer:
    """Build the tokenizer that a model was trained with, as far as its pieces tell.

    They tell all but the rules of SentencePiece, whose place `FewestPieces` takes.

    Raises:
        ConfigError: when the pieces are none of that kind.
    """
    if kind in ("sentencepiece", "aggregate"):
        return FewestPieces(vocabulary)
    pieces = vocabulary.pieces
    if kind in ("char", "tevr"):
        pieces = tuple(piece for piece in pieces if piece != BOUNDARY)
    elif kind == "word":
        pieces = tuple(piece.removeprefix(BOUNDARY) for piece in pieces)
    elif kind == "wordpiece":
        pieces = tuple(piece if piece in SPECIAL_PIECES else to_bert(piece) for piece in pieces)
    else:
        pieces = ()
    tokenizer = build_tokenizer(TokenizerConfig(kind=kind, pieces=pieces))
    assert tokenizer.vocabulary == vocabulary, "the pieces of a bundle are in the order of its kind"
    return tokenizer
