"""Faster means shorter and higher."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from linnet.data.augment.speed import SpeedConfig

Samples = NDArray[np.float32]


@pytest.mark.parametrize("rate", [0.8, 0.9, 1.1, 1.25])
def test_a_tone_gets_shorter_and_higher_by_the_rate(
    rate: float, tone: Callable[..., Samples], rng: np.random.Generator
) -> None:
    samples = tone(frequency_hz=1000.0, duration_s=2.0)
    changed = SpeedConfig(rate=(rate, rate)).build()(samples, rng)
    assert changed.size == pytest.approx(samples.size / rate, abs=2)
    peak = np.abs(np.fft.rfft(changed)).argmax() * 16_000 / changed.size
    assert peak == pytest.approx(1000.0 * rate, abs=2.0)


def test_rates_are_a_few_between_the_limits(rng: np.random.Generator) -> None:
    speed = SpeedConfig(rate=(0.9, 1.1), num_rates=5).build()
    samples = np.zeros(16_000, dtype=np.float32)
    lengths = {speed(samples, rng).size for _ in range(100)}
    assert sorted(lengths) == pytest.approx([16_000 / rate for rate in (1.1, 1.05, 1.0, 0.95, 0.9)], abs=2)


def test_a_single_rate_is_the_middle(rng: np.random.Generator) -> None:
    speed = SpeedConfig(rate=(1.0, 1.5), num_rates=1).build()
    assert speed(np.zeros(12_500, dtype=np.float32), rng).size == 10_000


def test_a_speed_out_of_range_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"between 0\.25 and 4"):
        SpeedConfig(rate=(0.0, 1.0))
