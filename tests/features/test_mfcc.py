"""Cepstra against the written-out formula."""

import numpy as np

from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features
from linnet.features.mel import htk_filterbank
from linnet.features.mfcc import cosine_matrix


def test_cosine_matrix_is_orthonormal() -> None:
    matrix = cosine_matrix(FrontendConfig(kind="mfcc")).astype(np.float64)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(64), atol=1e-6)
    np.testing.assert_allclose(cosine_matrix(FrontendConfig(kind="mfcc", num_ceps=13)), matrix[:13])


def test_mfcc_follows_its_definition() -> None:
    samples = np.random.default_rng(0).standard_normal(4000, dtype=np.float32) * np.float32(0.1)
    features, num_frames = compute_features(samples, FrontendConfig(kind="mfcc", num_mels=40, num_ceps=20))
    padded = np.pad(samples.astype(np.float64), 160, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(320) / 320)
    frames = np.lib.stride_tricks.sliding_window_view(padded, 320)[::160] * window
    mel = np.log(np.abs(np.fft.rfft(frames, 512)) ** 2 @ htk_filterbank(40, 512, 16000, 0.0, 8000.0).T + 1e-6)
    order, position = np.arange(20)[:, None], np.arange(40)[None] + 0.5
    basis = np.sqrt(2 / 40) * np.cos(np.pi * order * position / 40)
    basis[0] = np.sqrt(1 / 40)
    assert features.shape == (20, num_frames) == (20, 25)
    np.testing.assert_allclose(features, (basis @ mel.T)[:, :25], atol=1e-4)
