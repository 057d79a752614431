"""What happens around the steps: progress reports, the checkpoints that a run goes on from."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.utilities.exceptions import SIGTERMException

from linnet.core.files import replacing
from linnet.data.batch import Batch
from linnet.training.config import TrainerConfig
from linnet.training.measure import CER, WER, Measure

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStatus:
    """Where a run stands.

    Attributes:
        step, max_steps: optimizer steps done and planned.
        loss: mean training loss since the last report.
        dev_score: of the newest validation, or None before the first.
        learning_rate: of the next step; the highest of all groups.
        audio_s_per_s: seconds of audio trained on per second, since the last report, validation included.
        left_s: estimated seconds to the end of the run.
        measure: what the score is.
        dev_cer: the character error rate beside it, or None where texts are not read.
    """

    step: int
    max_steps: int
    loss: float
    dev_score: float | None
    learning_rate: float
    audio_s_per_s: float
    left_s: float
    measure: Measure = WER
    dev_cer: float | None = None


class ProgressReporter(Callback):
    """Calls `report` every `every_steps` optimizer steps, on the first process."""

    def __init__(
        self,
        report: Callable[[TrainingStatus], None],
        every_steps: int,
        sample_rate_hz: int,
        measure: Measure = WER,
    ) -> None:
        self.report, self.every_steps, self.sample_rate_hz = report, every_steps, sample_rate_hz
        self.measure = measure
        self._since = time.monotonic()
        self._start: tuple[float, int] | None = None
        self._samples, self._losses, self._last_step = 0, list[float](), 0
        self._dev_score: float | None = None
        self._dev_cer: float | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self._since = time.monotonic()
        self._start = (self._since, trainer.global_step)
        self._last_step = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Count the batch, and report when it is time."""
        self._samples += batch.audio_samples * trainer.world_size
        # Lightning divides the loss by the batches that a step accumulates.
        self._losses.append(float(outputs["loss"]) * trainer.accumulate_grad_batches)
        step = trainer.global_step
        if step == self._last_step or step % self.every_steps or not trainer.is_global_zero:
            return
        self._last_step = step
        status = self._status(trainer, step)
        pl_module.log("audio_s_per_s", status.audio_s_per_s, rank_zero_only=True, batch_size=1)
        self.report(status)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the score, and the character error rate where there is one."""
        metrics = trainer.callback_metrics
        self._dev_score = float(metrics[self.measure.key])
        self._dev_cer = float(metrics[CER.key]) if CER.key in metrics else None

    def state_dict(self) -> dict[str, Any]:
        """Return what the next report will sum up, for a checkpoint."""
        return {"losses": list(self._losses), "dev_score": self._dev_score, "dev_cer": self._dev_cer}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._losses, self._dev_score = list(state_dict["losses"]), state_dict["dev_score"]
        self._dev_cer = state_dict.get("dev_cer")  # older checkpoints have none

    def _status(self, trainer: Trainer, step: int) -> TrainingStatus:
        assert self._start is not None
        now = time.monotonic()
        started, first_step = self._start
        status = TrainingStatus(
            step=step,
            max_steps=trainer.max_steps,
            loss=sum(self._losses) / len(self._losses),
            dev_score=self._dev_score,
            learning_rate=max(group["lr"] for group in trainer.optimizers[0].param_groups),
            audio_s_per_s=self._samples / self.sample_rate_hz / (now - self._since),
            left_s=(now - started) / (step - first_step) * (trainer.max_steps - step),
            measure=self.measure,
            dev_cer=self._dev_cer,
        )
        self._since, self._samples, self._losses = now, 0, []
        return status


class LastCheckpoints(Checkpoint):
    """Keeps the checkpoint that a run goes on from, and the newest ones of validations, for averaging.

    A checkpoint is saved only where a resumed run continues exactly: between two optimizer steps, and after
    the validation where one falls there. So Ctrl-C is heard at the next such place; the second at once.

    Lightning runs callbacks of this class last and in the order given: after the one that keeps the best, so
    that a resumed run knows of them all.
    """

    def __init__(self, directory: Path, options: TrainerConfig) -> None:
        self.directory, self.options = directory, options
        self._is_training, self._is_stopping = False, False

    @property
    def last_path(self) -> Path:
        """The checkpoint that a resumed run goes on from."""
        return self.directory / "last.ckpt"

    def paths(self) -> list[Path]:
        """The checkpoints to average, oldest first."""
        return sorted(self.directory.glob("recent-*.ckpt"))[-self.options.average_last :]

    def interrupt(self, signal_number: int, frame: FrameType | None) -> None:
        """Hear Ctrl-C: stop after the step under way; at once before the first or when called again."""
        if self._is_stopping or not self._is_training:
            raise KeyboardInterrupt
        self._is_stopping = True
        logger.warning("stopping after this step; Ctrl-C again stops at once and loses it")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remove what a killed run left half written, and what this one will write again."""
        self._is_training = True
        if not trainer.is_global_zero:
            return
        ahead = [path for path in self.directory.glob("recent-*.ckpt") if path > self._recent_path(trainer)]
        for path in [*self.directory.glob(".*.ckpt"), *ahead]:
            path.unlink()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Save every so many steps, and before an interrupt."""
        step = trainer.global_step
        # The end of the run and validations save themselves; saved here, a resumed run would not validate.
        saves_later = step >= trainer.max_steps or step % self.options.validate_every_steps == 0
        if saves_later or (batch_idx + 1) % self.options.accumulate_batches:
            return
        is_stopping = self._is_stopping_anywhere(trainer)
        if is_stopping or step % self.options.save_every_steps == 0:
            self._save(trainer, self.last_path)
        if is_stopping:
            raise KeyboardInterrupt

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save, and drop the oldest."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        self._save_recent(trainer)
        if self._is_stopping_anywhere(trainer):
            raise KeyboardInterrupt

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save the last steps too, when no validation fell on them."""
        if not self._recent_path(trainer).exists():
            self._save_recent(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Save what SIGTERM would lose, unless it came between the batches of one step."""
        batches = trainer.fit_loop.total_batch_idx + 1
        if not isinstance(exception, SIGTERMException) or batches % self.options.accumulate_batches:
            return
        if trainer.global_step >= trainer.max_steps:
            self.on_train_end(trainer, pl_module)
        elif trainer.global_step > 0:
            self._save(trainer, self.last_path)

    def _is_stopping_anywhere(self, trainer: Trainer) -> bool:
        return trainer.strategy.reduce_boolean_decision(self._is_stopping, all=False)

    def _recent_path(self, trainer: Trainer) -> Path:
        return self.directory / f"recent-{trainer.global_step:08d}.ckpt"

    def _save_recent(self, trainer: Trainer) -> None:
        self._save(trainer, self._recent_path(trainer))
        self._save(trainer, self.last_path)
        if trainer.is_global_zero:
            for path in set(self.directory.glob("recent-*.ckpt")) - set(self.paths()):
                path.unlink()

    def _save(self, trainer: Trainer, path: Path) -> None:
        if trainer.world_size > 1:
            trainer.save_checkpoint(path)
            return
        with replacing(path) as temporary:
            trainer.save_checkpoint(temporary)
