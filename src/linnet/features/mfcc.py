"""Mel-frequency cepstra as NeMo's `AudioToMFCCPreprocessor` computes them, through torchaudio's `MFCC`."""

import numpy as np

from linnet.core.arrays import Array, Features, Samples
from linnet.features.config import FrontendConfig
from linnet.features.logmel import log_mel


def mfcc(samples: Samples, config: FrontendConfig) -> Features:
    """Compute cepstra, not yet normalized.

    Args:
        samples: (N,) float32.
        config: the front end.

    Returns:
        (num_ceps, T) float32, valid frames only.
    """
    return np.asarray(cosine_matrix(config) @ log_mel(samples, config))


def cosine_matrix(config: FrontendConfig) -> Array:
    """Compute the first rows of the orthonormal DCT-II.

    Returns:
        (num_ceps, num_mels) float32.
    """
    num_mels = config.num_mels
    angles = np.pi / num_mels * np.outer(np.arange(config.num_ceps), np.arange(num_mels) + 0.5)
    matrix = np.sqrt(2.0 / num_mels) * np.cos(angles)
    matrix[0] /= np.sqrt(2.0)
    return config.rounded(matrix.astype(np.float32))
