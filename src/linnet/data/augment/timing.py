"""Moves an utterance by milliseconds, and cuts a random part out of it."""

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from linnet.core.arrays import Samples
from linnet.data.augment.ranges import Range
from linnet.data.augment.transform import SAMPLE_RATE_HZ, TransformConfig


def _check_shifts(limits: tuple[float, float]) -> tuple[float, float]:
    if not -1000.0 <= limits[0] <= limits[1] <= 1000.0:
        raise ValueError(f"a shift lies between -1000 and 1000 ms, not in {list(limits)}")
    return limits


class ShiftConfig(TransformConfig):
    """A little earlier or later in the same length of time.

    Attributes:
        shift_ms: range of the shift; above 0 is later.
    """

    name: Literal["shift"] = "shift"
    shift_ms: Annotated[Range, AfterValidator(_check_shifts)] = (-5.0, 5.0)

    def build(self) -> "Shift":
        """Return the transform."""
        return Shift(self)


class Shift:
    """Shifts, with zeros where nothing comes from; longer shifts than the utterance are left out."""

    def __init__(self, config: ShiftConfig) -> None:
        self.config = config

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return (N,) samples."""
        later = round(rng.uniform(*self.config.shift_ms) * SAMPLE_RATE_HZ / 1000.0)
        if abs(later) >= samples.size:
            return samples
        zeros = np.zeros(abs(later), dtype=np.float32)
        parts = [zeros, samples[: samples.size - later]] if later > 0 else [samples[-later:], zeros]
        return np.concatenate(parts)


class RandomSegmentConfig(TransformConfig):
    """A random part of a long recording, for training without texts.

    Attributes:
        duration_s: how long it is.
    """

    name: Literal["random_segment"] = "random_segment"
    duration_s: float = Field(default=32.0, gt=0.0, allow_inf_nan=False)

    def build(self) -> "RandomSegment":
        """Return the transform."""
        return RandomSegment(self)


class RandomSegment:
    """Cuts; what is shorter stays whole."""

    def __init__(self, config: RandomSegmentConfig) -> None:
        self.num_samples = max(round(config.duration_s * SAMPLE_RATE_HZ), 1)

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return at most `duration_s` of the samples."""
        start = int(rng.integers(max(samples.size - self.num_samples, 0) + 1))
        return samples[start : start + self.num_samples]
