"""Power spectra of windowed frames."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from linnet.core.arrays import Array, Samples
from linnet.features.config import FrontendConfig
from linnet.features.framing import frame_blocks
from linnet.features.windows import analysis_window


def power_blocks(samples: Samples, config: FrontendConfig) -> Iterator[tuple[slice, Array]]:
    """Compute |FFT|² of the valid frames of an utterance, in blocks.

    The window starts at the first sample of the FFT, not at its middle: that moves only the phase.

    Yields:
        The frames of the block as a slice of 0…T, and the power (t, fft_size // 2 + 1) float32.
    """
    window = window_of(config)
    for block, frames in frame_blocks(samples, config):
        yield block, power(frames * window, config.fft_size)


@lru_cache(maxsize=8)
def window_of(config: FrontendConfig) -> Array:
    """Compute the window of a front end: symmetric, but periodic for `mfcc`, as in its source."""
    return analysis_window(config.window, config.window_samples, periodic=config.kind == "mfcc")


def power(frames: Array, fft_size: int) -> Array:
    """Compute |FFT|² of frames, padded with zeros to `fft_size`.

    Args:
        frames: (t, window_samples) float32, already windowed.
        fft_size: the length of the FFT.

    Returns:
        (t, fft_size // 2 + 1) float32.
    """
    # numpy 1 answers in double precision.
    spectrum = np.fft.rfft(frames, fft_size).astype(np.complex64, copy=False)
    parts = spectrum.view(np.float32)  # real and imaginary parts in turn
    np.square(parts, out=parts)
    return np.asarray(parts[:, ::2] + parts[:, 1::2])
