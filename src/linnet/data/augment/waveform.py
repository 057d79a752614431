"""Random changes of one utterance's waveform, one after the other, each with its own probability."""

from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from linnet.core.arrays import Samples
from linnet.data.augment.band_limit import BandLimitConfig
from linnet.data.augment.clipping import ClippingConfig
from linnet.data.augment.equalizer import EqualizerConfig
from linnet.data.augment.level import GainConfig, SilenceConfig, WhiteNoiseConfig
from linnet.data.augment.noise import NoiseConfig
from linnet.data.augment.room import RoomConfig
from linnet.data.augment.speed import SpeedConfig
from linnet.data.augment.tempo import TimeStretchConfig
from linnet.data.augment.timing import RandomSegmentConfig, ShiftConfig
from linnet.data.augment.transcode import TranscodeConfig
from linnet.data.augment.transform import WaveformTransform

AnyTransformConfig = Annotated[
    SpeedConfig
    | TimeStretchConfig
    | ShiftConfig
    | RandomSegmentConfig
    | SilenceConfig
    | GainConfig
    | WhiteNoiseConfig
    | NoiseConfig
    | RoomConfig
    | EqualizerConfig
    | BandLimitConfig
    | ClippingConfig
    | TranscodeConfig,
    Field(discriminator="name"),
]


class WaveformAugmentConfig(BaseModel):
    """Everything that training may do to waveforms; nothing by default.

    Attributes:
        transforms: what is done, in this order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    transforms: tuple[AnyTransformConfig, ...] = ()


class WaveformAugment:
    """Applies the transforms of a configuration.

    It can be pickled, so that worker processes hold one each.

    Raises:
        ConfigError: when a folder or manifest of noise or impulse responses has no recordings.
    """

    def __init__(self, config: WaveformAugmentConfig) -> None:
        self.steps: list[tuple[float, WaveformTransform]] = [
            (transform.probability, transform.build()) for transform in config.transforms
        ]

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Change an utterance.

        Args:
            samples: (N,) mono at 16 kHz; left as it is.
            rng: source of the random numbers; the same state gives the same samples.

        Returns:
            (M,) samples; no samples stay no samples.

        Raises:
            AudioError: when a recording of noise or of a room cannot be read.
        """
        for probability, transform in self.steps:
            if samples.size and rng.random() < probability:
                samples = transform(samples, rng)
        return samples
