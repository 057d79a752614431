"""Analysis windows, computed in float64 and kept in float32."""

import numpy as np

from linnet.core.arrays import Array


def analysis_window(name: str, length: int, *, periodic: bool = False) -> Array:
    """Compute the window that tapers a frame.

    Args:
        name: hann, hamming, blackman, bartlett, ones, or povey: Kaldi's hann ** 0.85
            (`feat/feature-window.cc`).
        length: samples under the window.
        periodic: drop the last sample of a symmetric window of `length + 1`, as torchaudio does.

    Returns:
        (length,) float32.
    """
    size = length + 1 if periodic else length
    windows = {
        "hann": np.hanning,
        "hamming": np.hamming,
        "blackman": np.blackman,
        "bartlett": np.bartlett,
        "ones": np.ones,
        "povey": lambda n: np.hanning(n) ** 0.85,
    }
    return np.asarray(windows[name](size)[:length], dtype=np.float32)
