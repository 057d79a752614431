"""Simulated rooms by our own simulation and by pyroomacoustics: time, decay, direct-to-reverberant ratio.

Run: python benchmarks/rooms.py [--rooms 20]
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from header import print_header

from linnet.audio.room_acoustics import direct_to_reverberant_db, reverberation_time_s
from linnet.core.arrays import Samples
from linnet.data.augment.room_simulation import (
    ShoeboxRoom,
    draw_room,
    simulate_room,
    simulate_with_pyroomacoustics,
)

RATE_HZ = 16_000
RT60_S = (0.1, 0.2, 0.4, 0.7)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=20, help="random rooms for each reverberation time")
    num_rooms = parser.parse_args().rooms
    print_header(
        "numpy",
        "pyroomacoustics",
        settings=f"{num_rooms} random rooms for each reverberation time, the same for both; whole responses",
        measure="medians: T20, CPU-milliseconds a room, and the absolute difference of the ratios",
    )
    print("asked      ours: RT60, CPU     pyroomacoustics        ratios differ by")
    for rt60_s in RT60_S:
        rng = np.random.default_rng(0)
        rooms = [draw_room(rt60_s, rng) for _ in range(num_rooms)]
        longest = round(2 * rt60_s * RATE_HZ)
        own = partial(simulate_room, max_samples=longest, sample_rate_hz=RATE_HZ, rng=rng)
        other = partial(simulate_with_pyroomacoustics, max_samples=longest, sample_rate_hz=RATE_HZ)
        (ours, our_ms), (theirs, their_ms) = timed(own, rooms), timed(other, rooms)
        print(
            f"{rt60_s:6.1f} s {decay_s(ours):8.2f} s {our_ms:6.1f} ms {decay_s(theirs):8.2f} s "
            f"{their_ms:6.1f} ms {np.median(np.abs(ratios_db(ours) - ratios_db(theirs))):6.1f} dB"
        )


def timed(
    simulate: Callable[[ShoeboxRoom], Samples], rooms: list[ShoeboxRoom]
) -> tuple[list[Samples], float]:
    """Simulate rooms after one that is not counted; returns responses and the median CPU time in ms."""
    simulate(rooms[0])
    responses, costs_ms = [], []
    for room in rooms:
        start_s = time.process_time()
        responses.append(simulate(room))
        costs_ms.append(1e3 * (time.process_time() - start_s))
    return responses, float(np.median(costs_ms))


def decay_s(responses: list[Samples]) -> float:
    return float(np.median([reverberation_time_s(response, RATE_HZ) or np.nan for response in responses]))


def ratios_db(responses: list[Samples]) -> np.ndarray:
    return np.array([direct_to_reverberant_db(response, RATE_HZ) for response in responses])


if __name__ == "__main__":
    main()
