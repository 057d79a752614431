"""Puts an utterance into a room, recorded or simulated, moving it in time by a millisecond at most."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from linnet.core.arrays import Samples
from linnet.core.optional import require
from linnet.data.augment.ranges import Range
from linnet.data.augment.room_simulation import draw_room, simulate_room, simulate_with_pyroomacoustics
from linnet.data.augment.sound_bank import SoundBank
from linnet.data.augment.spectrum import convolve
from linnet.data.augment.transform import SAMPLE_RATE_HZ, TransformConfig, rms

MAX_RESPONSE_SAMPLES = int(0.4 * SAMPLE_RATE_HZ)  # keeps the convolution cheap
LEAD_SAMPLES = SAMPLE_RATE_HZ // 1000  # of a recorded response before its direct sound


def _check_rt60(limits: tuple[float, float]) -> tuple[float, float]:
    if not 0.05 <= limits[0] <= limits[1] <= 5.0:
        raise ValueError(f"a reverberation time lies between 0.05 and 5 s, not in {list(limits)}")
    return limits


class RoomConfig(TransformConfig):
    """Reverberation.

    Attributes:
        path: folder or manifest of recorded impulse responses; None simulates every room.
        simulated_share: share of the rooms that are simulated where `path` is given.
        rt60_s: range of the time in which the sound of a simulated room falls by 60 dB.
        simulator: "built_in" is fast; "pyroomacoustics" follows every echo up to 0.4 s, and takes a hundred
            times as long (extra `rooms`).
    """

    name: Literal["room"] = "room"
    path: Path | None = None
    simulated_share: float = Field(default=0.5, ge=0.0, le=1.0)
    rt60_s: Annotated[Range, AfterValidator(_check_rt60)] = (0.1, 0.7)
    simulator: Literal["built_in", "pyroomacoustics"] = "built_in"

    def build(self) -> "Room":
        """Return the transform.

        Raises:
            ConfigError: when `path` has no recordings.
            MissingDependencyError: when pyroomacoustics is asked for and not installed.
        """
        return Room(self)


class Room:
    """Convolves with a random impulse response and restores the level."""

    def __init__(self, config: RoomConfig) -> None:
        if config.simulator == "pyroomacoustics":
            require("pyroomacoustics", extra="rooms", purpose="the room simulator pyroomacoustics")
        self.config = config
        self.bank = SoundBank(config.path, "impulse response") if config.path is not None else None

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return (N,) samples; what rings on after the end is cut.

        Raises:
            AudioError: when a recorded impulse response cannot be read.
        """
        wet = convolve(samples, self._draw_response(rng)[:MAX_RESPONSE_SAMPLES])[: samples.size]
        wet_rms = rms(wet)
        return wet * np.float32(rms(samples) / wet_rms) if wet_rms > 0.0 else samples

    def _draw_response(self, rng: np.random.Generator) -> Samples:
        if self.bank is not None and rng.random() >= self.config.simulated_share:
            return _from_direct_sound(self.bank.draw(rng))
        room = draw_room(rng.uniform(*self.config.rt60_s), rng)
        if self.config.simulator == "built_in":
            return simulate_room(room, MAX_RESPONSE_SAMPLES, SAMPLE_RATE_HZ, rng)
        return _from_direct_sound(simulate_with_pyroomacoustics(room, MAX_RESPONSE_SAMPLES, SAMPLE_RATE_HZ))


def _from_direct_sound(response: Samples) -> Samples:
    """Cut what comes more than a millisecond before the highest peak."""
    return response[max(int(np.abs(response).argmax()) - LEAD_SAMPLES, 0) :]
