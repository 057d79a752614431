"""The convolution module of Zipformer, over all frames or causal with a look ahead inside each chunk.

B batch, S frames, D width, K taps.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.models.layers.convolution import TimeConv
from linnet.models.layers.schedule import Clock, Ramp
from linnet.models.zipformer.activations import scaled_linear, swoosh_r
from linnet.models.zipformer.attention import whitening_limit
from linnet.models.zipformer.regularizers import Balancer, Whiten


class DepthwiseConv(TimeConv):
    """A depthwise convolution with a bias, (B, D, S) → (B, D, S), initialized as torch's own."""

    def __init__(self, width: int, kernel: int, padding: tuple[int, int] | None = None) -> None:
        super().__init__(width, width, kernel, groups=width, bias=True, padding=padding)
        assert self.bias is not None
        for values in (self.weight, self.bias):
            nn.init.uniform_(values, -(kernel**-0.5), kernel**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve over S; for export as a height-1 2-D convolution (docs/decisions/0002)."""
        if torch.compiler.is_exporting():
            return super().forward(x.unsqueeze(2)).squeeze(2)
        return super().forward(x)


class ChunkCausalConv(nn.Module):
    """A causal convolution, and one that sees the chunk of a frame, before and behind it (§3.4 of icefall).

    The second is scaled by learned values near the edges of its chunk, where part of its taps see zeros.
    """

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        half = (kernel + 1) // 2
        self.causal = DepthwiseConv(width, half, padding=(half - 1, 0))
        self.within = DepthwiseConv(width, kernel)
        self.edge_scale = nn.Parameter(torch.zeros(2, width, kernel))  # at the left and at the right edge

    def forward(self, x: Tensor, chunk: int) -> Tensor:
        """Convolve x (B, D, S) with chunks of so many frames; 0: all in one."""
        batch_size, width, num_frames = x.shape
        chunk = chunk or num_frames
        num_chunks = (num_frames + chunk - 1) // chunk
        padded = functional.pad(x, (0, num_chunks * chunk - num_frames))
        chunks = padded.reshape(batch_size, width, num_chunks, chunk).transpose(1, 2).flatten(0, 1)
        within = self.within(chunks) * self._scale(chunk)
        within = within.reshape(batch_size, num_chunks, width, chunk).transpose(1, 2).flatten(2)
        convolved: Tensor = self.causal(x) + within[..., :num_frames]
        return convolved

    def _scale(self, chunk: int) -> Tensor:
        """Scales of the frames of a chunk: (D, chunk)."""
        left, right = self.edge_scale.unbind()
        surplus = chunk - left.shape[-1]
        if surplus < 0:
            return 1.0 + left[:, :chunk] + right[:, -chunk:]
        return 1.0 + functional.pad(left, (0, surplus)) + functional.pad(right, (surplus, 0))


class ConvolutionModule(nn.Module):
    """Linear layer, gate, depthwise convolution, SwooshR, linear layer (figure 3)."""

    def __init__(self, clock: Clock, width: int, kernel: int, *, causal: bool) -> None:
        super().__init__()
        self.in_proj = nn.Linear(width, 2 * width)
        least = Ramp((0.0, 0.05), (8000.0, 0.025))
        self.balance_gate = Balancer(clock, (least, 1.0), (1.5, Ramp((0.0, 5.0), (8000.0, 10.0))))
        self.depthwise = ChunkCausalConv(width, kernel) if causal else DepthwiseConv(width, kernel)
        least, quiet = Ramp((0.0, 0.1), (8000.0, 0.05)), Ramp((0.0, 0.2), (20_000.0, 0.5))
        self.balancer = Balancer(clock, (least, 1.0), (quiet, 10.0), channel_dim=1)
        self.whiten = Whiten(clock, whitening_limit(7.5))
        self.out_proj = scaled_linear(width, width, 0.05)

    def forward(self, x: Tensor, valid: Tensor, chunk: int) -> Tensor:
        """Convolve x (B, S, D), whose valid frames are 1 in `valid` (B, S, 1), causally by `chunk` frames."""
        values, gate = self.in_proj(x).chunk(2, dim=-1)
        gated = (values * self.balance_gate(gate).sigmoid() * valid).transpose(1, 2)  # (B, D, S)
        causal = isinstance(self.depthwise, ChunkCausalConv)
        mixed = self.depthwise(gated, chunk) if causal else self.depthwise(gated)
        mixed = self.whiten(self.balancer(mixed).transpose(1, 2))
        convolved: Tensor = self.out_proj(swoosh_r(mixed))
        return convolved
