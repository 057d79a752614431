"""The convolution module that Conformer and Squeezeformer put beside their attention.

B batch, S frames, D width, C inner channels.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.models.layers.convolution import TimeBatchNorm, TimeConv

ConvNorm = Literal["batch", "layer"]


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of each frame, for (B, C, S) and for (B, C, 1, S)."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each frame for itself."""
        return super().forward(x.transpose(1, -1)).transpose(1, -1)


class ConvModule(nn.Module):
    """Pointwise convolution, gate, depthwise one, norm, Swish, pointwise one (arXiv:2005.08100, figure 2).

    Args:
        width: D.
        kernel_size: taps of the depthwise convolution.
        gated: halve the 2 D expanded channels by a gate (GLU); if not, all of them pass a Swish and the
            depthwise convolution, as in Squeezeformer (arXiv:2206.00888, §3.1.3).
        padding: zeros before and behind the frames; by default those of a "same" convolution.
        norm: batch norm, or layer norm over the channels of each frame.
        bias: whether the convolutions add a bias.
    """

    def __init__(
        self,
        width: int,
        kernel_size: int,
        *,
        gated: bool = True,
        padding: tuple[int, int] | None = None,
        norm: ConvNorm = "batch",
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.gated = gated
        channels = width if gated else 2 * width
        self.expand = TimeConv(width, 2 * width, bias=bias)
        self.depthwise = TimeConv(
            channels, channels, kernel_size, groups=channels, bias=bias, padding=padding
        )
        # The bound that suits one input channel; TimeConv's own counts the channels and comes out far lower.
        nn.init.uniform_(self.depthwise.weight, -(kernel_size**-0.5), kernel_size**-0.5)
        self.norm = TimeBatchNorm(channels) if norm == "batch" else ChannelNorm(channels)
        self.contract = TimeConv(channels, width, bias=bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Convolve x (B, S, D) over its frames; `mask` (B, 1, S) is 1 for valid frames and 0 for padding."""
        if torch.compiler.is_exporting():  # height-1 2-D convolutions (docs/decisions/0002)
            y = self._gate(self.expand(x.transpose(1, 2).unsqueeze(2)), dim=1)  # (B, C, 1, S)
            contracted: Tensor = self.contract(self._convolve(y, mask.unsqueeze(2)))
            return contracted.flatten(2).transpose(1, 2)
        y = self._gate(_per_frame(self.expand, x), dim=2)  # (B, S, C)
        return _per_frame(self.contract, self._convolve(y.transpose(1, 2), mask).transpose(1, 2))

    def _gate(self, x: Tensor, dim: int) -> Tensor:
        return functional.glu(x, dim) if self.gated else functional.silu(x)

    def _convolve(self, x: Tensor, mask: Tensor) -> Tensor:
        return functional.silu(self.norm(self.depthwise(x * mask)))


def _per_frame(pointwise: TimeConv, x: Tensor) -> Tensor:
    """Apply a pointwise convolution to x (B, S, D) as a linear layer, which torch does in less time."""
    return functional.linear(x, pointwise.weight.squeeze(2), pointwise.bias)
