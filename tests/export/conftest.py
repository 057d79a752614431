"""The trained tone model, its exported graph, and recordings of uneven length to compare them on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.core.arrays import Samples
from linnet.models.checkpoint import load_model
from linnet.models.ctc import CtcModel


@pytest.fixture(scope="session")
def model(tone_run: Any) -> CtcModel:
    return load_model(tone_run.output_dir / "final.ckpt")


@pytest.fixture(scope="session")
def graph(tone_export: Any) -> Path:
    """The ONNX file of the tone model; tests change copies of it only."""
    path: Path = tone_export.output_dir / "model.onnx"
    return path


@pytest.fixture(scope="session")
def recordings(say_tones: Callable[..., Samples]) -> list[Samples]:
    return [say_tones(words, gap_s=0.12) for words in ("one", "two one", "one two one")]
