"""Faster means shorter, at the same pitch."""

import sys
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from linnet.core.errors import MissingDependencyError
from linnet.data.augment.tempo import TimeStretchConfig
from linnet.data.augment.transform import rms

Samples = NDArray[np.float32]


@pytest.mark.parametrize("rate", [0.8, 0.95, 1.0, 1.25])
def test_a_tone_gets_shorter_and_keeps_pitch_and_level(
    rate: float, tone: Callable[..., Samples], rng: np.random.Generator
) -> None:
    samples = tone(frequency_hz=440.0, duration_s=2.0)
    changed = TimeStretchConfig(rate=(rate, rate)).build()(samples, rng)
    assert changed.dtype == np.float32
    assert changed.size == pytest.approx(samples.size / rate, rel=0.02)
    peak = np.abs(np.fft.rfft(changed * np.hanning(changed.size))).argmax() * 16_000 / changed.size
    assert peak == pytest.approx(440.0, abs=1.0)
    assert 20 * np.log10(rms(changed) / rms(samples)) == pytest.approx(0.0, abs=0.2)


def test_what_is_very_short_stays_as_it_is(rng: np.random.Generator) -> None:
    samples = np.ones(1_000, dtype=np.float32)
    assert TimeStretchConfig(rate=(2.0, 2.0)).build()(samples, rng) is samples


def test_a_tempo_out_of_range_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"between 0\.5 and 2"):
        TimeStretchConfig(rate=(0.9, 3.0))


def test_missing_ffmpeg_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError, match=r"linnet\[media\]"):
        TimeStretchConfig().build()
