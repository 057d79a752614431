"""Log-mel energies as NeMo computes them (`FilterbankFeatures` of `asr/parts/preprocessing/features.py`)."""

from functools import lru_cache

import numpy as np

from linnet.core.arrays import Array, Features, Samples
from linnet.features.config import FrontendConfig
from linnet.features.mel import htk_filterbank, kaldi_filterbank, slaney_filterbank
from linnet.features.spectrum import power_blocks


def log_mel(samples: Samples, config: FrontendConfig) -> Features:
    """Compute log-mel energies, not yet normalized.

    Args:
        samples: (N,) float32.
        config: the front end.

    Returns:
        (num_mels, T) float32, valid frames only.
    """
    filterbank = filterbank_of(config)
    features = np.empty((config.num_mels, config.num_frames(len(samples))), dtype=np.float32)
    for block, power in power_blocks(samples, config):
        features[:, block] = guarded_log(filterbank @ power.T, config)
    return features


def guarded_log(energies: Array, config: FrontendConfig) -> Array:
    """Take the natural logarithm with the guard of `config`, in place where possible."""
    guard = np.float32(config.log_guard)
    if config.log_guard_mode == "add":
        energies += guard
    else:
        np.maximum(energies, guard, out=energies)
    return np.asarray(np.log(energies, out=energies))


@lru_cache(maxsize=8)
def filterbank_of(config: FrontendConfig) -> Array:
    """Compute the mel matrix of a front end, (num_mels, fft_size // 2 + 1), in its source's convention."""
    make = {"logmel": slaney_filterbank, "mfcc": htk_filterbank, "kaldi_fbank": kaldi_filterbank}[config.kind]
    return make(config.num_mels, config.fft_size, config.sample_rate_hz, config.low_hz, config.highest_hz)
