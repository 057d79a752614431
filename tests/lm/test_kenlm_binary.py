"""Binary files of KenLM give the n-grams of the ARPA file they were made of, or are refused by name."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from linnet.core.errors import LanguageModelError
from linnet.lm import kenlm_probing
from linnet.lm.kenlm_binary import is_kenlm_binary, read_kenlm_binary
from linnet.lm.kenlm_hashes import first_word_parts
from linnet.lm.levels import Level, NgramModel, spell_out

TRIE = Path(__file__).parent / "reference" / "pruned.trie"
PROBING = TRIE.with_suffix(".probing")


def table(model: NgramModel) -> dict[tuple[bytes, ...], tuple[float, float, bool, bool]]:
    rows = {}
    for level, words in zip(model.levels, spell_out(model.levels), strict=True):
        for at, gram in enumerate(words):
            rows[tuple(model.words[number] for number in gram)] = _values(level, at)
    return rows


def _values(level: Level, at: int) -> tuple[float, float, bool, bool]:
    prob = level.log10_probs[at]
    backoff = level.log10_backoffs[at] if len(level.log10_backoffs) else np.float32(0)
    return float(prob), float(backoff), bool(np.signbit(prob)), bool(np.signbit(backoff))


@pytest.mark.parametrize("path", [TRIE, PROBING], ids=lambda path: path.suffix)
def test_the_n_grams_of_the_arpa_file_are_read(path: Path, pruned: NgramModel) -> None:
    assert is_kenlm_binary(path)
    assert table(read_kenlm_binary(path)) == table(pruned)


@pytest.mark.parametrize(
    ("path", "at", "value", "message"),
    [
        (TRIE, 50, b"6", "incomplete or of another version or machine"),
        (TRIE, 60, b"\1", "incomplete or of another version or machine"),
        (
            TRIE,
            96,
            b"\1",
            "with probing hash tables with rest costs, which cannot be read back. Give the ARPA file",
        ),
        (TRIE, 96, b"\3", "with quantized trie"),
        (TRIE, 96, b"\x63", "with kind 99"),
        (TRIE, 100, b"\0", "does not hold its words"),
        (TRIE, 88, b"\x63", "of order 99"),
        (TRIE, 108, b"\xff\xff\xff\xff\xff", "the file is cut off"),
        (TRIE, 116, b"\xff", "do not hang together"),
        (TRIE, -3, b"\0", "has 64 words in place of 63"),
        (TRIE, -3, b"\xff", "not UTF-8"),
        (PROBING, 92, b"\0\0\xc0\x7f", "hash tables have no size"),
        (PROBING, 108, b"\xff\xff\xff\xff\xff", "does not tell how many words it has"),
        (PROBING, 116, b"\xff\xff\xff\xff\xff\xff\xff\xff", "the file is cut off"),
        (PROBING, 136, b"\1", "does not tell how many words it has"),
        (
            PROBING,
            1784,
            b"\1",
            "291 of its 292 2-grams could be spelled from their hashes. Give the ARPA file",
        ),
        (PROBING, 1848, b"\xaa", "290 of its 291 2-grams could be spelled"),
        (PROBING, 8760, bytes(8), "it holds 13 of 14 3-grams"),
        (PROBING, 8760, b"\xaa", "13 of its 14 3-grams could be spelled"),
        (PROBING, 1272, b"\0\0\x80\xff", "no number"),
        (PROBING, 1272, b"\0\0\xc0\x7f", "no number"),
        (PROBING, 1276, b"\0\0\xc0\x7f", "no number"),
        (PROBING, -3, b"\0", "has 64 words in place of 63"),
    ],
)
def test_what_is_damaged_or_of_another_kind_is_refused(
    path: Path, at: int, value: bytes, message: str, tmp_path: Path
) -> None:
    content = bytearray(path.read_bytes())
    at %= len(content)
    content[at : at + len(value)] = value
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(LanguageModelError, match=message):
        read_kenlm_binary(tmp_path / "a.bin")


def test_hash_tables_are_read_the_same_where_overlaps_are_large(
    pruned: NgramModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kenlm_probing, "_MANY_PAIRS", 1)
    monkeypatch.setattr(kenlm_probing, "_MANY_ROWS", 1)
    assert table(read_kenlm_binary(PROBING)) == table(pruned)


def test_a_hash_of_two_n_grams_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kenlm_probing, "first_word_parts", lambda words: first_word_parts(words & 62))
    with pytest.raises(LanguageModelError, match="one of its 2-grams can be spelled in more than one way"):
        read_kenlm_binary(PROBING)


@pytest.mark.parametrize("path", [TRIE, PROBING], ids=lambda path: path.suffix)
def test_every_damage_is_an_error_or_another_model(path: Path, tmp_path: Path) -> None:
    whole, generator = path.read_bytes(), np.random.default_rng(0)
    for at in generator.integers(100, len(whole), 30).tolist():
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]):
            (tmp_path / "a.bin").write_bytes(damaged)
            with suppress(LanguageModelError):  # and no other error
                assert len(read_kenlm_binary(tmp_path / "a.bin").levels) == 3
