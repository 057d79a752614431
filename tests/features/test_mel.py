"""Mel matrices: their scales, shapes and areas."""

import numpy as np

from linnet.features.mel import htk_filterbank, kaldi_filterbank, slaney_filterbank

BIN_HZ = np.arange(1025) * 16000 / 2048


def test_slaney_bands_have_equal_area_and_a_linear_scale_below_1_khz() -> None:
    matrix = slaney_filterbank(64, 2048, 16000, 0.0, 8000.0)
    assert matrix.shape == (64, 1025)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix.sum(axis=1) * 16000 / 2048, 1.0, atol=0.03)
    peaks_hz = BIN_HZ[matrix.argmax(axis=1)]
    # 45.245640 mel at 8 kHz in 65 steps of 66.67 Hz below 1 kHz, in equal ratios above.
    np.testing.assert_allclose(peaks_hz[:20], np.arange(1, 21) * 46.40579, atol=4.0)
    np.testing.assert_allclose(peaks_hz[31:] / peaks_hz[30:-1], 1.04903, atol=0.006)


def test_htk_bands_have_height_one_at_equal_steps_in_mel() -> None:
    matrix = htk_filterbank(40, 2048, 16000, 0.0, 8000.0)
    peaks_mel = 1127.0 * np.log1p(BIN_HZ[matrix.argmax(axis=1)] / 700.0)
    np.testing.assert_allclose(peaks_mel, np.arange(1, 41) * 2840.0377 / 41, atol=6.5)
    assert matrix.max() <= 1.0
    assert matrix.max(axis=1).min() > 0.85


def test_kaldi_bands_are_straight_in_mel_and_skip_the_last_bin() -> None:
    matrix = kaldi_filterbank(23, 512, 16000, 20.0, 8000.0)
    assert not matrix[:, -1].any()
    # Between the first and the last peak two neighbors share each bin, and their weights sum to one.
    inside = slice(matrix[0].argmax() + 1, matrix[-1].argmax())
    np.testing.assert_allclose(matrix[:, inside].sum(axis=0), 1.0, atol=1e-5)
    low_mel, high_mel = 1127.0 * np.log1p(np.array([20.0, 8000.0]) / 700.0)
    bin_mel = 1127.0 * np.log1p(31.25 * 10 / 700.0)
    step_mel = (high_mel - low_mel) / 24
    position = (bin_mel - low_mel) / step_mel
    assert abs(matrix[int(position) - 1, 10] - (1 - position % 1)) < 1e-5
    assert abs(matrix[int(position), 10] - position % 1) < 1e-5


def test_bands_keep_to_the_given_range() -> None:
    for make in (slaney_filterbank, htk_filterbank, kaldi_filterbank):
        used_hz = BIN_HZ[make(20, 2048, 16000, 300.0, 4000.0).any(axis=0)]
        assert 300.0 <= used_hz.min() < 330.0
        assert 3970.0 < used_hz.max() <= 4000.0
