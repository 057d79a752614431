"""The block-table encoder of Jasper (arXiv:1904.03288) and QuartzNet (arXiv:1910.10261).

B batch, C channels, F mel bins, T frames in, S frames after subsampling. Every tensor is (B, C, T), or (B,
C, 1, T) when the encoder is exported.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from linnet.models.layers.convolution import TimeBatchNorm, TimeConv
from linnet.models.layers.masking import frame_mask

OddKernel = Annotated[int, Field(ge=1, le=1001)]


class JasperBlockConfig(BaseModel):
    """One row of a block table.

    Attributes:
        filters: channels out.
        kernel: taps of each convolution; odd.
        repeat: sub-blocks in the block (R in the papers).
        stride: step of the first sub-block's convolution.
        dilation: distance between taps.
        separable: depthwise then pointwise, instead of one full convolution.
        residual: add the block's input through a pointwise convolution and batch norm.
        dropout: after each activation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    filters: int = Field(ge=1)
    kernel: OddKernel
    repeat: int = Field(default=1, ge=1)
    stride: int = Field(default=1, ge=1, le=8)
    dilation: int = Field(default=1, ge=1, le=64)
    separable: bool = True
    residual: bool = True
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)

    @model_validator(mode="after")
    def _check(self) -> "JasperBlockConfig":
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {self.kernel}")
        if self.stride > 1 and (self.dilation > 1 or self.residual):
            raise ValueError("a block with stride > 1 can have neither dilation > 1 nor a residual")
        return self


class JasperConfig(BaseModel):
    """A whole block table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["jasper"] = "jasper"
    blocks: tuple[JasperBlockConfig, ...] = Field(min_length=1)

    @property
    def output_width(self) -> int:
        """Channels that leave the last block."""
        return self.blocks[-1].filters

    @property
    def subsampling(self) -> int:
        """Input frames per output frame."""
        factor = 1
        for block in self.blocks:
            factor *= block.stride
        return factor

    def build(self, num_features: int) -> "JasperEncoder":
        """Build the encoder for features of F = `num_features` rows."""
        return JasperEncoder(self, num_features)


class SubBlock(nn.Module):
    """Convolution (depthwise + pointwise, or full) and batch norm; the block adds activation and dropout."""

    def __init__(self, in_channels: int, config: JasperBlockConfig, stride: int) -> None:
        super().__init__()
        self.depthwise: TimeConv | None = None
        if config.separable:
            self.depthwise = TimeConv(
                in_channels,
                in_channels,
                config.kernel,
                stride=stride,
                dilation=config.dilation,
                groups=in_channels,
            )
            self.mixing = TimeConv(in_channels, config.filters)
        else:
            self.mixing = TimeConv(
                in_channels, config.filters, config.kernel, stride=stride, dilation=config.dilation
            )
        self.norm = TimeBatchNorm(config.filters, eps=1e-3)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve (B, C, T) with (B,) valid frames."""
        for convolution in (self.depthwise, self.mixing):
            if convolution is None:
                continue
            # A 1x1 convolution mixes no frames: its mask matters only to the batch statistics of training.
            if self.training or convolution.weight.shape[-1] > 1:
                x = x * frame_mask(lengths, x)
            x = convolution(x)
            lengths = convolution.output_lengths(lengths)
        return self.norm(x), lengths


class JasperBlock(nn.Module):
    """R sub-blocks with a residual path around them (Jasper §2, QuartzNet §3)."""

    def __init__(self, in_channels: int, config: JasperBlockConfig) -> None:
        super().__init__()
        widths = [in_channels] + [config.filters] * (config.repeat - 1)
        self.sub_blocks = nn.ModuleList(
            SubBlock(width, config, config.stride if index == 0 else 1) for index, width in enumerate(widths)
        )
        self.residual: nn.Sequential | None = None
        if config.residual:
            self.residual = nn.Sequential(
                TimeConv(in_channels, config.filters), TimeBatchNorm(config.filters, eps=1e-3)
            )
        self.activation = nn.Sequential(nn.ReLU(inplace=True), nn.Dropout(config.dropout))

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return (B, D, S) and its valid frames."""
        y, y_lengths = x, lengths
        last = len(self.sub_blocks) - 1
        for index, sub_block in enumerate(self.sub_blocks):
            y, y_lengths = sub_block(y, y_lengths)
            if index < last:
                y = self.activation(y)
        if self.residual is not None:
            y = y + self.residual(x * frame_mask(lengths, x) if self.training else x)
        return self.activation(y), y_lengths


class JasperEncoder(nn.Module):
    """A stack of Jasper blocks: (B, F, T) features → (B, D, S) encoding."""

    def __init__(self, config: JasperConfig, num_features: int) -> None:
        super().__init__()
        widths = [num_features, *(block.filters for block in config.blocks)]
        self.blocks = nn.ModuleList(
            JasperBlock(width, block) for width, block in zip(widths, config.blocks, strict=False)
        )

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (B, F, T) or (B, F, 1, T) features with (B,) valid frames."""
        x = features
        for block in self.blocks:
            x, lengths = block(x, lengths)
        return x, lengths
