"""Tokenizers write text as ids and say which word or letter they cannot write."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from linnet.core.errors import ConfigError, TextError
from linnet.text.tokenizer import TokenizerConfig, build_tokenizer, tokenizer_of
from linnet.text.tokenizer_folder import TokenizerAbout, TokenizerFiles, write_tokenizer_folder
from linnet.text.tokenizer_training import train_tokenizer

LETTERS = TokenizerConfig()
DIGITS = TokenizerConfig(kind="word", pieces=("zero", "one", "two"))


BYTES = TokenizerConfig(kind="byte")
GROUPS = TokenizerConfig(kind="tevr", pieces=("ling", "ing", "in", "a", "g", "i", "k", "l", "n", "s"))
BERT = TokenizerConfig(kind="wordpiece", pieces=("[UNK]", "un", "##aff", "##able", "a", "##a", "##f"))


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


def test_bytes() -> None:
    tokenizer = build_tokenizer(BYTES)
    assert tokenizer.encode(" é  a") == [0xC3, 0xA9, 0x20, 0x61]
    assert tokenizer.vocabulary.pieces[0x20] == "▁"
    assert tokenizer.vocabulary.pieces[0xC3] == "<0xC3>"
    assert (tokenizer.vocabulary.blank_id, tokenizer.vocabulary.decode([0xC3, 0x20, 0x61])) == (
        256,
        "\ufffd a",
    )


def test_groups_of_letters_take_the_longest_that_fits() -> None:
    tokenizer = build_tokenizer(GROUPS)
    pieces = [tokenizer.vocabulary.pieces[token] for token in tokenizer.encode("killings in asia")]
    assert pieces == ["k", "i", "l", "ling", "s", "▁", "in", "▁", "a", "s", "i", "a"]


def test_word_pieces_are_cut_as_by_bert() -> None:
    tokenizer = build_tokenizer(BERT)
    assert tokenizer.vocabulary.pieces == ("[UNK]", "▁un", "aff", "able", "▁a", "a", "f")
    assert tokenizer.encode("unaffable a") == [1, 2, 3, 4]


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
        (LETTERS, "ab  h3", "text 'ab  h3', character 6: "),
        (BYTES, "a▁b", "character 2: the vocabulary lacks the character '▁' of the word 'a▁b'"),
        (BYTES, "one \ud800", "character 5: .*lacks the character"),
        (GROUPS, "killing sound", "character 10: the vocabulary lacks the character 'o' of the word 'sound'"),
        (BERT, "unb", "character 3: the vocabulary lacks the character 'b'"),
        (BERT, "fa", "character 1: the vocabulary lacks the character 'f'"),
        (BERT, "un▁a", "lacks the character '▁'"),
        (BERT, "[UNK]", "lacks the character"),
    ],
)
def test_what_cannot_be_written_is_named(config: TokenizerConfig, text: str, message: str) -> None:
    with pytest.raises(TextError, match=message):
        build_tokenizer(config).encode(text)


@pytest.mark.parametrize(
    ("config", "text", "ids"),
    [
        (DIGITS, "hey one oh two", [1, 2]),
        (LETTERS, "x9 ab 3 c", [1, 2, 0, 3]),
        (BERT, "f un b a", [1, 4]),
        (BYTES, "▁ a", [0x61]),
    ],
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
        ({"kind": "word", "pieces": ("<0x41>",)}, "the name of a byte"),
        ({"kind": "word"}, "needs `path`, the folder of a trained tokenizer, or `pieces`"),
        ({"kind": "tevr", "pieces": ("fünfe",)}, "longer than 4 letters"),
        ({"kind": "wordpiece", "pieces": ("a▁",)}, "without spaces or '▁'"),
        ({"kind": "byte", "pieces": ("a",)}, "bytes has its own"),
        ({"kind": "sentencepiece", "pieces": ("a",)}, "sentencepiece_model belongs"),
        ({"sentencepiece_model": "AA=="}, "sentencepiece_model belongs"),
        ({"kind": "bpe"}, "char"),
    ],
)
def test_a_wrong_config_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TokenizerConfig.model_validate(values)


def test_a_piece_given_twice_is_refused() -> None:
    with pytest.raises(TextError, match="two ids"):
        build_tokenizer(TokenizerConfig(pieces=("a", "a")))


# Letters of several scripts, combining marks, emoji of one and of several code points.
ALPHABET = "abcdeé\u0301'яё中한\u0939\u0940👍🏽❤\ufe0f\u200d7%"
TEXTS = [f"{first}{second}bad cab {first}a ab{second}" for first in ALPHABET for second in ALPHABET]
SIZES = {"bpe": 90, "unigram": 60, "wordpiece": 90, "tevr": 60}
TYPES: Any = ("char", "bpe", "unigram", "wordpiece", "byte", "tevr")


@pytest.fixture(scope="module")
def trained() -> dict[str, TokenizerFiles]:
    """A tokenizer of every type, trained on the same texts."""
    return {each: train_tokenizer(TEXTS, each, "none", SIZES.get(each)) for each in TYPES}


@given(st.lists(st.text(ALPHABET, min_size=1), max_size=6))
def test_what_is_of_known_characters_comes_back(trained: dict[str, TokenizerFiles], words: list[str]) -> None:
    text = " ".join(words)
    for each, files in trained.items():
        tokenizer = tokenizer_of(files, each)
        assert tokenizer.vocabulary.decode(tokenizer.encode(text)) == text, each


@given(st.text(st.one_of(st.characters(categories=None), st.sampled_from(ALPHABET + " ▁▅\ud800"))))
def test_any_text_comes_back_or_is_refused(trained: dict[str, TokenizerFiles], text: str) -> None:
    for each, files in trained.items():
        tokenizer = tokenizer_of(files, each)
        try:
            written = tokenizer.vocabulary.decode(tokenizer.encode(text))
        except TextError as error:
            written = f"refused at {error.where.rpartition(', ')[2]}"
        assert written == " ".join(text.split()) or written.startswith("refused at character "), each


@pytest.mark.parametrize("trained_type", TYPES)
def test_a_path_brings_all_that_a_model_needs(
    trained: dict[str, TokenizerFiles], trained_type: str, tmp_path: Path
) -> None:
    files = trained[trained_type]
    write_tokenizer_folder(tmp_path / "tokenizer", files)
    config = TokenizerConfig.model_validate({"path": str(tmp_path / "tokenizer")})
    assert (config.kind, config.pieces, config.path) == (files.about.kind, files.pieces, None)
    (tmp_path / "tokenizer").rename(tmp_path / "gone")
    again = TokenizerConfig.model_validate(config.model_dump(mode="json"))
    assert again == config
    assert build_tokenizer(again).encode("bad 7") == tokenizer_of(files, "").encode("bad 7") != []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "char"}, "kind is 'char', but the tokenizer in .* is of kind 'wordpiece'"),
        ({"pieces": ["a"]}, "`path` brings its own pieces; leave out pieces"),
        ({"path": "nowhere"}, "nowhere: there is no such folder"),
    ],
)
def test_a_path_that_does_not_fit_is_refused(values: dict[str, Any], message: str, tmp_path: Path) -> None:
    write_tokenizer_folder(tmp_path / "wpe", TokenizerFiles(TokenizerAbout(kind="wordpiece"), BERT.pieces))
    with pytest.raises(ValidationError, match=message):
        TokenizerConfig.model_validate({"path": str(tmp_path / "wpe"), **values})


def test_the_pieces_of_a_folder_are_checked() -> None:
    files = TokenizerFiles(TokenizerAbout(kind="char"), ("a", "bc"))
    with pytest.raises(ConfigError, match="folder: piece 'bc' is not a single letter"):
        tokenizer_of(files, "folder")
