"""The ranges that the options of optimizers lie in."""

from linnet.core.errors import ConfigError


def check_ranges(optimizer: str, betas: tuple[float, float], **values: float) -> None:
    """Refuse betas outside [0, 1), and values below 0 or that are no numbers.

    Raises:
        ConfigError: naming the optimizer and the value.
    """
    for name, value in values.items():
        if not value >= 0.0:
            raise ConfigError(f"{optimizer} cannot use {name}={value}", remedy=f"{name} must be ≥ 0")
    if not all(0.0 <= beta < 1.0 for beta in betas):
        raise ConfigError(f"{optimizer} cannot use betas={betas}", remedy="Each must be in [0, 1)")
