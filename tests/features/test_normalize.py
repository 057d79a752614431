"""Normalization of features over an utterance."""

import numpy as np
import pytest

from linnet.features.config import FrontendConfig
from linnet.features.normalize import normalize


def random_features(num_rows: int, num_frames: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.standard_normal((num_rows, num_frames)) * 3 - 12).astype(np.float32)


@pytest.mark.parametrize("num_frames", [2, 100, 7000])
def test_per_feature_takes_the_unbiased_deviation_of_each_row(num_frames: int) -> None:
    features = random_features(64, num_frames)
    wide = features.astype(np.float64)
    expected = wide - wide.mean(axis=1, keepdims=True)
    expected /= wide.std(axis=1, ddof=1, keepdims=True) + 1e-5
    normalize(features, FrontendConfig())
    np.testing.assert_allclose(features, expected, atol=2e-5)


def test_all_features_takes_one_mean_and_deviation() -> None:
    features = random_features(64, 50)
    wide = features.astype(np.float64)
    expected = (wide - wide.mean()) / (wide.std(ddof=1) + 1e-5)
    normalize(features, FrontendConfig(normalize="all_features"))
    np.testing.assert_allclose(features, expected, atol=1e-5)


def test_fixed_takes_the_given_statistics() -> None:
    features, before = random_features(2, 5), random_features(2, 5)
    settings = {
        "kind": "mfcc",
        "num_ceps": 2,
        "normalize": "fixed",
        "fixed_mean": (1.0, 2.0),
        "fixed_std": (4.0, 0.5),
    }
    normalize(features, FrontendConfig(**settings))
    np.testing.assert_allclose(features[0], (before[0] - 1) / 4, rtol=1e-6)
    np.testing.assert_allclose(features[1], (before[1] - 2) / 0.5, rtol=1e-6)


def test_rows_that_never_change_become_zero() -> None:
    features = np.full((64, 301), np.log(2.0**-24), dtype=np.float32)
    normalize(features, FrontendConfig())
    assert not features.any()


def test_a_single_frame_becomes_zero() -> None:
    features = random_features(64, 1)
    normalize(features, FrontendConfig())
    assert not features.any()
