"""Matrices from FFT bins to mel bands, in the three conventions that trained models use."""

import numpy as np

from linnet.core.arrays import Array

# Slaney's scale (Auditory Toolbox, 1998): linear up to 1 kHz, then 27 mels for each factor of 6.4.
_SLANEY_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_BREAK_HZ = 1000.0
_SLANEY_BREAK_MEL = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_LOG_STEP = np.log(6.4) / 27.0


def slaney_filterbank(
    num_mels: int, fft_size: int, sample_rate_hz: int, low_hz: float, high_hz: float
) -> Array:
    """Triangles of equal area on Slaney's mel scale: `librosa.filters.mel` with its defaults, as in NeMo.

    Returns:
        (num_mels, fft_size // 2 + 1) float32.
    """
    edges_mel = np.linspace(_slaney_mel(low_hz), _slaney_mel(high_hz), num_mels + 2)
    edges_hz = _slaney_hz(edges_mel)
    width_hz = edges_hz[2:] - edges_hz[:-2]
    triangles = _triangles(edges_hz, _bin_hz(fft_size, sample_rate_hz))
    return np.asarray(triangles * (2.0 / width_hz)[:, None], dtype=np.float32)


def htk_filterbank(num_mels: int, fft_size: int, sample_rate_hz: int, low_hz: float, high_hz: float) -> Array:
    """Triangles of height 1 on the HTK mel scale, straight in Hz: the defaults of torchaudio's `MFCC`.

    Returns:
        (num_mels, fft_size // 2 + 1) float32.
    """
    edges_mel = np.linspace(_htk_mel(low_hz), _htk_mel(high_hz), num_mels + 2)
    edges_hz = 700.0 * np.expm1(edges_mel / 1127.0)
    return np.asarray(_triangles(edges_hz, _bin_hz(fft_size, sample_rate_hz)), dtype=np.float32)


def kaldi_filterbank(
    num_mels: int, fft_size: int, sample_rate_hz: int, low_hz: float, high_hz: float
) -> Array:
    """Triangles of height 1, straight in mel: Kaldi's `feat/mel-computations.cc`, which skips the last bin.

    Each step is rounded to float32 as in Kaldi, because a bin at the foot of a triangle keeps few digits.

    Returns:
        (num_mels, fft_size // 2 + 1) float32.
    """
    low_mel, high_mel = _kaldi_mel(np.array([low_hz, high_hz]))
    step_mel = (high_mel - low_mel) / np.float32(num_mels + 1)
    edges_mel = low_mel + np.arange(num_mels + 2, dtype=np.float32) * step_mel
    triangles = _triangles(edges_mel, _kaldi_mel(_bin_hz(fft_size, sample_rate_hz)))
    triangles[:, -1] = 0.0
    return np.asarray(triangles, dtype=np.float32)


def _bin_hz(fft_size: int, sample_rate_hz: int) -> Array:
    return np.arange(fft_size // 2 + 1) * (sample_rate_hz / fft_size)


def _triangles(edges: Array, positions: Array) -> Array:
    """Height at `positions` of the triangles between `edges[i]`, `edges[i + 1]` and `edges[i + 2]`."""
    low, center, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (positions - low) / (center - low)
    falling = (high - positions) / (high - center)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


def _slaney_mel(hz: float) -> float:
    if hz < _SLANEY_BREAK_HZ:
        return hz / _SLANEY_HZ_PER_MEL
    return float(_SLANEY_BREAK_MEL + np.log(hz / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP)


def _slaney_hz(mel: Array) -> Array:
    above = _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * (mel - _SLANEY_BREAK_MEL))
    return np.where(mel < _SLANEY_BREAK_MEL, mel * _SLANEY_HZ_PER_MEL, above)


def _htk_mel(hz: float) -> float:
    return float(1127.0 * np.log1p(hz / 700.0))


def _kaldi_mel(hz: Array) -> Array:
    ratio = np.float32(1.0) + hz.astype(np.float32) / np.float32(700.0)
    return np.asarray(np.float32(1127.0) * np.log(ratio.astype(np.float64)).astype(np.float32))
