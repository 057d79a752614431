"""Kaldi's log-mel filter bank energies (`feat/feature-fbank.cc`, also in WeNet, icefall and sherpa)."""

import numpy as np

from linnet.core.arrays import Array, Features, Samples
from linnet.features.config import FrontendConfig
from linnet.features.framing import frame_blocks
from linnet.features.logmel import filterbank_of, guarded_log
from linnet.features.spectrum import power, window_of


def kaldi_fbank(samples: Samples, config: FrontendConfig) -> Features:
    """Compute log-mel energies frame by frame: scale, remove the offset, pre-emphasize, window, FFT, mel, log.

    Args:
        samples: (N,) float32.
        config: the front end.

    Returns:
        (num_mels, T) float32, valid frames only.
    """
    filterbank, window = filterbank_of(config), window_of(config)
    features = np.empty((config.num_mels, config.num_frames(len(samples))), dtype=np.float32)
    for block, frames in frame_blocks(samples, config):
        tapered = _conditioned(frames, config) * window
        features[:, block] = guarded_log(filterbank @ power(tapered, config.fft_size).T, config)
    return features


def _conditioned(frames: Array, config: FrontendConfig) -> Array:
    """Scale, remove the offset and pre-emphasize each frame; its first sample follows a copy of itself."""
    frames = frames * np.float32(config.sample_scale)
    if config.remove_dc_offset:
        frames -= frames.mean(axis=1, keepdims=True)
    previous = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    return np.asarray(frames - np.float32(config.preemphasis) * previous)
