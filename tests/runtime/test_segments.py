"""Long recordings are cut into bounded pieces where they are quiet."""

import numpy as np
import pytest

from linnet.runtime.segments import MAX_SEGMENT_S, split_at_quiet_places

RATE_HZ = 1000


def noise(duration_s: float) -> np.ndarray:
    return np.random.default_rng(0).normal(size=round(duration_s * RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize("duration_s", [0.001, 1.0, MAX_SEGMENT_S])
def test_a_short_recording_stays_whole(duration_s: float) -> None:
    samples = noise(duration_s)
    assert split_at_quiet_places(samples, RATE_HZ) == [(0, len(samples))]


def test_no_samples_no_segments() -> None:
    assert split_at_quiet_places(noise(0), RATE_HZ) == []


def test_the_cut_lies_in_the_pause() -> None:
    samples = noise(80)
    samples[47_300:47_600] = 0
    (_, cut), second = split_at_quiet_places(samples, RATE_HZ)
    assert 47_390 <= cut <= 47_510
    assert second == (cut, 80_000)


@pytest.mark.parametrize("duration_s", [60.001, 119.0, 500.7])
def test_segments_join_and_are_bounded_even_without_a_pause(duration_s: float) -> None:
    samples = noise(duration_s)
    segments = split_at_quiet_places(samples, RATE_HZ)
    assert [start for start, _ in segments] == [0, *(end for _, end in segments[:-1])]
    assert segments[-1][1] == len(samples)
    assert all(0 < end - start <= MAX_SEGMENT_S * RATE_HZ for start, end in segments)


def test_loud_samples_do_not_overflow() -> None:
    samples = noise(70) * np.float32(1e30)
    samples[50_000:50_400] = 0
    (_, cut), _ = split_at_quiet_places(samples, RATE_HZ)
    assert 50_090 <= cut <= 50_310
