"""BERT's notation and SentencePiece's say the same."""

import pytest

from linnet.text.wordpiece import from_bert, to_bert, wordpieces_from_merges


@pytest.mark.parametrize(
    ("bert", "piece"),
    [("go", "▁go"), ("##ing", "ing"), ("##", "▁##"), ("#", "▁#"), ("▁", "▁"), ("[unused1]", "▁[unused1]")],
)
def test_both_notations(bert: str, piece: str) -> None:
    assert from_bert(bert) == piece
    assert to_bert(piece) == bert


def test_special_pieces_stay() -> None:
    assert from_bert("[UNK]") == "[UNK]"


def test_every_letter_is_there_twice_before_the_merges() -> None:
    pieces = wordpieces_from_merges("ba", ["▁a", "▁ab", "ba", "▁", "bab"], 8)
    assert pieces == ["[UNK]", "a", "b", "##a", "##b", "ab", "##ba", "##bab"]
    assert wordpieces_from_merges("ba", ["▁ab", "ba"], 6) == pieces[:6]
