"""Any list of n-grams as a model: sorted, complete in its endings, with every part tied to its place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.lm.external_sort import sort_order, starts_of_groups
from linnet.lm.levels import NO_EXTENSION, Level, NgramModel, Unit, ordinals


@dataclass(frozen=True, slots=True)
class Ngrams:
    """N-grams of one order, in any order.

    Attributes:
        words: (n, order) uint32, from the first to the last.
        log10_probs: (n,) float32.
        log10_backoffs: (n,) float32; zeros in the highest order.
        lines: (n,) where they were read, for messages.
    """

    words: NDArray[np.uint32]
    log10_probs: NDArray[np.float32]
    log10_backoffs: NDArray[np.float32]
    lines: NDArray[np.int64]

    def pick(self, places: Array) -> "Ngrams":
        """Return some of them."""
        return Ngrams(
            self.words[places], self.log10_probs[places], self.log10_backoffs[places], self.lines[places]
        )


def assemble(words: Sequence[bytes], orders: Sequence[Ngrams], unit: Unit = "word") -> NgramModel:
    """Return the model that n-grams make.

    Every ending of an n-gram has to be there for the packed file; where pruning left one out, it is put back
    with the probability that backing off gives, which changes no score.

    Args:
        words: the words by their numbers.
        orders: the n-grams of each order; those of order 1 are all words, by their numbers.
        unit: what the words are.

    Raises:
        LanguageModelError: naming the line of an n-gram that appears twice or whose beginning is missing.
    """
    complete = [_sorted(grams) for grams in orders]
    for n in range(len(complete) - 1, 1, -1):
        complete[n - 1] = _with_endings(complete[n - 1], complete[n].words[:, 1:])
    levels: list[Level] = []
    for n, grams in enumerate(complete, start=1):
        levels.append(_level(grams, levels, is_longest=n == len(complete)))
        if n > 1:
            _mark_extended(levels, grams)
    return NgramModel(words, levels, unit)


def _sorted(grams: Ngrams) -> Ngrams:
    """Bring n-grams into suffix order."""
    ordered = grams.pick(sort_order(grams.words[:, ::-1]))
    is_first = np.zeros(len(ordered.words), bool)
    is_first[starts_of_groups(ordered.words)] = True
    if not is_first.all():
        again = np.flatnonzero(~is_first)
        line = int(np.maximum(ordered.lines[again], ordered.lines[again - 1]).min())
        raise LanguageModelError(
            "an n-gram appears twice", where=f"line {line}", remedy="Leave out one of them"
        )
    return ordered


def _with_endings(grams: Ngrams, endings: NDArray[np.uint32]) -> Ngrams:
    """Add those of `endings` (m, order) that are not among the n-grams, with NaN for what is not known."""
    different = endings[starts_of_groups(endings)]
    joined = np.concatenate((grams.words, different))
    order = sort_order(joined[:, ::-1])
    starts = starts_of_groups(joined[order])
    # Of n-grams that are there the first copy may be either; only groups without any are missing.
    is_there = np.logical_or.reduceat(order < len(grams.words), starts) if len(starts) else np.zeros(0, bool)
    missing = joined[order[starts[~is_there]]]
    if not len(missing):
        return grams
    unknown = np.full(len(missing), np.nan, np.float32)
    return _sorted(
        Ngrams(
            np.concatenate((grams.words, missing)),
            np.concatenate((grams.log10_probs, unknown)),
            np.concatenate((grams.log10_backoffs, np.zeros(len(missing), np.float32))),
            np.concatenate((grams.lines, np.full(len(missing), -1))),
        )
    )


def _level(grams: Ngrams, below: list[Level], *, is_longest: bool) -> Level:
    words, probs = grams.words, grams.log10_probs
    backoffs = np.where(grams.log10_backoffs == 0, NO_EXTENSION, grams.log10_backoffs)
    if not below:
        return Level(words[:, 0], np.zeros(len(words), np.uint32), probs, _unless(is_longest, backoffs))
    parent = ordinals(below, words[:, 1:])
    assert (parent >= 0).all(), "endings have been completed"
    blank = np.flatnonzero(np.isnan(probs))
    if len(blank):
        context = ordinals(below, words[blank, :-1])
        backed_off = np.where(context >= 0, below[-1].log10_backoffs[context], 0)
        probs[blank] = below[-1].log10_probs[parent[blank]] + backed_off
    return Level(words[:, 0], parent.astype(np.uint32), probs, _unless(is_longest, backoffs))


def _unless(is_longest: bool, backoffs: Array) -> Array:
    return np.empty(0, np.float32) if is_longest else backoffs.astype(np.float32)


def _mark_extended(levels: list[Level], grams: Ngrams) -> None:
    """Tell the beginnings of n-grams that they go on, in the sign of their back-off of zero."""
    beginnings = ordinals(levels[:-1], grams.words[:, :-1])
    missing = np.flatnonzero((beginnings < 0) & (grams.lines >= 0))
    if len(missing):
        raise LanguageModelError(
            "the model has this n-gram, but not what it begins with, the words but the last",
            where=f"line {int(grams.lines[missing].min())}",
            remedy="Make the file again with a tool that keeps the beginnings",
        )
    backoffs = levels[-2].log10_backoffs
    found = beginnings[beginnings >= 0]
    backoffs[found] += np.float32(0)  # makes 0 of -0
