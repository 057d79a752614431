"""The power spectrum of Kaldi features, with the float32 rounding that models were trained with."""

from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from linnet.core.arrays import Array


@lru_cache(maxsize=8)
def unit_roots(fft_size: int) -> Array:
    """Compute exp(-2πi k / fft_size) for k = 0 … fft_size - 1.

    Returns:
        (2, fft_size) float32, rounded from float64: real parts, imaginary parts.
    """
    angles = -2 * np.pi * np.arange(fft_size) / fft_size
    return np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def power_spectrum(samples: Any, roots: Any, library: ModuleType) -> Any:
    """Compute |FFT|² of real frames, rounded as kaldi-native-fbank 1.22 (x86-64) rounds it, bit for bit.

    Kaldi adds nothing to the energies before the logarithm. So the rounding of a float32 FFT leaves traces in
    bands some 80 dB below the loudest (up to 3e-3 in a feature of speech), and models trained with it saw
    them.

    This is the FFT of Cooley and Tukey (1965), decimated in time with radix 4 (and 2 where the size asks for
    it), of the samples as a complex sequence of half the length. Real and imaginary parts stay apart, so that
    every product and sum rounds once, with numpy and torch alike. Sums run in the order of the reference's
    binary, which its compiler was free to choose.

    Args:
        samples: (fft_size, t) float32, one frame in each column.
        roots: `unit_roots(fft_size)`, on the device of the samples.
        library: numpy or torch, whichever has the samples.

    Returns:
        (fft_size // 2 + 1, t) float32; for a size that is no power of two, unknown to Kaldi, through float64.
    """
    size, half, quarter = len(samples), len(samples) // 2, len(samples) // 4
    if size < 2 or size & (size - 1):
        spectrum = library.fft.rfft(library.asarray(samples.T, dtype=library.float64)).T
        return library.asarray(spectrum.real**2 + spectrum.imag**2, dtype=library.float32)
    real, imag = _complex_fft(samples[::2], samples[1::2], roots, library)
    first, last = (real[:1] + imag[:1]) ** 2, (real[:1] - imag[:1]) ** 2
    low_real, low_imag = real[1 : quarter + 1], imag[1 : quarter + 1]
    high_real, high_imag = library.flip(real[quarter:], (0,)), library.flip(imag[quarter:], (0,))
    # Twice the FFT of the even samples; twice that of the odd ones, still to be turned.
    even_real, even_imag = low_real + high_real, low_imag - high_imag
    odd_real, odd_imag = low_real - high_real, low_imag + high_imag
    cosines, sines = roots[:, quarter + 1 : half + 1, None]
    p, q, turned_imag = odd_real * cosines, odd_imag * sines, odd_real * sines + odd_imag * cosines
    low = 0.25 * ((even_real + p - q) ** 2 + (even_imag + turned_imag) ** 2)
    high = 0.25 * ((even_real + q - p) ** 2 + (turned_imag - even_imag) ** 2)
    return library.concatenate([first, low, library.flip(high[:-1], (0,)), last])


def _complex_fft(real: Any, imag: Any, roots: Any, library: ModuleType) -> tuple[Any, Any]:
    """Transform complex columns (n, t): every fourth row by itself, then the four results together."""
    size, width = real.shape
    if size == 1:
        return real, imag
    if size == 2:
        real, imag = (library.concatenate([x[:1] + x[1:], x[:1] - x[1:]]) for x in (real, imag))
        return real, imag
    side_by_side = (size // 4, 4 * width)
    real, imag = _complex_fft(real.reshape(side_by_side), imag.reshape(side_by_side), roots, library)
    real, imag = real.reshape(size // 4, 4, width), imag.reshape(size // 4, 4, width)
    turned = []
    for index in (1, 2, 3):
        step = index * roots.shape[1] // size
        cosines, sines = roots[:, : step * size // 4 : step, None]
        x, y = real[:, index], imag[:, index]
        turned.append((x * cosines, y * sines, x * sines + y * cosines))
    (p1, q1, y1), (p2, q2, y2), (p3, q3, y3) = turned  # real parts are p - q, imaginary parts y
    sum_02, difference_02 = real[:, 0] + p2 - q2, real[:, 0] + q2 - p2
    sum_13, difference_13 = p1 - q1 - q3 + p3, p1 - q1 - p3 + q3
    real = [sum_02 + sum_13, difference_02 + y1 - y3, sum_02 - sum_13, difference_02 + y3 - y1]
    sum_02, difference_02, sum_13 = imag[:, 0] + y2, imag[:, 0] - y2, y1 + y3
    imag = [sum_02 + sum_13, difference_02 - difference_13, sum_02 - sum_13, difference_02 + difference_13]
    return library.concatenate(real), library.concatenate(imag)
