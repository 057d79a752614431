"""RTFx counts seconds of audio in a second."""

import math

from linnet.metrics.speed import inverse_real_time_factor


def test_twice_as_fast_as_the_clock() -> None:
    assert inverse_real_time_factor(audio_s=10.0, wall_s=5.0) == 2.0


def test_no_time_is_no_speed() -> None:
    assert math.isnan(inverse_real_time_factor(audio_s=0.0, wall_s=0.0))
