"""Back-offs with which all that can follow a context sums to 1."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.lm.levels import NO_EXTENSION, Level, pack, parts

_SMALLEST_MASS = 1e-7  # what a context leaves to the order below, at least


def find_contexts(levels: Sequence[Level]) -> list[Array]:
    """Return for each level where its n-grams stand without their last words, (n,) in the level below.

    Order 1 has no level below, and gets zeros.

    Raises:
        LanguageModelError: when a level lacks what an n-gram begins with.
    """
    contexts: list[Array] = [np.zeros(len(levels[0]), np.uint32), *(level.first for level in levels[1:2])]
    for n in range(3, len(levels) + 1):
        level, below = levels[n - 1], levels[n - 2]
        keys = pack(below.parent, below.first)
        context = np.empty(len(level), np.uint32)
        for part in parts(len(level)):
            sought = pack(contexts[-1][level.parent[part]], level.first[part])
            at = np.searchsorted(keys, sought)
            if not np.array_equal(keys[np.minimum(at, len(keys) - 1)], sought):
                raise LanguageModelError(f"the model has {n}-grams without the {n - 1}-grams they begin with")
            context[part] = at
        contexts.append(context)
    return contexts


def masses_left(
    level: Level, below: Level, context: Array
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the contexts of a level leave to words that it does not have after them.

    Args:
        level: the n-grams.
        below: those of the order below.
        context: as `find_contexts` gives it for the level.

    Returns:
        (len(below),) for each context what the level leaves, and (len(below),) how probable the same words
        are in the order below.
    """
    taken, taken_below = np.zeros(len(below)), np.zeros(len(below))
    for part in parts(len(level)):
        np.add.at(taken, context[part], 10.0 ** level.log10_probs[part].astype(np.float64))
        probs_below = 10.0 ** below.log10_probs[level.parent[part]].astype(np.float64)
        np.add.at(taken_below, context[part], probs_below)
    return np.maximum(1 - taken, _SMALLEST_MASS), np.maximum(1 - taken_below, _SMALLEST_MASS)


def balance(levels: Sequence[Level]) -> None:
    """Set the back-offs of all levels but the last."""
    for level, below, context in zip(levels[1:], levels, find_contexts(levels)[1:], strict=False):
        left, left_below = masses_left(level, below, context)
        extended = np.zeros(len(below), bool)
        extended[context] = True
        # Adding 0 makes 0 of -0, which would say that nothing follows.
        below.log10_backoffs[:] = np.where(extended, np.log10(left / left_below) + 0.0, NO_EXTENSION)
