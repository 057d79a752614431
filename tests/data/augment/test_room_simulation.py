"""Simulated rooms decay as they should."""

import numpy as np
import pytest

from linnet.data.augment.room_simulation import simulate_room

RATE_HZ = 16_000


def decay_time_s(response: np.ndarray) -> float:
    """Reverberation time from Schroeder's backward integral between −25 and −45 dB."""
    energy = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
    level_db = 10 * np.log10(energy / energy[0])
    start, end = np.argmax(level_db < -25), np.argmax(level_db < -45)
    return float(end - start) / RATE_HZ * 60 / 20


@pytest.mark.parametrize("rt60_s", [0.2, 0.4, 0.7])
def test_the_reverberation_time(rt60_s: float, rng: np.random.Generator) -> None:
    measured = [decay_time_s(simulate_room(rt60_s, RATE_HZ, RATE_HZ, rng)) for _ in range(30)]
    assert np.median(measured) == pytest.approx(rt60_s, rel=0.05)


def test_echoes_and_tail_join_without_a_step(rng: np.random.Generator) -> None:
    responses = [simulate_room(0.5, RATE_HZ, RATE_HZ, rng) for _ in range(150)]
    # 20 ms of echoes, then 20 ms of tail, which takes over at 40 ms after the mouth.
    echoes, tail = (
        np.median([np.sum(r[span] ** 2) for r in responses]) for span in (slice(240, 560), slice(640, 960))
    )
    expected_db = -60 * 0.025 / 0.5
    assert 10 * np.log10(tail / echoes) == pytest.approx(expected_db, abs=1.0)


def test_the_direct_sound_comes_first(rng: np.random.Generator) -> None:
    responses = [simulate_room(0.3, RATE_HZ, RATE_HZ, rng) for _ in range(100)]
    assert np.median([response[0] for response in responses]) == pytest.approx(1.0, abs=0.01)
    assert all(np.isfinite(response).all() and response.dtype == np.float32 for response in responses)


def test_the_length_is_bounded(rng: np.random.Generator) -> None:
    assert max(simulate_room(5.0, 6_400, RATE_HZ, rng).size for _ in range(20)) <= 6_400
