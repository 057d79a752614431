"""Calibration error and ranking by hand, and the temperature that undoes another."""

import numpy as np
import pytest

from linnet.metrics.calibration import calibration, fit_temperature


def test_the_error_is_that_of_ten_bins_of_equally_many() -> None:
    confidences = np.repeat(np.linspace(0.05, 0.95, 10), 4)  # a bin each
    right = np.tile([True, True, True, False], 10)
    found = calibration(confidences, right)
    assert found.error == pytest.approx(np.abs(np.linspace(0.05, 0.95, 10) - 0.75).mean())
    assert (found.num_words, found.num_right) == (40, 30)


def test_equal_confidences_are_one_however_they_are_ordered() -> None:
    for right in ([True, True, False, True], [False, True, True, True]):
        assert calibration([0.9] * 4, right).error == pytest.approx(0.15)


def test_the_ranking_counts_pairs_and_halves_ties() -> None:
    assert calibration([0.9, 0.5, 0.5, 0.1], [True, True, False, False]).ranking == pytest.approx(3.5 / 4)


@pytest.mark.parametrize(("confidences", "right"), [([], []), ([0.5, 0.7], [True, True])])
def test_what_cannot_be_said_is_none(confidences: list[float], right: list[bool]) -> None:
    found = calibration(confidences, right)
    assert found.ranking is None
    assert (found.error is None) == (not confidences)


def test_the_temperature_of_confidences_that_are_too_sure_is_found() -> None:
    chances = np.repeat([0.1, 0.3, 0.6, 0.8, 0.9], 10)
    right = np.concatenate([np.arange(10) < 10 * chance for chance in (0.1, 0.3, 0.6, 0.8, 0.9)])
    too_sure = 1 / (1 + np.exp(-2.5 * np.log(chances / (1 - chances))))
    assert fit_temperature(too_sure, right) == pytest.approx(2.5, rel=0.02)
    assert fit_temperature(chances, right) == pytest.approx(1.0, rel=0.02)
