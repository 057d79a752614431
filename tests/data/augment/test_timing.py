"""Shifts of milliseconds and random parts."""

import numpy as np
import pytest
from pydantic import ValidationError

from linnet.data.augment.timing import RandomSegmentConfig, ShiftConfig

RAMP = np.arange(1, 1_001, dtype=np.float32)


@pytest.mark.parametrize(("shift_ms", "expected"), [(5.0, 80), (-5.0, -80), (0.0, 0)])
def test_a_shift(shift_ms: float, expected: int, rng: np.random.Generator) -> None:
    shifted = ShiftConfig(shift_ms=(shift_ms, shift_ms)).build()(RAMP, rng)
    wanted = np.zeros_like(RAMP)
    wanted[max(expected, 0) : 1_000 + min(expected, 0)] = RAMP[max(-expected, 0) : 1_000 - max(expected, 0)]
    assert np.array_equal(shifted, wanted)


def test_a_shift_longer_than_the_utterance_is_left_out(rng: np.random.Generator) -> None:
    assert ShiftConfig(shift_ms=(100.0, 100.0)).build()(RAMP, rng) is RAMP


def test_a_long_shift_is_refused() -> None:
    with pytest.raises(ValidationError, match="between -1000 and 1000 ms"):
        ShiftConfig(shift_ms=(0.0, 2_000.0))


def test_random_segments_come_from_anywhere(rng: np.random.Generator) -> None:
    segment = RandomSegmentConfig(duration_s=0.05).build()
    parts = [segment(RAMP, rng) for _ in range(300)]
    assert {part.size for part in parts} == {800}
    assert all(np.array_equal(np.diff(part), np.ones(799)) for part in parts)
    assert min(part[0] for part in parts) < 10
    assert max(part[-1] for part in parts) > 990


def test_what_is_shorter_than_the_segment_stays_whole(rng: np.random.Generator) -> None:
    assert np.array_equal(RandomSegmentConfig().build()(RAMP, rng), RAMP)
