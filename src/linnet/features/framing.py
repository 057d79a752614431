"""A recording as overlapping frames, a block at a time, with its ends padded by the chosen convention."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from linnet.core.arrays import Array, Samples
from linnet.features.config import FrontendConfig

# Frames worked on at once: their spectra stay in a second-level cache, and ten hours need no more memory.
BLOCK_FRAMES = 256


def frame_blocks(samples: Samples, config: FrontendConfig) -> Iterator[tuple[slice, Array]]:
    """Cut the valid frames of an utterance, in blocks.

    All kinds but `kaldi_fbank` are pre-emphasized first, over the whole utterance, in float32 as in training.

    Args:
        samples: (N,) float32.
        config: the front end.

    Yields:
        The frames of the block as a slice of 0…T, and the frames (t, window_samples) float64, read-only.
    """
    window, hop = config.window_samples, config.hop_samples
    num_frames = config.num_frames(len(samples))
    for first in range(0, num_frames, BLOCK_FRAMES):
        last = min(first + BLOCK_FRAMES, num_frames)
        start = first_sample(config) + first * hop
        stretch = _stretch(samples, start, start + (last - first - 1) * hop + window, config)
        strides = (hop * stretch.itemsize, stretch.itemsize)
        yield slice(first, last), as_strided(stretch, (last - first, window), strides, writeable=False)


def first_sample(config: FrontendConfig) -> int:
    """Place the window of frame 0: the index of its first sample, below 0 where it begins in the padding."""
    if config.kind == "waveform":
        return 0
    if config.kind == "kaldi_fbank":
        return 0 if config.snip_edges else config.hop_samples // 2 - config.window_samples // 2
    # The FFT is centered on sample t · hop, and the window in the FFT (torch.stft with center=True).
    return (config.fft_size - config.window_samples) // 2 - config.fft_size // 2


def mirrored(indices: Any, num_samples: Any, config: FrontendConfig) -> Any:
    """Map indices beyond the ends of an utterance into it, as often as a short utterance needs.

    Kaldi repeats the sample at the mirror (numpy's "symmetric"), NeMo does not (numpy's "reflect").

    Args:
        indices: any integers, as an array or tensor.
        num_samples: N of the utterance, at least 1; broadcast against `indices`.
        config: the front end.
    """
    if config.kind == "kaldi_fbank":
        period = 2 * num_samples
        return (period - 1 - abs(period - 1 - 2 * (indices % period))) // 2
    last = num_samples - 1
    period = 2 * last + (last == 0)
    return last - abs(indices % period - last)


def _stretch(samples: Samples, start: int, stop: int, config: FrontendConfig) -> Array:
    """Take samples `start` to `stop`, pre-emphasized, with the padding for those beyond the utterance."""
    first, last = max(start, 0), min(stop, len(samples))
    stretch = np.empty(stop - start)
    _emphasize(samples, first, last, config, stretch[first - start : last - start])
    if start < first:
        stretch[: first - start] = _beyond(samples, np.arange(start, first), config)
    if last < stop:
        stretch[last - start :] = _beyond(samples, np.arange(last, stop), config)
    return stretch


def _emphasize(samples: Samples, first: int, last: int, config: FrontendConfig, out: Array) -> None:
    if config.kind == "kaldi_fbank":
        out[:] = samples[first:last]
        return
    if first == 0:  # the very first sample has none before it
        out[0] = samples[0]
        first, out = 1, out[1:]
    scaled = samples[first - 1 : last - 1] * np.float32(config.preemphasis)
    np.subtract(samples[first:last], scaled, out=out)


def _beyond(samples: Samples, indices: Array, config: FrontendConfig) -> Samples:
    if config.kind != "kaldi_fbank" and config.pad_mode == "zeros":
        return np.zeros(len(indices), dtype=np.float32)
    source = mirrored(indices, len(samples), config)
    if config.kind == "kaldi_fbank":
        return np.asarray(samples[source])
    previous = samples[np.maximum(source - 1, 0)] * (source > 0)
    return np.asarray(samples[source] - np.float32(config.preemphasis) * previous)
