"""A whole training run as one YAML file."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from linnet.data.augment.spectrogram import FeatureAugmentConfig
from linnet.data.config import DataConfig
from linnet.models.ctc import ModelConfig
from linnet.optim.config import OptimizerConfig
from linnet.optim.schedule import ScheduleConfig
from linnet.text.tokenizer import TokenizerConfig
from linnet.training.init_config import InitConfig
from linnet.training.intermediate import IntermediateConfig
from linnet.training.objective_config import CtcObjectiveConfig, ObjectiveConfig


class AuxiliaryConfig(BaseModel):
    """A second CTC head over another vocabulary, used in training only.

    It lets speech that the model's own vocabulary cannot write still teach the encoder.

    Attributes:
        tokenizer: the vocabulary of the head.
        weight: its share of the loss.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokenizer: TokenizerConfig = TokenizerConfig(skip_unknown=True)
    weight: float = Field(default=0.3, gt=0.0, lt=1.0)


class ConsistencyConfig(BaseModel):
    """Consistency regularization (CR-CTC, https://arxiv.org/abs/2410.05101).

    Each batch passes the model twice, masked differently by `feature_augment`; both halves are trained on the
    text, and on each other's scores. A step costs twice as much: halve `data.batch_s`. The authors mask 2.5
    times as much of the time as without it.

    Attributes:
        weight: of the divergence between the two views, beside the mean of their CTC losses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float = Field(default=0.2, gt=0.0, allow_inf_nan=False)


class TrainerConfig(BaseModel):
    """How long, on what, and how often to look.

    Attributes:
        max_steps: optimizer steps of the whole run; the schedule ends there.
        validate_every_steps: steps between two looks at the dev sets.
        save_every_steps: steps between two savings of `last.ckpt`, so the most that a killed run repeats.
        log_every_steps: steps between two lines of the log.
        gradient_clip: largest norm of the gradient; 0 leaves it alone.
        accumulate_batches: batches per optimizer step.
        precision: "32" or mixed precision on a GPU.
        accelerator, devices, num_nodes: as in Lightning's Trainer.
        num_threads: CPU threads of the training process; 0 leaves torch's choice.
        keep_best: checkpoints kept, by dev WER.
        average_last: the final model is the mean of this many validation checkpoints from the end of the run.
        seed: of everything random.
        resume: go on from the last checkpoint of `output_dir`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_steps: int = Field(ge=1)
    validate_every_steps: int = Field(default=500, ge=1)
    save_every_steps: int = Field(default=100, ge=1)
    log_every_steps: int = Field(default=20, ge=1)
    gradient_clip: float = Field(default=1.0, ge=0.0)
    accumulate_batches: int = Field(default=1, ge=1)
    precision: Literal["32", "bf16-mixed", "16-mixed"] = "32"
    accelerator: Literal["auto", "cpu", "gpu", "mps"] = "auto"
    devices: int | Literal["auto"] = "auto"
    num_nodes: int = Field(default=1, ge=1)
    num_threads: int = Field(default=0, ge=0)
    keep_best: int = Field(default=3, ge=1)
    average_last: int = Field(default=3, ge=1)
    seed: int = Field(default=0, ge=0)
    resume: bool = False


class TrainConfig(BaseModel):
    """The file that `linnet train` reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    output_dir: Path
    model: ModelConfig
    data: DataConfig
    trainer: TrainerConfig
    objective: ObjectiveConfig = CtcObjectiveConfig()
    init: InitConfig | None = None
    auxiliary: AuxiliaryConfig | None = None
    intermediate: IntermediateConfig | None = None
    cr_ctc: ConsistencyConfig | None = None
    optimizer: OptimizerConfig = OptimizerConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    feature_augment: FeatureAugmentConfig = FeatureAugmentConfig()

    @model_validator(mode="after")
    def _check_objective(self) -> Self:
        if self.objective.needs_texts:
            if any(transform.name == "random_segment" for transform in self.data.augment.transforms):
                raise ValueError(
                    "data.augment: random_segment cuts speech but not its text: it is for training "
                    "without texts"
                )
            return self
        self.objective.check_encoder(self.model.encoder)
        if self.auxiliary is not None:
            raise ValueError(f"objective.kind {self.objective.kind} knows no texts, and no `auxiliary` head")
        return self

    @model_validator(mode="after")
    def _check_feature_augment(self) -> Self:
        if self.model.frontend.kind == "waveform" and self.feature_augment != FeatureAugmentConfig():
            raise ValueError(
                "feature_augment masks spectra, and this model reads samples; use time_mask and channel_mask "
                "of model.encoder"
            )
        return self

    @model_validator(mode="after")
    def _check_targets(self) -> Self:
        only_auxiliary = [source for source in self.data.train if source.target == "auxiliary"]
        if only_auxiliary and self.auxiliary is None:
            raise ValueError(
                f'data.train: {only_auxiliary[0].manifest} has target "auxiliary" but there is no auxiliary '
                "head; add an `auxiliary:` section"
            )
        unscored = [source for source in self.data.dev if source.target == "auxiliary"]
        if unscored:
            raise ValueError(
                f'data.dev: {unscored[0].manifest} has target "auxiliary", but dev sets score the main head'
            )
        return self
