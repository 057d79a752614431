"""Simulated rooms decay as they should, by our own simulation and by pyroomacoustics."""

import numpy as np
import pytest

from linnet.audio.room_acoustics import direct_to_reverberant_db, reverberation_time_s
from linnet.data.augment.room_simulation import (
    draw_room,
    simulate_room,
    simulate_with_pyroomacoustics,
)

RATE_HZ = 16_000


def simulate(rt60_s: float, rng: np.random.Generator, max_samples: int = RATE_HZ) -> np.ndarray:
    return simulate_room(draw_room(rt60_s, rng), max_samples, RATE_HZ, rng)


@pytest.mark.parametrize("rt60_s", [0.2, 0.4, 0.7])
def test_the_reverberation_time(rt60_s: float, rng: np.random.Generator) -> None:
    responses = [simulate(rt60_s, rng) for _ in range(30)]
    measured = [reverberation_time_s(response, RATE_HZ, from_db=-25, to_db=-45) for response in responses]
    assert np.median(measured) == pytest.approx(rt60_s, rel=0.05)


def test_echoes_and_tail_join_without_a_step(rng: np.random.Generator) -> None:
    responses = [simulate(0.5, rng) for _ in range(150)]
    # 20 ms of echoes, then 20 ms of tail, which takes over at 40 ms after the mouth.
    echoes, tail = (
        np.median([np.sum(r[span] ** 2) for r in responses]) for span in (slice(240, 560), slice(640, 960))
    )
    expected_db = -60 * 0.025 / 0.5
    assert 10 * np.log10(tail / echoes) == pytest.approx(expected_db, abs=1.0)


def test_the_direct_sound_comes_first(rng: np.random.Generator) -> None:
    responses = [simulate(0.3, rng) for _ in range(100)]
    assert np.median([response[0] for response in responses]) == pytest.approx(1.0, abs=0.01)
    assert all(np.isfinite(response).all() and response.dtype == np.float32 for response in responses)


def test_the_length_is_bounded(rng: np.random.Generator) -> None:
    assert max(simulate(5.0, rng, 6_400).size for _ in range(20)) <= 6_400


def test_near_places_have_more_direct_sound_than_far_ones(rng: np.random.Generator) -> None:
    rooms = sorted(
        (draw_room(0.4, rng) for _ in range(60)),
        key=lambda room: float(np.linalg.norm(room.mouth_m - room.microphone_m)),
    )
    ratios_db = [
        direct_to_reverberant_db(simulate_room(room, RATE_HZ, RATE_HZ, rng), RATE_HZ) for room in rooms
    ]
    near, far = rooms[10], rooms[-10]
    distances_m = [np.linalg.norm(room.mouth_m - room.microphone_m) for room in (near, far)]
    expected_db = 20 * np.log10(distances_m[1] / distances_m[0])
    assert np.mean(ratios_db[:20]) - np.mean(ratios_db[-20:]) == pytest.approx(expected_db, rel=0.35)


def test_both_simulators_agree_on_the_same_rooms(rng: np.random.Generator) -> None:
    pytest.importorskip("pyroomacoustics", reason="it comes with the extra rooms")
    differences_db = []
    for _ in range(12):
        room = draw_room(0.25, rng)
        ours = simulate_room(room, RATE_HZ, RATE_HZ, rng)
        theirs = simulate_with_pyroomacoustics(room, RATE_HZ, RATE_HZ)
        ratios_db = [direct_to_reverberant_db(response, RATE_HZ) for response in (ours, theirs)]
        differences_db.append(ratios_db[0] - ratios_db[1])
    assert np.median(np.abs(differences_db)) < 0.7
    assert abs(np.mean(differences_db)) < 0.7
