"""A killed run, resumed, ends bit for bit as the one that was left alone, wherever it was killed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

# Everything random at once: dither, dropout, waveform and feature augmentation, a changing mixture.
RUN = (
    "model.frontend.dither=0.001",
    "model.encoder.blocks.0.dropout=0.2",
    "data.batch_s=3.0",
    "data.train.0.repeat=0.6",
    "data.train.0.final_repeat=1.5",
    "data.augment.transforms=[{name: speed, probability: 0.5}, {name: white_noise, probability: 0.5}]",
    "feature_augment={spec_augment: {freq_masks: 1, freq_width: 4, time_masks: 1, time_width: 8}}",
    "trainer.validate_every_steps=6",
    "trainer.save_every_steps=4",
)
# The events are counted from the start of each process. Batches are counted before they are trained on.
PLAIN_KILLS = [("batch", 3), ("batch", 6), ("saved", 1), ("validation", 1), ("validated", 1), ("batch", 9)]
ACCUMULATED_KILLS = [("batch", 10), ("batch", 3), ("saved", 1), ("batch", 8)]


def weights_of(path: Path) -> dict[str, Any]:
    content = torch.load(path, weights_only=True)
    return {**content["state_dict"], **{f"{key}": content[key] for key in () if key in content}}


@pytest.fixture(params=["plain", "accumulated"])
def runs(request: pytest.FixtureRequest, tone_corpus: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The folders of the run that was left alone, and of the one that was killed again and again."""
    if request.param == "plain":
        keys, kills = ("trainer.max_steps=21",), PLAIN_KILLS
    else:
        keys, kills = (
            ("trainer.max_steps=13", "trainer.accumulate_batches=3", "data.num_workers=1"),
            (ACCUMULATED_KILLS),
        )
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    config = {"config": str(tone_corpus / "config.yaml")}
    jobs = [config | {"overrides": [*RUN, *keys, f"output_dir={whole}"], "kill": None}]
    for number, kill in enumerate([*kills, None]):
        resume = ["trainer.resume=true"] if number else []
        jobs.append(config | {"overrides": [*RUN, *keys, f"output_dir={killed}", *resume], "kill": kill})
    (tmp_path / "plan.json").write_text(json.dumps(jobs), encoding="utf-8")
    driver = Path(__file__).with_name("killed_run.py")
    # A file takes what is printed: the workers of a killed process would hold a pipe open.
    with (tmp_path / "log").open("w") as log:
        command = [sys.executable, str(driver), str(tmp_path / "plan.json")]
        code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
    assert code == 0, (tmp_path / "log").read_text()
    return whole, killed


def test_a_killed_run_ends_as_the_one_left_alone(runs: tuple[Path, Path]) -> None:
    whole, killed = runs
    names = sorted(path.name for path in (whole / "checkpoints").iterdir())
    assert sorted(path.name for path in (killed / "checkpoints").iterdir()) == names
    for name in (*(f"checkpoints/{name}" for name in names), "final.ckpt"):
        ours, expected = (torch.load(run / name, weights_only=True) for run in (killed, whole))
        assert ours["global_step"] == expected["global_step"]
        assert ours["state_dict"].keys() == expected["state_dict"].keys()
        for key, value in expected["state_dict"].items():
            assert torch.equal(ours["state_dict"][key], value), f"{name}: {key}"
