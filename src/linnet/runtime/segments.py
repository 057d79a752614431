"""Cutting long recordings at quiet places, so that memory stays bounded whatever their length."""

import numpy as np

from linnet.core.arrays import Samples

MAX_SEGMENT_S = 60.0  # bounds the memory of one run of the network
SEARCH_S = 20.0  # a cut falls into the last seconds of a segment: long enough for speakers to pause
QUIET_S = 0.2  # a cut wants silence for this long around it
BLOCK_S = 0.01


def split_at_quiet_places(samples: Samples, sample_rate_hz: int) -> list[tuple[int, int]]:
    """Cut a waveform into consecutive segments of at most MAX_SEGMENT_S.

    Each cut lies in the middle of the quietest QUIET_S of the last SEARCH_S that a segment may have. Up to
    MAX_SEGMENT_S a recording is one segment. Where nobody pauses, a cut can split a word.

    Args:
        samples: (N,) mono.
        sample_rate_hz: their rate.

    Returns:
        (start, end) in samples of each segment, end exclusive; none without samples.
    """
    max_samples = round(MAX_SEGMENT_S * sample_rate_hz)
    search_samples = round(SEARCH_S * sample_rate_hz)
    segments, start = [], 0
    while len(samples) - start > max_samples:
        latest = start + max_samples
        cut = latest - search_samples + _quietest(samples[latest - search_samples : latest], sample_rate_hz)
        segments.append((start, cut))
        start = cut
    return [*segments, (start, len(samples))] if start < len(samples) else segments


def _quietest(samples: Samples, sample_rate_hz: int) -> int:
    """Return the middle of the QUIET_S with the least energy, in samples from the start."""
    block_samples = round(BLOCK_S * sample_rate_hz)
    num_blocks = len(samples) // block_samples
    blocks = samples[: num_blocks * block_samples].reshape(num_blocks, block_samples)
    energies = np.einsum("ij,ij->i", blocks, blocks, dtype=np.float64)
    window_blocks = round(QUIET_S / BLOCK_S)
    smoothed = np.convolve(energies, np.ones(window_blocks), mode="valid")
    return (int(smoothed.argmin()) + window_blocks // 2) * block_samples
