"""Progress reports: when, and with which figures."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from linnet.training.callbacks import ProgressReporter, TrainingStatus


class Clock:
    """A clock that tests set."""

    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr("linnet.training.callbacks.time", clock)
    return clock


def trainer_at(step: int, *, accumulate: int = 1, max_steps: int = 100, **metrics: float) -> Any:
    return SimpleNamespace(
        global_step=step,
        max_steps=max_steps,
        world_size=1,
        is_global_zero=True,
        accumulate_grad_batches=accumulate,
        callback_metrics={name: torch.tensor(value) for name, value in metrics.items()},
        optimizers=[SimpleNamespace(param_groups=[{"lr": 0.01}])],
    )


class Run:
    """Feeds a reporter batches of one second of audio at 100 Hz."""

    def __init__(self, every_steps: int, clock: Clock, start: Any) -> None:
        self.reports: list[TrainingStatus] = []
        self.logged: list[str] = []
        self.clock = clock
        self.reporter = ProgressReporter(self.reports.append, every_steps, sample_rate_hz=100)
        self.module: Any = SimpleNamespace(log=lambda name, *_, **__: self.logged.append(name))
        self.reporter.on_train_start(start, self.module)

    def batch(self, trainer: Any, loss: float = 1.0, takes_s: float = 0.5) -> None:
        self.clock.now_s += takes_s
        batch: Any = SimpleNamespace(audio_samples=100)
        if trainer.callback_metrics:
            self.reporter.on_validation_end(trainer, self.module)
        self.reporter.on_train_batch_end(trainer, self.module, {"loss": torch.tensor(loss)}, batch, 0)


def test_a_report_sums_up_the_steps_since_the_last(clock: Clock) -> None:
    run = Run(2, clock, trainer_at(0))
    for step, loss in enumerate([4.0, 2.0, 7.0, 9.0], start=1):
        run.batch(trainer_at(step, dev_wer=0.25, dev_cer=0.125), loss)
    assert [status.step for status in run.reports] == [2, 4]
    assert [status.loss for status in run.reports] == [3.0, 8.0]
    last = run.reports[-1]
    assert (last.max_steps, last.dev_score, last.dev_cer, last.learning_rate) == (100, 0.25, 0.125, 0.01)
    assert last.audio_s_per_s == pytest.approx(2.0)
    assert last.left_s == pytest.approx(96 * 0.5)
    assert run.logged == ["audio_s_per_s"] * 2


def test_before_the_first_validation_there_is_no_error_rate(clock: Clock) -> None:
    run = Run(1, clock, trainer_at(0))
    run.batch(trainer_at(1))
    assert (run.reports[0].dev_score, run.reports[0].dev_cer) == (None, None)


@pytest.mark.parametrize("first_step", [0, 40])
def test_batches_that_a_step_accumulates_make_one_report(clock: Clock, first_step: int) -> None:
    run = Run(1, clock, trainer_at(first_step, accumulate=2))
    for step in (0, 1, 1, 2):  # the step counts up after every second batch
        run.batch(trainer_at(first_step + step, accumulate=2), loss=3.0)  # Lightning gives half of 6
    assert [status.step - first_step for status in run.reports] == [1, 2]
    assert [status.loss for status in run.reports] == [6.0, 6.0]


def test_a_resumed_run_expects_the_rest_at_its_own_speed(clock: Clock) -> None:
    run = Run(10, clock, trainer_at(90))
    for step in range(91, 101):
        run.batch(trainer_at(step, max_steps=120), takes_s=2.0)
    assert run.reports[0].left_s == pytest.approx(40.0)


def test_a_resumed_run_reports_what_the_checkpoint_had_not_reported(clock: Clock) -> None:
    run = Run(2, clock, trainer_at(0))
    run.batch(trainer_at(2, dev_wer=0.25, dev_cer=0.125))
    run.batch(trainer_at(3), loss=2.0)
    resumed = Run(2, clock, trainer_at(3))
    resumed.reporter.load_state_dict(run.reporter.state_dict())
    resumed.batch(trainer_at(4), loss=4.0)
    assert [(each.loss, each.dev_score, each.dev_cer) for each in resumed.reports] == [(3.0, 0.25, 0.125)]


def test_other_processes_stay_silent(clock: Clock) -> None:
    run = Run(1, clock, trainer_at(0))
    trainer = trainer_at(1)
    trainer.is_global_zero = False
    run.batch(trainer)
    assert run.reports == []
