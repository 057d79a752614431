"""Optimizers from their configuration."""

import pytest
import torch
from pydantic import ValidationError

from linnet.optim.config import OptimizerConfig, build_optimizer
from linnet.optim.novograd import NovoGrad
from linnet.optim.scaled_adam import ScaledAdam


def test_novograd_gets_every_value() -> None:
    config = OptimizerConfig(lr=0.05, betas=(0.9, 0.3), weight_decay=0.01, grad_averaging=True, amsgrad=True)
    optimizer = build_optimizer(config, torch.nn.Linear(2, 2).parameters())
    assert isinstance(optimizer, NovoGrad)
    expected = config.model_dump(exclude={"name", "groups", "layer_decay", "clipping_scale"})
    assert {key: optimizer.param_groups[0][key] for key in expected} == expected


def test_adamw_gets_every_value() -> None:
    config = OptimizerConfig(name="adamw", lr=0.001, betas=(0.9, 0.98), weight_decay=0.01)
    optimizer = build_optimizer(config, torch.nn.Linear(2, 2).parameters())
    assert isinstance(optimizer, torch.optim.AdamW)
    expected = config.model_dump(
        exclude={"name", "grad_averaging", "groups", "layer_decay", "clipping_scale"}
    )
    assert {key: optimizer.param_groups[0][key] for key in expected} == expected


def test_scaled_adam_has_defaults_of_its_own() -> None:
    optimizer = build_optimizer(OptimizerConfig(name="scaled_adam"), torch.nn.Linear(2, 2).parameters())
    assert isinstance(optimizer, ScaledAdam)
    expected = {"lr": 0.045, "betas": (0.9, 0.98), "eps": 1e-8, "clipping_scale": 2.0}
    assert {key: optimizer.param_groups[0][key] for key in expected} == expected


@pytest.mark.parametrize("option", [{"weight_decay": 0.1}, {"amsgrad": True}, {"grad_averaging": True}])
def test_scaled_adam_refuses_options_of_others(option: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(option))):
        OptimizerConfig.model_validate({"name": "scaled_adam", **option})


def test_adamw_refuses_an_option_of_novograd() -> None:
    with pytest.raises(ValidationError, match="grad_averaging is an option of novograd"):
        OptimizerConfig(name="adamw", grad_averaging=True)


@pytest.mark.parametrize("wrong", [{"lr": 0.0}, {"betas": (0.9, 1.0)}, {"name": "sgd"}, {"momentum": 0.9}])
def test_a_wrong_value_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OptimizerConfig.model_validate(wrong)
