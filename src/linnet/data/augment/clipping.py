"""Cuts the peaks off, as an overdriven microphone or converter does."""

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator

from linnet.core.arrays import Samples
from linnet.data.augment.ranges import Range
from linnet.data.augment.transform import TransformConfig


def _check_shares(limits: tuple[float, float]) -> tuple[float, float]:
    if not 0.0 <= limits[0] <= limits[1] <= 0.5:
        raise ValueError(f"a share of clipped samples lies between 0 and 0.5, not in {list(limits)}")
    return limits


class ClippingConfig(TransformConfig):
    """Hard clipping.

    Attributes:
        share: range of the share of the samples that lie at the limit afterwards.
    """

    name: Literal["clipping"] = "clipping"
    share: Annotated[Range, AfterValidator(_check_shares)] = (0.001, 0.02)

    def build(self) -> "Clipping":
        """Return the transform."""
        return Clipping(self)


class Clipping:
    """Limits the samples to a size that a random share of them exceeds; the level is not restored."""

    def __init__(self, config: ClippingConfig) -> None:
        self.config = config

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return (N,) samples."""
        num_clipped = round(rng.uniform(*self.config.share) * samples.size)
        if not num_clipped:
            return samples
        place = samples.size - num_clipped
        limit = np.partition(np.abs(samples), place)[place]
        return np.clip(samples, -limit, limit)
