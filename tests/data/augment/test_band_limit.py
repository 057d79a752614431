"""What band limits leave and take."""

import numpy as np
import pytest

from linnet.data.augment.band_limit import BandLimitConfig
from linnet.data.augment.transform import rms


def highest_hz(samples: np.ndarray) -> float:
    """Frequency above which less than a thousandth of the energy lies."""
    energy = np.cumsum(np.abs(np.fft.rfft(samples)) ** 2)
    return float(np.searchsorted(energy, 0.999 * energy[-1]) * 16_000 / samples.size)


def test_a_low_pass_cuts_at_random_frequencies(rng: np.random.Generator) -> None:
    limit = BandLimitConfig(cutoff_hz=(3_400.0, 7_000.0), telephone_share=0.0).build()
    noise = rng.standard_normal(16_000).astype(np.float32)
    cutoffs = [highest_hz(limit(noise, rng)) for _ in range(100)]
    assert 3_300.0 < min(cutoffs) < 3_700.0
    assert 6_700.0 < max(cutoffs) < 7_100.0


def test_a_telephone_also_takes_the_low_end(rng: np.random.Generator) -> None:
    limited = BandLimitConfig(telephone_share=1.0).build()(
        rng.standard_normal(32_000).astype(np.float32), rng
    )
    assert 3_200.0 < highest_hz(limited) < 3_500.0
    power = np.abs(np.fft.rfft(limited)) ** 2
    assert power[:300].mean() < 1e-3 * power[1_000:6_000].mean()  # below 150 Hz


def test_the_share_of_telephones(rng: np.random.Generator) -> None:
    low = np.cos(2 * np.pi * 100 * np.arange(1_600) / 16_000).astype(np.float32)
    limit = BandLimitConfig(telephone_share=0.25).build()
    telephones = sum(rms(limit(low, rng)) < 0.3 * rms(low) for _ in range(400))
    assert telephones == pytest.approx(100, abs=30)
