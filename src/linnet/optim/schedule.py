"""How the learning rate changes over a training run."""

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.optimizer import Optimizer


class ScheduleConfig(BaseModel):
    """The learning rate over the steps of a run.

    Attributes:
        name: "cosine": a linear rise, then half a cosine down to `min_lr`.
        warmup_steps: steps of the rise.
        min_lr: the learning rate at the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["cosine"] = "cosine"
    warmup_steps: int = Field(default=1000, ge=0)
    min_lr: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)


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


def build_schedule(config: ScheduleConfig, optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """Return a scheduler that is stepped once after each step of `optimizer`.

    `min_lr` holds for the group with the highest rate; the others keep their ratio to it.
    """
    peak_lr = max(float(group["lr"]) for group in optimizer.param_groups)

    def share_of_peak(step: int) -> float:
        warmup_steps, min_lr = config.warmup_steps, config.min_lr
        lr = cosine_with_warmup(step, total_steps, peak_lr=peak_lr, warmup_steps=warmup_steps, min_lr=min_lr)
        return lr / peak_lr

    return LambdaLR(optimizer, share_of_peak)
