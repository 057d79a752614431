"""Examples of what a configuration does to one recording, for listening and looking."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict

from linnet.core.arrays import Features, Samples
from linnet.data.augment.noise import NoiseConfig
from linnet.data.augment.spectrogram import (
    FeatureAugment,
    FeatureAugmentConfig,
    FrequencyWarpConfig,
    SpecAugmentConfig,
    SpecCutoutConfig,
)
from linnet.data.augment.transform import WaveformTransform
from linnet.data.augment.waveform import AnyTransformConfig, WaveformAugment, WaveformAugmentConfig
from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features

FRONTEND = FrontendConfig(num_mels=80, normalize="none", dither=0.0)

# Masks are off by default: these are the widths of Conformer, Citrinet (SpecAugment) and QuartzNet (cutout).
SHOWN_FEATURE_AUGMENT = FeatureAugmentConfig(
    frequency_warp=FrequencyWarpConfig(probability=1.0),
    spec_cutout=SpecCutoutConfig(rect_masks=5, rect_freq=50, rect_time=120),
    spec_augment=SpecAugmentConfig(freq_masks=2, freq_width=27, time_masks=5, time_width=0.05),
)


class _DataPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    augment: WaveformAugmentConfig = WaveformAugmentConfig()


class ShowcaseConfig(BaseModel):
    """The two parts of a training configuration that change the sound; its other keys are not looked at.

    Attributes:
        data: holds `augment`, what happens to waveforms.
        feature_augment: what happens to features.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    data: _DataPart = _DataPart()
    feature_augment: FeatureAugmentConfig = FeatureAugmentConfig()

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be changed."""
        return not self.data.augment.transforms and self.feature_augment == FeatureAugmentConfig()


@dataclass(frozen=True, slots=True)
class Example:
    """A changed recording.

    Attributes:
        name: what to call its files.
        applied: the transforms of the waveform that were applied, in order.
        samples: (N,) at 16 kHz; None where the configuration has no transforms of the waveform.
        features: (F, T) log-mel energies, with the masks and warps of the configuration.
    """

    name: str
    applied: tuple[str, ...]
    samples: Samples | None
    features: Features

    @property
    def title(self) -> str:
        """The name, and what was applied where the name does not say so."""
        told = self.name.endswith(self.applied) if self.applied else True
        return self.name if told else f"{self.name}: {', '.join(self.applied)}"


def every_transform(noise: Path | None = None) -> ShowcaseConfig:
    """Return all transforms at their default settings; recorded noise only where there is a folder of it."""
    waveform_configs = get_args(get_args(AnyTransformConfig)[0])
    transforms = [config() for config in waveform_configs if config is not NoiseConfig]
    if noise is not None:
        transforms.append(NoiseConfig(path=noise))
    augment = WaveformAugmentConfig(transforms=tuple(transforms))
    return ShowcaseConfig(data=_DataPart(augment=augment), feature_augment=SHOWN_FEATURE_AUGMENT)


def each_alone(config: ShowcaseConfig) -> dict[str, ShowcaseConfig]:
    """Return a configuration for each transform of another, always applied, under a name for its files."""
    alone: dict[str, ShowcaseConfig] = {}
    for transform in config.data.augment.transforms:
        augment = WaveformAugmentConfig(transforms=(transform.model_copy(update={"probability": 1.0}),))
        name = f"{len(alone) + 1:02d}-{transform.name}"
        alone[name] = ShowcaseConfig(data=_DataPart(augment=augment))
    for field, default in FeatureAugmentConfig():
        value = getattr(config.feature_augment, field)
        if value != default:
            name = f"{len(alone) + 1:02d}-{field}"
            alone[name] = ShowcaseConfig(feature_augment=FeatureAugmentConfig.model_validate({field: value}))
    return alone


class Showcase:
    """Makes examples of a configuration.

    Raises:
        ConfigError: when a folder or manifest of noise or impulse responses has no recordings.
        MissingDependencyError: when a transform needs a package that is not installed.
    """

    def __init__(self, config: ShowcaseConfig) -> None:
        self.feature_augment = FeatureAugment(config.feature_augment).train()
        self.augment = WaveformAugment(config.data.augment)
        self._applied: list[str] = []
        self.augment.steps = [
            (probability, _noting(transform.name, change, self._applied))
            for transform, (probability, change) in zip(
                config.data.augment.transforms, self.augment.steps, strict=True
            )
        ]

    def make(self, samples: Samples, name: str, rng: np.random.Generator) -> Example:
        """Change a recording (N,) at 16 kHz as training would.

        Raises:
            AudioError: when a recording of noise or of a room cannot be read.
        """
        self._applied.clear()
        changed = self.augment(samples, rng)
        features, _ = compute_features(changed, FRONTEND)
        return Example(
            name=name,
            applied=tuple(self._applied),
            samples=changed if self.augment.steps else None,
            features=self._change(features, rng),
        )

    def _change(self, features: Features, rng: np.random.Generator) -> Features:
        """Normalize (F, T), mask and warp as in training, and take the normalization back."""
        if not features.size:
            return features
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        mean, std = features.mean(), features.std() + np.float32(1e-5)
        normalized = torch.from_numpy((features - mean) / std)[None]
        lengths = torch.tensor([features.shape[1]])
        changed = self.feature_augment(normalized, lengths, generator)[0].numpy()
        restored: Features = changed * std + mean
        return restored


def random_examples(
    samples: Samples, config: ShowcaseConfig, *, count: int, seed: int
) -> dict[str, Callable[[], Example]]:
    """Return what makes `count` examples, by name; the same seed makes the same ones, whatever the count."""
    showcase = Showcase(config)
    names = [f"example-{number:02d}" for number in range(1, count + 1)]
    return {
        name: partial(_make, showcase, samples, name, (seed, number)) for number, name in enumerate(names)
    }


def examples_of_each(
    samples: Samples, config: ShowcaseConfig, *, seed: int
) -> dict[str, Callable[[], Example]]:
    """Return what makes an example of each transform alone, by name."""
    return {
        name: partial(_make, Showcase(part), samples, name, (seed, number))
        for number, (name, part) in enumerate(each_alone(config).items())
    }


def _make(showcase: Showcase, samples: Samples, name: str, seed: tuple[int, int]) -> Example:
    return showcase.make(samples, name, np.random.default_rng(seed))


def _noting(name: str, transform: WaveformTransform, applied: list[str]) -> WaveformTransform:
    def run(samples: Samples, rng: np.random.Generator) -> Samples:
        applied.append(name)
        return transform(samples, rng)

    return run
