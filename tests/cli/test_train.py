"""`linnet train`: help that teaches, lines where there is no terminal, mistakes and Ctrl-C as exit codes."""

import io
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

pytest.importorskip("lightning", reason="training needs the extra train")

from linnet.cli import train as train_module
from linnet.cli.main import app
from linnet.models.checkpoint import read_checkpoint
from linnet.training import run
from linnet.training.callbacks import TrainingStatus
from linnet.training.config import TrainConfig
from linnet.training.run import TrainingResult

STATUS = TrainingStatus(
    step=20, max_steps=100_000, loss=12.3456, dev_score=0.1234, learning_rate=0.00123, audio_s_per_s=1234.5,
    left_s=363_723.0, dev_cer=0.0456,
)  # fmt: skip
LINE = "step 20/100000  loss 12.346  dev WER 12.34%  CER 4.56%  lr 0.0012  1234 audio-s/s  101:02:03 left"


@pytest.fixture
def config(tone_corpus: Path) -> str:
    return str(tone_corpus / "config.yaml")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["train", *arguments], env={"COLUMNS": "100"})


@pytest.fixture
def fake_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[TrainConfig]:
    """Replace the training by one report; gives the configurations it was called with."""
    configs: list[TrainConfig] = []

    def train(settings: TrainConfig, report: Any, source: Any) -> TrainingResult:
        configs.append(settings)
        report(STATUS)
        paths = {"final": tmp_path / "final.ckpt", "best": tmp_path / "best.ckpt"}
        return TrainingResult(final_score=0.05, best_score=0.0625, **paths)

    monkeypatch.setattr(run, "train", train)
    return configs


def test_a_run_on_shards(config: str, tone_corpus: Path, tmp_path: Path) -> None:
    shards, cache = tmp_path / "shards", tmp_path / "cache"
    packed = CliRunner().invoke(
        app, ["manifest", "shard", str(tone_corpus / "train.jsonl"), "-o", str(shards), "--shard-mb", "0.1"]
    )
    assert packed.exit_code == 0, packed.output
    source = f"data.train.0.manifest={shards / 'tarred_audio_manifest.jsonl'}"
    options = (f"output_dir={tmp_path / 'run'}", "trainer.max_steps=2", f"data.cache={cache}")
    result = invoke(config, source, *options)
    assert result.exit_code == 0, result.output
    assert "tarred_audio_manifest.jsonl: 24 utterances" in result.stderr
    assert "left out" not in result.stderr
    assert (tmp_path / "run/final.ckpt").is_file()
    assert sorted(path.suffix for path in cache.iterdir()) == [".npy", ".pcm"]
    without = invoke(config, source, f"output_dir={tmp_path / 'other'}", "trainer.max_steps=2")
    assert without.exit_code == 2
    assert "data.cache=DIR" in " ".join(without.stderr.split())


def test_help_teaches_by_example() -> None:
    shown = " ".join(invoke("--help").stdout.split())
    assert "linnet train config.yaml trainer.max_steps=500" in shown
    assert "trainer.resume=true" in shown
    assert "KEY.SUB=VALUE" in shown


def test_a_real_run_prints_its_progress_and_its_results(tone_run: Any) -> None:
    reports = [line for line in tone_run.stderr.splitlines() if line.startswith("step ")]
    assert len(reports) == 12
    rates = r"dev WER \d+\.\d\d%  CER \d+\.\d\d%"
    line = rf"step 60/60  loss \d+\.\d{{3}}  {rates}  lr \S+  \d+ audio-s/s  0:00:00 left"
    assert re.fullmatch(line, reports[-1])
    assert "dev WER –  lr" in reports[0], "before the first validation"
    assert re.search(r"train\.jsonl: 24 utterances", tone_run.stderr)
    best, average, following = tone_run.stdout.splitlines()
    assert re.fullmatch(r"best on dev: +\d+\.\d\d% WER +\S+best-\d{8}-\d\.\d{4}\.ckpt", best)
    assert re.fullmatch(r"average: +\d+\.\d\d% WER +\S+final\.ckpt", average)
    assert following.split() == ["next:", "linnet", "export", str(tone_run.output_dir / "final.ckpt"), "DIR"]


def test_a_report_is_one_line_where_there_is_no_terminal(config: str, fake_run: list[TrainConfig]) -> None:
    result = invoke(config)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [LINE]


def test_a_terminal_gets_a_bar_with_the_same_figures(
    config: str, fake_run: list[TrainConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=160, color_system=None)
    monkeypatch.setattr(train_module, "messages", screen)
    assert invoke(config).exit_code == 0
    shown = screen.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "step 20/100000" in shown
    assert LINE.removeprefix("step 20/100000  ") in shown


def test_a_run_starts_from_another(config: str, fake_run: list[TrainConfig], tone_run: Any) -> None:
    source = tone_run.output_dir
    keys = ("model={name: tuned}", f"init={source}", "init.freeze=encoder", "init.unfreeze_batchnorm=true")
    assert invoke(config, *keys).exit_code == 0
    (settings,) = fake_run
    assert settings.model.encoder == read_checkpoint(source / "final.ckpt").config.encoder
    for path, message in (("none.ckpt", "there is no such checkpoint"), ("none.nemo", "none.nemo")):
        refused = invoke(config, f"init={path}")
        assert refused.exit_code == 2
        assert message in refused.stderr


def test_overrides_replace_values_of_the_file(config: str, fake_run: list[TrainConfig]) -> None:
    keys = ("trainer.max_steps=7", "model.encoder.blocks.1.repeat=3", "optimizer={name: novograd}")
    assert invoke(config, *keys).exit_code == 0
    (settings,) = fake_run
    assert settings.trainer.max_steps == 7
    assert settings.model.encoder.blocks[1].repeat == 3
    assert settings.optimizer.name == "novograd"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.max_step=3", "trainer.max_step: unknown key; did you mean trainer.max_steps?"),
        ("trainer.max_steps=many", "trainer.max_steps: 'many' should be a valid integer"),
        ("max_steps", "override 'max_steps': is not of the form key.sub=value"),
        ("data.train.0.manifest=none.jsonl", "none.jsonl"),
        ("data.train.0.repeat=0", "data.train: epoch 0 holds no utterance"),
    ],
)
def test_a_mistake_exits_with_2_and_says_which(
    config: str, tmp_path: Path, override: str, message: str
) -> None:
    result = invoke(config, f"output_dir={tmp_path}", override)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_configuration_exits_with_2(tmp_path: Path) -> None:
    result = invoke(str(tmp_path / "none.yaml"))
    assert result.exit_code == 2
    assert "there is no such configuration file" in result.stderr


def test_a_finished_run_is_not_overwritten(config: str, tone_run: Any) -> None:
    result = invoke(config)
    assert result.exit_code == 2
    assert f"{tone_run.output_dir}: output_dir already holds the checkpoints of a run" in result.stderr


def test_a_training_that_fails_exits_with_1(config: str, tmp_path: Path) -> None:
    result = invoke(config, f"output_dir={tmp_path}", "optimizer.lr=1.0e+30", "schedule.warmup_steps=0")
    assert result.exit_code == 1
    assert re.search(r"error: step 1: the loss of \d+ of \d+ utterances is not a number: ", result.stderr)


def test_ctrl_c_saves_and_tells_how_to_go_on(
    config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(status: TrainingStatus) -> str:
        if status.step == 2:
            signal.raise_signal(signal.SIGINT)
        return ""

    monkeypatch.setattr(train_module, "_describe", interrupt)
    output_dir = tmp_path / "a run"
    result = invoke(config, f"output_dir={output_dir}", "trainer.log_every_steps=1", "trainer.resume=false")
    assert (result.exit_code, result.stdout) == (130, "")
    hint, end = result.stderr.splitlines()[-2:]
    assert hint.startswith(f"to go on: linnet train {config} 'output_dir={output_dir}'")
    assert hint.endswith(" trainer.resume=true")
    assert hint.count("trainer.resume") == 1
    assert end == "interrupted"
    last = output_dir / "checkpoints" / "last.ckpt"
    assert list(last.parent.iterdir()) == [last], "something half written is beside it"
    assert read_checkpoint(last).step == 2
