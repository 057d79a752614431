"""Reverberation times and direct-to-reverberant ratios of responses whose figures are known."""

import numpy as np
import pytest

from linnet.audio.room_acoustics import direct_to_reverberant_db, reverberation_time_s

RATE_HZ = 16_000


def decaying_noise(rt60_s: float, duration_s: float = 1.0) -> np.ndarray:
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(0).standard_normal(times_s.size)
    return (noise * 10.0 ** (-3.0 * times_s / rt60_s)).astype(np.float32)


@pytest.mark.parametrize("rt60_s", [0.1, 0.35, 0.8])
def test_the_reverberation_time_of_decaying_noise(rt60_s: float) -> None:
    assert reverberation_time_s(decaying_noise(rt60_s), RATE_HZ) == pytest.approx(rt60_s, rel=0.05)


@pytest.mark.parametrize("ratio_db", [-6.0, 0.0, 12.5])
def test_the_direct_to_reverberant_ratio_to_a_tenth_of_a_decibel(ratio_db: float) -> None:
    tail = decaying_noise(0.3)
    tail /= np.sqrt(np.sum(tail**2))
    direct = [10.0 ** (ratio_db / 20.0)]
    response = np.concatenate([np.zeros(50), direct, np.zeros(60), tail]).astype(np.float32)
    assert direct_to_reverberant_db(response, RATE_HZ) == pytest.approx(ratio_db, abs=0.1)


def test_a_response_without_a_decay_has_no_reverberation_time() -> None:
    silence = np.zeros(100, np.float32)
    impulse = silence.copy()
    impulse[0] = 1.0
    for response in (silence, impulse, silence[:0]):
        assert reverberation_time_s(response, RATE_HZ) is None


def test_an_impulse_has_nothing_but_direct_sound() -> None:
    assert direct_to_reverberant_db(np.ones(1, np.float32), RATE_HZ) == np.inf
    assert np.isnan(direct_to_reverberant_db(np.zeros(1, np.float32), RATE_HZ))
