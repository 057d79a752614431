"""Speaks an utterance faster or slower, with its pitch, as a tape would."""

from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, Field

from linnet.audio.resample import resample
from linnet.core.arrays import Samples
from linnet.data.augment.ranges import Range
from linnet.data.augment.transform import SAMPLE_RATE_HZ, TransformConfig


def _check_rates(limits: tuple[float, float]) -> tuple[float, float]:
    if not 0.25 <= limits[0] <= limits[1] <= 4.0:
        raise ValueError(f"a speed lies between 0.25 and 4, not in {list(limits)}")
    return limits


class SpeedConfig(TransformConfig):
    """Speed perturbation (Ko et al., Audio augmentation for speech recognition, Interspeech 2015).

    NeMo's `speed` means the inverse: its 1.1 gives 1.1 times as many samples, which is the rate 0.909 here.

    Attributes:
        rate: range of the speed; above 1 is faster, so shorter and higher.
        num_rates: how many speeds, evenly spaced, the range is quantized to.
    """

    name: Literal["speed"] = "speed"
    rate: Annotated[Range, AfterValidator(_check_rates)] = (0.9, 1.1)
    num_rates: int = Field(default=5, ge=1)

    def build(self) -> "Speed":
        """Return the transform."""
        return Speed(self)


class Speed:
    """Resamples by a random rate."""

    def __init__(self, config: SpeedConfig) -> None:
        low, high = config.rate
        rates = [(low + high) / 2] if config.num_rates == 1 else np.linspace(low, high, config.num_rates)
        self.rates_hz = [round(SAMPLE_RATE_HZ * float(rate)) for rate in rates]

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return N / rate samples."""
        played_at_hz = self.rates_hz[rng.integers(len(self.rates_hz))]
        changed = resample(samples, played_at_hz, SAMPLE_RATE_HZ)
        return changed if changed.size else samples
