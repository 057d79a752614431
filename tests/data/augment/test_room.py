"""Rooms change the sound, not its level nor its place in time."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from linnet.audio.room_acoustics import direct_to_reverberant_db
from linnet.core.errors import MissingDependencyError
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


@pytest.mark.parametrize("ratio_db", [-3.0, 8.0])
def test_a_recorded_response_keeps_its_direct_to_reverberant_ratio(
    ratio_db: float, write_sounds: Callable[..., Path], rng: np.random.Generator
) -> None:
    tail = rng.standard_normal(4_000) * np.exp(-np.arange(4_000) / 600.0)
    tail *= 10.0 ** (-ratio_db / 20.0) / np.sqrt(np.sum(tail**2))
    response = np.concatenate([np.zeros(300), [1.0], np.zeros(50), tail]).astype(np.float32)
    impulse = np.zeros(8_000, dtype=np.float32)
    impulse[100] = 1.0
    wet = RoomConfig(path=write_sounds(response), simulated_share=0.0).build()(impulse, rng)
    assert direct_to_reverberant_db(wet, 16_000) == pytest.approx(ratio_db, abs=0.1)


def test_rooms_of_pyroomacoustics_keep_level_and_time(
    speech_like: Callable[..., Samples], rng: np.random.Generator
) -> None:
    pytest.importorskip("pyroomacoustics", reason="it comes with the extra rooms")
    dry = speech_like(duration_s=1.0)
    room = RoomConfig(rt60_s=(0.2, 0.2), simulator="pyroomacoustics").build()
    wet = room(dry, np.random.default_rng(3))
    assert rms(wet) == pytest.approx(rms(dry), rel=1e-4)
    assert abs(shift_samples(dry, wet)) <= 80
    assert rms(wet - dry) > 0.02 * rms(dry)
    assert np.array_equal(wet, room(dry, np.random.default_rng(3)))


def test_a_missing_simulator_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyroomacoustics", None)
    with pytest.raises(MissingDependencyError, match=r"linnet\[rooms\]"):
        RoomConfig(simulator="pyroomacoustics").build()


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
