"""Power spectra of windowed frames."""

import threading
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from linnet.core.arrays import Array, Samples
from linnet.features.config import FrontendConfig
from linnet.features.framing import BLOCK_FRAMES, frame_blocks
from linnet.features.windows import analysis_window


def power_blocks(samples: Samples, config: FrontendConfig) -> Iterator[tuple[slice, Array]]:
    """Compute |FFT|² of the valid frames of an utterance, in blocks.

    The FFT runs in float64: numpy has no other (float32 it converts there and back, in twice the time), and
    the quiet bands of a loud frame keep their digits. Only Kaldi's features need the rounding of their source
    there (`features.kaldi_fft`). The window begins at the first sample of the FFT, not in its middle, which
    moves only the phase.

    Args:
        samples: (N,) float32.
        config: the front end.

    Yields:
        The frames of the block as a slice of 0…T, and the power (t, fft_size // 2 + 1) float32, which the
        next block of this thread overwrites.
    """
    if config.kind == "kaldi_fbank":
        yield from _kaldi_blocks(samples, config)
        return
    window = window_of(config)
    padded, parts, power = _scratch(config.fft_size, config.window_samples, threading.get_ident())
    for block, frames in frame_blocks(samples, config):
        rows = slice(0, len(frames))
        np.multiply(frames, window, out=padded[rows, : config.window_samples])
        parts[rows] = np.fft.rfft(padded[rows]).view(np.float64)
        np.square(parts[rows], out=parts[rows])
        np.add(parts[rows, ::2], parts[rows, 1::2], out=power[rows])
        yield block, power[rows]


def _kaldi_blocks(samples: Samples, config: FrontendConfig) -> Iterator[tuple[slice, Array]]:
    from linnet.features.kaldi import kaldi_power  # only here: most front ends go without
    from linnet.features.kaldi_fft import unit_roots

    window, roots = window_of(config).astype(np.float32), unit_roots(config.fft_size)
    for block, frames in frame_blocks(samples, config):
        columns = np.zeros((config.fft_size, len(frames)), dtype=np.float32)
        columns[: config.window_samples] = frames.T
        yield block, kaldi_power(columns, window, roots, config, np).T


@lru_cache(maxsize=8)
def window_of(config: FrontendConfig) -> Array:
    """Compute the window of a front end.

    Returns:
        (window_samples,) float64, with values rounded as models were trained with them.
    """
    window = analysis_window(config.window, config.window_samples, periodic=config.periodic_window)
    return config.rounded(window).astype(np.float64)


@lru_cache(maxsize=8)
def _scratch(fft_size: int, window_samples: int, thread_id: int) -> tuple[Array, Array, Array]:
    """Keep memory for a block of frames in each thread: fresh pages would cost more than the work in them.

    Returns:
        Padded frames float64, zero beyond the window; real and imaginary parts in turn; power.
    """
    del window_samples, thread_id  # they only keep apart what may not be shared
    num_bins = fft_size // 2 + 1
    parts = np.empty((BLOCK_FRAMES, 2 * num_bins), dtype=np.float32)
    power = np.empty((BLOCK_FRAMES, num_bins), dtype=np.float32)
    return np.zeros((BLOCK_FRAMES, fft_size)), parts, power
