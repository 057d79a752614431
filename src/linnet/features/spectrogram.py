"""Compressed power of FFT bins, as DeepSpeech2 (arXiv 1512.02595 §3.1) and N2 read it."""

import numpy as np

from linnet.core.arrays import Features, Samples
from linnet.features.config import FrontendConfig
from linnet.features.logmel import guarded_log
from linnet.features.spectrum import power_blocks


def spectrogram(samples: Samples, config: FrontendConfig) -> Features:
    """Compute the log of the power or the square root of the magnitude, not yet normalized.

    Args:
        samples: (N,) float32.
        config: the front end.

    Returns:
        (num_features, T) float32, valid frames only.
    """
    features = np.empty((config.num_features, config.num_frames(len(samples))), dtype=np.float32)
    for block, power in power_blocks(samples, config):
        kept = power[:, : config.num_features]
        log = config.compression == "log"
        features[:, block] = (guarded_log(kept, config) if log else np.sqrt(np.sqrt(kept))).T
    return features
