"""Swoosh, BiasNorm, and linear layers that begin small.

D width.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function
from torch.nn import functional

from linnet.models.layers.schedule import Clock, Ramp
from linnet.models.zipformer.regularizers import limited

MIN_LOG_SCALE, MAX_LOG_SCALE = -1.5, 1.5


SLOPE = 0.08


def swoosh_l(x: Tensor) -> Tensor:
    """log(1 + e^(x − 4)) − 0.08 x − 0.035 (equation 6): for layers that are off for most inputs."""
    return _swoosh(x, 4.0, 0.035)


def swoosh_r(x: Tensor) -> Tensor:
    """log(1 + e^(x − 1)) − 0.08 x − 0.313261687 (equation 5): 0 at 0."""
    return _swoosh(x, 1.0, 0.313261687)


def _swoosh(x: Tensor, shift: float, offset: float) -> Tensor:
    if torch.is_grad_enabled() and x.requires_grad:
        activated: Tensor = _Swoosh.apply(x, shift, offset)  # type: ignore[no-untyped-call]  # torch's stubs
        return activated
    return torch.add(functional.softplus(x - shift), x, alpha=-SLOPE) - offset


class _Swoosh(Function):
    """The same in place where that is possible: half of the time of a block is spent on such steps."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shift: float, offset: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.shift = shift
        return functional.softplus(x - shift).add_(x, alpha=-SLOPE).sub_(offset)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        return (x - ctx.shift).sigmoid_().sub_(SLOPE).mul_(gradients[0]), None, None


class BiasNorm(nn.Module):
    """x · e^γ / rms(x − b) over the channels (equation 4): a norm that keeps some of the length of x."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(1.0))  # γ
        self.bias = nn.Parameter(1e-4 * torch.randn(width))  # b

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x (…, D)."""
        log_scale: Tensor = self.log_scale
        if self.training:
            log_scale = limited(log_scale, MIN_LOG_SCALE, MAX_LOG_SCALE)
        return x * ((x - self.bias).square().mean(-1, keepdim=True).rsqrt() * log_scale.exp())


class Bypass(nn.Module):
    """(1 − c) · x + c · y, with a learned c for each channel (§3.3).

    In training c is held above a limit that falls from 0.9 to 0.2, so that at first every module has to
    learn; and the rows of `skip` drop y as a whole.
    """

    LEAST = Ramp((0.0, 0.9), (20_000.0, 0.2))

    def __init__(self, clock: Clock, width: int, skip: float | Ramp = 0.0) -> None:
        super().__init__()
        self.clock, self.skip = clock, skip
        self.scale = nn.Parameter(torch.full((width,), 0.5))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Combine x and y, both (B, S, D)."""
        scale: Tensor = self.scale
        if self.training:
            scale = limited(scale, self.clock.value(self.LEAST), 1.0)
            if rate := self.clock.value(self.skip):
                scale = scale * (torch.rand(x.shape[0], 1, 1, device=x.device) >= rate).to(x.dtype)
        return torch.addcmul(x, y - x, scale)


def scaled_linear(width_in: int, width_out: int, scale: float, *, bias: bool = True) -> nn.Linear:
    """Build a linear layer with weights `scale` times the usual ones and a bias within ±0.1 · scale."""
    linear = nn.Linear(width_in, width_out, bias=bias)
    with torch.no_grad():
        linear.weight.mul_(scale)
        if bias:
            nn.init.uniform_(linear.bias, -0.1 * scale, 0.1 * scale)
    return linear
