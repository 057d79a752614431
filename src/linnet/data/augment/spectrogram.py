"""Random masks and warps of a batch of features (B, F, T), for training only.

They come after normalization, so that the 0 of a mask is the mean of the utterance.
"""

from functools import lru_cache
from typing import Annotated, Self

import numpy as np
import torch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from linnet.core.arrays import Array
from linnet.data.augment.ranges import Range
from linnet.features.mel import slaney_filterbank


class SpecAugmentConfig(BaseModel):
    """Masks of whole bands and of whole stretches of time (https://arxiv.org/abs/1904.08779).

    Attributes:
        freq_masks: bands masked in each utterance.
        freq_width: a band is narrower than this, in mel bins.
        time_masks: stretches of time masked in each utterance.
        time_width: a stretch is shorter than this: frames, or, below 1, a share of the utterance.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    freq_masks: int = Field(default=0, ge=0)
    freq_width: int = Field(default=10, ge=1)
    time_masks: int = Field(default=0, ge=0)
    time_width: float = Field(default=10, gt=0.0, allow_inf_nan=False)


class SpecCutoutConfig(BaseModel):
    """Masked rectangles (https://arxiv.org/abs/1708.04552, on features).

    Attributes:
        rect_masks: rectangles masked in each utterance.
        rect_freq: the largest height, in mel bins.
        rect_time: the largest width, in frames.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rect_masks: int = Field(default=0, ge=0)
    rect_freq: int = Field(default=20, ge=0)
    rect_time: int = Field(default=5, ge=0)


def _check_factors(limits: tuple[float, float]) -> tuple[float, float]:
    if not 0.5 <= limits[0] <= limits[1] <= 2.0:
        raise ValueError(f"a factor of the frequency warp lies between 0.5 and 2, not in {list(limits)}")
    return limits


class FrequencyWarpConfig(BaseModel):
    """Vocal tract length perturbation (Jaitly and Hinton, 2013): another size of the speaker's throat.

    Attributes:
        probability: share of the utterances that are warped.
        factor: range of the warp factor α.
        knee_hz: up to about here a frequency f becomes α·f; above, a line leads to `high_hz`, which stays.
        high_hz: upper end of the mel filters, which start at 0 Hz on the Slaney scale.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    probability: float = Field(default=0.0, ge=0.0, le=1.0)
    factor: Annotated[Range, AfterValidator(_check_factors)] = (0.85, 1.15)
    knee_hz: float = Field(default=4800.0, gt=0.0)
    high_hz: float = Field(default=8000.0, gt=0.0, le=96_000.0)

    @model_validator(mode="after")
    def _check_knee(self) -> Self:
        if self.knee_hz >= self.high_hz:
            raise ValueError(f"knee_hz={self.knee_hz} must lie below high_hz={self.high_hz}")
        return self


class FeatureAugmentConfig(BaseModel):
    """Everything that training may do to features; all of it is off by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frequency_warp: FrequencyWarpConfig = FrequencyWarpConfig()
    spec_cutout: SpecCutoutConfig = SpecCutoutConfig()
    spec_augment: SpecAugmentConfig = SpecAugmentConfig()


class FeatureAugment(nn.Module):
    """Warps and masks features while the module is in training mode; passes them through otherwise."""

    def __init__(self, config: FeatureAugmentConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, features: Tensor, lengths: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return new features of the same shape.

        Args:
            features: (B, F, T), normalized, zero from each utterance's length on.
            lengths: (B,) valid frames.
            generator: source of the random numbers; torch's own when None.
        """
        if not self.training:
            return features
        features = warp_frequency(features, self.config.frequency_warp, generator)
        masked = cutout_mask(features, self.config.spec_cutout, generator)
        masked = masked | spec_augment_mask(features, lengths, self.config.spec_augment, generator)
        return features.masked_fill(masked, 0.0)


def spec_augment_mask(
    features: Tensor, lengths: Tensor, config: SpecAugmentConfig, generator: torch.Generator | None = None
) -> Tensor:
    """Return what SpecAugment masks, (B, F, T) of bool.

    A width is floor(U·W) and a start floor(U·(length − width)) with U uniform in [0, 1), as NeMo draws them
    in batches; so the last bin and the last frame are never masked.
    """
    num_utterances, num_bins, num_frames = features.shape
    all_bins = lengths.new_full((num_utterances,), num_bins)
    bands = _stretches(all_bins, all_bins.new_tensor(config.freq_width), config.freq_masks, generator)
    is_share = config.time_width < 1.0
    widths = lengths * config.time_width if is_share else lengths.new_tensor(config.time_width)
    times = _stretches(lengths, widths, config.time_masks, generator)
    in_band = _covered(*bands, num_bins).any(dim=1)
    in_time = _covered(*times, num_frames).any(dim=1)
    return in_band[:, :, None] | in_time[:, None, :]


def cutout_mask(
    features: Tensor, config: SpecCutoutConfig, generator: torch.Generator | None = None
) -> Tensor:
    """Return the rectangles that SpecCutout masks, (B, F, T) of bool.

    Corners lie uniformly where the largest rectangle fits into the padded batch, sides are uniform from 0.
    """
    num_utterances, num_bins, num_frames = features.shape
    shape = (num_utterances, config.rect_masks)
    sides = []
    for extent, largest in ((num_bins, config.rect_freq), (num_frames, config.rect_time)):
        starts = (_uniform(shape, features, generator) * (max(extent - largest, 0) + 1)).long()
        widths = (_uniform(shape, features, generator) * (largest + 1)).long()
        sides.append(_covered(starts, widths, extent).float())
    # A cell is masked when any rectangle covers both its bin and its frame.
    return torch.einsum("brf,brt->bft", *sides) > 0.0


def warp_frequency(
    features: Tensor, config: FrequencyWarpConfig, generator: torch.Generator | None = None
) -> Tensor:
    """Return features as if each utterance's spectrum were stretched by a random factor.

    Bin i takes the value found at the warped frequency of its center, between the two nearest bins.
    """
    num_utterances, num_bins, _ = features.shape
    if config.probability == 0.0:
        return features
    low, high = config.factor
    factors = low + (high - low) * _uniform((num_utterances, 1), features, generator)
    is_warped = _uniform((num_utterances, 1), features, generator) < config.probability
    positions = _warped_bins(torch.where(is_warped, factors, 1.0), num_bins, config)
    bins = torch.arange(num_bins, device=features.device)
    weights = (1.0 - (positions[:, :, None] - bins).abs()).clamp_min(0.0)
    return torch.bmm(weights.to(features.dtype), features)


def _warped_bins(factors: Tensor, num_bins: int, config: FrequencyWarpConfig) -> Tensor:
    """Return where each bin of each utterance reads, (B, F), in bins from 0 to F − 1; factors are (B, 1).

    The slope is α up to the knee; from there a line leads to the end.
    """
    centers_hz = filter_centers_hz(num_bins, config.high_hz)
    alpha = factors.numpy(force=True)
    knee_to_hz = config.knee_hz * np.minimum(alpha, 1.0)
    knee_from_hz = knee_to_hz / alpha
    slope = (config.high_hz - knee_to_hz) / (config.high_hz - knee_from_hz)
    above_knee_hz = config.high_hz - slope * (config.high_hz - centers_hz)
    warped_hz = np.where(centers_hz <= knee_from_hz, alpha * centers_hz, above_knee_hz)
    positions = np.interp(warped_hz, centers_hz, np.arange(num_bins))
    return torch.from_numpy(positions.astype(np.float32)).to(factors.device)


@lru_cache
def filter_centers_hz(num_bins: int, high_hz: float) -> Array:
    """Return the frequency at which each filter of the log-mel front end is highest, within 1 Hz."""
    fft_size = 1 << 15
    filters = slaney_filterbank(num_bins, fft_size, round(2 * high_hz), 0.0, high_hz)
    centers: Array = filters.argmax(axis=1) * (2 * high_hz / fft_size)
    return centers


def _stretches(
    lengths: Tensor, widths: Tensor, count: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Draw starts and widths, (B, count) each, of stretches inside (B,) lengths."""
    shape = (len(lengths), count)
    drawn = (_uniform(shape, lengths, generator) * widths.reshape(-1, 1)).long()
    drawn = torch.minimum(drawn, lengths[:, None])
    starts = (_uniform(shape, lengths, generator) * (lengths[:, None] - drawn)).long()
    return starts, drawn


def _covered(starts: Tensor, widths: Tensor, extent: int) -> Tensor:
    """Return which of `extent` places each stretch (B, R) covers: (B, R, extent) of bool."""
    places = torch.arange(extent, device=starts.device)
    return (places >= starts[:, :, None]) & (places < (starts + widths)[:, :, None])


def _uniform(shape: tuple[int, ...], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Draw float32 in [0, 1) where the generator lives, and bring it to the device of `like`."""
    device = generator.device if generator is not None else torch.device("cpu")
    return torch.rand(shape, generator=generator, device=device).to(like.device)
