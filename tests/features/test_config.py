"""The settings of the front end: defaults of each kind, derived sizes, frame counts, refusals."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from linnet.features.config import FrontendConfig


def test_default_is_the_front_end_of_quartznet() -> None:
    config = FrontendConfig()
    assert (config.window_samples, config.hop_samples, config.fft_size) == (320, 160, 512)
    assert (config.num_features, config.highest_hz, config.frame_shift_s) == (64, 8000.0, 0.01)


@pytest.mark.parametrize(
    ("settings", "window", "fft_size", "num_features"),
    [
        ({"window_ms": 25, "num_mels": 80}, 400, 512, 80),
        ({"sample_rate_hz": 8000}, 160, 256, 64),
        ({"window_ms": 32}, 512, 512, 64),
        ({"n_fft": 1024}, 320, 1024, 64),
        ({"kind": "spectrogram", "n_fft": 320}, 320, 320, 161),
        ({"kind": "spectrogram", "n_fft": 320, "num_bins": 160}, 320, 320, 160),
        ({"kind": "mfcc", "num_ceps": 40}, 320, 512, 40),
        ({"kind": "kaldi_fbank"}, 400, 512, 80),
    ],
)
def test_sizes_follow_from_the_settings(
    settings: dict[str, Any], window: int, fft_size: int, num_features: int
) -> None:
    config = FrontendConfig(**settings)
    assert (config.window_samples, config.fft_size, config.num_features) == (window, fft_size, num_features)


def test_kind_brings_the_defaults_of_its_source() -> None:
    kaldi, mfcc = FrontendConfig(kind="kaldi_fbank"), FrontendConfig(kind="mfcc")
    assert (kaldi.window, kaldi.normalize, kaldi.low_hz, kaldi.log_guard_mode) == (
        "povey",
        "none",
        20.0,
        "clamp",
    )
    assert (mfcc.preemphasis, mfcc.normalize, mfcc.pad_mode, mfcc.log_guard) == (0.0, "none", "reflect", 1e-6)
    assert FrontendConfig(kind="mfcc", preemphasis=0.5).preemphasis == 0.5
    assert (mfcc.periodic_window, kaldi.periodic_window) == (True, False)


@pytest.mark.parametrize("kind", ["logmel", "mfcc", "spectrogram", "kaldi_fbank"])
def test_written_out_settings_read_back_the_same(kind: str) -> None:
    config = FrontendConfig(kind=kind)
    assert FrontendConfig(**config.model_dump()) == config


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [0, 0, 0, 1, 1, 2, 2, 2, 100]),
        ({"pad_mode": "reflect"}, [0, 1, 1, 2, 2, 3, 3, 3, 101]),
        ({"kind": "mfcc"}, [0, 1, 1, 1, 2, 2, 3, 3, 101]),
        ({"kind": "kaldi_fbank"}, [0, 0, 0, 0, 0, 0, 0, 1, 99]),
        ({"kind": "kaldi_fbank", "snip_edges": False}, [0, 0, 1, 1, 1, 2, 2, 3, 101]),
    ],
)
def test_num_frames_follows_the_rule_of_its_source(settings: dict[str, Any], expected: list[int]) -> None:
    config = FrontendConfig(**settings)
    num_samples = [0, 1, 80, 160, 161, 320, 399, 400, 16123]
    assert [config.num_frames(count) for count in num_samples] == expected
    assert config.num_frames(np.array(num_samples)).tolist() == expected


def test_padded_frames_rounds_up_to_a_multiple() -> None:
    config = FrontendConfig(pad_to=16)
    assert [config.padded_frames(count) for count in (0, 1, 16, 17)] == [0, 16, 16, 32]
    assert FrontendConfig().padded_frames(17) == 17


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_fft": 256}, "n_fft=256 is shorter than the window of 320 samples"),
        ({"low_hz": 8000.0}, "low_hz must be the lower one"),
        ({"high_hz": 9000.0}, "at most 8000.0, half the sample rate"),
        ({"kind": "mfcc", "num_mels": 20, "num_ceps": 30}, "num_ceps=30 is more than num_mels=20"),
        ({"normalize": "fixed"}, "fixed_mean has 0 values"),
        ({"fixed_mean": (1.0,) * 64}, "fixed_mean has 64 values, but normalize='per_feature'"),
        (
            {"normalize": "fixed", "fixed_mean": (0.0,) * 64, "fixed_std": (0.0,) * 64},
            "fixed_std finite and above 0",
        ),
        ({"snip_edges": False}, "snip_edges=False has no effect on kind='logmel'"),
        (
            {"kind": "kaldi_fbank", "pad_mode": "reflect"},
            "pad_mode=reflect has no effect on kind='kaldi_fbank'",
        ),
        ({"kind": "spectrogram", "num_mels": 80}, "num_mels=80 has no effect"),
        (
            {"kind": "spectrogram", "num_bins": 258},
            "num_bins=258 is more than the 257 bins of an FFT over 512",
        ),
        ({"num_bins": 160}, "num_bins=160 has no effect on kind='logmel'"),
        ({"kind": "mfcc", "compression": "sqrt"}, "compression=sqrt has no effect on kind='mfcc'"),
        ({"kind": "kaldi_fbank", "periodic_window": True}, "periodic_window=True has no effect"),
        ({"kind": "mel"}, "Input should be 'logmel', 'mfcc', 'spectrogram', 'kaldi_fbank' or"),
        ({"mels": 80}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FrontendConfig(**settings)
    assert message in str(caught.value)
