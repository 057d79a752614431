"""Changing the sample rate by soxr, of a whole signal or block by block."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from linnet.core.arrays import Samples


def resample(samples: Samples, from_hz: int, to_hz: int, *, quality: str = "HQ") -> Samples:
    """Resample a whole signal.

    Args:
        samples: (N,) mono.
        from_hz: the rate of `samples`.
        to_hz: the rate wanted.
        quality: a recipe of soxr: QQ, LQ, MQ, HQ or VHQ.

    Returns:
        (round(N * to_hz / from_hz),) samples; `samples` itself where the rates are equal.
    """
    if from_hz == to_hz:
        return samples
    resampled: Samples = soxr.resample(samples, from_hz, to_hz, quality=quality)
    return resampled


def resample_blocks(blocks: Iterable[Samples], from_hz: int, to_hz: int) -> Iterator[Samples]:
    """Resample a signal that comes in blocks (HQ), holding one block at a time.

    The blocks together equal `resample` of the whole signal.
    """
    if from_hz == to_hz:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_hz, to_hz, num_channels=1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
