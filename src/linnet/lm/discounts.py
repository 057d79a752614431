"""The discounts of modified Kneser-Ney smoothing."""

import logging

import numpy as np
from numpy.typing import NDArray

from linnet.core.errors import LanguageModelError
from linnet.lm.config import FALLBACK_DISCOUNTS

_logger = logging.getLogger(__name__)


def closed_form_discounts(
    counts_of_counts: NDArray[np.int64], n: int, *, use_fallback: bool
) -> NDArray[np.float64]:
    """Return what is taken from the counts 0, 1, 2, and 3 or more (Chen & Goodman 1998, equation 26).

    Args:
        counts_of_counts: how many n-grams have the adjusted counts 0 to 4.
        n: the order, for messages.
        use_fallback: take `FALLBACK_DISCOUNTS` when the counts give none.

    Raises:
        LanguageModelError: when the counts give none between 0 and themselves, without `use_fallback`.
    """
    discounts = np.zeros(4)
    problem = ""
    for count in (1, 2, 3):
        if counts_of_counts[count] == 0:
            problem = f"no {n}-gram has the adjusted count {count}"
            break
        one, two = counts_of_counts[1:3]
        ratio = counts_of_counts[count + 1] / counts_of_counts[count]
        discounts[count] = count - (count + 1) * one / (one + 2 * two) * ratio
        if not 0 <= discounts[count] <= count:
            problem = (
                f"the discount of {n}-grams with the adjusted count {count} would be {discounts[count]:.3g}"
            )
            break
    if not problem:
        return discounts
    if not use_fallback:
        raise LanguageModelError(
            f"the text is too small or too regular for Kneser-Ney smoothing: {problem}",
            remedy="Give more text, a lower order or --discount-fallback",
        )
    _logger.warning(
        "%s; the discounts of order %d are %s", problem, n, ", ".join(map(str, FALLBACK_DISCOUNTS))
    )
    return np.array((0.0, *FALLBACK_DISCOUNTS))
