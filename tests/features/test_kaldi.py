"""Kaldi's filter bank energies against the frame-by-frame definition."""

from typing import Any

import numpy as np
import pytest

from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features
from linnet.features.mel import kaldi_filterbank


def kaldi_by_definition(samples: np.ndarray, config: FrontendConfig) -> np.ndarray:
    """Every step as Kaldi's sources describe it, in float64, one frame after the other."""
    num_samples, columns = len(samples), []
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    window = window if config.window == "povey" else np.ones(400)
    weights = kaldi_filterbank(config.num_mels, 512, 16000, config.low_hz, config.highest_hz)
    for index in range(config.num_frames(num_samples)):
        start = index * 160 if config.snip_edges else index * 160 + 80 - 200
        frame = []
        for position in range(start, start + 400):
            while not 0 <= position < num_samples:
                position = -position - 1 if position < 0 else 2 * num_samples - 1 - position
            frame.append(float(samples[position]) * config.sample_scale)
        conditioned = np.array(frame)
        if config.remove_dc_offset:
            conditioned -= conditioned.mean()
        conditioned -= 0.97 * np.concatenate([conditioned[:1], conditioned[:-1]])
        power = np.abs(np.fft.rfft(conditioned * window, 512)) ** 2
        columns.append(np.log(np.maximum(weights @ power, config.log_guard)))
    return np.array(columns).T


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"snip_edges": False, "sample_scale": 1.0, "high_hz": 7600.0},
        {"remove_dc_offset": False, "num_mels": 23},
        {"snip_edges": False, "log_guard": 1e-10},
        {"window": "ones", "remove_dc_offset": False},
    ],
)
@pytest.mark.parametrize("num_samples", [90, 401, 3000])
def test_energies_follow_their_definition(settings: dict[str, Any], num_samples: int) -> None:
    config = FrontendConfig(kind="kaldi_fbank", **settings)
    samples = np.random.default_rng(0).standard_normal(num_samples, dtype=np.float32) * np.float32(0.1)
    features, num_frames = compute_features(samples + np.float32(0.2), config)
    assert features.shape == (config.num_mels, num_frames)
    if num_frames:
        expected = kaldi_by_definition(samples + np.float32(0.2), config)
        # Rounded to float32 as in Kaldi, which shows in the bands far below the loudest one.
        np.testing.assert_allclose(features, expected, atol=3e-4)


def test_silence_is_floored() -> None:
    features, _ = compute_features(np.zeros(1600, np.float32), FrontendConfig(kind="kaldi_fbank"))
    np.testing.assert_allclose(features, np.log(1.1920929e-07), rtol=1e-6)
