"""Whole runs: what they learn and leave behind, how they stop, and how they go on."""

import multiprocessing
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from linnet.audio.read import read_audio
from linnet.core.errors import CheckpointError, ConfigError, TrainingError
from linnet.data.batch import Batch
from linnet.manifest.jsonl import read_manifest
from linnet.metrics.error_rate import ErrorCounts, character_errors, word_errors
from linnet.models.checkpoint import load_model, read_checkpoint
from linnet.models.recognizer import CheckpointRecognizer
from linnet.training.averaging import average_weights
from linnet.training.callbacks import TrainingStatus
from linnet.training.config import TrainConfig
from linnet.training.module import CtcTraining
from linnet.training.run import TrainingResult, train

MakeConfig = Callable[..., TrainConfig]
LONGER = ("trainer.max_steps=6", "trainer.validate_every_steps=2", "trainer.log_every_steps=1")


def ignore(status: TrainingStatus) -> None:
    """Report to nobody."""


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return read_checkpoint(path).weights


def equal(first: Path, second: Path) -> bool:
    ours, others = weights_of(first), weights_of(second)
    assert ours.keys() == others.keys()
    return all(torch.equal(value, others[key]) for key, value in ours.items())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_loss_falls_and_the_tones_are_read(tone_run: Any) -> None:
    losses = [float(loss) for loss in re.findall(r"  loss ([\d.]+)", tone_run.stderr)]
    assert len(losses) == 12
    assert losses[-1] < 0.1 * losses[0]
    (best, final) = (float(rate) for rate in re.findall(r":\s+([\d.]+)% WER", tone_run.stdout))
    assert best < 30
    assert final < 30


def test_a_run_leaves_its_checkpoints_and_nothing_half_written(tone_run: Any, tone_corpus: Path) -> None:
    names = names_in(tone_run.output_dir / "checkpoints")
    assert [name for name in names if not name.startswith("best-")] == [
        "last.ckpt",
        "recent-00000045.ckpt",
        "recent-00000060.ckpt",
    ]
    best = [re.fullmatch(r"best-000000(15|30|45|60)-\d\.\d{4}\.ckpt", name) for name in names[:-3]]
    assert len(best) == 2
    assert all(best)
    assert names_in(tone_run.output_dir) == ["checkpoints", "config.yaml", "final.ckpt", "tensorboard"]
    assert any("tfevents" in name for name in names_in(tone_run.output_dir / "tensorboard"))
    config = TrainConfig.model_validate(yaml.safe_load((tone_run.output_dir / "config.yaml").read_text()))
    assert config.trainer.max_steps == 60
    assert config.data.train[0].manifest == tone_corpus / "train.jsonl"


def test_the_final_model_is_the_mean_of_the_last_checkpoints(tone_run: Any) -> None:
    recent = sorted((tone_run.output_dir / "checkpoints").glob("recent-*.ckpt"))
    expected = average_weights(recent)
    final = weights_of(tone_run.output_dir / "final.ckpt")
    assert all(torch.equal(value, expected[key]) for key, value in final.items())
    assert read_checkpoint(tone_run.output_dir / "final.ckpt").step == 60
    assert load_model(tone_run.output_dir / "checkpoints" / "last.ckpt").num_parameters() > 0


def dev_rates(checkpoint: Path, corpus: Path) -> list[float]:
    """What the recognizer makes of the dev recordings: its word and its character error rate."""
    utterances = read_manifest(corpus / "dev.jsonl")
    samples = [read_audio(utterance.audio) for utterance in utterances]
    transcripts = CheckpointRecognizer.load(checkpoint).transcribe_samples(samples)
    pairs = [(each.text or "", read.text) for each, read in zip(utterances, transcripts, strict=True)]
    return [
        sum((count(*pair) for pair in pairs), ErrorCounts()).rate for count in (word_errors, character_errors)
    ]


def test_the_printed_error_rates_are_what_the_recognizer_makes(tone_run: Any, tone_corpus: Path) -> None:
    validated = tone_run.output_dir / "checkpoints" / "recent-00000045.ckpt"
    words, characters = dev_rates(validated, tone_corpus)
    shown = re.findall(r"dev (WER \S+  CER \S+)", tone_run.stderr)
    assert shown[-1] == f"WER {words:.2%}  CER {characters:.2%}", "the next validation follows the last line"
    rate, _ = dev_rates(tone_run.output_dir / "final.ckpt", tone_corpus)
    assert f"average:      {rate:.2%} WER" in tone_run.stdout
    earlier = re.findall(r"dev WER ([\d.]+)%", tone_run.stderr)
    assert float(earlier[0]) > 100 * rate, "the error rate of all validations together would pass"


def test_the_same_seed_gives_the_same_weights(make_config: MakeConfig, tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        train(make_config(f"output_dir={tmp_path / name}", f"trainer.seed={seed}"), ignore)
    first, second, other = (tmp_path / name / "final.ckpt" for name in "abc")
    assert equal(first, second)
    assert not equal(first, other)


def test_a_run_shorter_than_its_first_validation_is_still_scored(make_config: MakeConfig) -> None:
    result = train(make_config("trainer.max_steps=1"), ignore)
    assert result.best == result.final
    assert result.best_score == result.final_score >= 0


def test_batches_can_be_accumulated(make_config: MakeConfig) -> None:
    reports: list[TrainingStatus] = []
    train(make_config("trainer.accumulate_batches=2", "trainer.log_every_steps=1"), reports.append)
    assert [status.step for status in reports] == [1, 2]


def test_ctrl_c_saves_and_the_run_goes_on_from_there(make_config: MakeConfig, tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(make_config(*LONGER), lambda status: status.step == 3 and signal.raise_signal(signal.SIGINT))
    assert signal.getsignal(signal.SIGINT) is handler, "the next Ctrl-C would go unheard"
    checkpoints = tmp_path / "run" / "checkpoints"
    assert read_checkpoint(checkpoints / "last.ckpt").step == 3
    kept = [name for name in names_in(checkpoints) if not name.startswith("best-")]
    assert kept == ["last.ckpt", "recent-00000002.ckpt"]
    assert not (tmp_path / "run" / "final.ckpt").exists()
    steps: list[int] = []
    train(make_config(*LONGER, "trainer.resume=true"), lambda status: steps.append(status.step))
    assert steps == [4, 5, 6]


def test_ctrl_c_waits_for_the_step_and_a_second_one_does_not(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    presses = {2: 1, 8: 2}  # by the number of the batch; three make a step
    original = CtcTraining.training_step

    def pressed(module: CtcTraining, batch: Batch, batch_index: int) -> torch.Tensor:
        for _ in range(presses.pop(batch_index + 1, 0)):
            for worker in multiprocessing.active_children():
                assert worker.pid is not None
                os.kill(worker.pid, signal.SIGINT)  # as a terminal does
            signal.raise_signal(signal.SIGINT)
        return original(module, batch, batch_index)

    monkeypatch.setattr(CtcTraining, "training_step", pressed)
    keys = (*LONGER, "trainer.validate_every_steps=9", "trainer.accumulate_batches=3", "data.num_workers=1")
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    for resume in ("false", "true"):
        with pytest.raises(KeyboardInterrupt):
            train(make_config(*keys, f"trainer.resume={resume}"), ignore)
        assert read_checkpoint(last).step == 1
    assert presses == {}


def test_what_a_killed_run_left_half_written_is_removed(make_config: MakeConfig, tmp_path: Path) -> None:
    checkpoints = tmp_path / "run" / "checkpoints"
    train(make_config(), ignore)
    (checkpoints / ".last.ckpt.a1b2.ckpt").write_bytes(b"half")
    (checkpoints / "recent-00000004.ckpt").write_bytes(b"of steps to be done again")
    train(make_config(*LONGER[1:], "trainer.resume=true", "trainer.max_steps=3"), ignore)
    kept = [name for name in names_in(checkpoints) if not name.startswith("best-")]
    assert kept == ["last.ckpt", "recent-00000002.ckpt", "recent-00000003.ckpt"]


def test_a_run_killed_before_it_saved_starts_over(make_config: MakeConfig, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("", encoding="utf-8")
    assert read_checkpoint(train(make_config("trainer.resume=true"), ignore).final).step == 2


@pytest.mark.parametrize(
    ("signal_number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_saves_too(
    make_config: MakeConfig, tmp_path: Path, signal_number: int, error: type[BaseException]
) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(error):
        train(make_config("trainer.log_every_steps=1"), lambda _: signal.raise_signal(signal_number))
    assert read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt").step == 1
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_signal_to_all_processes_of_a_job_saves_too(make_config: MakeConfig, tmp_path: Path) -> None:
    workers: list[multiprocessing.process.BaseProcess] = []

    def preempt(_: TrainingStatus) -> None:
        workers.extend(multiprocessing.active_children())
        for worker in workers:
            # Not by this process, whose word ends a worker in peace.
            subprocess.run(["kill", str(worker.pid)], check=True)
        time.sleep(0.2)
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit):
        train(make_config("trainer.log_every_steps=1", "data.num_workers=1"), preempt)
    assert len(workers) == 1
    assert read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt").step == 1


def test_a_finished_run_can_be_resumed_to_more_steps(make_config: MakeConfig) -> None:
    train(make_config(), ignore)
    steps: list[int] = []
    keys = ("trainer.resume=true", "trainer.max_steps=4", "trainer.log_every_steps=1")
    result = train(make_config(*keys), lambda status: steps.append(status.step))
    assert steps == [3, 4]
    assert read_checkpoint(result.final).step == 4


def test_another_run_is_not_overwritten(make_config: MakeConfig) -> None:
    result = train(make_config(), ignore)
    before = result.final.read_bytes()
    config_before = (result.final.parent / "config.yaml").read_text()
    with pytest.raises(ConfigError, match=r"run: output_dir already holds .*trainer\.resume=true"):
        train(make_config("trainer.seed=9"), ignore)
    assert result.final.read_bytes() == before
    assert (result.final.parent / "config.yaml").read_text() == config_before


def test_nothing_to_resume_is_said(make_config: MakeConfig) -> None:
    with pytest.raises(ConfigError, match=r"run: there is nothing to resume.*output_dir"):
        train(make_config("trainer.resume=true"), ignore)


def test_another_model_or_a_damaged_checkpoint_cannot_be_resumed(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    train(make_config(), ignore)
    with pytest.raises(ConfigError, match="the model of the configuration is not the one of the run"):
        train(make_config("trainer.resume=true", "model.encoder.blocks.1.kernel=13"), ignore)
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match=r"last\.ckpt: is damaged"):
        train(make_config("trainer.resume=true"), ignore)


def test_a_loss_that_is_no_number_stops_the_run_and_is_not_saved(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    keys = ("optimizer.lr=1.0e+30", "schedule.warmup_steps=0", "trainer.max_steps=4")
    with pytest.raises(TrainingError, match=r"step 1: the loss of \d+ of \d+ utterances .*train-\d+\.wav"):
        train(make_config(*keys), ignore)
    assert list((tmp_path / "run").rglob("*.ckpt")) == []


def test_the_auxiliary_head_stays_out_of_the_final_model(make_config: MakeConfig) -> None:
    result: TrainingResult = train(make_config("auxiliary={}", "data.train.0.target=auxiliary"), ignore)
    content = torch.load(result.final, weights_only=True)
    assert all(key.startswith("model.") for key in content["state_dict"])
    load_model(result.final)
