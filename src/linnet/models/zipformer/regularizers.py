"""What keeps Zipformer's activations in shape while it trains, and does nothing afterwards.

All of them return their input; in the backward pass they bend the gradient. None looks at padding apart:
statistics are over all frames of a batch, as in icefall. B batch, S frames, D width.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function, FunctionCtx

from linnet.models.layers.schedule import Clock, Ramp

Value = float | Ramp
Bounds = tuple[Value, Value]
TINY = 1e-20
USUAL_PROBABILITY = Ramp((0.0, 0.5), (8000.0, 0.125))


def chance(probability: float) -> bool:
    """Draw from torch's generator on the CPU, which training seeds anew for each batch."""
    return probability > 0.0 and float(torch.rand(())) < probability


def row_mask(x: Tensor, rate: float) -> Tensor:
    """Keep each utterance of x (B, S, D) with probability 1 − rate: (B, 1, 1) of 0 and 1."""
    return (torch.rand(x.shape[0], 1, 1, device=x.device) >= rate).to(x.dtype)


class Balancer(nn.Module):
    """Keeps the share of positive values and the mean magnitude of each channel within bounds (§3.6).

    The gradient of each value is changed by a share of its own size, towards a loss that grows with
    the distance of mean/deviation and of log rms from their bounds.

    Args:
        clock: of the model.
        positive: bounds on the share of values above 0.
        magnitude: bounds on the mean of |x|.
        probability: of acting on a batch.
        channel_dim: of the channels.
    """

    def __init__(
        self,
        clock: Clock,
        positive: Bounds = (0.05, 0.95),
        magnitude: Bounds = (0.2, 100.0),
        *,
        probability: Value = USUAL_PROBABILITY,
        channel_dim: int = -1,
    ) -> None:
        super().__init__()
        self.clock, self.positive, self.magnitude = clock, positive, magnitude
        self.probability, self.channel_dim = probability, channel_dim

    def forward(self, x: Tensor) -> Tensor:
        """Return x, with the gradient to be bent now and then."""
        if not (self.training and x.requires_grad and chance(self.clock.value(self.probability))):
            return x
        mean_bounds = [_mean_of_share(self.clock.value(bound)) for bound in self.positive]
        rms_bounds = [math.sqrt(math.pi / 2) * self.clock.value(bound) for bound in self.magnitude]
        balanced: Tensor = _Balance.apply(x, mean_bounds, rms_bounds, self.channel_dim)  # type: ignore[no-untyped-call]  # torch's stubs
        return balanced


def _mean_of_share(share: float) -> float:
    """Roughly, the mean in standard deviations of normal values of which this share is positive."""
    return 0.8139535143 * math.atanh(min(max(2.0 * share - 1.0, -1 + 1e-10), 1 - 1e-10))


class _Balance(Function):
    GAIN = 0.04

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, mean_bounds: list[float], rms_bounds: list[float], channel_dim: int
    ) -> Tensor:
        ctx.save_for_backward(x)
        ctx.options = (mean_bounds, rms_bounds, channel_dim)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (x,), (gradient,) = ctx.saved_tensors, gradients
        (min_mean, max_mean), (min_rms, max_rms), channel_dim = ctx.options
        dims = [dim for dim in range(x.dim()) if dim != channel_dim % x.dim()]
        values = x.float()
        mean = values.mean(dims, keepdim=True).requires_grad_()
        square = values.square().mean(dims, keepdim=True).requires_grad_()
        with torch.enable_grad():
            ratio = mean / (square - mean * mean).clamp(min=TINY).sqrt()
            rms = square.clamp(min=TINY).sqrt()
            off_mean = (ratio - ratio.clamp(min_mean, max_mean)).abs()
            off_rms = (rms.clamp(min_rms, max_rms) / rms).log().abs()
            by_mean, by_square = torch.autograd.grad((off_mean + off_rms).sum(), (mean, square))
        # For each value x of a channel the loss wishes by_mean + 2 · by_square · x, but for a factor.
        slope = 2.0 * by_square
        wish_square = by_mean.square() + 2.0 * by_mean * slope * mean + slope.square() * square
        factor = _Balance.GAIN / wish_square.detach().sqrt().clamp(min=TINY)
        wish = torch.addcmul(by_mean * factor, values, slope * factor)
        bent = torch.addcmul(gradient.float(), gradient.float().abs(), wish)
        return bent.to(gradient.dtype), None, None, None


class Whiten(nn.Module):
    """Keeps the covariance of the channels near a multiple of the identity (§3.6).

    It looks at a batch seldom, and often while the last one that it looked at broke the limit. That it
    remembers in checkpoints, so that a resumed run is the same run.

    Args:
        clock: of the model.
        limit: on mean(λ²)/mean(λ)² over the eigenvalues λ; 1 would be white.
        gain: size of the added gradient, in sizes of the one that comes in.
        num_groups: groups of channels that are whitened each by itself.
    """

    SELDOM, OFTEN = 0.025, 0.25

    def __init__(self, clock: Clock, limit: Value, gain: float = 0.01, num_groups: int = 1) -> None:
        super().__init__()
        self.clock, self.limit, self.gain, self.num_groups = clock, limit, gain, num_groups
        self.broke_limit = True

    def forward(self, x: Tensor) -> Tensor:
        """Return x (…, D), with the gradient to be bent now and then."""
        probability = self.OFTEN if self.broke_limit else self.SELDOM
        if not (self.training and x.requires_grad and chance(probability)):
            return x
        whitened: Tensor = _Whitening.apply(x, self)  # type: ignore[no-untyped-call]  # torch's stubs
        return whitened

    def penalty(self, x: Tensor) -> tuple[float, Tensor]:
        """Return the metric of x (…, D), and its gradient but for a factor above 0."""
        width = x.shape[-1]
        frames = x.reshape(-1, self.num_groups, width // self.num_groups).transpose(0, 1)  # (groups, …, d)
        frames = frames - frames.mean(1, keepdim=True)
        covariance = frames.transpose(1, 2) @ frames
        diagonal = covariance.diagonal(dim1=1, dim2=2)
        mean, mean_square = diagonal.mean(), covariance.square().sum() / width
        metric = float(mean_square / (mean.square() + TINY))
        if metric < self.clock.value(self.limit):
            return metric, x.new_zeros(())
        diagonal.sub_(mean_square / (mean + TINY))  # in the covariance itself
        return metric, (frames @ covariance).transpose(0, 1).reshape(x.shape)

    def get_extra_state(self) -> Tensor:
        """Return what a checkpoint keeps."""
        return torch.tensor(self.broke_limit)

    def set_extra_state(self, state: Tensor) -> None:
        """Take what a checkpoint kept."""
        self.broke_limit = bool(state)


class _Whitening(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, module: Whiten) -> Tensor:
        ctx.save_for_backward(x)
        ctx.module = module
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,), module, (gradient,) = ctx.saved_tensors, ctx.module, gradients
        with torch.autocast(x.device.type, enabled=False):
            metric, penalty = module.penalty(x.float())
        module.broke_limit = metric >= module.clock.value(module.limit)
        if not module.broke_limit:
            return gradient, None
        scale = module.gain * gradient.float().norm() / (penalty.norm() + TINY)
        return gradient + (penalty * scale).to(gradient.dtype), None


class _Limit(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.bounds = (low, high)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (x,), (low, high), (gradient,) = ctx.saved_tensors, ctx.bounds, gradients
        outwards = ((gradient > 0) & (x < low)) | ((gradient < 0) & (x > high))
        return torch.where(outwards, -gradient, gradient), None, None


def limited(parameter: Tensor, low: float, high: float, probability: float = 0.6) -> Tensor:
    """Return a parameter whose gradient, now and then, only leads back once it is out of bounds."""
    if not (parameter.requires_grad and chance(probability)):
        return parameter
    bounded: Tensor = _Limit.apply(parameter, low, high)  # type: ignore[no-untyped-call]  # torch's stubs
    return bounded


class _Penalty(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, limit: float, weight: float) -> Tensor:
        ctx.save_for_backward(torch.where(x.abs() > limit, x.sign() * weight, 0.0))
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (added,), (gradient,) = ctx.saved_tensors, gradients
        return gradient + added.to(gradient.dtype), None, None


def penalized(scores: Tensor, limit: float = 25.0, weight: float = 1e-4) -> Tensor:
    """Pull scores (B, …) beyond ±limit back, as a loss of weight · (|score| − limit) for each utterance."""
    pulled: Tensor = _Penalty.apply(scores, limit, weight / scores.shape[0])  # type: ignore[no-untyped-call]  # torch's stubs
    return pulled


def with_scaled_gradient(x: Tensor, factor: float) -> Tensor:
    """Return x, whose gradient is multiplied by a factor."""
    scaled: Tensor = _ScaleGradient.apply(x, factor)  # type: ignore[no-untyped-call]  # torch's stubs
    return scaled


class _ScaleGradient(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.factor, None
