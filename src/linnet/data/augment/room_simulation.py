"""Impulse responses of random shoebox rooms: early echoes by image sources, a decaying tail of noise.

Where each room, mouth and microphone is, is drawn here for pyroomacoustics too, which can take the place of
the simulation (docs/decisions/0009-augmentation-by-library-or-by-hand.md).
"""

import math
from dataclasses import dataclass

import numpy as np

from linnet.core.arrays import Array, Samples
from linnet.core.optional import require

SOUND_SPEED_M_S = 343.0
MIN_ROOM_M, MAX_ROOM_M = np.array([2.5, 2.5, 2.3]), np.array([9.0, 7.0, 3.5])
WALL_DISTANCE_M = 0.3
MIN_DISTANCE_M, MAX_DISTANCE_M = 0.1, 3.0  # from mouth to microphone
EARLY_S = 0.04  # image sources up to here, noise after
MAX_ORDER = 3  # 2 · 3 · 2.3 m is as far as sound goes in 40 ms

_ORDERS = np.stack(np.meshgrid(*[np.arange(-MAX_ORDER, MAX_ORDER + 1)] * 3), axis=-1).reshape(-1, 1, 3)
_SIDES = np.stack(np.meshgrid(*[np.arange(2)] * 3), axis=-1).reshape(1, -1, 3)
_NUM_REFLECTIONS = (np.abs(_ORDERS - _SIDES) + np.abs(_ORDERS)).sum(axis=-1)


@dataclass(frozen=True, slots=True)
class ShoeboxRoom:
    """A room with two places in it.

    Attributes:
        size_m: (3,) length, width and height.
        mouth_m: (3,) where the sound comes from.
        microphone_m: (3,) where it is heard.
        rt60_s: reverberation time.
    """

    size_m: Array
    mouth_m: Array
    microphone_m: Array
    rt60_s: float

    @property
    def volume_m3(self) -> float:
        """Volume of the room."""
        return float(self.size_m.prod())

    @property
    def absorption(self) -> float:
        """Share of the energy that each wall takes, by Eyring's formula for the reverberation time."""
        surface_m2 = 2.0 * (self.size_m * np.roll(self.size_m, 1)).sum()
        return float(1.0 - np.exp(-0.161 * self.volume_m3 / (surface_m2 * self.rt60_s)))


def draw_room(rt60_s: float, rng: np.random.Generator) -> ShoeboxRoom:
    """Draw the size of a room and the places in it, away from the walls; near ones are as likely as far."""
    room_m = rng.uniform(MIN_ROOM_M, MAX_ROOM_M)
    mouth_m, microphone_m = _places(room_m, rng)
    return ShoeboxRoom(room_m, mouth_m, microphone_m, rt60_s)


def simulate_room(
    room: ShoeboxRoom, max_samples: int, sample_rate_hz: int, rng: np.random.Generator
) -> Samples:
    """Return the impulse response from the mouth to the microphone of a room.

    The image method is that of Allen and Berkley (https://doi.org/10.1121/1.382599), with walls that turn the
    sign at each reflection: echoes of one sign would pile up at low frequencies and make the early part
    louder than the tail. The tail has the mean energy of the images it stands for: in a room of volume V,
    images at a distance of c·t bring c / (4π·V) per second, times the decay of 60 dB in `rt60_s`.

    Args:
        room: the room.
        max_samples: largest length of the response.
        sample_rate_hz: its rate.
        rng: source of the noise.

    Returns:
        (M,) response that starts with the direct sound; alone, that has the height 1.
    """
    num_samples = min(max_samples, round((EARLY_S + room.rt60_s) * sample_rate_hz))
    distances_m, heights = _images(room)
    delays = np.rint(distances_m * (sample_rate_hz / SOUND_SPEED_M_S)).astype(np.int64)
    num_early = min(round(EARLY_S * sample_rate_hz), num_samples)
    is_early = delays < num_early
    response = np.bincount(delays[is_early], heights[is_early], num_samples)

    times_s = np.arange(num_early, num_samples) / sample_rate_hz
    density = SOUND_SPEED_M_S / (4.0 * np.pi * room.volume_m3 * sample_rate_hz)
    power = density * 10.0 ** (-6.0 * times_s / room.rt60_s)
    response[num_early:] = rng.standard_normal(times_s.size) * np.sqrt(power)
    scaled: Samples = (response[delays.min() :] / heights.max()).astype(np.float32)
    return scaled


def simulate_with_pyroomacoustics(room: ShoeboxRoom, max_samples: int, sample_rate_hz: int) -> Samples:
    """Return the response by pyroomacoustics (https://arxiv.org/abs/1710.04196): image sources alone.

    Args:
        room: the room.
        max_samples: largest length of the response.
        sample_rate_hz: its rate.

    Returns:
        (M,) response; its direct sound comes after the way from mouth to microphone and half a filter.

    Raises:
        MissingDependencyError: when pyroomacoustics is not installed.
    """
    library = require("pyroomacoustics", extra="rooms", purpose="the room simulator pyroomacoustics")
    longest_m = SOUND_SPEED_M_S * min(room.rt60_s, max_samples / sample_rate_hz)
    shoebox = library.ShoeBox(
        room.size_m,
        fs=sample_rate_hz,
        materials=library.Material(room.absorption),
        max_order=math.ceil(longest_m / room.size_m.min()),
    )
    shoebox.add_source(room.mouth_m)
    shoebox.add_microphone(room.microphone_m)
    shoebox.compute_rir()
    response: Samples = np.asarray(shoebox.rir[0][0], dtype=np.float32)[:max_samples]
    return response


def _places(room_m: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw where mouth and microphone are, (3,) each."""
    lowest_m, highest_m = np.full(3, WALL_DISTANCE_M), room_m - WALL_DISTANCE_M
    mouth_m = rng.uniform(lowest_m, highest_m)
    direction = rng.standard_normal(3)
    distance_m = np.exp(rng.uniform(np.log(MIN_DISTANCE_M), np.log(MAX_DISTANCE_M)))
    microphone_m = mouth_m + direction / np.linalg.norm(direction) * distance_m
    return mouth_m, np.clip(microphone_m, lowest_m, highest_m)


def _images(room: ShoeboxRoom) -> tuple[Array, Array]:
    """Return distance and height of every image of the mouth up to MAX_ORDER, flat."""
    mirrored_m = (1 - 2 * _SIDES) * room.mouth_m + 2 * _ORDERS * room.size_m
    distances_m = np.linalg.norm(mirrored_m - room.microphone_m, axis=-1).clip(MIN_DISTANCE_M)
    reflection = -math.sqrt(1.0 - room.absorption)
    heights = reflection**_NUM_REFLECTIONS / (4.0 * np.pi * distances_m)
    return distances_m.ravel(), heights.ravel()
