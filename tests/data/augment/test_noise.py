"""Noise comes at the ratio that was asked for, from anywhere in its recording."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from linnet.data.augment.noise import NoiseConfig
from linnet.data.augment.transform import rms

Samples = NDArray[np.float32]
WriteSounds = Callable[..., Path]


@pytest.mark.parametrize("snr_db", [-5.0, 10.0, 30.0])
@pytest.mark.parametrize("noise_samples", [5_000, 100_000])
def test_the_signal_to_noise_ratio(
    snr_db: float,
    noise_samples: int,
    speech_like: Callable[..., Samples],
    write_sounds: WriteSounds,
    rng: np.random.Generator,
) -> None:
    folder = write_sounds(0.01 * rng.standard_normal(noise_samples).astype(np.float32))
    speech = speech_like(duration_s=3.0)
    noisy = NoiseConfig(path=folder, snr_db=(snr_db, snr_db)).build()(speech, rng)
    measured_db = 20 * np.log10(rms(speech) / rms(noisy - speech))
    assert noisy.dtype == np.float32
    assert measured_db == pytest.approx(snr_db, abs=0.1)


def test_ratios_fill_their_range(write_sounds: WriteSounds, rng: np.random.Generator) -> None:
    noise = NoiseConfig(path=write_sounds(np.ones(10, dtype=np.float32)), snr_db=(0.0, 20.0)).build()
    speech = np.tile(np.array([1, -1], dtype=np.float32), 100)
    ratios_db = [-20 * np.log10(rms(noise(speech, rng) - speech)) for _ in range(300)]
    assert 0.0 <= min(ratios_db) < 1.0
    assert 19.0 < max(ratios_db) <= 20.001


def test_a_long_recording_is_entered_anywhere(write_sounds: WriteSounds, rng: np.random.Generator) -> None:
    ramp = np.linspace(0.1, 1.0, 10_000, dtype=np.float32)
    noise = NoiseConfig(path=write_sounds(ramp), snr_db=(0.0, 0.0)).build()
    speech = np.zeros(2, dtype=np.float32)
    speech[0] = 1.0
    # The two samples added are nearly equal; how nearly tells the place on the ramp.
    added = np.array([noise(speech, rng) - speech for _ in range(200)])
    steepness = added[:, 1] / added[:, 0] - 1.0
    assert steepness.max() > 4 * steepness.min() > 0


def test_a_short_recording_is_repeated(write_sounds: WriteSounds, rng: np.random.Generator) -> None:
    period = np.array([1, 2, 3, 4], dtype=np.float32)
    speech = np.ones(11, dtype=np.float32)
    added = NoiseConfig(path=write_sounds(period)).build()(speech, rng) - speech
    np.testing.assert_allclose(added[4:], added[:-4], rtol=1e-4)
    assert (added > 0).all()


def test_silent_speech_and_silent_noise_stay_silent(
    write_sounds: WriteSounds, rng: np.random.Generator
) -> None:
    silence = np.zeros(100, dtype=np.float32)
    noise = NoiseConfig(path=write_sounds(silence)).build()
    assert not noise(silence, rng).any()
    assert (noise(silence + 1, rng) == 1).all()


def test_several_recordings_at_once_are_equally_loud_and_keep_the_ratio(
    write_sounds: WriteSounds, tone: Callable[..., Samples], rng: np.random.Generator
) -> None:
    low, high = tone(frequency_hz=500.0, level=0.01), tone(frequency_hz=3_000.0, level=0.5)
    folder = write_sounds(low, high)
    noise = NoiseConfig(path=folder, snr_db=(6.0, 6.0), num_sounds=(12, 12)).build()
    speech = rng.standard_normal(16_000).astype(np.float32)
    added = noise(speech, rng) - speech
    assert 20 * np.log10(rms(speech) / rms(added)) == pytest.approx(6.0, abs=0.1)
    levels = np.abs(np.fft.rfft(added))[[500, 3_000]]
    assert levels.min() > 0.02 * levels.max()


def test_the_number_of_recordings_fills_its_range(
    write_sounds: WriteSounds, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = NoiseConfig(path=write_sounds(np.ones(10, dtype=np.float32)), num_sounds=(1, 3)).build()
    draws: list[int] = []
    real_draw = noise.bank.draw
    monkeypatch.setattr(noise.bank, "draw", lambda rng: draws.append(1) or real_draw(rng))
    counts = []
    for _ in range(60):
        draws.clear()
        noise(np.ones(5, dtype=np.float32), rng)
        counts.append(len(draws))
    assert set(counts) == {1, 2, 3}


def test_no_recording_at_all_is_refused() -> None:
    with pytest.raises(ValidationError, match="between 1 and 20"):
        NoiseConfig(path=Path("noise"), num_sounds=(0, 2))
