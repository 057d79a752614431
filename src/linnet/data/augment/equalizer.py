"""Colors the sound as microphones, loudspeakers and rooms do: some frequencies louder, some softer."""

from typing import Literal

import numpy as np
from pydantic import Field

from linnet.core.arrays import Array, Samples
from linnet.data.augment.spectrum import apply_gain
from linnet.data.augment.transform import SAMPLE_RATE_HZ, TransformConfig

LOWEST_HZ, HIGHEST_HZ = 60.0, 8000.0  # the curve is flat outside


class EqualizerConfig(TransformConfig):
    """A random smooth frequency response.

    Attributes:
        num_points: gains drawn, evenly spaced in octaves from 60 to 8000 Hz; between them, the curve is
            straight over the logarithm of the frequency.
        max_gain_db: each gain lies between plus and minus this; their mean is 0 dB.
    """

    name: Literal["equalizer"] = "equalizer"
    num_points: int = Field(default=6, ge=2, le=32)
    max_gain_db: float = Field(default=9.0, gt=0.0, le=40.0)

    def build(self) -> "Equalizer":
        """Return the transform."""
        return Equalizer(self)


class Equalizer:
    """Multiplies the spectrum by a random curve."""

    def __init__(self, config: EqualizerConfig) -> None:
        self.config = config
        self.log_points_hz = np.linspace(np.log(LOWEST_HZ), np.log(HIGHEST_HZ), config.num_points)

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return (N,) samples."""
        limit_db = self.config.max_gain_db
        gains_db = rng.uniform(-limit_db, limit_db, self.config.num_points)
        gains_db -= gains_db.mean()

        def gain(frequencies_hz: Array) -> Array:
            log_frequencies = np.log(np.maximum(frequencies_hz, LOWEST_HZ))
            curve: Array = 10.0 ** (np.interp(log_frequencies, self.log_points_hz, gains_db) / 20.0)
            return curve.astype(np.float32)

        return apply_gain(samples, gain, SAMPLE_RATE_HZ)
