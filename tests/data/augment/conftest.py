"""Sounds and folders of sounds for the tests of augmentation."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def write_sounds(tmp_path: Path) -> Callable[..., Path]:
    """`write_sounds(first, second, sample_rate_hz=16000)` → a folder with these recordings."""

    def write(*sounds: Samples, sample_rate_hz: int = 16_000) -> Path:
        folder = tmp_path / "sounds"
        folder.mkdir()
        for number, sound in enumerate(sounds):
            soundfile.write(folder / f"{number}.wav", sound, sample_rate_hz, subtype="FLOAT")
        return folder

    return write
