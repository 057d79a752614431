"""What Kaldi does to each frame before the window (`feat/feature-window.cc`, also in WeNet and icefall)."""

import numpy as np

from linnet.core.arrays import Array
from linnet.features.config import FrontendConfig


def condition_frames(frames: Array, config: FrontendConfig) -> Array:
    """Scale frames, remove their offset and pre-emphasize; the first sample follows a copy of itself.

    Each step rounds to float32 as in Kaldi, for bands far below the loudest one keep the traces of it.

    Args:
        frames: (t, window_samples), of float32 values.
        config: the front end.

    Returns:
        (t, window_samples) float32.
    """
    frames = frames.astype(np.float32) * np.float32(config.sample_scale)
    if config.remove_dc_offset:
        frames -= frames.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    previous = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    return np.asarray(frames - np.float32(config.preemphasis) * previous)
