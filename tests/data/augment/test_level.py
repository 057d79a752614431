"""Gain, white noise and silence have the sizes that they were asked for."""

import numpy as np
import pytest
from pydantic import ValidationError

from linnet.data.augment.level import GainConfig, SilenceConfig, WhiteNoiseConfig
from linnet.data.augment.transform import rms

ONES = np.ones(48_000, dtype=np.float32)


def level_db(samples: np.ndarray) -> float:
    return 20 * np.log10(rms(samples))


@pytest.mark.parametrize("gain_db", [-12.0, 0.0, 6.0])
def test_gain(gain_db: float, rng: np.random.Generator) -> None:
    louder = GainConfig(gain_db=(gain_db, gain_db)).build()(ONES, rng)
    assert level_db(louder) == pytest.approx(gain_db, abs=1e-4)


def test_gains_fill_their_range(rng: np.random.Generator) -> None:
    gain = GainConfig(gain_db=(-10.0, 10.0)).build()
    levels = [level_db(gain(ONES[:10], rng)) for _ in range(500)]
    assert -10.0 <= min(levels) < -9.0
    assert 9.0 < max(levels) <= 10.0
    assert np.mean(levels) == pytest.approx(0.0, abs=1.0)


def test_white_noise_has_its_level_and_is_white(rng: np.random.Generator) -> None:
    noise = WhiteNoiseConfig(level_db=(-40.0, -40.0)).build()(ONES, rng) - ONES
    assert level_db(noise) == pytest.approx(-40.0, abs=0.2)
    power = np.abs(np.fft.rfft(noise)) ** 2
    assert power[: power.size // 2].sum() == pytest.approx(power[power.size // 2 :].sum(), rel=0.05)


def test_silence_surrounds_the_speech(rng: np.random.Generator) -> None:
    config = SilenceConfig(start_s=(0.25, 0.25), end_s=(0.5, 0.5), level_db=(-60.0, -60.0))
    longer = config.build()(ONES, rng)
    assert longer.size == ONES.size + 12_000
    assert (longer[4_000 : 4_000 + ONES.size] == ONES).all()
    assert level_db(longer[:4_000]) == pytest.approx(-60.0, abs=0.5)
    assert level_db(longer[-8_000:]) == pytest.approx(-60.0, abs=0.5)


def test_silences_fill_their_range(rng: np.random.Generator) -> None:
    silence = SilenceConfig().build()
    added_s = [(silence(ONES, rng).size - ONES.size) / 16_000 for _ in range(200)]
    assert min(added_s) >= 0.0
    assert max(added_s) <= 1.0
    assert np.mean(added_s) == pytest.approx(0.5, abs=0.05)


def test_a_negative_silence_is_refused() -> None:
    with pytest.raises(ValidationError, match="between 0 and 60 s"):
        SilenceConfig(end_s=(-1.0, 0.5))
