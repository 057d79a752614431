"""Training keeps every character, and says when the size cannot be had."""

from typing import Any

import pytest

from linnet.core.errors import TextError
from linnet.text.tokenizer import tokenizer_of
from linnet.text.tokenizer_training import check_writable, train_tokenizer

TEXTS = ["one two three", "the tree", "two by two", "it's a one way street"] * 3


def test_letters_are_all_there_is() -> None:
    assert train_tokenizer(["bad cab", "", "é"], "char", "none").pieces == ("a", "b", "c", "d", "é")


def test_word_pieces_are_made_of_the_first_merges() -> None:
    files = train_tokenizer(TEXTS, "wordpiece", "basic", 45)
    assert len(files.pieces) == len(set(files.pieces)) == 45
    assert files.pieces[0] == "[UNK]"
    tokenizer = tokenizer_of(files, "")
    assert len(tokenizer.encode("two")) == 1
    assert tokenizer.vocabulary.decode(tokenizer.encode("ybw 'a'")) == "ybw 'a'"


def test_groups_and_letters_fill_the_size() -> None:
    files = train_tokenizer(TEXTS, "tevr", "basic", 20)
    groups = [piece for piece in files.pieces if len(piece) > 1]
    assert (len(files.pieces), len(groups)) == (19, 6)


def test_the_normalizer_is_recorded_with_its_version() -> None:
    about = train_tokenizer(TEXTS, "char", "english").about
    assert (about.kind, about.normalizer, about.normalizer_version) == ("char", "english", "1")


@pytest.mark.parametrize(
    ("texts", "trained_type", "size", "message"),
    [
        ([], "char", None, "there is no text to train"),
        (["", "  "], "bpe", 20, "there is no text to train"),
        (TEXTS, "char", 9, "alone need 14 pieces, not 9"),
        (TEXTS, "tevr", 9, "alone need 14 pieces, not 9"),
        (TEXTS, "tevr", 900, "the texts give at most [0-9]+ pieces, not 900"),
        (TEXTS, "wordpiece", 9, "alone need 27 pieces, not 9"),
        (TEXTS, "wordpiece", 900, "the texts give at most [0-9]+ pieces, not 900"),
        (TEXTS, "byte", 9, "there are 256 bytes, not 9"),
        (["one", "a▁b"], "byte", None, "text 'a▁b', character 2: .*the character '▁'"),
    ],
)
def test_what_cannot_be_had_is_said(
    texts: list[str], trained_type: Any, size: int | None, message: str
) -> None:
    with pytest.raises(TextError, match=message):
        train_tokenizer(texts, trained_type, "basic", size)


def test_check_writable_names_the_place() -> None:
    check_writable("any 👍🏽 text\n")
    with pytest.raises(TextError, match="character 3: "):
        check_writable("a \ud800")
