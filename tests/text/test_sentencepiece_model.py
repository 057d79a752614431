"""SentencePiece models of others are met with care, and nothing they drop goes unnoticed."""

import base64
import io
import sys
from typing import Any

import pytest
import sentencepiece

from linnet.core.errors import MissingDependencyError, TextError
from linnet.text import sentencepiece_model as module
from linnet.text.sentencepiece_model import SentencePieceTokenizer, read_pieces, train_model

TEXTS = ["one two three", "the tree", "two by two", "it's a one way street"] * 3


@pytest.fixture(scope="module")
def model() -> bytes:
    return train_model(TEXTS, "bpe", 40)


def make(model: bytes, *, skip_unknown: bool = False) -> SentencePieceTokenizer:
    return SentencePieceTokenizer(
        base64.b64encode(model).decode(), read_pieces(model), skip_unknown=skip_unknown
    )


def train_foreign(**options: Any) -> bytes:
    """A model as others train them, with SentencePiece's own rules and symbols."""
    written = io.BytesIO()
    options = {"vocab_size": 60, "model_type": "bpe", "hard_vocab_limit": False, "minloglevel": 3} | options
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(TEXTS), model_writer=written, **options)
    return written.getvalue()


@pytest.mark.parametrize(("model_type", "size"), [("bpe", 24), ("unigram", 20)])
def test_training_gives_the_size_asked_for_and_the_same_model_again(model_type: Any, size: int) -> None:
    trained = train_model(TEXTS, model_type, size)
    assert len(read_pieces(trained)) == size
    assert read_pieces(trained)[0] == "<unk>"
    assert train_model(TEXTS, model_type, size) == trained


@pytest.mark.parametrize(
    ("texts", "size", "message"),
    [
        (TEXTS, 500, "the texts give at most [0-9]+ pieces, not 500. Ask for fewer"),
        (TEXTS, 5, "the characters of the texts alone need 1[0-9] pieces, not 5. Ask for more"),
        ([*TEXTS, "a▅b"], 24, "SentencePiece cannot learn the character '▅'"),
    ],
)
def test_training_says_why_it_cannot(texts: list[str], size: int, message: str) -> None:
    with pytest.raises(TextError, match=message):
        train_model(texts, "bpe", size)


def test_a_text_longer_than_sentencepiece_takes_is_not_left_out() -> None:
    assert "▁q" in read_pieces(train_model([*TEXTS, "q " * 5000], "bpe", 40))


def test_unknown_characters_are_named(model: bytes) -> None:
    with pytest.raises(
        TextError, match=r"text 'one Zwo', character 5: .*lacks the character 'Z' of the word 'Zwo'"
    ):
        make(model).encode("one Zwo")
    assert make(model, skip_unknown=True).encode("one Zwo two") == make(model).encode("one two")


def test_a_model_whose_own_rules_change_the_text_is_found_out() -> None:
    foreign = make(train_foreign(normalization_rule_name="nmt_nfkc_cf"))
    assert foreign.vocabulary.decode(foreign.encode("one two")) == "one two"
    with pytest.raises(TextError, match="lacks the word 'Two'; its own rules make 'two' of it"):
        foreign.encode("one Two")


def test_a_model_with_byte_fallback_writes_everything() -> None:
    foreign = make(train_foreign(byte_fallback=True, vocab_size=300, normalization_rule_name="identity"))
    assert foreign.vocabulary.decode(foreign.encode("one 👍🏽 中")) == "one 👍🏽 中"


def test_a_piece_that_only_looks_like_a_byte_is_refused() -> None:
    with pytest.raises(TextError, match="'<0x41>', is the name of a byte and none"):
        read_pieces(train_foreign(user_defined_symbols=["<0x41>"]))


@pytest.mark.parametrize("damage", [b"", b"junk" * 50, b"\x00" * 9])
def test_a_damaged_model_is_refused(damage: bytes) -> None:
    with pytest.raises(TextError, match="is damaged"):
        read_pieces(damage)


def test_a_model_cut_off_anywhere_is_refused_or_whole(model: bytes) -> None:
    for size in range(0, len(model), 97):
        try:
            pieces = read_pieces(model[:size])
        except TextError:
            continue
        assert pieces == read_pieces(model)[: len(pieces)]


def test_a_huge_model_is_not_read(model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MODEL_BYTES", 10)
    with pytest.raises(TextError, match="at most 10 bytes"):
        read_pieces(model)


@pytest.mark.parametrize(
    ("content", "message"), [("nonsense!", "not in base64"), (None, "other pieces than its list")]
)
def test_a_model_that_does_not_fit_its_pieces_is_refused(
    model: bytes, content: str | None, message: str
) -> None:
    tokenizer = SentencePieceTokenizer(
        content or base64.b64encode(model).decode(), ["▁a", "b"], skip_unknown=False
    )
    with pytest.raises(TextError, match=message):
        tokenizer.encode("a")


def test_without_the_package_a_vocabulary_still_decodes(
    model: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = make(model)
    ids = make(model).encode("one two")
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    assert tokenizer.vocabulary.decode(ids) == "one two"
    with pytest.raises(MissingDependencyError, match=r"pip install 'linnet\[text\]'"):
        tokenizer.encode("one two")
