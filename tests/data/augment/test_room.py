"""Rooms change the sound, not its level nor its place in time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from linnet.data.augment.room import RoomConfig
from linnet.data.augment.transform import rms

Samples = NDArray[np.float32]


def shift_samples(dry: Samples, wet: Samples) -> int:
    """How much later the wet sound is, by the peak of the cross-correlation."""
    size = 2 * dry.size
    correlation = np.fft.irfft(np.fft.rfft(wet, size) * np.fft.rfft(dry, size).conj(), size)
    peak = int(correlation.argmax())
    return peak if peak < dry.size else peak - size


def test_a_simulated_room_keeps_level_and_time(
    speech_like: Callable[..., Samples], rng: np.random.Generator
) -> None:
    dry = speech_like(duration_s=1.0)
    room = RoomConfig(rt60_s=(0.2, 0.3)).build()
    for _ in range(10):
        wet = room(dry, rng)
        assert wet.shape == dry.shape
        assert wet.dtype == np.float32
        assert rms(wet) == pytest.approx(rms(dry), rel=1e-4)
        assert abs(shift_samples(dry, wet)) <= 80
        assert rms(wet - dry) > 0.02 * rms(dry)


def test_reverberation_fills_pauses(rng: np.random.Generator) -> None:
    dry = np.zeros(16_000, dtype=np.float32)
    dry[:4_000] = rng.standard_normal(4_000)
    wet = RoomConfig(rt60_s=(0.6, 0.6)).build()(dry, rng)
    assert rms(wet[4_800:6_400]) > 10 * rms(wet[9_600:11_200])
    assert rms(wet[4_800:6_400]) > 0


def test_a_recorded_response_is_aligned_on_its_peak(
    write_sounds: Callable[..., Path], rng: np.random.Generator
) -> None:
    response = np.zeros(3_000, dtype=np.float32)
    response[[990, 1_000, 1_800]] = 0.2, -1.0, 0.5
    dry = rng.standard_normal(8_000).astype(np.float32)
    wet = RoomConfig(path=write_sounds(response), simulated_share=0.0).build()(dry, rng)
    expected = np.convolve(dry, response)[1_000 - 16 :][: dry.size]
    np.testing.assert_allclose(wet, expected * (rms(dry) / rms(expected)), atol=1e-4)


def test_recorded_and_simulated_rooms_mix(
    write_sounds: Callable[..., Path], rng: np.random.Generator
) -> None:
    dry = rng.standard_normal(400).astype(np.float32)
    room = RoomConfig(path=write_sounds(np.ones(1, dtype=np.float32)), simulated_share=0.25).build()
    simulated = sum(not np.allclose(room(dry, rng), dry, atol=1e-3) for _ in range(200))
    assert 30 < simulated < 70


def test_silence_stays_silent(write_sounds: Callable[..., Path], rng: np.random.Generator) -> None:
    silence = np.zeros(100, dtype=np.float32)
    assert not RoomConfig().build()(silence, rng).any()
    silent_room = RoomConfig(path=write_sounds(silence), simulated_share=0.0).build()
    assert (silent_room(silence + 1, rng) == 1).all()


def test_a_reverberation_time_out_of_range_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"between 0\.05 and 5 s"):
        RoomConfig(rt60_s=(0.0, 0.5))
