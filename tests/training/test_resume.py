"""A killed run, resumed, ends bit for bit as the one that was left alone, wherever it was killed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

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
    "optimizer.layer_decay=0.8",
)
SETTINGS = {
    "plain": ("trainer.max_steps=19",),
    "accumulated": ("trainer.max_steps=13", "trainer.accumulate_batches=3", "data.num_workers=1"),
}
# Where each process kills itself, one after the other; each counts from its own start.
KILLS = {
    "plain": [("batch", 3), ("saved", 1), ("batch", 5), ("validated", 1)],
    "accumulated": [("batch", 17), ("validation", 1), ("batch", 9)],
}


@pytest.fixture(scope="module")
def runs(tone_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run that was left alone and the one that was killed on the way, of each setting."""
    folder = tmp_path_factory.mktemp("killed")
    config = str(tone_corpus / "config.yaml")
    jobs: list[dict[str, Any]] = []
    for setting, keys in SETTINGS.items():
        whole, killed = (f"output_dir={folder / setting / name}" for name in ("whole", "killed"))
        jobs.append({"config": config, "overrides": [*RUN, *keys, whole], "kill": None})
        for number, kill in enumerate([*KILLS[setting], None]):
            overrides = [*RUN, *keys, killed, f"trainer.resume={'true' if number else 'false'}"]
            jobs.append({"config": config, "overrides": overrides, "kill": kill})
    (folder / "plan.json").write_text(json.dumps(jobs), encoding="utf-8")
    driver = Path(__file__).with_name("killed_run.py")
    # A file takes what is printed: the workers of a killed process would hold a pipe open.
    with (folder / "log").open("w") as log:
        command = [sys.executable, str(driver), str(folder / "plan.json")]
        code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
    assert code == 0, (folder / "log").read_text()
    return folder


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_killed_run_ends_as_the_one_left_alone(runs: Path, setting: str) -> None:
    whole, killed = runs / setting / "whole", runs / setting / "killed"
    names = sorted(str(path.relative_to(whole)) for path in whole.rglob("*.ckpt"))
    assert sorted(str(path.relative_to(killed)) for path in killed.rglob("*.ckpt")) == names
    for name in names:
        ours, expected = (torch.load(run / name, weights_only=True) for run in (killed, whole))
        for part in ("global_step", "lr_schedulers", "SpeechData"):
            assert ours.get(part) == expected.get(part), f"{name}: {part}"
        for key, value in expected["state_dict"].items():
            assert torch.equal(ours["state_dict"][key], value), f"{name}: {key}"
