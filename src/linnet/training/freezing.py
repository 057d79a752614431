"""Which parameters a run leaves as they are, and how their modules behave meanwhile."""

from collections.abc import Iterator

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from linnet.core.errors import ConfigError
from linnet.core.patterns import chosen
from linnet.models.layers.squeeze_excite import SqueezeExcite
from linnet.training.init_config import InitConfig


def frozen_names(module: nn.Module, init: InitConfig) -> frozenset[str]:
    """Name the parameters of `module` that `init` freezes.

    Raises:
        ConfigError: when a pattern fits nothing, or nothing is left to train.
    """
    names = [name for name, _ in module.named_parameters()]
    frozen = chosen(names, init.freeze, "init.freeze")
    if init.unfreeze_batchnorm:
        frozen -= frozenset(_kept_in_training(module))
    frozen |= always_frozen_names(module, init)
    if len(frozen) == len(names):
        raise ConfigError("init.freeze leaves nothing to train", remedy="Leave out the head, or more")
    return frozen


def always_frozen_names(module: nn.Module, init: InitConfig) -> frozenset[str]:
    """Name those of them that stay frozen for the whole run.

    Raises:
        ConfigError: when a pattern fits nothing.
    """
    return chosen([name for name, _ in module.named_parameters()], init.keep_frozen, "init.keep_frozen")


def freeze(module: nn.Module, frozen: frozenset[str]) -> None:
    """Compute no gradients for the parameters named."""
    for name, parameter in module.named_parameters():
        parameter.requires_grad &= name not in frozen


def unfreeze(module: nn.Module, frozen: frozenset[str]) -> None:
    """Compute gradients again for the parameters named."""
    for name, parameter in module.named_parameters():
        parameter.requires_grad |= name in frozen


def evaluate_frozen(module: nn.Module) -> None:
    """Put modules that are frozen as a whole in evaluation mode: their statistics must not drift.

    One with a trained part stays in training mode: there it keeps padding out of the batch statistics.
    """
    own = list(module.parameters())
    if own and not any(parameter.requires_grad for parameter in own):
        module.eval()
        for layer in module.modules():
            if isinstance(layer, nn.RNNBase):  # cuDNN takes gradients through it in training mode only
                layer.train()
        return
    for child in module.children():
        evaluate_frozen(child)


def _kept_in_training(module: nn.Module) -> Iterator[str]:
    """Name the parameters of batch norms and of squeeze-and-excitation, the choice of NeMo's tutorial."""
    for name, child in module.named_modules():
        if isinstance(child, _BatchNorm | SqueezeExcite):
            yield from (f"{name}.{parameter}" for parameter, _ in child.named_parameters())
