"""Configurations of short runs on the tone corpus."""

from collections.abc import Callable
from pathlib import Path

import pytest

from linnet.core.config import load_config
from linnet.training.config import TrainConfig


@pytest.fixture
def make_config(tone_corpus: Path, tmp_path: Path) -> Callable[..., TrainConfig]:
    """`make_config("key=value", …)` → the tone configuration for two steps, an epoch, in `tmp_path/run`."""

    def make(*overrides: str) -> TrainConfig:
        short = (f"output_dir={tmp_path / 'run'}", "trainer.max_steps=2")
        return load_config(TrainConfig, tone_corpus / "config.yaml", [*short, *overrides])

    return make
