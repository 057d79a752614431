"""Learning rates by name and by depth."""

import pytest
import torch
from torch import nn

from linnet.core.errors import ConfigError
from linnet.models.encoders import FAMILIES, WAVEFORM_ENCODERS
from linnet.optim.config import OptimizerConfig, build_optimizer
from linnet.optim.groups import encoder_layers, parameter_groups
from linnet.optim.schedule import ScheduleConfig, build_schedule


class Encoder(nn.Module):
    """What an encoder may consist of: a layer of its own, one without parameters, and a list of blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(2, 2)
        self.dropout = nn.Dropout()
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.ReLU(), nn.Sequential(nn.Linear(2, 2))])
        self.rnn = nn.ModuleDict({"layers": nn.ModuleList([nn.Linear(2, 2)]), "dropout": nn.Dropout()})
        self.norm = nn.LayerNorm(2)


@pytest.fixture
def model() -> nn.ModuleDict:
    return nn.ModuleDict({"encoder": Encoder(), "head": nn.Linear(2, 3)})


def rates(config: OptimizerConfig, model: nn.ModuleDict) -> dict[str, float]:
    """Give the rate of each parameter, and see that each is in one group."""
    layers = encoder_layers(model["encoder"], "encoder")
    groups = parameter_groups(config, model.named_parameters(), layers)
    named = dict(model.named_parameters())
    assert sorted(name for group in groups for name in group.names) == sorted(named)
    for group in groups:
        assert all(named[name] is each for name, each in zip(group.names, group.parameters, strict=True))
    return {name: group.lr for group in groups for name in group.names}


def test_the_layers_of_an_encoder_are_its_children_with_lists_opened(model: nn.ModuleDict) -> None:
    expected = ["encoder.stem", "encoder.layers.0", "encoder.layers.2"]
    expected += ["encoder.rnn.layers.0", "encoder.norm"]
    assert encoder_layers(model["encoder"], "encoder") == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_layers(family: str) -> None:
    config = FAMILIES[family].config(FAMILIES[family].variants[0])
    num_features = 1 if isinstance(config, WAVEFORM_ENCODERS) else 64
    with torch.device("meta"):
        encoder = config.build(num_features)  # type: ignore[attr-defined]  # every configuration of an encoder has it
    layers = encoder_layers(encoder, "encoder")
    assert len(layers) > 2
    inside = [
        name for name, _ in encoder.named_parameters(prefix="encoder") if not name.startswith(tuple(layers))
    ]
    assert set(inside) <= {"encoder.mask_vector"}  # stands for masked frames, and is in no layer


def test_without_groups_all_share_the_rate(model: nn.ModuleDict) -> None:
    config = OptimizerConfig(lr=0.5)
    assert len(parameter_groups(config, model.named_parameters(), ["encoder.stem"])) == 1
    assert set(rates(config, model).values()) == {0.5}


def test_the_first_pattern_that_fits_gives_the_factor(model: nn.ModuleDict) -> None:
    found = rates(OptimizerConfig(lr=0.5, groups={"encoder.layers.0": 0.1, "encoder": 0.2}), model)
    assert found["encoder.layers.0.bias"] == pytest.approx(0.05)
    assert found["encoder.layers.2.0.bias"] == pytest.approx(0.1)
    assert found["head.bias"] == 0.5
    with pytest.raises(ConfigError, match=r"optimizer\.groups: 'encoder\.layers\.1' is the name of nothing"):
        rates(OptimizerConfig(groups={"encoder.layers.1": 0.1}), model)


def test_the_rate_falls_from_layer_to_layer(model: nn.ModuleDict) -> None:
    found = rates(OptimizerConfig(lr=1.0, layer_decay=0.5, groups={"encoder.norm.bias": 4.0}), model)
    assert found["head.weight"] == 1.0
    assert found["encoder.norm.weight"] == 0.5
    assert found["encoder.norm.bias"] == 2.0
    assert found["encoder.layers.2.0.weight"] == 0.125
    assert found["encoder.layers.0.weight"] == 0.0625
    assert found["encoder.stem.weight"] == 0.03125


@pytest.mark.parametrize("name", ["novograd", "adamw"])
def test_a_step_is_as_long_as_the_rate_of_its_group(model: nn.ModuleDict, name: str) -> None:
    config = OptimizerConfig.model_validate(
        {"name": name, "lr": 0.01, "groups": {"head": 0.5}, "weight_decay": 0}
    )
    groups = parameter_groups(config, model.named_parameters(), [])
    optimizer = build_optimizer(config, [{"params": list(g.parameters), "lr": g.lr} for g in groups])
    build_schedule(ScheduleConfig(warmup_steps=0), optimizer, total_steps=10)
    before = {key: value.detach().clone() for key, value in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    moved = {key: (before[key] - value).norm().item() for key, value in model.named_parameters()}
    same_size = {"novograd": 1.0, "adamw": 2**0.5}[name]  # novograd normalizes a tensor, adamw each weight
    assert moved["encoder.stem.bias"] == pytest.approx(0.01 * same_size, rel=1e-4)
    assert moved["head.bias"] == pytest.approx(0.005 * {"novograd": 1.0, "adamw": 3**0.5}[name], rel=1e-4)
