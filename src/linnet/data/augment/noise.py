"""Mixes recorded noise into an utterance at a random signal-to-noise ratio."""

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator

from linnet.core.arrays import Samples
from linnet.data.augment.ranges import Range
from linnet.data.augment.sound_bank import SoundBank
from linnet.data.augment.transform import TransformConfig, amplitude, rms


def _check_counts(limits: tuple[int, int]) -> tuple[int, int]:
    if not 1 <= limits[0] <= limits[1] <= 20:
        raise ValueError(f"between 1 and 20 recordings are mixed, not {list(limits)}")
    return limits


class NoiseConfig(TransformConfig):
    """Recorded noise.

    Attributes:
        path: folder or manifest of recordings, of any rate and number of channels.
        snr_db: range of the level of the utterance over that of all the noise together.
        num_sounds: range of how many recordings are mixed, at the same level.
    """

    name: Literal["noise"] = "noise"
    path: Path
    snr_db: Range = (10.0, 50.0)
    num_sounds: Annotated[tuple[int, int], AfterValidator(_check_counts)] = (1, 1)

    def build(self) -> "Noise":
        """Return the transform.

        Raises:
            ConfigError: when `path` has no recordings.
        """
        return Noise(self)


class Noise:
    """Adds random stretches of random recordings; short ones are repeated."""

    def __init__(self, config: NoiseConfig) -> None:
        self.config = config
        self.bank = SoundBank(config.path, "noise")

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return (N,) samples.

        Raises:
            AudioError: when a recording of noise cannot be read.
        """
        least, most = self.config.num_sounds
        noise = self._draw(samples.size, rng)
        for _ in range(int(rng.integers(least, most + 1)) - 1):
            noise = noise + self._draw(samples.size, rng)
        snr_db = rng.uniform(*self.config.snr_db)
        noise_rms = rms(noise)
        if noise_rms == 0.0:
            return samples
        return samples + noise * np.float32(rms(samples) / noise_rms / amplitude(snr_db))

    def _draw(self, num_samples: int, rng: np.random.Generator) -> Samples:
        """Return a stretch of noise (N,) whose root mean square is 1, or silence."""
        noise = _stretch(self.bank.draw(rng), num_samples, rng)
        noise_rms = rms(noise)
        return noise / np.float32(noise_rms) if noise_rms > 0.0 else noise


def _stretch(recording: Samples, num_samples: int, rng: np.random.Generator) -> Samples:
    """Return `num_samples` of a recording from a random place on."""
    spare = recording.size - num_samples
    if spare >= 0:
        start = rng.integers(spare + 1)
        return recording[start : start + num_samples]
    return np.resize(np.roll(recording, rng.integers(recording.size)), num_samples)
