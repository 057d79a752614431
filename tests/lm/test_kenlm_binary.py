"""Tries of KenLM give the n-grams of the ARPA file they were made of; all else is refused by name."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from linnet.core.errors import LanguageModelError
from linnet.lm.kenlm_binary import is_kenlm_binary, read_kenlm_binary
from linnet.lm.levels import Level, NgramModel, spell_out

TRIE = Path(__file__).parent / "reference" / "pruned.trie"


def table(model: NgramModel) -> dict[tuple[bytes, ...], tuple[float, float, bool]]:
    rows = {}
    for level, words in zip(model.levels, spell_out(model.levels), strict=True):
        for at, gram in enumerate(words):
            rows[tuple(model.words[number] for number in gram)] = _values(level, at)
    return rows


def _values(level: Level, at: int) -> tuple[float, float, bool]:
    backoff = level.log10_backoffs[at] if len(level.log10_backoffs) else np.float32(0)
    return float(level.log10_probs[at]), float(backoff), bool(np.signbit(backoff))


def test_a_trie_is_read(pruned: NgramModel) -> None:
    assert is_kenlm_binary(TRIE)
    assert table(read_kenlm_binary(TRIE)) == table(pruned)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (50, b"6", "incomplete or of another version or machine"),
        (60, b"\1", "incomplete or of another version or machine"),
        (96, b"\0", "with probing hash tables, from which n-grams cannot be read back. Give the ARPA file"),
        (96, b"\3", "with quantized trie"),
        (96, b"\x63", "with kind 99"),
        (100, b"\0", "does not hold its words"),
        (88, b"\x63", "of order 99"),
        (108, b"\xff\xff\xff\xff\xff", "the file is cut off"),
        (116, b"\xff", "do not hang together"),
        (-3, b"\0", "has 64 words in place of 63"),
        (-3, b"\xff", "not UTF-8"),
    ],
)
def test_what_is_damaged_or_of_another_kind_is_refused(
    at: int, value: bytes, message: str, tmp_path: Path
) -> None:
    content = bytearray(TRIE.read_bytes())
    at %= len(content)
    content[at : at + len(value)] = value
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(LanguageModelError, match=message):
        read_kenlm_binary(tmp_path / "a.bin")


def test_every_damage_is_an_error_or_another_model(tmp_path: Path) -> None:
    whole, generator = TRIE.read_bytes(), np.random.default_rng(0)
    for at in generator.integers(100, len(whole), 60).tolist():
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]):
            (tmp_path / "a.bin").write_bytes(damaged)
            with suppress(LanguageModelError):  # and no other error
                assert len(read_kenlm_binary(tmp_path / "a.bin").levels) == 3
