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
    return np.asarray(cosine_matrix(config.num_ceps, config.num_mels) @ log_mel(samples, config))


def cosine_matrix(num_ceps: int, num_mels: int) -> Array:
    """Compute the first rows of the orthonormal DCT-II.

    Returns:
        (num_ceps, num_mels) float32.
    """
    angles = np.pi / num_mels * np.outer(np.arange(num_ceps), np.arange(num_mels) + 0.5)
    matrix = np.sqrt(2.0 / num_mels) * np.cos(angles)
    matrix[0] /= np.sqrt(2.0)
    return np.asarray(matrix, dtype=np.float32)
