"""Bins of durations: round, few, and not spoiled by one long recording."""

import pytest

from linnet.manifest.histogram import MAX_BINS, duration_histogram


def test_each_duration_is_counted_once() -> None:
    histogram = duration_histogram([0.1, 0.4, 1.0, 1.1, 1.9])
    assert histogram.width_s == 0.1
    assert sum(histogram.counts) == 5
    assert (histogram.counts[1], histogram.counts[10]) == (1, 1)
    assert histogram.longest_s == 1.9


def test_one_long_recording_does_not_press_the_others_together() -> None:
    histogram = duration_histogram([3.0005 + index / 1000 for index in range(999)] + [5000.0])
    assert histogram.width_s == 0.2
    assert histogram.counts[15:] == (200, 200, 200, 200, 200)
    assert histogram.longest_s == 5000.0


@pytest.mark.parametrize("durations_s", [[0.05], [7.0] * 3, [3600.0 * 30], [20.0, 40.0, 60.0]])
def test_there_are_few_bins_whatever_the_durations(durations_s: list[float]) -> None:
    histogram = duration_histogram(durations_s)
    assert 1 <= len(histogram.counts) <= MAX_BINS
    assert sum(histogram.counts) == len(durations_s)


def test_nothing_gives_no_bins() -> None:
    assert duration_histogram([]).counts == ()
