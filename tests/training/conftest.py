"""Configurations of short runs on the tone corpus."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from linnet.core.config import load_config
from linnet.models.checkpoint import save_model
from linnet.models.ctc import CtcModel
from linnet.training.config import TrainConfig
from linnet.training.source import Run, load_run


@pytest.fixture
def make_config(tone_corpus: Path, tmp_path: Path) -> Callable[..., TrainConfig]:
    """`make_config("key=value", …)` → the tone configuration for two steps, an epoch, in `tmp_path/run`."""

    def make(*overrides: str) -> TrainConfig:
        short = (f"output_dir={tmp_path / 'run'}", "trainer.max_steps=2")
        return load_config(TrainConfig, tone_corpus / "config.yaml", [*short, *overrides])

    return make


@pytest.fixture
def make_run(tone_corpus: Path, tmp_path: Path) -> Callable[..., Run]:
    """`make_run("key=value", …)` → the same with what `init` names, in `tmp_path/tuned`."""

    def make(*overrides: str) -> Run:
        short = (f"output_dir={tmp_path / 'tuned'}", "trainer.max_steps=2")
        return load_run(tone_corpus / "config.yaml", [*short, *overrides])

    return make


@pytest.fixture
def source_checkpoint(make_config: Callable[..., TrainConfig], tmp_path: Path) -> Path:
    """A checkpoint of the tone model before its first step, its batch norms with statistics of their own."""
    torch.manual_seed(7)
    config = make_config().model
    model = CtcModel(config)
    for name, buffer in model.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.uniform_(0.5, 1.5)
    save_model(tmp_path / "source.ckpt", config, model.state_dict(), step=5)
    return tmp_path / "source.ckpt"
