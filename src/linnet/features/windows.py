"""Analysis windows, computed in float64 and kept in float32."""

from collections.abc import Callable

import numpy as np

from linnet.core.arrays import Array

_SHAPES: dict[str, Callable[[int], Array]] = {
    "hann": np.hanning,
    "hamming": np.hamming,
    "blackman": np.blackman,
    "bartlett": np.bartlett,
    "ones": np.ones,
    "povey": lambda length: np.asarray(np.hanning(length) ** 0.85),  # Kaldi, feat/feature-window.cc
}


def analysis_window(name: str, length: int, *, periodic: bool = False) -> Array:
    """Compute the window that tapers a frame.

    Args:
        name: hann, hamming, blackman, bartlett, ones or povey.
        length: samples under the window.
        periodic: drop the last sample of a symmetric window of `length + 1`, as torchaudio does.

    Returns:
        (length,) float32.
    """
    size = length + 1 if periodic else length
    return np.asarray(_SHAPES[name](size)[:length], dtype=np.float32)
