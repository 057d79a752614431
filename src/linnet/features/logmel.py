"""Log-mel energies: those of NeMo (`FilterbankFeatures`) and of Kaldi (`compute-fbank-feats`)."""

from functools import lru_cache

import numpy as np

from linnet.core.arrays import Array, Features, Samples
from linnet.features.config import FrontendConfig
from linnet.features.mel import htk_filterbank, kaldi_filterbank, slaney_filterbank
from linnet.features.spectrum import power_blocks

_BAND_MELS = 8


def log_mel(samples: Samples, config: FrontendConfig) -> Features:
    """Compute log-mel energies, not yet normalized.

    Args:
        samples: (N,) float32.
        config: the front end.

    Returns:
        (num_mels, T) float32, valid frames only.
    """
    bands = _bands_of(config)
    features = np.empty((config.num_mels, config.num_frames(len(samples))), dtype=np.float32)
    for block, power in power_blocks(samples, config):
        for mels, bins, weights in bands:
            np.matmul(weights, power[:, bins].T, out=features[mels, block])
        guarded_log(features[:, block], config)
    return features


def guarded_log(energies: Array, config: FrontendConfig) -> Array:
    """Take the natural logarithm of float32 energies with the guard of `config`, in place."""
    guard = np.float32(config.log_guard)
    if config.log_guard_mode == "add":
        energies += guard
    else:
        np.maximum(energies, guard, out=energies)
    return np.asarray(np.log(energies, out=energies))


@lru_cache(maxsize=8)
def filterbank_of(config: FrontendConfig) -> Array:
    """Compute the mel matrix of a front end in the convention of its source.

    Returns:
        (num_mels, fft_size // 2 + 1) float32.
    """
    make = {"logmel": slaney_filterbank, "mfcc": htk_filterbank, "kaldi_fbank": kaldi_filterbank}[config.kind]
    hz = (config.sample_rate_hz, config.low_hz, config.highest_hz)
    return config.rounded(make(config.num_mels, config.fft_size, *hz))


@lru_cache(maxsize=8)
def _bands_of(config: FrontendConfig) -> tuple[tuple[slice, slice, Array], ...]:
    """Cut the mel matrix into neighbouring mels, and for these the FFT bins they cover and their weights.

    That is a third of the work of the whole matrix, and each product stays below the size from which OpenBLAS
    wakes its threads (262,144 multiplications): those would burn far more time than they save.
    """
    matrix, bands = filterbank_of(config), []
    for first in range(0, config.num_mels, _BAND_MELS):
        weights = matrix[first : first + _BAND_MELS]
        covered = np.append(np.flatnonzero(weights.any(axis=0)), 0)
        bins = slice(int(covered[0]), int(covered.max()) + 1)
        bands.append((slice(first, first + len(weights)), bins, np.ascontiguousarray(weights[:, bins])))
    return tuple(bands)
