"""Pruning of back-off models by relative entropy (Stolcke 1998, Entropy-based pruning, arXiv:cs/0006025)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.lm.balance import balance, find_contexts, masses_left
from linnet.lm.levels import Level, NgramModel, parts
from linnet.lm.vocabulary import BOS, EOS

Worths = list[NDArray[np.float32]]


def find_worths(model: NgramModel) -> Worths:
    """Return what each n-gram of order 2 and up is worth, one array for each order.

    This is the share by which the perplexity rises without it (Stolcke 1998, equations 3 to 6), each taken
    away alone; the probability of its context is that which the model itself gives it. What a worthier n-gram
    begins or ends with is worth as much as that: it has to stay as long.

    Raises:
        LanguageModelError: when the model lacks what an n-gram begins with.
    """
    levels = model.levels
    contexts = find_contexts(levels)
    joint = 10.0 ** levels[0].log10_probs.astype(np.float64)
    joint[BOS] = joint[EOS]  # as many sentences begin as end
    worths: Worths = []
    for level, below, context in zip(levels[1:], levels, contexts[1:], strict=False):
        worths.append(_rises(level, below, context, joint))
        joint = joint[context] * 10.0 ** level.log10_probs.astype(np.float64)
    for n in range(len(worths) - 1, 0, -1):
        np.maximum.at(worths[n - 1], contexts[n + 1], worths[n])
        np.maximum.at(worths[n - 1], levels[n + 1].parent, worths[n])
    return worths


def _rises(level: Level, below: Level, context: Array, joint: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return by what share the perplexity rises without each n-gram.

    Args:
        level: the n-grams.
        below: those of the order below.
        context: the place of each one's context there.
        joint: the probability of each context.
    """
    left, left_below = masses_left(level, below, context)
    rises = np.empty(len(level), np.float32)
    for part in parts(len(level)):
        at = context[part]
        log_prob = np.log(10) * level.log10_probs[part].astype(np.float64)
        log_below = np.log(10) * below.log10_probs[level.parent[part]].astype(np.float64)
        prob = np.exp(log_prob)
        log_backoff = np.log(left[at] / left_below[at])
        log_without = np.log((left[at] + prob) / (left_below[at] + np.exp(log_below)))
        change = prob * (log_below + log_without - log_prob) + left[at] * (log_without - log_backoff)
        rises[part] = np.maximum(np.expm1(-joint[at] * change), 0)  # but for rounding it is never below
    return rises


def find_threshold(worths: Worths, num_words: int, fits: Callable[[list[int]], bool]) -> float:
    """Return the lowest threshold for `prune` with which a model fits.

    Args:
        worths: of its n-grams.
        num_words: how many words it has.
        fits: tells from how many n-grams of each order are left whether they are few enough.

    Raises:
        LanguageModelError: when not even the words alone fit.
    """
    ascending = [np.sort(worth) for worth in worths]
    values = np.append(np.unique(np.concatenate([*ascending, np.empty(0, np.float32)])), np.float32(np.inf))
    low, high = 0, len(values) - 1
    if not fits([num_words]):
        raise LanguageModelError(
            f"the {num_words} words of the model alone are too many",
            remedy="Allow more, or build a model of fewer words with --vocab",
        )
    while low < high:
        middle = (low + high) // 2
        counts = [len(worth) - int(np.searchsorted(worth, values[middle])) for worth in ascending]
        if fits([num_words, *counts]):
            high = middle
        else:
            low = middle + 1
    return float(values[low])


def prune(model: NgramModel, worths: Worths, threshold: float) -> NgramModel:
    """Return the model without the n-grams whose worth is below a threshold.

    The others keep their probabilities, and the back-offs are such that everything after a context sums to 1.
    Words stay. The order falls where no n-gram of the highest one is left.
    """
    levels = [_picked(model.levels[0], np.arange(len(model.words)), np.zeros(1, np.uint32))]
    renumbered: Array = np.arange(len(model.words), dtype=np.uint32)
    for level, worth in zip(model.levels[1:], worths, strict=True):
        is_kept = worth >= np.float32(threshold)
        if not is_kept.any():
            break
        levels.append(_picked(level, np.flatnonzero(is_kept), renumbered))
        renumbered = np.cumsum(is_kept, dtype=np.uint32) - np.uint32(1)
    last = levels[-1]
    levels[-1] = Level(last.first, last.parent, last.log10_probs, np.empty(0, np.float32))
    balance(levels)
    return NgramModel(model.words, levels, model.unit)


def _picked(level: Level, kept: NDArray[np.intp], renumbered: Array) -> Level:
    return Level(
        np.asarray(level.first)[kept],
        renumbered[np.asarray(level.parent)[kept]],
        np.asarray(level.log10_probs)[kept],
        np.zeros(len(kept), np.float32),
    )
