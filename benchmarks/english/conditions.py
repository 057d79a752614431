"""The same utterance clean, in noise, in a room and over the telephone: always the same samples."""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from linnet.core.arrays import Samples
from linnet.data.augment.noise import NoiseConfig
from linnet.data.augment.room import RoomConfig
from linnet.data.augment.transcode import TranscodeConfig
from linnet.data.augment.transform import WaveformTransform

CLEAN = "clean"
NOISE_SNR_DB = 10.0
RT60_S = (0.3, 0.7)  # of the rooms that are simulated: every second one
FULL_SCALE = 32767

Degrade = Callable[[Samples, str], Samples]


def conditions(noise: Path | None, rooms: Path | None, seed: int) -> dict[str, Degrade]:
    """Give what is done to utterances (N,) at 16 kHz, by the names of the conditions.

    What is drawn for an utterance depends on the seed, the condition and the name of its file alone.

    Args:
        noise: folder of recorded noise; without one there is no such condition.
        rooms: folder of recorded impulse responses; without one all rooms are simulated.
        seed: of everything that is drawn.
    """
    transforms: dict[str, WaveformTransform] = {}
    if noise:
        snr_db = (NOISE_SNR_DB, NOISE_SNR_DB)
        transforms[f"{NOISE_SNR_DB:g} dB noise"] = NoiseConfig(path=noise, snr_db=snr_db).build()
    transforms["room"] = RoomConfig(path=rooms, rt60_s=RT60_S).build()
    transforms["telephone"] = TranscodeConfig(codecs=("g711_alaw", "g711_ulaw")).build()
    drawn = {name: _seeded(transform, name, seed) for name, transform in transforms.items()}
    return {CLEAN: lambda samples, _: in_16_bits(samples), **drawn}


def in_16_bits(samples: Samples) -> Samples:
    """Round to 16 bits, softer where it would clip; so every recognizer can be given the same samples."""
    peak = float(np.abs(samples).max(initial=0.0))
    integers = np.rint(samples * (FULL_SCALE / max(peak, 1.0)))
    return (integers / (FULL_SCALE + 1)).astype(np.float32)


def _seeded(transform: WaveformTransform, condition: str, seed: int) -> Degrade:
    def degrade(samples: Samples, name: str) -> Samples:
        rng = np.random.default_rng([seed, zlib.crc32(f"{condition} {name}".encode())])
        return in_16_bits(transform(samples, rng))

    return degrade
