"""Takes high frequencies away, as telephones, old recorders and compressed streams do."""

from typing import Literal

import numpy as np
from pydantic import Field

from linnet.core.arrays import Samples
from linnet.data.augment.ranges import Range
from linnet.data.augment.spectrum import filter_band
from linnet.data.augment.transform import SAMPLE_RATE_HZ, TransformConfig

TELEPHONE_BAND_HZ = (300.0, 3400.0)  # ITU-T G.712


class BandLimitConfig(TransformConfig):
    """A low-pass filter, or the band of a telephone.

    Attributes:
        cutoff_hz: range of the frequency where the low-pass filter cuts.
        telephone_share: share of the changed utterances that keep only 300 to 3400 Hz instead.
    """

    name: Literal["band_limit"] = "band_limit"
    cutoff_hz: Range = (3400.0, 7000.0)
    telephone_share: float = Field(default=0.3, ge=0.0, le=1.0)

    def build(self) -> "BandLimit":
        """Return the transform."""
        return BandLimit(self)


class BandLimit:
    """Filters to a random band."""

    def __init__(self, config: BandLimitConfig) -> None:
        self.config = config

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return (N,) samples."""
        if rng.random() < self.config.telephone_share:
            return filter_band(samples, *TELEPHONE_BAND_HZ, SAMPLE_RATE_HZ)
        return filter_band(samples, 0.0, rng.uniform(*self.config.cutoff_hz), SAMPLE_RATE_HZ)
