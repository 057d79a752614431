"""The vocabulary decodes SentencePiece notation and its file survives a round trip."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.core.errors import TextError
from linnet.text import vocabulary as module
from linnet.text.vocabulary import Vocabulary, read_tokens, write_tokens

WORDS = Vocabulary(("▁zero", "▁one", "▁two"))
LETTERS = Vocabulary(("▁", "a", "b", "'"))
BYTES = Vocabulary(("n", "<0xC3>", "<0xA9>", "▁"))
PIECES = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1).filter(
    lambda piece: piece != "<blk>"
)


def test_the_blank_comes_after_the_pieces() -> None:
    assert (WORDS.blank_id, WORDS.size) == (3, 4)


@pytest.mark.parametrize(
    ("vocabulary", "ids", "text"),
    [
        (WORDS, [], ""),
        (WORDS, [1, 0, 1], "one zero one"),
        (LETTERS, [0, 0, 1, 2, 0, 0, 2, 0], "ab b"),
        (LETTERS, [1, 3, 2], "a'b"),
        (Vocabulary(("▁he", "llo", "▁")), [0, 1, 2, 0], "hello he"),
        (BYTES, [0, 1, 2, 3, 1, 2], "né é"),
        (BYTES, [1, 3, 2, 0], "\ufffd \ufffdn"),
    ],
)
def test_decode(vocabulary: Vocabulary, ids: list[int], text: str) -> None:
    assert vocabulary.decode(ids) == text


@pytest.mark.parametrize("pieces", [("",), ("a b",), ("a\n",), ("a\u2028",), ("a\ud800",), ("<blk>",)])
def test_a_piece_that_could_not_be_written_is_refused(pieces: tuple[str, ...]) -> None:
    with pytest.raises(TextError, match="piece 0"):
        Vocabulary(pieces)


def test_a_piece_with_two_ids_is_refused() -> None:
    with pytest.raises(TextError, match="'a' of the vocabulary has two ids, 0 and 2"):
        Vocabulary(("a", "b", "a"))
    assert Vocabulary(("a", "b", "a"), repeats=True).decode([0, 1, 2]) == "aba"


def test_the_file_is_the_form_of_sherpa_onnx(tmp_path: Path) -> None:
    write_tokens(tmp_path / "tokens.txt", WORDS)
    assert (tmp_path / "tokens.txt").read_bytes() == "▁zero 0\n▁one 1\n▁two 2\n<blk> 3\n".encode()


@given(st.lists(PIECES, unique=True))
def test_any_vocabulary_survives_its_file(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    path = tmp_path_factory.mktemp("tokens") / "tokens.txt"
    write_tokens(path, Vocabulary(tuple(pieces)))
    assert read_tokens(path).pieces == tuple(pieces)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: found ''"),
        (b"a 0\nb 2\n<blk> 3\n", "line 2: found 'b 2' where 'piece 1'"),
        (b"a 0\nb\n<blk> 2\n", "line 2"),
        (b"a 0\nb 1\n", "the last token is not '<blk>'"),
        (b"a 0\n<blk> 1\nb 2\n", "last token"),
        (b"\xff 0\n<blk> 1\n", "cannot read"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "tokens.txt"
    path.write_bytes(content)
    with pytest.raises(TextError, match=message):
        read_tokens(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"none\.txt"):
        read_tokens(tmp_path / "none.txt")


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TOKENS_BYTES", 10)
    write_tokens(tmp_path / "tokens.txt", WORDS)
    with pytest.raises(TextError, match="at most 10 bytes"):
        read_tokens(tmp_path / "tokens.txt")
