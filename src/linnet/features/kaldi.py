"""From frames to power spectra as Kaldi takes them (`feat/feature-window.cc`, also in WeNet and icefall)."""

from types import ModuleType
from typing import Any

from linnet.features.config import FrontendConfig
from linnet.features.kaldi_fft import power_spectrum


def kaldi_power(columns: Any, window: Any, roots: Any, config: FrontendConfig, library: ModuleType) -> Any:
    """Scale frames, remove their offset, pre-emphasize, weight them with the window, and transform them.

    The sample before the first one is a copy of it. Each step rounds to float32 as in Kaldi, and the offset
    is a sum of one sample after the other, for bands far below the loudest one keep the traces of it.

    Args:
        columns: (fft_size, t) float32, one frame in each column, zero below the window; overwritten.
        window: (window_samples,) float32.
        roots: `kaldi_fft.unit_roots(fft_size)`.
        config: the front end.
        library: numpy or torch, whichever has the arrays.

    Returns:
        (fft_size // 2 + 1, t) float32.
    """
    frames = columns[: config.window_samples]
    frames *= config.sample_scale
    if config.remove_dc_offset:
        frames -= sum(frames) / len(frames)
    frames[1:] -= config.preemphasis * frames[:-1]
    frames[:1] -= config.preemphasis * frames[:1]
    frames *= window[:, None]
    return power_spectrum(columns, roots, library)
