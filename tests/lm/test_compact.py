"""The compact file: what goes in comes out but for the codes, and damage is named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linnet.core.errors import LanguageModelError
from linnet.lm.compact_writer import compact_size, write_compact
from linnet.lm.levels import Level, NgramModel, spell_out
from linnet.lm.packed import PackedModel, layout
from linnet.lm.scoring import empty_state, score_ngrams, score_word, sentence_start
from linnet.lm.vocabulary import BOS, UNK

Packer = Callable[..., PackedModel]


@pytest.fixture(scope="module")
def compact(limited: NgramModel, tmp_path_factory: pytest.TempPathFactory) -> PackedModel:
    path = tmp_path_factory.mktemp("compact") / "a.lm"
    write_compact(path, limited)
    return PackedModel(path)


def spelled(model: NgramModel) -> dict[tuple[bytes, ...], tuple[float, float]]:
    """Return log10 probability and back-off of every n-gram."""
    found = {}
    for level, grams in zip(model.levels, spell_out(model.levels), strict=True):
        backoffs = level.log10_backoffs if len(level.log10_backoffs) else np.zeros(len(level))
        for gram, prob, backoff in zip(grams, level.log10_probs, backoffs, strict=True):
            found[tuple(model.words[word] for word in gram)] = float(prob), float(backoff)
    return found


def test_a_model_comes_back(compact: PackedModel, limited: NgramModel, packer: Packer) -> None:
    expected = spelled(packer(limited, quantized=True).unpack())
    assert spelled(compact.unpack()) == expected
    size = sum(map(len, limited.words))
    assert compact.path.stat().st_size == compact_size([len(level) for level in limited.levels], size)
    with pytest.raises(LanguageModelError, match="has 65537 words, where a compact file holds 65536 at most"):
        compact_size([2**16 + 1], 0)


def test_scores_are_those_of_the_tables(compact: PackedModel, limited: NgramModel, packer: Packer) -> None:
    hashed = packer(limited, quantized=True)
    random = np.random.default_rng(1)
    picked = random.integers(2, len(limited.words), (300, 4))
    for grams in spell_out(limited.levels)[1:]:
        picked[-len(grams) :, -grams.shape[1] :] = grams[-300:]
    numbers = np.array([compact.number(word) for word in limited.words])
    scores = score_ngrams(hashed.tables, picked)
    np.testing.assert_allclose(score_ngrams(compact.tables, numbers[picked]), scores, atol=1e-6)
    with np.errstate(over="ignore"):
        for gram, expected in zip(numbers[picked], scores, strict=True):
            state, after = empty_state(compact.tables), empty_state(compact.tables)
            for word in gram:
                score = score_word(compact.tables, state, int(word), after)
                state, after = after, state
            assert score == pytest.approx(expected, abs=1e-5)
    assert sentence_start(compact.tables).words[0] == BOS


def test_words_have_numbers(compact: PackedModel) -> None:
    words = compact.words()
    assert words[3:] == sorted(words[3:])
    assert [compact.number(word) for word in words] == list(range(len(words)))
    assert [compact.number(word) for word in (b"", b"nobody", b"\xfe")] == [UNK] * 3


def test_children_out_of_range_are_refused(compact: PackedModel, tmp_path: Path) -> None:
    whole = compact.path.read_bytes()
    path = tmp_path / "damaged.lm"
    for section in ("blocks", "children"):
        start, dtype, length = layout(compact.header)[section]
        for at in (0, length // 2, length - 1):
            place = start + at * dtype.itemsize + 1
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 64]) + whole[place + 1 :])
            with pytest.raises(LanguageModelError, match="damaged"):
                PackedModel(path)
    path.write_bytes(whole[:-200] + bytes([whole[-200] ^ 1]) + whole[-199:])
    with pytest.raises(LanguageModelError, match="checksum"):
        PackedModel(path).unpack()


def test_too_many_n_grams_with_one_ending_are_refused(tmp_path: Path) -> None:
    num_words = 2**16
    numbers = np.arange(num_words, dtype=np.uint32)
    zeros = np.zeros(num_words, np.float32)
    words = [b"<unk>", b"<s>", b"</s>", *(b"%d" % number for number in range(3, num_words))]
    both = [np.uint32(3), np.uint32(4)]
    pairs = Level(np.tile(numbers, 2), np.repeat(both, num_words), np.tile(zeros, 2), np.empty(0, np.float32))
    model = NgramModel(words, [Level(numbers, np.zeros(num_words, np.uint32), zeros, zeros), pairs])
    with pytest.raises(LanguageModelError, match="too many n-grams with the same endings"):
        write_compact(tmp_path / "a.lm", model)
    assert not list(tmp_path.iterdir())
