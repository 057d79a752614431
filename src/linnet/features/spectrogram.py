"""Log power of every FFT bin, as DeepSpeech2 reads it (arXiv 1512.02595 §3.1)."""

import numpy as np

from linnet.core.arrays import Features, Samples
from linnet.features.config import FrontendConfig
from linnet.features.logmel import guarded_log
from linnet.features.spectrum import power_blocks


def log_spectrogram(samples: Samples, config: FrontendConfig) -> Features:
    """Compute the log power spectrum, not yet normalized.

    Args:
        samples: (N,) float32.
        config: the front end.

    Returns:
        (fft_size // 2 + 1, T) float32, valid frames only.
    """
    features = np.empty((config.num_features, config.num_frames(len(samples))), dtype=np.float32)
    for block, power in power_blocks(samples, config):
        features[:, block] = guarded_log(power, config).T
    return features
