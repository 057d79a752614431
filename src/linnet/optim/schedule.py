"""How the learning rate changes over a training run."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.optimizer import Optimizer

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class ScheduleConfig(BaseModel):
    """The learning rate over the steps of a run.

    Attributes:
        name: "cosine": a linear rise, then half a cosine down to `min_lr`; "linear": a line instead of it;
            "tri_stage": a linear rise, the peak, and an exponential fall, as wav2vec 2.0 is fine-tuned;
            "eden": falls by steps and by epochs for ever, however long the run is.
        warmup_steps: steps of the rise.
        min_lr: the learning rate at the end (cosine, linear).
        stages: shares of the run that rise, peak and fall take (tri_stage).
        first_share: share of the peak at which the rise begins (tri_stage).
        last_share: share of the peak at which the fall ends (tri_stage).
        warmup_start: share of the rate at which the rise begins (Eden).
        lr_steps: after so many steps the rate falls about with their square root (Eden).
        lr_epochs: the same for epochs (Eden).
        epoch_steps: steps of an epoch; 0 lets the rate fall by steps alone (Eden).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["cosine", "linear", "tri_stage", "eden"] = "cosine"
    warmup_steps: int = Field(default=1000, ge=0)
    min_lr: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    stages: tuple[Share, Share, Share] = (0.1, 0.4, 0.5)
    first_share: Share = 0.01
    last_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.05
    warmup_start: float = Field(default=0.1, ge=0.0, le=1.0)
    lr_steps: float = Field(default=7500.0, gt=0.0, allow_inf_nan=False)
    lr_epochs: float = Field(default=3.5, gt=0.0, allow_inf_nan=False)
    epoch_steps: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _check_stages(self) -> Self:
        if not math.isclose(sum(self.stages), 1.0, abs_tol=1e-6):
            raise ValueError(f"stages must sum to 1, not {sum(self.stages):g}")
        return self


def cosine_with_warmup(
    step: int, total_steps: int, *, peak_lr: float, warmup_steps: int = 0, min_lr: float = 0.0
) -> float:
    """Return the learning rate of one step (SGDR without restarts, https://arxiv.org/abs/1608.03983).

    Args:
        step: the step, counted from 0.
        total_steps: steps of the whole run; from this step on the rate stays at `min_lr`.
        peak_lr: the learning rate at the end of the warm-up.
        warmup_steps: the rate rises as `peak_lr · (step + 1) / (warmup_steps + 1)` before this step.
        min_lr: the learning rate at the end.
    """
    if step < warmup_steps:
        return peak_lr * (step + 1) / (warmup_steps + 1)
    if step >= total_steps:
        return min_lr
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + (peak_lr - min_lr) * 0.5 * (1.0 + math.cos(math.pi * progress))


def linear_with_warmup(config: ScheduleConfig, step: int, total_steps: int, peak_lr: float) -> float:
    """Return the learning rate of one step, counted from 0: a linear rise, then a line to `min_lr`."""
    if step < config.warmup_steps:
        return peak_lr * (step + 1) / (config.warmup_steps + 1)
    left = max(total_steps - step, 0) / max(total_steps - config.warmup_steps, 1)
    return config.min_lr + (peak_lr - config.min_lr) * left


def tri_stage_share(config: ScheduleConfig, step: int, total_steps: int) -> float:
    """Return the share of the peak in one step, counted from 0 (arXiv:2006.11477, §4.3).

    From `total_steps` on it stays at `last_share`.
    """
    rise, peak, fall = (share * total_steps for share in config.stages)
    if step < rise:
        return config.first_share + (1.0 - config.first_share) * step / rise
    if step < rise + peak:
        return 1.0
    share: float = config.last_share ** min((step - rise - peak) / max(fall, 1.0), 1.0)
    return share


def eden_share(config: ScheduleConfig, step: int, epoch: float) -> float:
    """Return the share of the base rate under Eden (https://arxiv.org/abs/2310.11230, equation 11).

    Args:
        config: its `warmup_steps`, `warmup_start`, `lr_steps` and `lr_epochs` count.
        step: counted from 0.
        epoch: counted from 0.
    """
    by_steps = (1.0 + (step / config.lr_steps) ** 2) ** -0.25
    by_epochs = (1.0 + (epoch / config.lr_epochs) ** 2) ** -0.25
    rise = 1.0
    if step < config.warmup_steps:
        rise = config.warmup_start + (1.0 - config.warmup_start) * step / config.warmup_steps
    share: float = by_steps * by_epochs * rise
    return share


def build_schedule(config: ScheduleConfig, optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """Return a scheduler that is stepped once after each step of `optimizer`.

    `min_lr` holds for the group with the highest rate; the others keep their ratio to it.
    """
    if config.name == "eden":
        return LambdaLR(
            optimizer,
            lambda step: eden_share(config, step, step // config.epoch_steps if config.epoch_steps else 0),
        )
    peak_lr = max(float(group["lr"]) for group in optimizer.param_groups)

    def share_of_peak(step: int) -> float:
        if config.name == "tri_stage":
            return tri_stage_share(config, step, total_steps)
        if config.name == "linear":
            return linear_with_warmup(config, step, total_steps, peak_lr) / peak_lr
        warmup_steps, min_lr = config.warmup_steps, config.min_lr
        lr = cosine_with_warmup(step, total_steps, peak_lr=peak_lr, warmup_steps=warmup_steps, min_lr=min_lr)
        return lr / peak_lr

    return LambdaLR(optimizer, share_of_peak)
