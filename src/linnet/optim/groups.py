"""Learning rates of their own for parts of a model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from torch import nn
from torch.nn import Parameter

from linnet.core.patterns import chosen, fits
from linnet.optim.config import OptimizerConfig


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters that share a learning rate.

    Attributes:
        label: what they are, for people.
        lr: their learning rate at its peak.
        names: of the parameters.
        parameters: in the same order.
    """

    label: str
    lr: float
    names: tuple[str, ...]
    parameters: tuple[Parameter, ...]


def encoder_layers(encoder: nn.Module, prefix: str) -> list[str]:
    """Name the layers of any encoder, the first one first.

    Layers are the encoder's children in the order in which it makes them, with lists of blocks, and children
    that are no more than such a list, opened; those without parameters do not count.
    """
    return [layer for name, child in _learning(encoder) for layer in _opened(f"{prefix}.{name}", child)]


def _opened(name: str, module: nn.Module) -> list[str]:
    below = _learning(module)
    if isinstance(module, nn.ModuleList):
        return [f"{name}.{index}" for index, _ in below]
    if len(below) == 1 and isinstance(below[0][1], nn.ModuleList):
        return _opened(f"{name}.{below[0][0]}", below[0][1])
    return [name]


def _learning(module: nn.Module) -> list[tuple[str, nn.Module]]:
    """Give the children that have parameters."""
    return [(name, child) for name, child in module.named_children() if any(True for _ in child.parameters())]


def parameter_groups(
    config: OptimizerConfig, named_parameters: Iterable[tuple[str, Parameter]], layers: Sequence[str]
) -> list[ParameterGroup]:
    """Sort parameters by learning rate: discriminative fine-tuning (https://arxiv.org/abs/1801.06146, §3.1).

    Args:
        config: its `groups` give factors to patterns, the first that fits counts; its `layer_decay` lowers
            the rate from each layer to the one before it: with L layers, layer l (from 0) gets
            layer_decay^(L − l), what is in no layer keeps its rate (https://arxiv.org/abs/2003.10555).
        named_parameters: what is trained.
        layers: names of the encoder's layers, the first one first.

    Raises:
        ConfigError: when a pattern fits nothing.
    """
    named = dict(named_parameters)
    chosen(named, config.groups, "optimizer.groups")
    members: dict[tuple[str, float], list[str]] = {}
    for name in named:
        pattern = next((pattern for pattern in config.groups if fits(name, pattern)), None)
        factor = 1.0 if pattern is None else config.groups[pattern]
        label = pattern or ""
        if config.layer_decay < 1.0 and (depth := _depth(name, layers)) is not None:
            factor *= config.layer_decay ** (len(layers) - depth)
            label = layers[depth]
        members.setdefault((label, factor), []).append(name)
    return [_group(label, config.lr * factor, names, named) for (label, factor), names in members.items()]


def _depth(name: str, layers: Sequence[str]) -> int | None:
    return next((depth for depth, layer in enumerate(layers) if fits(name, layer)), None)


def _group(label: str, lr: float, names: Sequence[str], named: Mapping[str, Parameter]) -> ParameterGroup:
    parts = dict.fromkeys(name.split(".")[0] for name in names)
    return ParameterGroup(label or ", ".join(parts), lr, tuple(names), tuple(named[name] for name in names))
