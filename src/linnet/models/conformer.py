"""The encoder of Conformer (arXiv:2005.08100), FastConformer (arXiv:2305.05084) and their streaming kin.

B batch, F mel bins, T frames in, S frames after subsampling, D width.
"""

from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from linnet.models.layers.attention import (
    RelativeAttention,
    SelfAttention,
    additive_mask,
    padding_mask,
    relative_positions,
)
from linnet.models.layers.band_attention import BandAttention, band_mask, band_positions
from linnet.models.layers.conv_module import ConvModule, ConvNorm
from linnet.models.layers.feed_forward import FeedForward
from linnet.models.layers.masking import frame_mask
from linnet.models.layers.positions import sinusoids
from linnet.models.layers.subsampling import ConvSubsampling


class ConformerConfig(BaseModel):
    """All that makes a Conformer; the defaults are those of the paper.

    Attributes:
        num_layers: Conformer blocks.
        width: D; even, and a multiple of `num_heads`.
        num_heads: attention heads.
        expansion: hidden values of a feed-forward module, in widths.
        kernel: taps of the depthwise convolution.
        lookahead_frames: how many of those taps lie behind their frame; half of them by default, 0 makes the
            convolution causal.
        conv_norm: batch norm, or layer norm over the channels of each frame.
        bias: whether the linear layers and convolutions of the blocks add a bias.
        subsampling: features per output frame.
        subsampling_channels: channels of its convolutions; D by default.
        separable_subsampling: its convolutions after the first are depthwise-separable (FastConformer).
        causal_subsampling: its convolutions look two back and none ahead.
        positions: relative as in Transformer-XL, or absolute, added to the input of the first block.
        scale_input: multiply what leaves the subsampling by √D.
        tie_position_biases: one u and v for all blocks (arXiv:1901.02860) instead of their own.
        context_frames: output frames that attention sees before and behind each; null for all. With both
            given (and relative positions, without `chunked`) time and memory grow linearly with the audio.
        chunked: attention sees its own chunk of 1 + (frames behind) and the whole chunks within the frames
            before, as in NeMo's cache-aware streaming models (arXiv:2312.17279).
        global_token: the first frame sees and is seen by all (only with linear attention).
        global_layers: it has query, key and value layers of its own.
        dropout: in and behind each module, and of the first block's input.
        attention_dropout: of the attention weights.
        position_dropout: of the position table.
        projection: values per output frame, by one more linear layer; none by default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["conformer"] = "conformer"
    num_layers: int = Field(ge=1, le=200)
    width: int = Field(ge=2, le=8192)
    num_heads: int = Field(default=4, ge=1)
    expansion: int = Field(default=4, ge=1, le=64)
    kernel: int = Field(default=31, ge=1, le=1001)
    lookahead_frames: int | None = Field(default=None, ge=0)
    conv_norm: ConvNorm = "batch"
    bias: bool = True
    subsampling: Literal[2, 4, 8, 16] = 4
    subsampling_channels: int | None = Field(default=None, ge=1, le=8192)
    separable_subsampling: bool = False
    causal_subsampling: bool = False
    positions: Literal["relative", "absolute"] = "relative"
    scale_input: bool = True
    tie_position_biases: bool = False
    context_frames: tuple[int | None, int | None] = (None, None)
    chunked: bool = False
    global_token: bool = False
    global_layers: bool = False
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    attention_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    position_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    projection: int | None = Field(default=None, ge=1, le=8192)

    @model_validator(mode="after")
    def _check(self) -> "ConformerConfig":
        left, right = self.context_frames
        if self.width % 2 or self.width % self.num_heads:
            raise ValueError(f"width must be even and a multiple of num_heads, not {self.width}")
        if (self.lookahead_frames or 0) >= self.kernel:
            raise ValueError(f"lookahead_frames must be less than kernel, not {self.lookahead_frames}")
        if self.lookahead_frames is None and self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd where lookahead_frames is not given, not {self.kernel}")
        if any(side is not None and side < 0 for side in (left, right)):
            raise ValueError(f"context_frames must be 0 or more, or null for all, not {[left, right]}")
        if self.chunked and (right is None or (left or 0) % (right + 1)):
            raise ValueError(
                f"chunked needs [whole chunks, chunk - 1] as context_frames, not {[left, right]}"
            )
        if self.global_token and self.band is None:
            raise ValueError("global_token needs relative positions and both context_frames, without chunked")
        if self.global_layers and not self.global_token:
            raise ValueError("global_layers needs global_token")
        return self

    @property
    def band(self) -> tuple[int, int] | None:
        """Frames before and behind that linear attention sees; None where attention is quadratic."""
        left, right = self.context_frames
        if left is None or right is None or self.chunked or self.positions == "absolute":
            return None
        return (left, right) if max(left, right) > 0 else None

    @property
    def output_width(self) -> int:
        """Values per output frame."""
        return self.projection or self.width

    def build(self, num_features: int) -> "ConformerEncoder":
        """Build the encoder for features of F = `num_features` rows."""
        return ConformerEncoder(self, num_features)

    def build_attention(self) -> SelfAttention:
        """Build the attention of one block."""
        arguments: tuple[int, int, float, bool]
        arguments = (self.width, self.num_heads, self.attention_dropout, self.bias)
        if self.positions == "absolute":
            return SelfAttention(*arguments)
        if self.band is None:
            return RelativeAttention(*arguments)
        return BandAttention(
            *arguments,
            size=max(self.band),
            global_token=self.global_token,
            global_layers=self.global_layers,
        )

    def build_convolution(self) -> ConvModule:
        """Build the convolution module of one block."""
        ahead = self.kernel // 2 if self.lookahead_frames is None else self.lookahead_frames
        padding = (self.kernel - 1 - ahead, ahead)
        return ConvModule(self.width, self.kernel, padding=padding, norm=self.conv_norm, bias=self.bias)


class Residual(nn.Module):
    """x + weight · dropout(module(norm(x))): how every module of a block is used (figure 1)."""

    def __init__(self, config: ConformerConfig, module: nn.Module, weight: float = 1.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config.width)
        self.module = module
        self.dropout = nn.Dropout(config.dropout)
        self.weight = weight

    def forward(self, x: Tensor, *context: Tensor | None) -> Tensor:
        """Add to x (B, S, D) what the module makes of it and of its context."""
        y: Tensor = self.dropout(self.module(self.norm(x), *context))
        return torch.add(x, y, alpha=self.weight)


class ConformerBlock(nn.Module):
    """Half a feed-forward module, attention, convolution, half a feed-forward module, norm (equation 1)."""

    def __init__(self, config: ConformerConfig) -> None:
        super().__init__()
        hidden = config.expansion * config.width
        first, last = (FeedForward(config.width, hidden, config.dropout, config.bias) for _ in range(2))
        self.feed_forward = Residual(config, first, weight=0.5)
        self.attention = Residual(config, config.build_attention())
        self.convolution = Residual(config, config.build_convolution())
        self.last_feed_forward = Residual(config, last, weight=0.5)
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, positions: Tensor | None, seen: Tensor, valid: Tensor) -> Tensor:
        """Transform x (B, S, D).

        Args:
            x: (B, S, D).
            positions: the position table of the attention.
            seen: the mask of the attention, to be added to its scores.
            valid: (B, 1, S), 1 for valid frames and 0 for padding.
        """
        x = self.feed_forward(x)
        x = self.attention(x, positions, seen)
        x = self.convolution(x, valid)
        y: Tensor = self.norm(self.last_feed_forward(x))
        return y


class ConformerEncoder(nn.Module):
    """Subsampling and a stack of Conformer blocks: (B, F, T) features → (B, D, S) encoding.

    Conformer (arXiv:2005.08100, tables 1 and 2) puts a convolution behind the self-attention of every
    Transformer layer and half a feed-forward module on either side of both. FastConformer (arXiv:2305.05084,
    table 1) subsamples by 8 with depthwise-separable convolutions and shortens the kernels to 9.
    """

    def __init__(self, config: ConformerConfig, num_features: int) -> None:
        super().__init__()
        self.config = config
        self.subsampling = ConvSubsampling(
            num_features,
            config.width,
            config.subsampling_channels or config.width,
            config.subsampling,
            separable=config.separable_subsampling,
            causal=config.causal_subsampling,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.position_dropout = nn.Dropout(config.position_dropout)
        self.blocks = nn.ModuleList(ConformerBlock(config) for _ in range(config.num_layers))
        if config.tie_position_biases and config.positions == "relative":
            self._tie_position_biases()
        self.projection = nn.Linear(config.width, config.projection) if config.projection else nn.Identity()

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (B, F, T) or (B, F, 1, T) features with (B,) valid frames: (B, D, S) or (B, D, 1, S)."""
        x, lengths = self.subsampling(features, lengths)  # (B, S, D)
        if self.config.scale_input:
            x = x * self.config.width**0.5
        x, positions = self._place(x)
        seen = self._seen(x, lengths)
        valid = frame_mask(lengths, x.transpose(1, 2))  # (B, 1, S)
        for block in self.blocks:
            x = block(x, positions, seen, valid)
        encoded: Tensor = self.projection(x).transpose(1, 2)  # (B, D, S)
        return encoded if features.dim() == 3 else encoded.unsqueeze(2), lengths

    def _place(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Give x (B, S, D) its absolute positions, or the table of relative ones beside it."""
        if self.config.positions == "absolute":
            table = sinusoids(torch.arange(x.shape[1], device=x.device), x.shape[2]).to(x.dtype)
            return self.dropout(x + self.position_dropout(table)), None
        band = self.config.band
        table = relative_positions(x) if band is None else band_positions(x, max(band))
        return self.dropout(x), self.position_dropout(table)

    def _seen(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the mask of all blocks' attention, to be added to the scores."""
        if self.config.band is not None:
            return band_mask(lengths, x, *self.config.band)
        padding = padding_mask(lengths, x)  # (B, 1, 1, S)
        if self.config.context_frames == (None, None):
            return padding
        frames = torch.arange(x.shape[1], device=x.device)
        return torch.minimum(padding, additive_mask(self._in_context(frames), x.dtype))  # (B, 1, S, S)

    def _in_context(self, frames: Tensor) -> Tensor:
        """Tell for every query among frames (S,) which keys lie in its context: (S, S)."""
        left, right = self.config.context_frames
        unit = 1
        if self.config.chunked and right is not None:
            unit, left, right = right + 1, None if left is None else left // (right + 1), 0
        places = frames // unit
        back = places.unsqueeze(1) - places  # units from key to query
        allowed = torch.ones_like(back, dtype=torch.bool)
        if left is not None:
            allowed &= back <= left
        if right is not None:
            allowed &= back >= -right
        return allowed

    def _tie_position_biases(self) -> None:
        first, *others = (each for each in self.modules() if isinstance(each, RelativeAttention))
        for attention in others:
            attention.content_bias, attention.position_bias = first.content_bias, first.position_bias


def conformer(variant: str) -> ConformerConfig:
    """Return a named Conformer-CTC.

    `s`, `m`, `l` have the widths of the paper's (table 1), with NeMo's layers, of which `m` and `l` have one
    more to make up for the linear decoder; `xl` is NeMo's.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    return ConformerConfig.model_validate(_SIZES[variant])


_SIZES: dict[str, dict[str, Any]] = {
    "s": {"width": 176, "num_layers": 16},
    "m": {"width": 256, "num_layers": 18},
    "l": {"width": 512, "num_layers": 18, "num_heads": 8},
    "xl": {"width": 1024, "num_layers": 24, "num_heads": 8, "kernel": 5},
}
VARIANTS = tuple(_SIZES)
