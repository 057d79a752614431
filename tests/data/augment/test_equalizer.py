"""The curve of the equalizer: its gains at its points, straight lines between, and a mean of 0 dB."""

import numpy as np
import pytest

from linnet.data.augment.equalizer import HIGHEST_HZ, LOWEST_HZ, EqualizerConfig

RATE_HZ = 16_000


def curve_db(config: EqualizerConfig, frequencies_hz: np.ndarray, seed: int) -> np.ndarray:
    """Gain at frequencies, from the response to an impulse in the middle of a second."""
    impulse = np.zeros(RATE_HZ, dtype=np.float32)
    impulse[RATE_HZ // 2] = 1.0
    response = config.build()(impulse, np.random.default_rng(seed))
    times_s = np.arange(RATE_HZ) / RATE_HZ
    spectrum = np.exp(-2j * np.pi * np.outer(frequencies_hz, times_s)) @ response
    return 20 * np.log10(np.abs(spectrum))


@pytest.mark.parametrize("num_points", [2, 4, 6])
def test_the_gains_at_the_points_to_a_tenth_of_a_decibel(num_points: int) -> None:
    config = EqualizerConfig(num_points=num_points, max_gain_db=9.0)
    drawn_db = np.random.default_rng(3).uniform(-9.0, 9.0, num_points)
    points_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, num_points)
    inner = points_hz < 7_000  # the highest point is half the rate, where a second has no whole period
    measured_db = curve_db(config, points_hz, seed=3)
    np.testing.assert_allclose(measured_db[inner], (drawn_db - drawn_db.mean())[inner], atol=0.1)


def test_between_two_points_the_curve_is_straight_in_octaves() -> None:
    config = EqualizerConfig(num_points=4)
    points_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, 4)
    middle_hz = np.sqrt(points_hz[1] * points_hz[2])
    low_db, middle_db, high_db = curve_db(config, np.array([points_hz[1], middle_hz, points_hz[2]]), seed=1)
    assert middle_db == pytest.approx((low_db + high_db) / 2, abs=0.1)


def test_gains_fill_their_range() -> None:
    config = EqualizerConfig(num_points=6, max_gain_db=6.0)
    points_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, 6)[:-1]
    gains_db = np.concatenate([curve_db(config, points_hz, seed) for seed in range(20)])
    assert np.abs(gains_db).max() < 12.1  # 6 dB, and up to 6 more where the mean is taken away
    assert np.std(gains_db) == pytest.approx(6.0 / np.sqrt(3) * np.sqrt(5 / 6), rel=0.2)


def test_no_sample_is_moved_in_time(rng: np.random.Generator) -> None:
    noise = rng.standard_normal(RATE_HZ).astype(np.float32)
    colored = EqualizerConfig().build()(noise, rng)
    size = 2 * RATE_HZ
    correlation = np.fft.irfft(np.fft.rfft(colored, size) * np.fft.rfft(noise, size).conj(), size)
    assert colored.shape == noise.shape
    assert int(correlation.argmax()) == 0
