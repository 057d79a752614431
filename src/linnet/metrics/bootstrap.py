"""A confidence interval of an error rate, by drawing the test set again and again from itself.

M. Bisani, H. Ney: Bootstrap estimates for confidence intervals in ASR performance evaluation, ICASSP 2004.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.metrics.error_rate import ErrorCounts

_BLOCK_DRAWS = 1 << 21  # drawn at once: bounds the memory


def bootstrap_interval(
    counts: Sequence[ErrorCounts],
    groups: Sequence[str] | None = None,
    *,
    num_resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Estimate between which error rates other test sets of this kind and size would lie.

    Utterances are drawn as if independent of each other. Those of one speaker are not: with few speakers give
    `groups`, and whole speakers are drawn.

    Args:
        counts: the errors of each utterance.
        groups: the speaker of each utterance; None draws single utterances.
        num_resamples: how many test sets are drawn.
        seed: seed of the drawing; the same seed gives the same interval.
        level: the part of the drawn test sets that lies inside.

    Returns:
        The lower and the upper end, as rates; NaN twice where nothing can be estimated: fewer than two
        utterances (or speakers), or no word of reference.
    """
    assert 0 < level < 1, level
    errors = np.array([count.errors for count in counts], np.int64)
    lengths = np.array([count.reference_length for count in counts], np.int64)
    if groups is not None:
        assert len(groups) == len(counts), (len(groups), len(counts))
        _, group_ids = np.unique(np.array(groups, dtype=object), return_inverse=True)
        errors, lengths = _sum_by_group(errors, group_ids), _sum_by_group(lengths, group_ids)
    if len(lengths) < 2 or not lengths.any():
        return math.nan, math.nan
    low, high = np.quantile(
        _resample_rates(errors, lengths, num_resamples, seed), [(1 - level) / 2, (1 + level) / 2]
    )
    return float(low), float(high)


def bootstrap_difference(
    before: Sequence[ErrorCounts],
    after: Sequence[ErrorCounts],
    *,
    num_resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Estimate between which bounds the error rate of `after` minus that of `before` would lie.

    Both are counted on the same utterances, which are drawn together, so that what is hard for both cancels.

    Returns:
        The lower and the upper end, as rates; NaN twice where nothing can be estimated: fewer than two
        utterances, or no word of reference.
    """
    assert 0 < level < 1, level
    errors = np.array([b.errors - a.errors for a, b in zip(before, after, strict=True)], np.int64)
    lengths = np.array([count.reference_length for count in before], np.int64)
    if len(lengths) < 2 or not lengths.any():
        return math.nan, math.nan
    low, high = np.quantile(
        _resample_rates(errors, lengths, num_resamples, seed), [(1 - level) / 2, (1 + level) / 2]
    )
    return float(low), float(high)


def _sum_by_group(values: NDArray[np.int64], group_ids: NDArray[np.intp]) -> NDArray[np.int64]:
    sums = np.zeros(group_ids.max(initial=-1) + 1, np.int64)
    np.add.at(sums, group_ids, values)
    return sums


def _resample_rates(
    errors: NDArray[np.int64], lengths: NDArray[np.int64], num_resamples: int, seed: int
) -> NDArray[np.float64]:
    """Give the error rate of each drawn test set, except those without a word of reference."""
    generator = np.random.default_rng(seed)
    size = len(errors)
    rows = max(1, _BLOCK_DRAWS // size)
    rates = []
    for start in range(0, num_resamples, rows):
        drawn = generator.integers(size, size=(min(rows, num_resamples - start), size), dtype=np.int32)
        drawn_errors, drawn_lengths = errors[drawn].sum(axis=1), lengths[drawn].sum(axis=1)
        filled = drawn_lengths > 0
        rates.append(drawn_errors[filled] / drawn_lengths[filled])
    return np.concatenate(rates)
