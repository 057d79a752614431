"""Which optimizer trains a model, and with which values."""

from typing import Annotated, Any, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch.optim.optimizer import Optimizer, ParamsT

from linnet.optim.novograd import NovoGrad
from linnet.optim.scaled_adam import ScaledAdam

Beta = Annotated[float, Field(ge=0.0, lt=1.0)]
_SCALED_ADAM: dict[str, Any] = {"lr": 0.045, "betas": (0.9, 0.98), "weight_decay": 0.0}  # its own defaults


class OptimizerConfig(BaseModel):
    """The optimizer of a training run; the defaults are those of NeMo's QuartzNet recipe.

    ScaledAdam has its authors' values of `lr`, `betas` and `weight_decay` as defaults: 0.045, (0.9, 0.98), 0.

    Attributes:
        name: "novograd", "adamw" (https://arxiv.org/abs/1711.05101), or "scaled_adam", which clips gradients
            itself and wants `trainer.gradient_clip: 0`.
        lr: the learning rate at its peak.
        betas: decay of the first and of the second moment.
        eps: keeps the division by the second moment finite.
        weight_decay: pull of the weights towards zero.
        grad_averaging: NovoGrad only: the momentum is a mean of the gradients, not a sum.
        amsgrad: divide by the largest second moment so far.
        clipping_scale: ScaledAdam only: gradients are clipped to this many times their usual norm; 0 leaves
            them alone.
        groups: factors on `lr` by patterns of parameter names; the first pattern that fits a name counts.
        layer_decay: factor on `lr` from each layer of the encoder to the one before it; 1 treats them alike.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["novograd", "adamw", "scaled_adam"] = "novograd"
    lr: float = Field(default=0.01, gt=0.0, allow_inf_nan=False)
    betas: tuple[Beta, Beta] = (0.8, 0.5)
    eps: float = Field(default=1e-8, gt=0.0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.001, ge=0.0, allow_inf_nan=False)
    grad_averaging: bool = False
    amsgrad: bool = False
    clipping_scale: float = Field(default=2.0, ge=0.0, allow_inf_nan=False)
    groups: dict[str, Annotated[float, Field(gt=0.0, allow_inf_nan=False)]] = {}
    layer_decay: float = Field(default=1.0, gt=0.0, le=1.0)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("name") == "scaled_adam":
            return _SCALED_ADAM | data
        return data

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        if self.name != "novograd" and self.grad_averaging:
            raise ValueError(
                f"grad_averaging is an option of novograd; {self.name} always averages its gradients"
            )
        if self.name == "scaled_adam" and (self.weight_decay or self.amsgrad):
            raise ValueError("scaled_adam has no weight_decay and no amsgrad; it bounds the size of tensors")
        return self


def build_optimizer(config: OptimizerConfig, params: ParamsT) -> Optimizer:
    """Return the optimizer that `config` describes, over `params` or groups with rates of their own."""
    if config.name == "adamw":
        return torch.optim.AdamW(
            params,
            lr=config.lr,
            betas=config.betas,
            eps=config.eps,
            weight_decay=config.weight_decay,
            amsgrad=config.amsgrad,
        )
    if config.name == "scaled_adam":
        return ScaledAdam(
            params, config.lr, config.betas, eps=config.eps, clipping_scale=config.clipping_scale
        )
    return NovoGrad(params, **config.model_dump(exclude={"name", "groups", "layer_decay", "clipping_scale"}))
