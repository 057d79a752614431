"""Masks and warps of features: where they lie, how large they are, what they leave alone."""

import re

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from linnet.data.augment.spectrogram import (
    FeatureAugment,
    FeatureAugmentConfig,
    FrequencyWarpConfig,
    SpecAugmentConfig,
    SpecCutoutConfig,
    cutout_mask,
    spec_augment_mask,
    warp_frequency,
)

NUM_UTTERANCES, NUM_BINS, NUM_FRAMES = 2000, 64, 200


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch_of(num_utterances: int = NUM_UTTERANCES, num_frames: int = NUM_FRAMES) -> tuple[Tensor, Tensor]:
    return torch.ones(num_utterances, NUM_BINS, num_frames), torch.full((num_utterances,), num_frames)


def run_lengths(masked: Tensor) -> Tensor:
    """Lengths (B,) of what is masked in (B, places), which must be one stretch at most."""
    edges = torch.diff(masked.int(), prepend=torch.zeros(len(masked), 1, dtype=torch.int32), dim=1)
    assert ((edges == 1).sum(dim=1) <= 1).all()
    return masked.sum(dim=1)


def test_a_band_is_narrower_than_its_limit_and_every_width_occurs() -> None:
    features, lengths = batch_of()
    masked = spec_augment_mask(features, lengths, SpecAugmentConfig(freq_masks=1, freq_width=10), seeded())
    assert (masked.any(dim=2) == masked.all(dim=2)).all()
    widths = run_lengths(masked.all(dim=2))
    counts = torch.bincount(widths, minlength=10)
    assert widths.max() == 9
    assert (counts > NUM_UTTERANCES / 10 * 0.75).all()
    assert (counts < NUM_UTTERANCES / 10 * 1.25).all()


def test_bands_lie_everywhere_but_on_the_last_bin() -> None:
    features, lengths = batch_of()
    masked = spec_augment_mask(features, lengths, SpecAugmentConfig(freq_masks=1, freq_width=10), seeded())
    assert masked.all(dim=2).any(dim=0).tolist() == [True] * (NUM_BINS - 1) + [False]


def test_a_time_mask_lies_inside_its_utterance() -> None:
    features, _ = batch_of()
    lengths = torch.arange(NUM_UTTERANCES) % 50 + 20
    config = SpecAugmentConfig(time_masks=3, time_width=15)
    masked = spec_augment_mask(features, lengths, config, seeded()).all(dim=1)
    beyond = torch.arange(NUM_FRAMES) >= lengths[:, None]
    assert masked.any()
    assert not (masked & beyond).any()


@pytest.mark.parametrize(("time_width", "largest"), [(0.05, 9), (0.5, 99), (30, 29), (1, 0)])
def test_a_time_width_is_frames_or_a_share(time_width: float, largest: int) -> None:
    features, lengths = batch_of()
    config = SpecAugmentConfig(time_masks=1, time_width=time_width)
    masked = spec_augment_mask(features, lengths, config, seeded())
    assert run_lengths(masked.all(dim=1)).max() == largest


def test_a_mask_wider_than_the_utterance_is_cut_to_it() -> None:
    features, _ = batch_of()
    lengths = torch.full((NUM_UTTERANCES,), 5)
    config = SpecAugmentConfig(time_masks=1, time_width=100)
    masked = spec_augment_mask(features, lengths, config, seeded()).all(dim=1)
    assert masked[:, :5].all(dim=1).any()
    assert not masked[:, 5:].any()


def test_rectangles_have_every_size_up_to_the_limit() -> None:
    features, _ = batch_of()
    config = SpecCutoutConfig(rect_masks=1, rect_freq=20, rect_time=30)
    masked = cutout_mask(features, config, seeded())
    heights, widths = run_lengths(masked.any(dim=2)), run_lengths(masked.any(dim=1))
    assert (masked.sum(dim=(1, 2)) == heights * widths).all()
    assert heights.max() == 20
    assert widths.max() == 30
    # Height and width are uniform from 0, and one of 0 hides the other.
    assert heights.float().mean().item() == pytest.approx(10 * 30 / 31, rel=0.05)
    assert widths.float().mean().item() == pytest.approx(15 * 20 / 21, rel=0.05)


def test_rectangles_lie_anywhere_in_the_padded_batch() -> None:
    features, _ = batch_of()
    masked = cutout_mask(features, SpecCutoutConfig(rect_masks=5, rect_freq=20, rect_time=30), seeded())
    assert masked.any(dim=(0, 1)).all()
    assert masked.any(dim=(0, 2)).all()


def test_a_rectangle_larger_than_the_batch_is_cut_to_it() -> None:
    features, _ = batch_of(num_frames=4)
    masked = cutout_mask(features, SpecCutoutConfig(rect_masks=1, rect_freq=100, rect_time=100), seeded())
    assert masked.all(dim=(1, 2)).any()


def peaked_at(hz: float, *, num_bins: int = NUM_BINS) -> Tensor:
    """One bump over log-mel bins, (1, F, 1), around a frequency above 1 kHz."""
    highest_mel = 15 + torch.log(torch.tensor(8.0)) / torch.log(torch.tensor(6.4)) * 27
    mel = 15 + torch.log(torch.tensor(hz / 1000)) / torch.log(torch.tensor(6.4)) * 27
    position = mel / highest_mel * (num_bins + 1) - 1
    return torch.exp(-(((torch.arange(num_bins) - position) / 2) ** 2))[None, :, None]


def center_of(features: Tensor) -> float:
    bins = torch.arange(features.shape[1])
    return float((features[0, :, 0] * bins).sum() / features.sum())


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.15])
def test_a_warp_moves_a_peak_to_its_frequency_divided_by_the_factor(factor: float) -> None:
    config = FrequencyWarpConfig(probability=1.0, factor=(factor, factor))
    warped = warp_frequency(peaked_at(2000.0), config, seeded())
    assert center_of(warped) == pytest.approx(center_of(peaked_at(2000.0 / factor)), abs=0.1)


def test_a_warp_keeps_constants_padding_and_the_upper_end() -> None:
    features = torch.ones(50, NUM_BINS, 7)
    features[:, :, 5:] = 0.0
    warped = warp_frequency(features, FrequencyWarpConfig(probability=1.0), seeded())
    torch.testing.assert_close(warped, features)
    slope = torch.arange(NUM_BINS, dtype=torch.float32)[None, :, None].repeat(50, 1, 1)
    warped_slope = warp_frequency(slope, FrequencyWarpConfig(probability=1.0), seeded())
    assert (torch.diff(warped_slope, dim=1) >= 0).all()
    assert (warped_slope[:, -1] > NUM_BINS - 1.5).all()


def test_a_share_of_the_utterances_is_warped_each_by_its_own_factor() -> None:
    features = peaked_at(2000.0).repeat(1000, 1, 1)
    warped = warp_frequency(features, FrequencyWarpConfig(probability=0.3), seeded())
    changed = (warped - features).abs().amax(dim=(1, 2)) > 1e-3
    assert 0.25 < changed.float().mean() < 0.35
    assert len({round(value, 4) for value in warped[changed, 30, 0].tolist()}) > 100


EVERYTHING = FeatureAugmentConfig(
    frequency_warp=FrequencyWarpConfig(probability=1.0),
    spec_cutout=SpecCutoutConfig(rect_masks=5, rect_freq=50, rect_time=120),
    spec_augment=SpecAugmentConfig(freq_masks=2, freq_width=27, time_masks=2, time_width=0.05),
)


def test_evaluation_leaves_features_alone() -> None:
    features, lengths = batch_of(2)
    assert FeatureAugment(EVERYTHING).eval()(features, lengths, seeded()) is features


def test_nothing_happens_by_default() -> None:
    features = torch.randn(3, NUM_BINS, 50, generator=seeded())
    augmented = FeatureAugment(FeatureAugmentConfig())(features, torch.tensor([50, 40, 3]), seeded())
    assert torch.equal(augmented, features)


def test_masked_values_are_zero_and_the_others_stay() -> None:
    features, lengths = batch_of(20)
    config = EVERYTHING.model_copy(update={"frequency_warp": FrequencyWarpConfig()})
    augmented = FeatureAugment(config)(features, lengths, seeded())
    assert set(augmented.unique().tolist()) == {0.0, 1.0}


def test_the_same_seed_gives_the_same_features() -> None:
    features = torch.randn(5, NUM_BINS, 100, generator=seeded())
    lengths = torch.tensor([100, 90, 50, 10, 1])
    first, again, other = (FeatureAugment(EVERYTHING)(features, lengths, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("length", [0, 1, 2])
def test_very_short_utterances_stay_finite(length: int) -> None:
    features = torch.randn(4, NUM_BINS, max(length, 1), generator=seeded())
    augmented = FeatureAugment(EVERYTHING)(features, torch.full((4,), length), seeded())
    assert augmented.shape == features.shape
    assert augmented.isfinite().all()


def test_features_without_a_frame_pass() -> None:
    features = torch.zeros(2, NUM_BINS, 0)
    assert FeatureAugment(EVERYTHING)(features, torch.zeros(2, dtype=torch.int64)).shape == features.shape


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"spec_augment": {"time_width": 0}}, "greater than 0"),
        ({"spec_cutout": {"rect_masks": -1}}, "greater than or equal to 0"),
        ({"frequency_warp": {"factor": [0.1, 1.0]}}, "between 0.5 and 2"),
        ({"frequency_warp": {"knee_hz": 9000}}, "must lie below high_hz"),
    ],
)
def test_a_wrong_value_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        FeatureAugmentConfig.model_validate(wrong)
