"""The encoder of Squeezeformer (arXiv:2206.00888): attention and convolution blocks around a temporal U-Net.

B batch, F mel bins, T frames in, S frames after subsampling, S' = ⌈S/2⌉ frames inside the U-Net, D width.
"""

from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from linnet.models.layers.attention import RelativeAttention, padding_mask, relative_positions
from linnet.models.layers.conv_module import ConvModule, ConvNorm
from linnet.models.layers.convolution import TimeConv
from linnet.models.layers.feed_forward import FeedForward
from linnet.models.layers.masking import frame_mask
from linnet.models.layers.subsampling import ConvSubsampling

REDUCTION_KERNEL = 5


class SqueezeformerConfig(BaseModel):
    """All that makes a Squeezeformer; the defaults are those of the paper.

    Attributes:
        num_layers: blocks.
        width: D; even, and a multiple of `num_heads`.
        num_heads: attention heads.
        reduce_at: the block, counted from 0, before which every second frame is dropped; null for no U-Net.
        recover_at: the block before which all frames come back; the last one by default.
        expansion: hidden values of a feed-forward module, in widths.
        kernel: taps of the depthwise convolution; odd.
        conv_norm: batch norm, or layer norm over the channels of each frame.
        adaptive_scale: learn a scale and a bias of each channel before each module.
        subsampling: features per output frame.
        subsampling_channels: channels of its convolutions; D by default.
        separable_subsampling: its convolutions after the first are depthwise-separable.
        scale_input: multiply what leaves the subsampling by √D.
        dropout: in and behind each module, and of the first block's input.
        attention_dropout: of the attention weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["squeezeformer"] = "squeezeformer"
    num_layers: int = Field(ge=1, le=200)
    width: int = Field(ge=2, le=8192)
    num_heads: int = Field(default=4, ge=1)
    reduce_at: int | None = Field(default=None, ge=0)
    recover_at: int | None = Field(default=None, ge=0)
    expansion: int = Field(default=4, ge=1, le=64)
    kernel: int = Field(default=31, ge=1, le=1001)
    conv_norm: ConvNorm = "batch"
    adaptive_scale: bool = True
    subsampling: Literal[2, 4, 8, 16] = 4
    subsampling_channels: int | None = Field(default=None, ge=1, le=8192)
    separable_subsampling: bool = True
    scale_input: bool = True
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    attention_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)

    @model_validator(mode="after")
    def _check(self) -> "SqueezeformerConfig":
        if self.width % 2 or self.width % self.num_heads:
            raise ValueError(f"width must be even and a multiple of num_heads, not {self.width}")
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {self.kernel}")
        if self.reduce_at is None and self.recover_at is not None:
            raise ValueError("recover_at needs reduce_at")
        if self.reduce_at is not None and not self.reduce_at <= self.recovers_at < self.num_layers:
            raise ValueError(
                f"reduce_at={self.reduce_at} and recover_at={self.recovers_at} must be blocks in this order, "
                f"counted from 0 to {self.num_layers - 1}"
            )
        return self

    @property
    def recovers_at(self) -> int:
        """The block before which all frames come back, where there is a U-Net."""
        return self.num_layers - 1 if self.recover_at is None else self.recover_at

    @property
    def output_width(self) -> int:
        """Values per output frame."""
        return self.width

    def build(self, num_features: int) -> "SqueezeformerEncoder":
        """Build the encoder for features of F = `num_features` rows."""
        return SqueezeformerEncoder(self, num_features)


class AdaptiveScale(nn.Module):
    """A scale and a bias of each channel, in the place of a layer norm (§3.2): (B, S, D) → (B, S, D).

    They are constants where `learned` is not set.
    """

    scale: Tensor  # (D,)
    bias: Tensor  # (D,)

    def __init__(self, width: int, learned: bool) -> None:
        super().__init__()
        for name, value in (("scale", torch.ones(width)), ("bias", torch.zeros(width))):
            if learned:
                self.register_parameter(name, nn.Parameter(value))
            else:
                self.register_buffer(name, value)

    def forward(self, x: Tensor) -> Tensor:
        """Scale each channel of x (B, S, D) and add its bias."""
        return x * self.scale + self.bias


class Residual(nn.Module):
    """A module within scale, dropout, its input added, and layer norm behind them (post-LN, §3.2)."""

    def __init__(self, module: nn.Module, config: SqueezeformerConfig) -> None:
        super().__init__()
        self.scale = AdaptiveScale(config.width, config.adaptive_scale)
        self.module = module
        self.dropout = nn.Dropout(config.dropout)
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, *context: Tensor) -> Tensor:
        """Run the module on x (B, S, D), with whatever else it needs."""
        y: Tensor = self.norm(x + self.dropout(self.module(self.scale(x), *context)))
        return y


class SqueezeformerBlock(nn.Module):
    """Attention, feed-forward, convolution, feed-forward (§3.1, figure 2)."""

    def __init__(self, config: SqueezeformerConfig) -> None:
        super().__init__()
        width, hidden = config.width, config.expansion * config.width
        attention = RelativeAttention(width, config.num_heads, config.attention_dropout)
        convolution = ConvModule(width, config.kernel, gated=False, norm=config.conv_norm)
        self.attention = Residual(attention, config)
        self.feed_forward1 = Residual(FeedForward(width, hidden, config.dropout), config)
        self.convolution = Residual(convolution, config)
        self.feed_forward2 = Residual(FeedForward(width, hidden, config.dropout), config)

    def forward(self, x: Tensor, context: "FrameContext") -> Tensor:
        """Transform x (B, S, D)."""
        x = self.feed_forward1(self.attention(x, context.positions, context.attention_mask))
        y: Tensor = self.feed_forward2(self.convolution(x, context.frames))
        return y


class FrameContext:
    """What the blocks need to know of the frames of x (B, S, D), of which (B,) `lengths` are valid."""

    def __init__(self, x: Tensor, lengths: Tensor) -> None:
        self.positions = relative_positions(x)
        self.attention_mask = padding_mask(lengths, x)
        self.frames = frame_mask(lengths, x.transpose(1, 2))  # (B, 1, S)


class TimeReduction(nn.Module):
    """Halve the frames by a separable convolution: (B, S, D) → (B, ⌈S/2⌉, D) (§3.1).

    Frame i sees the frames 2i − 3 to 2i + 1, as in NeMo, and zeros beyond the valid ones.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = TimeConv(
            width, width, REDUCTION_KERNEL, stride=2, groups=width, bias=True, padding=(3, 1)
        )
        nn.init.uniform_(self.depthwise.weight, -(REDUCTION_KERNEL**-0.5), REDUCTION_KERNEL**-0.5)
        self.pointwise = TimeConv(width, width, bias=True)

    def forward(self, x: Tensor, frames: Tensor) -> Tensor:
        """Reduce x (B, S, D), whose valid frames are marked in `frames` (B, 1, S)."""
        y = x.transpose(1, 2) * frames  # (B, D, S)
        if torch.compiler.is_exporting():  # height-1 2-D convolutions (docs/decisions/0002)
            y = y.unsqueeze(2)
        reduced: Tensor = self.pointwise(self.depthwise(y))
        return reduced.flatten(2).transpose(1, 2)


class TimeRecovery(nn.Module):
    """Give each frame, through a linear layer, to the two it came from: (B, S', D) → (B, S, D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, width)

    def forward(self, x: Tensor, num_frames: int) -> Tensor:
        """Recover S = `num_frames` frames of x (B, S', D)."""
        sources = torch.arange(num_frames, device=x.device) // 2
        mixed: Tensor = self.linear(x)
        return mixed.index_select(1, sources)


class SqueezeformerEncoder(nn.Module):
    """Squeezeformer: (B, F, T) features → (B, D, S) encoding.

    From block `reduce_at` on the blocks see half the frames. Before block `recover_at` each of them returns
    to the two it came from, and what had entered the reduction is added (the temporal U-Net, §3.1).
    """

    def __init__(self, config: SqueezeformerConfig, num_features: int) -> None:
        super().__init__()
        width = config.width
        self.config = config
        self.subsampling = ConvSubsampling(
            num_features,
            width,
            config.subsampling_channels or width,
            config.subsampling,
            separable=config.separable_subsampling,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(SqueezeformerBlock(config) for _ in range(config.num_layers))
        if config.reduce_at is not None:
            self.reduction = TimeReduction(width)
            self.recovery = TimeRecovery(width)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (B, F, T) or (B, F, 1, T) features with (B,) valid frames: (B, D, S) or (B, D, 1, S)."""
        x, lengths = self.subsampling(features, lengths)
        if self.config.scale_input:
            x = x * self.config.width**0.5
        x = self.norm(self.dropout(x))
        whole = context = FrameContext(x, lengths)
        skipped = x
        for index, block in enumerate(self.blocks):
            if index == self.config.reduce_at:
                skipped, x = x, self.reduction(x, whole.frames)
                context = FrameContext(x, (lengths + 1) // 2)
            if self.config.reduce_at is not None and index == self.config.recovers_at:
                x, context = skipped + self.recovery(x, skipped.shape[1]), whole
            x = block(x, context)
        encoded = x.transpose(1, 2)  # (B, D, S)
        return encoded if features.dim() == 3 else encoded.unsqueeze(2), lengths


def squeezeformer(variant: str) -> SqueezeformerConfig:
    """Return a size of the paper (its table of configurations), with the U-Net where NeMo has it.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    num_layers, width, num_heads, reduce_at = _SIZES[variant]
    return SqueezeformerConfig(num_layers=num_layers, width=width, num_heads=num_heads, reduce_at=reduce_at)


_SIZES = {  # blocks, D, heads, the block before which time is halved
    "xs": (16, 144, 4, 7),
    "s": (18, 196, 4, 8),
    "sm": (16, 256, 4, 7),
    "m": (20, 324, 4, 9),
    "ml": (18, 512, 8, 8),
    "l": (22, 640, 8, 10),
}
VARIANTS = tuple(_SIZES)
