"""From features to the first frames of Zipformer: convolutions over time and frequency, half the frames.

B batch, F mel bins, T frames in, S = ⌈T/2⌉ frames out, C channels, D width.
"""

import torch
from torch import Tensor, nn

from linnet.core.errors import ConfigError
from linnet.models.layers.schedule import Clock, Ramp
from linnet.models.layers.subsampling import valid_frames
from linnet.models.zipformer.activations import BiasNorm, scaled_linear, swoosh_l, swoosh_r
from linnet.models.zipformer.regularizers import Balancer, Whiten, with_scaled_gradient

MARGIN = 4  # frames on either side, by which the convolutions without padding give ⌈T/2⌉ frames
MIN_FEATURES = 7
FIRST_GRADIENT_SCALE = 0.2
BLOCK_SKIP = Ramp((0.0, 0.2), (20_000.0, 0.015))


class ConvEmbedding(nn.Module):
    """Three convolutions, a ConvNeXt block, a linear layer, BiasNorm (§3.1).

    Frame s is centered on frame 2 s of the features. Beyond the first and the last valid frame the
    convolutions see these repeated, whatever the scale of the features; icefall, which gives three frames
    less, starts behind the first frames instead.
    """

    def __init__(
        self, clock: Clock, num_features: int, channels: tuple[int, int, int], width: int, dropout: Ramp
    ) -> None:
        super().__init__()
        if num_features < MIN_FEATURES:
            raise ConfigError(
                f"Zipformer cannot work on {num_features} features",
                remedy=f"Give the front end {MIN_FEATURES} mel bins or more, usually 80",
            )
        self.clock, self.dropout = clock, dropout
        first, second, third = channels
        self.conv1 = nn.Conv2d(1, first, 3, padding=(0, 1))
        self.conv2 = nn.Conv2d(first, second, 3, stride=2)
        self.conv3 = nn.Conv2d(second, third, 3, stride=(1, 2))
        self.balancers = nn.ModuleList(
            Balancer(clock, magnitude=(0.2, most), channel_dim=1) for most in (1.0, 4.0, 4.0)
        )
        self.convnext = ConvNext(clock, third)
        self.output = nn.Linear(third * (((num_features - 1) // 2 - 1) // 2), width)
        self.whiten = Whiten(clock, Ramp((0.0, 4.0), (20_000.0, 8.0)), gain=0.02)
        self.norm = BiasNorm(width)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Embed (B, F, T) features with (B,) valid frames: (B, S, D), (B,)."""
        x = _repeat_ends(features, lengths).transpose(1, 2).unsqueeze(1)  # (B, 1, T + 8, F)
        x = self.conv1(x)
        if not torch.compiler.is_exporting():
            # Channels beside each other: on CPU the depthwise convolution learns in a third of the time.
            x = x.contiguous(memory_format=torch.channels_last)
        if self.training:
            x = with_scaled_gradient(x, FIRST_GRADIENT_SCALE)
        x = swoosh_r(self.balancers[0](x))
        x = swoosh_r(self.balancers[1](self.conv2(x)))
        x = swoosh_r(self.balancers[2](self.conv3(x)))  # (B, C, S, F')
        lengths = (lengths + 1) // 2
        x = self.convnext(x, valid_frames(lengths, x))
        x = self.norm(self.whiten(self.output(x.transpose(1, 2).flatten(2))))
        rate = self.clock.value(self.dropout) if self.training else 0.0
        if rate:
            kept = torch.rand(x.shape[0], 1, x.shape[2], device=x.device) >= rate
            x = x * (kept.to(x.dtype) / (1.0 - rate))
        return x, lengths


def _repeat_ends(features: Tensor, lengths: Tensor) -> Tensor:
    """Put `MARGIN` frames on both sides of (B, F, T); before and beyond the valid ones all are copies."""
    num_frames = features.shape[2] + 2 * MARGIN
    frames = torch.arange(num_frames, device=features.device) - MARGIN
    frames = torch.minimum(frames.clamp(min=0), (lengths - 1).clamp(min=0).unsqueeze(1))  # (B, T + 8)
    return features.gather(2, frames.unsqueeze(1).expand(-1, features.shape[1], -1))


class ConvNext(nn.Module):
    """x + a depthwise convolution, a wider pointwise one, SwooshL and one back (arXiv:2201.03545)."""

    def __init__(self, clock: Clock, channels: int) -> None:
        super().__init__()
        self.clock = clock
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.widen = nn.Linear(channels, 3 * channels)
        self.hidden_balancer = Balancer(clock, (0.3, 1.0), (0.75, 5.0))
        self.narrow = scaled_linear(3 * channels, channels, 0.01)
        self.output_balancer = Balancer(clock, (0.4, 0.6), (1.0, 6.0))
        self.whiten = Whiten(clock, 5.0)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Transform x (B, C, S, F'), seeing zeros where `valid` (B, 1, S, 1) is 0."""
        y = self.depthwise(x * valid).permute(0, 2, 3, 1)  # (B, S, F', C)
        y = self.narrow(swoosh_l(self.hidden_balancer(self.widen(y))))
        rate = self.clock.value(BLOCK_SKIP) if self.training else 0.0
        if rate:
            y = y * (torch.rand(y.shape[0], 1, 1, 1, device=y.device) >= rate).to(y.dtype)
        y = self.whiten(self.output_balancer(x.permute(0, 2, 3, 1) + y))
        transformed: Tensor = y.permute(0, 3, 1, 2)
        return transformed
