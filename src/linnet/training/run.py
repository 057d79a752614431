"""A training run from its configuration to the averaged model."""

import logging
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType

import torch
import yaml
from lightning.pytorch import Callback, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from linnet.core.errors import ConfigError
from linnet.core.files import write_text
from linnet.models.checkpoint import Checkpoint, read_checkpoint, save_model
from linnet.training.averaging import average_weights
from linnet.training.callbacks import LastCheckpoints, ProgressReporter, TrainingStatus
from linnet.training.config import TrainConfig
from linnet.training.datamodule import SpeechData
from linnet.training.init_config import InitConfig
from linnet.training.measure import WER, Measure
from linnet.training.module import ModelTraining
from linnet.training.pretraining import build_training
from linnet.training.source_check import SourceRateCheck
from linnet.training.transfer import REPORT_FILE, report_transfer, transfer_weights, write_report

logger = logging.getLogger(__name__)
CONFIG_FILE = "config.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """What a finished run leaves behind.

    Attributes:
        final: the averaged checkpoint.
        best: the single checkpoint with the lowest score.
        final_score, best_score: on the dev sets; an error rate is a fraction.
        measure: what the scores are.
    """

    final: Path
    best: Path
    final_score: float
    best_score: float
    measure: Measure = WER


def train(
    config: TrainConfig, report: Callable[[TrainingStatus], None], source: Checkpoint | None = None
) -> TrainingResult:
    """Train, validate, keep the best, average the last.

    Args:
        config: the run.
        report: called with the status every `log_every_steps`.
        source: the model that `config.init` names; a resumed run needs none (`training.source.load_run`).

    Raises:
        ConfigError: when `output_dir` holds another run, or nothing to resume, or the source does not fit.
        TrainingError: when the loss is not a number.
        KeyboardInterrupt: on Ctrl-C, after the step under way (and its validation) was saved.
        SystemExit: on SIGTERM, likewise.
    """
    _prepare_process(config)
    directory = config.output_dir / "checkpoints"
    recent = LastCheckpoints(directory, config.trainer)
    resume_from = _resume_point(config, recent.last_path)
    module, data = build_training(config), SpeechData(config)
    key = module.measure.key
    if config.init is not None and resume_from is None:
        _start_from(module, config.init, source)
    write_text(config.output_dir / CONFIG_FILE, _to_yaml(config))
    best = ModelCheckpoint(
        dirpath=directory,
        filename=f"best-{{step:08d}}-{{{key}:.4f}}",
        auto_insert_metric_name=False,
        monitor=key,
        save_top_k=config.trainer.keep_best,
        enable_version_counter=False,  # after a kill, a validation is done and saved again
    )
    reporter = ProgressReporter(
        report, config.trainer.log_every_steps, config.model.frontend.sample_rate_hz, module.measure
    )
    callbacks: list[Callback] = [best, recent, reporter]
    if config.init is not None:
        callbacks.append(SourceRateCheck(config.init.path))
    trainer = _build_trainer(config, callbacks)
    _check_processes(config, trainer)
    with _heard_by(recent.interrupt):
        _fit(trainer, module, data, resume_from)
    final = config.output_dir / "final.ckpt"
    _write_average(final, module, recent, trainer)
    score = float(trainer.validate(module, data, verbose=False)[0][key])
    chosen, best_score = final, score
    if best.best_model_score is not None:  # a run shorter than the first validation has none
        chosen, best_score = Path(best.best_model_path), float(best.best_model_score)
    return TrainingResult(
        final=final, best=chosen, final_score=score, best_score=best_score, measure=module.measure
    )


def _start_from(module: ModelTraining, init: InitConfig, source: Checkpoint | None) -> None:
    """Give a fresh model the weights of the source, and say which."""
    assert source is not None, "load_run reads it"
    transfer = transfer_weights(module.model, source, init)
    report_transfer(transfer, module.model, source, init)
    write_report(module.config.output_dir / REPORT_FILE, transfer, source, init)
    if module.frozen:
        sizes = {name: parameter.numel() for name, parameter in module.model.named_parameters()}
        count, total = sum(sizes[name] for name in module.frozen), sum(sizes.values())
        logger.info("frozen: %d tensors, %s of %s parameters", len(module.frozen), f"{count:,}", f"{total:,}")


def _fit(trainer: Trainer, module: ModelTraining, data: SpeechData, resume_from: Path | None) -> None:
    try:
        trainer.fit(module, data, ckpt_path=resume_from, weights_only=True)
    except SystemExit as end:
        if not isinstance(end.__context__, KeyboardInterrupt):
            raise
        raise KeyboardInterrupt from None  # which Lightning made an exit


@contextmanager
def _heard_by(interrupt: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let `interrupt` hear Ctrl-C, where that would raise KeyboardInterrupt; Lightning leaves it unheard."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is not signal.default_int_handler or current_thread() is not main_thread():
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _write_average(path: Path, module: ModelTraining, recent: LastCheckpoints, trainer: Trainer) -> None:
    """Give the module the mean of the newest checkpoints, and write it."""
    weights = average_weights(recent.paths())
    module.model.load_state_dict(weights)
    if trainer.is_global_zero:
        save_model(path, module.config.model, weights, trainer.global_step)


def _build_trainer(config: TrainConfig, callbacks: list[Callback]) -> Trainer:
    options = config.trainer
    return Trainer(
        accelerator=options.accelerator,
        devices=options.devices,
        num_nodes=options.num_nodes,
        precision=options.precision,
        max_steps=options.max_steps,
        max_epochs=-1,
        val_check_interval=options.validate_every_steps * options.accumulate_batches,
        check_val_every_n_epoch=None,
        log_every_n_steps=options.log_every_steps,
        gradient_clip_val=options.gradient_clip or None,
        accumulate_grad_batches=options.accumulate_batches,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        callbacks=callbacks,
        logger=TensorBoardLogger(config.output_dir, name="", version="tensorboard"),
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def is_first_process() -> bool:
    """Whether this is the process of a run that speaks for all."""
    return getattr(rank_zero_only, "rank", 0) == 0


def _prepare_process(config: TrainConfig) -> None:
    if not is_first_process():
        logging.getLogger("linnet").setLevel(logging.ERROR)
    if config.trainer.num_threads:
        torch.set_num_threads(config.trainer.num_threads)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    # Lightning cannot know that lhotse's sampler has no length and that batches are ready made; lhotse warns
    # that a mixture of an epoch is not read lazily.
    for module in ("lightning", "lhotse"):
        warnings.filterwarnings("ignore", module=rf"{module}\.")
    seed_everything(config.trainer.seed, workers=True, verbose=False)


def _check_processes(config: TrainConfig, trainer: Trainer) -> None:
    """Refuse what several processes cannot do: they agree before the first step on what has gradients."""
    if config.init is not None and config.init.unfreeze_after_steps is not None and trainer.world_size > 1:
        raise ConfigError(
            f"init.unfreeze_after_steps cannot be used by {trainer.world_size} processes",
            remedy="Train the head in one run, and start a second one from it without init.freeze",
        )


def _resume_point(config: TrainConfig, last: Path) -> Path | None:
    if config.trainer.resume:
        if not last.is_file() and (config.output_dir / CONFIG_FILE).is_file():
            logger.warning("%s: nothing was saved before the run was stopped; it starts over", last)
            return None
        _check_resumable(config, last)
        return last
    if any(config.output_dir.glob("checkpoints/*.ckpt")):
        raise ConfigError(
            "output_dir already holds the checkpoints of a run",
            where=str(config.output_dir),
            remedy="Go on with it by trainer.resume=true, or give another output_dir=…",
        )
    return None


def _check_resumable(config: TrainConfig, last: Path) -> None:
    if not last.is_file():
        raise ConfigError(
            "there is nothing to resume",
            where=str(config.output_dir),
            remedy="Leave out trainer.resume=true, or name the output_dir of the interrupted run",
        )
    if read_checkpoint(last).config != config.model:
        raise ConfigError(
            "the model of the configuration is not the one of the run to resume",
            where=str(config.output_dir),
            remedy="Take the section `model` of the config.yaml there, or give another output_dir=…",
        )


def _to_yaml(config: TrainConfig) -> str:
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
