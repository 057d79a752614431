"""Which optimizer trains a model, and with which values."""

from typing import Annotated, Literal, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch.optim.optimizer import Optimizer, ParamsT

from linnet.optim.novograd import NovoGrad

Beta = Annotated[float, Field(ge=0.0, lt=1.0)]


class OptimizerConfig(BaseModel):
    """The optimizer of a training run; the defaults are those of NeMo's QuartzNet recipe.

    Attributes:
        name: "novograd", or "adamw" (https://arxiv.org/abs/1711.05101).
        lr: the learning rate at its peak.
        betas: decay of the first and of the second moment.
        eps: keeps the division by the second moment finite.
        weight_decay: pull of the weights towards zero.
        grad_averaging: NovoGrad only: the momentum is a mean of the gradients, not a sum.
        amsgrad: divide by the largest second moment so far.
        groups: factors on `lr` by patterns of parameter names; the first pattern that fits a name counts.
        layer_decay: factor on `lr` from each layer of the encoder to the one before it; 1 treats them alike.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["novograd", "adamw"] = "novograd"
    lr: float = Field(default=0.01, gt=0.0, allow_inf_nan=False)
    betas: tuple[Beta, Beta] = (0.8, 0.5)
    eps: float = Field(default=1e-8, gt=0.0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.001, ge=0.0, allow_inf_nan=False)
    grad_averaging: bool = False
    amsgrad: bool = False
    groups: dict[str, Annotated[float, Field(gt=0.0, allow_inf_nan=False)]] = {}
    layer_decay: float = Field(default=1.0, gt=0.0, le=1.0)

    @model_validator(mode="after")
    def _check_averaging(self) -> Self:
        if self.name == "adamw" and self.grad_averaging:
            raise ValueError("grad_averaging is an option of novograd; adamw always averages its gradients")
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
    return NovoGrad(params, **config.model_dump(exclude={"name", "groups", "layer_decay"}))
