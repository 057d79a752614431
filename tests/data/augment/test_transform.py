"""Levels of waveforms."""

import numpy as np
import pytest

from linnet.data.augment.transform import amplitude, rms


def test_levels() -> None:
    assert rms(np.array([3.0, -3.0, 3.0], dtype=np.float32)) == pytest.approx(3.0)
    assert rms(np.zeros(0, dtype=np.float32)) == 0.0
    assert amplitude(-20.0) == pytest.approx(0.1)
