"""Changes the level of an utterance, adds white noise, and adds silence around it."""

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator

from linnet.core.arrays import Samples
from linnet.data.augment.ranges import Range
from linnet.data.augment.transform import SAMPLE_RATE_HZ, TransformConfig, amplitude


class GainConfig(TransformConfig):
    """Louder or softer.

    Attributes:
        gain_db: range of the gain.
    """

    name: Literal["gain"] = "gain"
    gain_db: Range = (-10.0, 10.0)

    def build(self) -> "Gain":
        """Return the transform."""
        return Gain(self)


class Gain:
    """Multiplies by a random factor; samples may then lie outside [-1, 1]."""

    def __init__(self, config: GainConfig) -> None:
        self.config = config

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return (N,) samples."""
        return samples * np.float32(amplitude(rng.uniform(*self.config.gain_db)))


class WhiteNoiseConfig(TransformConfig):
    """White noise at a level that does not depend on the speech.

    Attributes:
        level_db: range of its root mean square, in dB below full scale.
    """

    name: Literal["white_noise"] = "white_noise"
    level_db: Range = (-90.0, -46.0)

    def build(self) -> "WhiteNoise":
        """Return the transform."""
        return WhiteNoise(self)


class WhiteNoise:
    """Adds normally distributed noise."""

    def __init__(self, config: WhiteNoiseConfig) -> None:
        self.config = config

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return (N,) samples."""
        return samples + _white_noise(samples.size, rng.uniform(*self.config.level_db), rng)


def _check_durations(limits: tuple[float, float]) -> tuple[float, float]:
    if not 0.0 <= limits[0] <= limits[1] <= 60.0:
        raise ValueError(f"a silence lasts between 0 and 60 s, not {list(limits)}")
    return limits


Durations = Annotated[Range, AfterValidator(_check_durations)]


class SilenceConfig(TransformConfig):
    """Silence before and after the speech, never digital: white noise at a low level.

    Attributes:
        start_s: range of the duration added before.
        end_s: range of the duration added after.
        level_db: range of the level of the noise in it, in dB below full scale.
    """

    name: Literal["silence"] = "silence"
    start_s: Durations = (0.0, 0.5)
    end_s: Durations = (0.0, 0.5)
    level_db: Range = (-90.0, -60.0)

    def build(self) -> "Silence":
        """Return the transform."""
        return Silence(self)


class Silence:
    """Joins silence to both ends."""

    def __init__(self, config: SilenceConfig) -> None:
        self.config = config

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return (N + start + end,) samples."""
        level_db = rng.uniform(*self.config.level_db)
        lengths = [
            round(rng.uniform(*limits) * SAMPLE_RATE_HZ)
            for limits in (self.config.start_s, self.config.end_s)
        ]
        before, after = (_white_noise(length, level_db, rng) for length in lengths)
        return np.concatenate([before, samples, after])


def _white_noise(num_samples: int, level_db: float, rng: np.random.Generator) -> Samples:
    return rng.standard_normal(num_samples, dtype=np.float32) * np.float32(amplitude(level_db))
