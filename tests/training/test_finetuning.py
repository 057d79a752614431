"""Fine-tuning from end to end: what it gains and what it says."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.audio.write import write_audio
from linnet.manifest.jsonl import write_manifest
from linnet.manifest.utterance import Utterance
from linnet.training.callbacks import TrainingStatus
from linnet.training.run import train
from linnet.training.source import Run

MakeRun = Callable[..., Run]
NEW_HEAD = ("model.tokenizer.pieces=[zero, two, one]", "trainer.max_steps=6", "trainer.log_every_steps=2")


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="linnet"):
        yield caplog


def last_loss(run: Run) -> float:
    reports: list[TrainingStatus] = []
    train(run.config, reports.append, run.source)
    return reports[-1].loss


def test_it_gets_further_in_as_many_steps(
    make_run: MakeRun, tone_run: Any, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    init = (f"init={tone_run.output_dir}", "optimizer.groups={encoder: 0.3}")
    tuned = last_loss(make_run(*NEW_HEAD, *init))
    for line in (
        "head: 3 outputs replaced by 4; 3 labels kept: ▁two ▁one <blk>",
        "learning rate 0.006: encoder (22 tensors)",
        "learning rate 0.02: head (2 tensors)",
    ):
        assert line in logged.text
    assert "start anew" not in logged.text, "only the head does, which is said apart"
    assert tuned < 0.1 * last_loss(make_run(*NEW_HEAD, f"output_dir={tmp_path / 'scratch'}"))


def test_recordings_of_a_lower_rate_are_pointed_out(
    make_run: MakeRun, source_checkpoint: Path, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "low.wav"
    write_audio(path, np.full(8000, 0.1, np.float32), sample_rate_hz=8000)
    write_manifest(tmp_path / "low.jsonl", [Utterance(audio=str(path), duration_s=1.0, text="one")] * 2)
    part = f"data.train=[{{manifest: {tmp_path / 'low.jsonl'}}}]"
    last_loss(make_run(f"init={source_checkpoint}", part, "trainer.max_steps=1", "trainer.log_every_steps=1"))
    assert "low.jsonl: 2 of 2 recordings looked at have 8000 Hz" in logged.text
    assert "source.ckpt was trained on 16000 Hz" in logged.text
