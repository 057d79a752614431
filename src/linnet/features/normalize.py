"""Normalization of features over an utterance (NeMo's `normalize_batch`) or over each frame (N2)."""

from typing import Any

import numpy as np

from linnet.core.arrays import Features
from linnet.features.config import FrontendConfig

# Added to every standard deviation, so that silence divides by something.
STD_GUARD = 1e-5
# What transformers adds to the variance of a waveform.
WAVEFORM_VARIANCE_GUARD = 1e-7
# The same for `per_frame`, from N2's training program: quiet frames become as large as loud ones.
FRAME_STD_GUARD = 1e-10
# Values worked on at once, to bound the temporaries of a long recording.
_BLOCK_VALUES = 1 << 18


def normalize(features: Features, config: FrontendConfig) -> None:
    """Normalize features in place, as `config.normalize` says.

    Values are taken relative to the first one of their row (`per_frame`: their frame) before averaging, so
    that a row that never changes (digital silence) becomes exactly zero, not rounding noise over a tiny
    deviation. With statistics over frames, a single frame becomes zero too.

    Args:
        features: (F, T) float32, valid frames only.
        config: the front end.
    """
    if config.normalize == "none" or not features.size:
        return
    if config.normalize == "fixed":
        features -= np.asarray(config.fixed_mean, dtype=np.float32)[:, None]
        features /= np.asarray(config.fixed_std, dtype=np.float32)[:, None]
        return
    if config.normalize == "all_features":
        features = features.reshape(1, -1)
    by_frame = config.normalize == "per_frame"
    if config.kind == "waveform":
        features -= features[:, :1].copy()
        features -= features.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
        squares = np.square(features, dtype=np.float64).sum(axis=1, keepdims=True)
        features /= deviation(squares, features.shape[1], config).astype(np.float32)
        return
    rows = features.T if by_frame else features
    num_rows = max(1, _BLOCK_VALUES // rows.shape[1])
    for first in range(0, len(rows), num_rows):
        _standardize(rows[first : first + num_rows], FRAME_STD_GUARD if by_frame else STD_GUARD)


def deviation(squares: Any, count: int, config: FrontendConfig) -> Any:
    """Give what features are divided by, where statistics are over time.

    Args:
        squares: sums of the squared distances from the mean.
        count: how many values each is a sum of.
        config: the front end.
    """
    if config.kind == "waveform":  # transformers' `zero_mean_unit_var_norm`
        return np.sqrt(squares / max(count, 1) + WAVEFORM_VARIANCE_GUARD)
    return np.sqrt(squares / max(count - 1, 1)) + STD_GUARD


def _standardize(rows: Features, guard: float) -> None:
    """Give each row mean 0 and (unbiased) standard deviation 1, in place."""
    rows -= rows[:, :1].copy()
    rows -= rows.mean(axis=1, keepdims=True)
    num_free = max(rows.shape[1] - 1, 1)
    variance = np.square(rows).sum(axis=1, keepdims=True) / np.float32(num_free)
    rows /= np.sqrt(variance) + np.float32(guard)
