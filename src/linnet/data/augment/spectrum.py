"""Filters and convolutions through Fourier transforms of lengths that are fast."""

from collections.abc import Callable

import numpy as np

from linnet.core.arrays import Array, Samples

_POWERS = [base ** np.arange(32.0) for base in (2.0, 3.0, 5.0)]
_FAST_SIZES = np.unique(np.multiply.outer(np.multiply.outer(_POWERS[0], _POWERS[1]), _POWERS[2]))
_FAST_SIZES = _FAST_SIZES[_FAST_SIZES <= 2.0**31].astype(np.int64)


def fast_fft_size(at_least: int) -> int:
    """Return the smallest size ≥ `at_least`, which is at most 2³¹, that has no prime factor above 5."""
    return int(_FAST_SIZES[np.searchsorted(_FAST_SIZES, at_least)])


def convolve(samples: Samples, response: Samples) -> Samples:
    """Return the full linear convolution, (N + M − 1,) samples."""
    length = samples.size + response.size - 1
    size = fast_fft_size(length)
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
    return np.fft.irfft(spectrum, size)[:length].astype(np.float32, copy=False)


def filter_band(samples: Samples, low_hz: float, high_hz: float, sample_rate_hz: int) -> Samples:
    """Keep what lies between two frequencies, without shifting phases.

    At each of them the gain is one half; it falls from 1 to 0 within a quarter of a kilohertz or, where
    that would not fit, within the frequency itself.

    Args:
        samples: (N,).
        low_hz: lower edge; 0 keeps everything below `high_hz`.
        high_hz: upper edge.
        sample_rate_hz: rate of the samples.

    Returns:
        (N,) samples.
    """

    def gain(frequencies_hz: Array) -> Array:
        gain = _edge(high_hz - frequencies_hz, 250.0)
        if low_hz > 0.0:
            gain *= _edge(frequencies_hz - low_hz, min(250.0, 2.0 * low_hz))
        return gain

    return apply_gain(samples, gain, sample_rate_hz)


def apply_gain(samples: Samples, gain: Callable[[Array], Array], sample_rate_hz: int) -> Samples:
    """Multiply the spectrum by a gain per frequency, without shifting phases.

    Args:
        samples: (N,).
        gain: factors (K,) at the frequencies (K,) in Hz that it is given.
        sample_rate_hz: rate of the samples.

    Returns:
        (N,) samples.
    """
    size = fast_fft_size(samples.size + sample_rate_hz // 50)  # room for the filter to ring out
    frequencies_hz = np.fft.rfftfreq(size, 1.0 / sample_rate_hz)
    filtered = np.fft.irfft(np.fft.rfft(samples, size) * gain(frequencies_hz), size)
    return filtered[: samples.size].astype(np.float32, copy=False)


def _edge(inside_hz: Array, width_hz: float) -> Array:
    """Half a cosine from 0 to 1 as the distance inside the band goes from −width/2 to width/2."""
    phase = np.clip(inside_hz / width_hz, -0.5, 0.5)
    gain: Array = (0.5 + 0.5 * np.sin(np.pi * phase)).astype(np.float32)
    return gain
