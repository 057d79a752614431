"""Filters and convolutions against direct computation."""

import numpy as np
import pytest

from linnet.data.augment.spectrum import convolve, fast_fft_size, filter_band


@pytest.mark.parametrize(("at_least", "size"), [(1, 1), (7, 8), (13, 15), (16_001, 16_200), (22_399, 22_500)])
def test_fast_sizes(at_least: int, size: int) -> None:
    assert fast_fft_size(at_least) == size


def test_a_convolution_is_the_direct_one(rng: np.random.Generator) -> None:
    samples = rng.standard_normal(1_000).astype(np.float32)
    response = rng.standard_normal(77).astype(np.float32)
    convolved = convolve(samples, response)
    assert convolved.dtype == np.float32
    np.testing.assert_allclose(convolved, np.convolve(samples, response), atol=1e-4)


@pytest.mark.parametrize(
    ("frequency_hz", "gain"), [(100, 0.0), (300, 0.5), (450, 1.0), (3_200, 1.0), (3_400, 0.5), (3_600, 0.0)]
)
def test_a_filter_passes_its_band(frequency_hz: float, gain: float) -> None:
    times_s = np.arange(16_000) / 16_000
    samples = np.cos(2 * np.pi * frequency_hz * times_s).astype(np.float32)
    filtered = filter_band(samples, 300.0, 3_400.0, 16_000)
    assert filtered.dtype == np.float32
    middle = slice(4_000, 12_000)  # away from the ends, where the tone starts and stops
    np.testing.assert_allclose(filtered[middle], gain * samples[middle], atol=0.01)


def test_a_low_pass_keeps_the_lowest() -> None:
    np.testing.assert_allclose(
        filter_band(np.ones(16_000, dtype=np.float32), 0.0, 3_400.0, 16_000)[4_000:12_000], 1.0, atol=1e-3
    )
