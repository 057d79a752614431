"""One block of Zipformer.

B batch, S frames, D width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from linnet.models.layers.schedule import Clock, Ramp
from linnet.models.zipformer.activations import BiasNorm, Bypass, scaled_linear, swoosh_l
from linnet.models.zipformer.attention import (
    AttentionWeights,
    NonlinearAttention,
    SelfAttention,
    whitening_limit,
)
from linnet.models.zipformer.config import ZipformerValues
from linnet.models.zipformer.convolution import ConvolutionModule
from linnet.models.zipformer.regularizers import Balancer, Whiten, row_mask

MODULE_SKIP = Ramp((0.0, 0.2), (4000.0, 0.05), (16_000.0, 0.0))  # of attention and of convolutions
FEED_FORWARD_SKIP = Ramp((0.0, 0.1), (4000.0, 0.01), (50_000.0, 0.0))
SELDOM = 0.05


@dataclass(frozen=True, slots=True)
class Frames:
    """What the blocks of a stack need to know of their frames.

    Attributes:
        positions: the table of `compact_positions`.
        seen: to be added to attention scores (B, H, S, S).
        valid: (B, S, 1), 1 for valid frames and 0 for padding.
        chunk: frames of a chunk; 0: all.
    """

    positions: Tensor
    seen: Tensor
    valid: Tensor
    chunk: int


def dropout_ramp(config: ZipformerValues) -> Ramp:
    """Dropout over the training."""
    return Ramp((0.0, config.first_dropout), (20_000.0, config.dropout))


class FeedForward(nn.Module):
    """Linear layer, SwooshL, linear layer; dropout takes a channel out of all frames of an utterance."""

    def __init__(self, clock: Clock, width: int, hidden: int, dropout: Ramp) -> None:
        super().__init__()
        self.clock, self.dropout = clock, dropout
        self.in_proj = nn.Linear(width, hidden)
        self.balancer = Balancer(clock, (0.3, 1.0), (0.75, 5.0))
        self.out_proj = scaled_linear(hidden, width, 0.1)
        self.whiten = Whiten(clock, whitening_limit(7.5))

    def forward(self, x: Tensor) -> Tensor:
        """Transform each frame of x (B, S, D)."""
        hidden = swoosh_l(self.balancer(self.in_proj(x)))
        rate = self.clock.value(self.dropout) if self.training else 0.0
        if rate:
            kept = torch.rand(hidden.shape[0], 1, hidden.shape[2], device=x.device) >= rate
            hidden = hidden * (kept.to(x.dtype) / (1.0 - rate))
        transformed: Tensor = self.whiten(self.out_proj(hidden))
        return transformed


class ZipformerBlock(nn.Module):
    """Two halves around a bypass, with one set of attention weights for both (figure 2).

    First feed-forward, non-linear attention, attention, convolution and second feed-forward; then attention,
    convolution, third feed-forward and BiasNorm; in the middle and at the end a bypass of the whole.
    """

    def __init__(self, config: ZipformerValues, stack: int, clock: Clock, skip: Ramp) -> None:
        super().__init__()
        self.clock = clock
        width, hidden, heads = config.widths[stack], config.feed_forward[stack], config.num_heads[stack]
        kernel, dropout = config.kernels[stack], dropout_ramp(config)
        self.attention_weights = AttentionWeights(
            clock, width, heads, config.query_width, config.position_head_width, config.position_width
        )
        self.attention1, self.attention2 = (
            SelfAttention(clock, width, heads, config.value_width) for _ in range(2)
        )
        self.nonlinear_attention = NonlinearAttention(clock, width)
        self.convolution1, self.convolution2 = (
            ConvolutionModule(clock, width, kernel, causal=config.causal) for _ in range(2)
        )
        self.feed_forward1, self.feed_forward2, self.feed_forward3 = (
            FeedForward(clock, width, hidden * quarters // 4, dropout) for quarters in (3, 4, 5)
        )
        self.norm = BiasNorm(width)
        self.middle_bypass = Bypass(clock, width)
        self.bypass = Bypass(clock, width, skip)
        # Left over in icefall and used by nothing, but in every published checkpoint and parameter count.
        self.unused_scale = nn.Parameter(torch.full((width,), 0.5), requires_grad=False)
        self._add_regularizers(clock)

    def _add_regularizers(self, clock: Clock) -> None:
        share = (0.3, 0.7)
        quiet = Ramp((0.0, 0.004), (4000.0, 0.02))
        self.balance_nonlinear = Balancer(clock, share, (quiet, 100.0), probability=SELDOM)
        quiet = Ramp((0.0, 0.0), (4000.0, 0.1))
        self.balance_feed_forward2 = Balancer(clock, share, (quiet, 2.0), probability=SELDOM)
        quiet = Ramp((0.0, 0.0), (4000.0, 0.2))
        self.balance_feed_forward3 = Balancer(clock, share, (quiet, 4.0), probability=SELDOM)
        self.balance_inside = Balancer(clock, (0.45, 0.55), (0.2, 4.0))
        self.balance_output = Balancer(clock, (0.45, 0.55), (0.1, 4.0))
        self.whiten = Whiten(clock, whitening_limit(4.0, 3.0))

    def forward(self, x: Tensor, frames: Frames) -> Tensor:
        """Transform x (B, S, D)."""
        entered = x
        weights = self.attention_weights(x, frames.positions, frames.seen)
        x = x + self.feed_forward1(x)
        attention_rows = self._rows(x, MODULE_SKIP)  # the same ones for all three uses of the weights
        x = _added(x, self.balance_nonlinear(self.nonlinear_attention(x, weights)), attention_rows)
        x = _added(x, self.attention1(x, weights), attention_rows)
        x = _added(x, self.convolution1(x, frames.valid, frames.chunk), self._rows(x, MODULE_SKIP))
        fed = self.balance_feed_forward2(self.feed_forward2(x))
        x = self.middle_bypass(entered, _added(x, fed, self._rows(x, FEED_FORWARD_SKIP)))
        x = _added(x, self.attention2(x, weights), attention_rows)
        x = _added(x, self.convolution2(x, frames.valid, frames.chunk), self._rows(x, MODULE_SKIP))
        fed = self.balance_feed_forward3(self.feed_forward3(x))
        x = self.balance_inside(_added(x, fed, self._rows(x, FEED_FORWARD_SKIP)))
        x = self.bypass(entered, self.norm(x))
        y: Tensor = self.whiten(self.balance_output(x))
        return y

    def _rows(self, x: Tensor, skip: Ramp) -> Tensor | None:
        """Choose the utterances of which a module is skipped: (B, 1, 1) of 0 and 1, or None for all."""
        rate = self.clock.value(skip) if self.training else 0.0
        return row_mask(x, rate) if rate else None


def _added(x: Tensor, y: Tensor, rows: Tensor | None) -> Tensor:
    return x + y if rows is None else torch.addcmul(x, y, rows)
