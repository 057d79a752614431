"""The pieces of a bundle write a text as the tokenizer of the training did."""

import pytest

from linnet.core.errors import TextError
from linnet.text.spelling import tokenizer_from_pieces
from linnet.text.tokenizer import TokenizerConfig, build_tokenizer
from linnet.text.vocabulary import Vocabulary, byte_piece

TEXT = "go going gone"


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "char"},
        {"kind": "byte"},
        {"kind": "aggregate", "pieces": ["▁go", "ing", "g", "▁", "▁g", "one", "▁go", "ing"]},
        {"kind": "word", "pieces": ["go", "going", "gone"]},
        {"kind": "tevr", "pieces": ["g", "o", "n", "e", "go", "ing"]},
        {"kind": "wordpiece", "pieces": ["[UNK]", "go", "##ing", "##n", "##ne", "##e", "▁"]},
    ],
)
def test_ids_are_those_of_the_training(values: dict[str, object]) -> None:
    config = TokenizerConfig.model_validate(values)
    trained = build_tokenizer(config)
    assert tokenizer_from_pieces(trained.vocabulary, config.kind).encode(TEXT) == trained.encode(TEXT)


SENTENCEPIECE = Vocabulary(
    ("<unk>", "▁", "▁go", "g", "o", "n", "e", "ing", "ne", byte_piece(0xC3), byte_piece(0xA9))
)


def test_the_fewest_pieces_stand_in_for_sentencepiece() -> None:
    tokenizer = tokenizer_from_pieces(SENTENCEPIECE, "sentencepiece")
    assert [SENTENCEPIECE.pieces[i] for i in tokenizer.encode("going gone né")] == [
        *("▁go", "ing", "▁go", "ne", "▁", "n", byte_piece(0xC3), byte_piece(0xA9))
    ]
    assert SENTENCEPIECE.decode(tokenizer.encode("going né")) == "going né"


@pytest.mark.parametrize(("word", "named"), [("gox", "'x' of the word 'gox'"), ("x", "'x' of the word 'x'")])
def test_a_word_that_cannot_be_written_is_named(word: str, named: str) -> None:
    with pytest.raises(TextError, match=named):
        tokenizer_from_pieces(SENTENCEPIECE, "sentencepiece").encode(f"go {word}")
