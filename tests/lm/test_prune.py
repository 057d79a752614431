"""Pruned models: proper distributions, the n-grams that a slow reference keeps, targets that are met."""

from collections.abc import Callable
from itertools import product
from math import exp, log

import numpy as np
import pytest

from linnet.core.errors import LanguageModelError
from linnet.lm.assembly import Ngrams, assemble
from linnet.lm.levels import NgramModel, spell_out
from linnet.lm.packed import PackedModel
from linnet.lm.packed_writer import packed_size
from linnet.lm.prune import find_threshold, find_worths, prune
from linnet.lm.scoring import score_ngrams
from linnet.lm.vocabulary import BOS, EOS

Packer = Callable[..., PackedModel]
Gram = tuple[int, ...]


class Slow:
    """A back-off model in a dictionary, pruned n-gram by n-gram as Stolcke 1998 writes it down."""

    def __init__(self, model: NgramModel) -> None:
        spelled = spell_out(model.levels)
        self.order, self.num_words = model.order, len(model.words)
        self.probs: dict[Gram, float] = {
            tuple(map(int, gram)): float(10.0 ** np.float64(logarithm))
            for grams, level in zip(spelled, model.levels, strict=True)
            for gram, logarithm in zip(grams, level.log10_probs, strict=True)
        }

    def backoff(self, context: Gram) -> float:
        followed = [gram for gram in self.probs if gram[:-1] == context]
        if not followed:
            return 1
        left = 1 - sum(self.probs[gram] for gram in followed)
        return left / (1 - sum(self.probs[gram[1:]] for gram in followed))

    def prob(self, gram: Gram) -> float:
        if gram in self.probs:
            return self.probs[gram]
        return self.backoff(gram[:-1]) * self.prob(gram[1:])

    def rise(self, gram: Gram) -> float:
        """Return by what share the perplexity rises, summed over all words that can follow the context."""
        context, kept = gram[:-1], self.probs[gram]
        words = [word for word in range(self.num_words) if word != BOS]
        before = [self.prob((*context, word)) for word in words]
        del self.probs[gram]
        after = [self.prob((*context, word)) for word in words]
        self.probs[gram] = kept
        joint = self.probs[(EOS,) if context[0] == BOS else context[:1]]
        for length in range(2, len(context) + 1):
            joint *= self.prob(context[:length])
        divergence = sum(p * log(p / q) for p, q in zip(before, after, strict=True) if p)
        return exp(joint * divergence) - 1

    def kept(self, threshold: float) -> set[Gram]:
        """Return what is left with what it begins and ends with."""
        left: set[Gram] = {gram for gram in self.probs if len(gram) == 1}
        for gram in sorted(self.probs, key=len, reverse=True):
            is_needed = any(gram in (longer[:-1], longer[1:]) for longer in left)
            if len(gram) > 1 and (is_needed or self.rise(gram) >= threshold):
                left.add(gram)
        return left


@pytest.fixture(scope="module")
def small() -> NgramModel:
    """7 words, order 3, and back-offs of any size."""
    random = np.random.default_rng(4)
    words = [b"<unk>", b"<s>", b"</s>", b"a", b"b", b"c", b"d"]
    grams = [np.arange(7)[:, None]]
    firsts = [1, 3, 4, 5]
    grams.append(np.array([pair for pair in product(firsts, (2, 3, 4, 5, 6)) if random.random() < 0.7]))
    has = set(map(tuple, grams[1]))
    triples = [one for one in product(firsts, firsts, (2, 3, 4, 5, 6)) if {one[:2], one[1:]} <= has]
    grams.append(np.array([one for one in triples if random.random() < 0.6]))
    orders = []
    for rows in grams:
        shares = np.where(rows[:, -1] == BOS, 1e-9, random.uniform(0.02, 0.18, len(rows)))
        orders.append(
            Ngrams(
                rows.astype(np.uint32),
                np.log10(shares).astype(np.float32),
                np.zeros(len(rows), np.float32),
                np.arange(len(rows)),
            )
        )
    orders[0].log10_probs[:] -= np.log10((10.0 ** orders[0].log10_probs).sum())
    model = assemble(words, orders)
    unpruned = prune(model, find_worths(model), 0)  # balanced
    assert [len(level) for level in unpruned.levels] == [len(rows) for rows in grams]
    return unpruned


@pytest.mark.parametrize("threshold", [1e-5, 1e-3, 4e-3, 1.0])
def test_what_is_kept_is_what_a_slow_reference_keeps(small: NgramModel, threshold: float) -> None:
    pruned = prune(small, find_worths(small), threshold)
    kept = {tuple(map(int, gram)) for grams in spell_out(pruned.levels) for gram in grams}
    slow = Slow(small)
    expected = slow.kept(threshold)
    assert kept == expected
    assert len(kept) < len(slow.probs)
    slow.probs = {gram: prob for gram, prob in slow.probs.items() if gram in expected}
    for level, grams in zip(pruned.levels[:-1], spell_out(pruned.levels), strict=False):
        slowly = [slow.backoff(tuple(map(int, gram))) for gram in grams]
        np.testing.assert_allclose(10.0**level.log10_backoffs, slowly, rtol=1e-5)


def test_what_follows_a_context_sums_to_one(limited: NgramModel, packer: Packer) -> None:
    worths = find_worths(limited)
    pruned = packer(prune(limited, worths, float(np.median(np.concatenate(worths)))))
    assert [pruned.header.num_grams[n] < len(limited.levels[n]) for n in (1, 2, 3)] == [True] * 3
    words = [number for number in range(pruned.num_words) if number != BOS]
    for context in product((-1, BOS), (3, 9), (4, 12)):
        grams = np.array([[*context, word] for word in words])
        assert (10 ** score_ngrams(pruned.tables, grams)).sum() == pytest.approx(1, abs=1e-5)


def test_a_threshold_of_zero_keeps_all(limited: NgramModel) -> None:
    whole = prune(limited, find_worths(limited), 0)
    for level, like in zip(whole.levels, limited.levels, strict=True):
        np.testing.assert_array_equal(level.parent, like.parent)
        np.testing.assert_array_equal(level.log10_probs, like.log10_probs)
        np.testing.assert_allclose(level.log10_backoffs, like.log10_backoffs, atol=1e-4)


def test_a_target_is_just_met(pruned: NgramModel, packer: Packer) -> None:
    worths, num_words = find_worths(pruned), len(pruned.words)
    size = sum(map(len, pruned.words))

    def fits(counts: list[int]) -> bool:
        return packed_size(counts, size, quantized=True) <= target

    whole = packer(pruned, quantized=True).path.stat().st_size
    target = whole - 2000
    threshold = find_threshold(worths, num_words, fits)
    written = packer(prune(pruned, worths, threshold), quantized=True).path.stat().st_size
    assert target - 1000 < written <= target
    few = find_threshold(worths, num_words, lambda counts: sum(counts) <= num_words + 5)
    assert num_words < sum(map(len, prune(pruned, worths, few).levels)) <= num_words + 5
    assert prune(pruned, worths, float("inf")).order == 1
    with pytest.raises(LanguageModelError, match=f"the {num_words} words of the model alone are too many"):
        find_threshold(worths, num_words, lambda counts: sum(counts) < num_words)
