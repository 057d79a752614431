"""The front end: from samples to the features that a model reads."""

from collections.abc import Callable

import numpy as np

from linnet.core.arrays import Features, Samples
from linnet.features.config import FrontendConfig
from linnet.features.logmel import log_mel
from linnet.features.mfcc import mfcc
from linnet.features.normalize import normalize
from linnet.features.spectrogram import log_spectrogram

_KINDS: dict[str, Callable[[Samples, FrontendConfig], Features]] = {
    "logmel": log_mel,
    "mfcc": mfcc,
    "spectrogram": log_spectrogram,
    "kaldi_fbank": log_mel,
}


def compute_features(samples: Samples, config: FrontendConfig) -> tuple[Features, int]:
    """Compute the features of one utterance, without dither.

    Any number of samples gives finite features. No samples give no frames; neither does less than one hop
    where `FrontendConfig.num_frames` rounds down. An utterance shorter than its reflection is reflected again
    and again. A single frame is normalized to zeros, and so is digital silence.

    Args:
        samples: (N,) mono at `config.sample_rate_hz`, in [-1, 1].
        config: the front end.

    Returns:
        The features (F, T) float32, C-contiguous, with T padded with zeros to a multiple of `config.pad_to`;
        and the number of valid frames.
    """
    assert samples.ndim == 1, f"one mono utterance is (N,), not {samples.shape}"
    features = _KINDS[config.kind](np.ascontiguousarray(samples, dtype=np.float32), config)
    normalize(features, config)
    num_frames = features.shape[1]
    surplus = config.padded_frames(num_frames) - num_frames
    return np.pad(features, ((0, 0), (0, surplus))) if surplus else features, num_frames
