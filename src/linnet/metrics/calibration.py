"""Whether confidences mean what they say: their error, their ranking, and the temperature that mends them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

NUM_BINS = 10
TEMPERATURES = np.geomspace(0.1, 10.0, 401)  # steps of 1.2 %
SMALLEST = 1e-4  # confidences are written with four digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How well confidences foretell which words are right.

    Attributes:
        error: expected calibration error (ECE) over NUM_BINS bins of equally many words (Naeini et al. 2015,
            "Obtaining Well Calibrated Probabilities Using Bayesian Binning", §3); None without words.
        ranking: the chance that a right word has a higher confidence than a wrong one (the area under the ROC
            curve); None when all are right or all wrong.
        num_words: how many words there are.
        num_right: how many of them are right.
    """

    error: float | None
    ranking: float | None
    num_words: int
    num_right: int


def calibration(confidences: ArrayLike, right: ArrayLike) -> Calibration:
    """Compare confidences (N,) with which of the words are right (N,)."""
    given, truth = np.asarray(confidences, np.float64), np.asarray(right, bool)
    return Calibration(
        error=_expected_error(given, truth) if len(given) else None,
        ranking=_ranking(given, truth) if 0 < truth.sum() < len(truth) else None,
        num_words=len(given),
        num_right=int(truth.sum()),
    )


def fit_temperature(confidences: ArrayLike, right: ArrayLike) -> float:
    """Find the temperature with the least mean squared error of the confidences (Brier 1950).

    Guo et al. 2017 (arXiv:1706.04599, §4.2) take the likeliest one, which follows the few words that are
    wrong at a confidence near 1: it raised the calibration error of the packaged model where it was fitted.

    Args:
        confidences: (N,) between 0 and 1.
        right: (N,) whether each word is right; both kinds are there.
    """
    given = np.clip(np.asarray(confidences, np.float64), SMALLEST, 1 - SMALLEST)
    logits, truth = np.log(given) - np.log1p(-given), np.asarray(right, bool)
    losses = [np.square(1 / (1 + np.exp(-logits / each)) - truth).sum() for each in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def _expected_error(given: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    # A bin may end among equal confidences: each of these counts as right as they are on average.
    _, inverse, counts = np.unique(given, return_inverse=True, return_counts=True)
    shares = (np.bincount(inverse, weights=truth) / counts)[inverse]
    excess = (given - shares)[np.argsort(given)]
    return float(sum(abs(part.sum()) for part in np.array_split(excess, NUM_BINS)) / len(given))


def _ranking(given: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    _, inverse, counts = np.unique(given, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]  # equal ones share their mean rank
    num_right = int(truth.sum())
    above = ranks[truth].sum() - num_right * (num_right + 1) / 2
    return float(above / (num_right * (len(truth) - num_right)))
