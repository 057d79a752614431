"""Normalization of features over the frames of an utterance (NeMo's `normalize_batch`)."""

import numpy as np

from linnet.core.arrays import Features
from linnet.features.config import FrontendConfig

# Added to every standard deviation, so that silence divides by something.
STD_GUARD = 1e-5
# Values worked on at once, to bound the temporaries of a long recording.
_BLOCK_VALUES = 1 << 18


def normalize(features: Features, config: FrontendConfig) -> None:
    """Normalize features in place, as `config.normalize` says.

    Values are taken relative to the first frame before averaging, so that a row that never changes (digital
    silence) becomes exactly zero, not rounding noise over a tiny deviation. A single frame becomes zero too.

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
    rows = features if config.normalize == "per_feature" else features.reshape(1, -1)
    num_rows = max(1, _BLOCK_VALUES // rows.shape[1])
    for first in range(0, len(rows), num_rows):
        _standardize(rows[first : first + num_rows])


def _standardize(rows: Features) -> None:
    """Give each row mean 0 and (unbiased) standard deviation 1, in place."""
    rows -= rows[:, :1].copy()
    rows -= rows.mean(axis=1, keepdims=True)
    num_free = max(rows.shape[1] - 1, 1)
    variance = np.square(rows).sum(axis=1, keepdims=True) / np.float32(num_free)
    rows /= np.sqrt(variance) + np.float32(STD_GUARD)
