"""Tokenizers write text as ids and say which word or letter they cannot write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from linnet.core.errors import TextError
from linnet.text.tokenizer import TokenizerConfig, build_tokenizer

LETTERS = TokenizerConfig()
DIGITS = TokenizerConfig(kind="word", pieces=("zero", "one", "two"))


def test_the_default_letters_have_the_ids_of_nemo() -> None:
    vocabulary = build_tokenizer(LETTERS).vocabulary
    assert (vocabulary.pieces[0], vocabulary.pieces[1], vocabulary.pieces[27]) == ("▁", "a", "'")
    assert vocabulary.blank_id == 28


def test_letters() -> None:
    assert build_tokenizer(LETTERS).encode("  it's  a") == [9, 20, 27, 19, 0, 1]


def test_words() -> None:
    tokenizer = build_tokenizer(DIGITS)
    assert tokenizer.vocabulary.pieces == ("▁zero", "▁one", "▁two")
    assert tokenizer.encode("two zero two") == [2, 0, 2]


@given(st.lists(st.text("abz'", min_size=1)))
def test_what_letters_encode_they_decode(words: list[str]) -> None:
    tokenizer = build_tokenizer(LETTERS)
    assert tokenizer.vocabulary.decode(tokenizer.encode(" ".join(words))) == " ".join(words)


@pytest.mark.parametrize(
    ("config", "text", "message"),
    [
        (DIGITS, "one twoo", "lacks the word 'twoo'.*Did you mean 'two'"),
        (LETTERS, "a h3", "lacks the character '3' of the word 'h3'"),
        (LETTERS, "Hi", "lacks the character 'H' of the word 'Hi'"),
        (LETTERS, "a▁b", "lacks the character '▁'"),
    ],
)
def test_what_cannot_be_written_is_named(config: TokenizerConfig, text: str, message: str) -> None:
    with pytest.raises(TextError, match=message):
        build_tokenizer(config).encode(text)


@pytest.mark.parametrize(
    ("config", "text", "ids"), [(DIGITS, "hey one oh two", [1, 2]), (LETTERS, "x9 ab 3 c", [1, 2, 0, 3])]
)
def test_unknown_words_can_be_left_out(config: TokenizerConfig, text: str, ids: list[int]) -> None:
    assert build_tokenizer(config.model_copy(update={"skip_unknown": True})).encode(text) == ids


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pieces": ()}, "at least one piece"),
        ({"pieces": ("ab",)}, "not a single letter"),
        ({"pieces": (" ",)}, "without spaces"),
        ({"kind": "word", "pieces": ("two words",)}, "one word without spaces"),
        ({"kind": "word", "pieces": ("▁two",)}, "without spaces or '▁'"),
        ({"kind": "bpe"}, "char"),
    ],
)
def test_a_wrong_config_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TokenizerConfig.model_validate(values)


def test_a_piece_given_twice_is_refused() -> None:
    with pytest.raises(TextError, match="two ids"):
        build_tokenizer(TokenizerConfig(pieces=("a", "a")))
