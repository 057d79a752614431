"""What every random change of a waveform is: a configuration with a probability, and a function."""

from collections.abc import Callable

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from linnet.core.arrays import Samples

SAMPLE_RATE_HZ = 16_000  # of every waveform in this package

WaveformTransform = Callable[[Samples, np.random.Generator], Samples]


class TransformConfig(BaseModel):
    """What the configurations of all transforms share.

    Attributes:
        probability: share of the utterances that are changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: float = Field(default=1.0, ge=0.0, le=1.0)


def rms(samples: Samples) -> float:
    """Return the root of the mean square; 0 for silence and for no samples."""
    return float(np.sqrt(np.dot(samples, samples) / max(samples.size, 1)))


def amplitude(level_db: float) -> float:
    """Return the factor of a level in dB."""
    return float(10.0 ** (level_db / 20.0))
