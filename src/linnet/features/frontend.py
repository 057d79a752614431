"""The front end: from samples to the features that a model reads."""

from collections.abc import Callable

import numpy as np

from linnet.core.arrays import Features, Samples
from linnet.features.config import FrontendConfig, Kind
from linnet.features.logmel import log_mel
from linnet.features.normalize import normalize


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
    features = _computer_of(config.kind)(np.ascontiguousarray(samples, dtype=np.float32), config)
    normalize(features, config)
    num_frames = features.shape[1]
    surplus = config.padded_frames(num_frames) - num_frames
    return np.pad(features, ((0, 0), (0, surplus))) if surplus else features, num_frames


def _computer_of(kind: Kind) -> Callable[[Samples, FrontendConfig], Features]:
    """Find the function of a kind; the rare ones are loaded when they are used."""
    if kind == "mfcc":
        from linnet.features.mfcc import mfcc

        return mfcc
    if kind == "spectrogram":
        from linnet.features.spectrogram import spectrogram

        return spectrogram
    if kind == "waveform":
        return waveform
    return log_mel


def waveform(samples: Samples, config: FrontendConfig) -> Features:
    """Take the samples themselves: (N,) → (1, N), or (1, 0) where they are too few for the network."""
    return samples[None, : config.num_frames(len(samples))].copy()
