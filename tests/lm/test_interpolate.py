"""Mixed models: proper distributions, weights that fit the text."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from linnet.core.errors import LanguageModelError
from linnet.lm.interpolate import interpolate, tune_weights
from linnet.lm.levels import NgramModel
from linnet.lm.packed import PackedModel
from linnet.lm.perplexity import measure_perplexity
from linnet.lm.scoring import score_ngrams
from linnet.lm.sentences import SentenceReader

Packer = Callable[..., PackedModel]


@pytest.fixture(scope="module")
def both(pruned: NgramModel, limited: NgramModel, packer: Packer) -> list[PackedModel]:
    return [packer(pruned), packer(limited)]


@pytest.fixture(scope="module")
def mixed(both: list[PackedModel], packer: Packer) -> PackedModel:
    return packer(interpolate(both, [0.3, 0.7]))


def test_what_follows_a_context_sums_to_one(mixed: PackedModel) -> None:
    words = [number for number in range(mixed.num_words) if number != 1]
    for context in product((-1, 1), (3, 9), (4, 12, 40)):
        grams = np.array([[*context, word] for word in words])
        assert (10 ** score_ngrams(mixed.tables, grams)).sum() == pytest.approx(1, abs=1e-5)


def test_an_ngram_has_the_weighted_mean(mixed: PackedModel, both: list[PackedModel]) -> None:
    words = [word for word in mixed.words() if both[1].number(word) > 2][:5]
    for word in words:
        probs = [10 ** score_ngrams(m.tables, np.array([[m.number(word)]]))[0] for m in (*both, mixed)]
        assert probs[2] == pytest.approx(0.3 * probs[0] + 0.7 * probs[1], rel=1e-5)


def test_a_model_mixed_with_itself_stays_the_same(pruned: NgramModel, packer: Packer) -> None:
    packed = packer(pruned)
    same = interpolate([packed, packed], [0.5, 0.5])
    assert same.words == pruned.words
    for level, like in zip(same.levels, pruned.levels, strict=True):
        np.testing.assert_allclose(level.log10_probs, like.log10_probs, atol=1e-6)
        np.testing.assert_allclose(level.log10_backoffs, like.log10_backoffs, atol=1e-4)


def test_the_weights_are_the_best_for_the_text(
    both: list[PackedModel], texts: dict[str, Path], packer: Packer
) -> None:
    reader = SentenceReader([texts["unseen"]])
    best = tune_weights(both, reader)
    assert sum(best) == pytest.approx(1)
    found = {
        shift: measure_perplexity(packer(interpolate(both, [best[0] + shift, best[1] - shift])), reader)
        for shift in (-0.3, 0, 0.3)
    }
    assert min(found, key=lambda shift: found[shift].without_unknown) == 0


def test_units_do_not_mix(both: list[PackedModel], pruned: NgramModel, packer: Packer) -> None:
    letters = packer(NgramModel(pruned.words, pruned.levels, "char"))
    with pytest.raises(LanguageModelError, match="char and word units do not mix"):
        interpolate([both[0], letters], [0.5, 0.5])
