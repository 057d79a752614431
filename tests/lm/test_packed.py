"""The packed file: what goes in comes out, and damage is named."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.core.errors import LanguageModelError
from linnet.lm import external_sort
from linnet.lm.levels import NgramModel
from linnet.lm.packed import MAGIC, PackedModel, is_packed
from linnet.lm.packed_writer import write_packed
from linnet.lm.tables import mix, unmix
from linnet.lm.vocabulary import UNK

Packer = Callable[..., PackedModel]


def assert_same(model: NgramModel, expected: NgramModel, tolerance: float = 0) -> None:
    assert model.words == expected.words
    for level, like in zip(model.levels, expected.levels, strict=True):
        np.testing.assert_array_equal(level.first, like.first)
        np.testing.assert_array_equal(level.parent, like.parent)
        np.testing.assert_allclose(level.log10_probs, like.log10_probs, rtol=0, atol=tolerance)
        np.testing.assert_allclose(level.log10_backoffs, like.log10_backoffs, rtol=0, atol=tolerance)
        np.testing.assert_array_equal(np.signbit(level.log10_backoffs), np.signbit(like.log10_backoffs))


@given(st.lists(st.integers(0, 2**64 - 1), max_size=9))
def test_mixing_can_be_undone(keys: list[int]) -> None:
    numbers = np.array(keys, np.uint64)
    np.testing.assert_array_equal(unmix(mix(numbers)), numbers)


@pytest.mark.parametrize("name", ["pruned", "limited"])
def test_a_model_comes_back(name: str, packer: Packer, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(name)
    assert_same(packer(model).unpack(), model)


def test_little_memory_gives_the_same_file(
    limited: NgramModel, packer: Packer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = packer(limited).path.read_bytes()
    monkeypatch.setattr(external_sort, "_MIN_BLOCK_ROWS", 16)
    write_packed(tmp_path / "a.lm", limited, tmp_path, 1)
    assert (tmp_path / "a.lm").read_bytes() == expected


def test_few_values_lose_nothing_in_8_bits_and_many_little(pruned: NgramModel, packer: Packer) -> None:
    packed = packer(pruned, quantized=True)
    assert packed.path.stat().st_size < packer(pruned).path.stat().st_size + 3 * 2 * 256 * 4
    assert_same(packed.unpack(), pruned, tolerance=0.05)


def test_words_have_numbers(pruned: NgramModel, packer: Packer) -> None:
    packed = packer(pruned)
    assert packed.words() == pruned.words
    assert [packed.number(word) for word in pruned.words] == list(range(len(pruned.words)))
    assert packed.number(b"nobody") == UNK
    assert packed.word(2) == b"</s>"


def test_a_cut_or_changed_file_is_refused(pruned: NgramModel, packer: Packer, tmp_path: Path) -> None:
    whole = packer(pruned).path.read_bytes()
    path = tmp_path / "damaged.lm"
    for damaged in (whole[:-1], whole + b"\0", whole[:5000], whole[:10], whole[:20] + b"9" + whole[21:]):
        path.write_bytes(damaged)
        with pytest.raises(LanguageModelError, match="damaged"):
            PackedModel(path)
    path.write_bytes(whole[:-200] + bytes([whole[-200] ^ 1]) + whole[-199:])
    with pytest.raises(LanguageModelError, match="checksum"):
        PackedModel(path).unpack()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": 2, "quantized": True},
        {"version": 3},
        {"num_grams": []},
        {"num_grams": [1, 2, 3]},
        {"num_nodes": [63, 2**40, 9]},
        {"num_nodes": [63, 1, 1]},
        {"num_homes": [0, 0, 0]},
        {"max_probes": [0, -1, 0]},
        {"max_probes": [0]},
        {"num_word_bytes": 2**50},
        {"order": 3},
    ],
)
def test_a_header_that_promises_too_much_is_refused(
    change: dict[str, object], pruned: NgramModel, packer: Packer, tmp_path: Path
) -> None:
    whole = packer(pruned).path.read_bytes()
    length = int.from_bytes(whole[8:12], "little")
    text = json.dumps(json.loads(whole[16 : 16 + length]) | change).encode()
    start = MAGIC + len(text).to_bytes(4, "little") + zlib.crc32(text).to_bytes(4, "little") + text
    (tmp_path / "a.lm").write_bytes(start.ljust(4096, b"\0") + whole[4096:])
    with pytest.raises(LanguageModelError, match=r"a.lm: is damaged, or of another version"):
        PackedModel(tmp_path / "a.lm")


def test_another_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    assert not is_packed(tmp_path / "a.txt")
    with pytest.raises(LanguageModelError, match=r"a.txt: is no packed language model. linnet lm import"):
        PackedModel(tmp_path / "a.txt")
    with pytest.raises(LanguageModelError, match=r"gone.lm: cannot be read"):
        is_packed(tmp_path / "gone.lm")
