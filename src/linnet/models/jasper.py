"""The block-table encoder of Jasper (arXiv:1904.03288), QuartzNet (arXiv:1910.10261) and their relatives.

B batch, C channels, F mel bins, T frames in, S frames after subsampling. Every tensor is (B, C, T), or (B,
C, 1, T) when the encoder is exported.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn

from linnet.models.layers.convolution import TimeBatchNorm, TimeConv
from linnet.models.layers.masking import frame_mask
from linnet.models.layers.squeeze_excite import SqueezeExcite

OddKernel = Annotated[int, Field(ge=1, le=1001)]
ActivationName = Literal["relu", "clipped_relu", "swish", "hardtanh", "gelu", "selu"]

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": partial(nn.ReLU, inplace=True),
    "clipped_relu": partial(nn.Hardtanh, 0.0, 20.0, inplace=True),  # min(max(x, 0), 20)
    "swish": partial(nn.SiLU, inplace=True),
    "hardtanh": partial(nn.Hardtanh, inplace=True),  # from -1 to 1
    "gelu": nn.GELU,
    "selu": partial(nn.SELU, inplace=True),
}


class JasperBlockConfig(BaseModel):
    """One row of a block table.

    Attributes:
        filters: channels out.
        kernel: taps of each convolution; odd.
        repeat: sub-blocks in the block (R in the papers).
        stride: step of a convolution; the residual path steps over as many frames.
        stride_at: which of the sub-blocks have that step. `last` is Citrinet's (NeMo's `stride_last`),
            `every` makes the block subsample by stride^repeat.
        dilation: distance between taps.
        lookahead_frames: taps to the right of the middle, for models with little delay; null: half of them.
        separable: depthwise then pointwise, instead of one full convolution.
        residual: add the block's input through a pointwise convolution and batch norm.
        dense: add the inputs of all dense blocks directly before this one too (Jasper DR).
        se: scale the channels by squeeze-and-excitation before the residual is added.
        se_reduction: how many times narrower its hidden layer is.
        se_bias: whether its layers have biases (ContextNet's paper) or not (NeMo).
        dropout: after each activation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    filters: int = Field(ge=1, le=65536)
    kernel: OddKernel
    repeat: int = Field(default=1, ge=1, le=256)
    stride: int = Field(default=1, ge=1, le=8)
    stride_at: Literal["first", "last", "every"] = "first"
    dilation: int = Field(default=1, ge=1, le=64)
    lookahead_frames: int | None = Field(default=None, ge=0)
    separable: bool = True
    residual: bool = True
    dense: bool = False
    se: bool = False
    se_reduction: int = Field(default=8, ge=1)
    se_bias: bool = False
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)

    @property
    def strides(self) -> tuple[int, ...]:
        """The step of each sub-block."""
        at = {"first": {0}, "last": {self.repeat - 1}, "every": set(range(self.repeat))}[self.stride_at]
        return tuple(self.stride if index in at else 1 for index in range(self.repeat))

    @property
    def subsampling(self) -> int:
        """Frames into the block per frame out."""
        return self.stride**self.repeat if self.stride_at == "every" else self.stride

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros before and behind the frames, so that stride 1 keeps their number."""
        reach = self.dilation * (self.kernel - 1)
        behind = reach // 2 if self.lookahead_frames is None else self.dilation * self.lookahead_frames
        return reach - behind, behind

    @model_validator(mode="after")
    def _check(self) -> "JasperBlockConfig":
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {self.kernel}")
        if self.stride > 1 and self.dilation > 1:
            raise ValueError("a block with stride > 1 cannot have dilation > 1")
        if self.residual and self.subsampling != self.stride:
            raise ValueError("a residual needs stride_at first or last")
        if self.dense and (not self.residual or self.stride > 1):
            raise ValueError("a dense block needs a residual and stride 1")
        if self.lookahead_frames is not None and self.lookahead_frames >= self.kernel:
            raise ValueError(f"lookahead_frames must be less than the kernel's {self.kernel} taps")
        if self.se and self.se_reduction > self.filters:
            raise ValueError(f"se_reduction must be at most filters, {self.filters}")
        return self


class JasperConfig(BaseModel):
    """A whole block table.

    Attributes:
        blocks: the rows.
        activation: after each batch norm, and inside squeeze-and-excitation.
        conv_mask: set padding to 0 before each convolution. Without it (as in some NeMo files) a batch's
            padding leaks into the last frames of its shorter utterances, as in NeMo: such a model gives an
            utterance the same text every time only when it is alone in its batch.
        init: the distribution of the first weights; `tds_uniform` (arXiv:1904.02619) is ContextNet's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["jasper"] = "jasper"
    blocks: tuple[JasperBlockConfig, ...] = Field(min_length=1)
    activation: ActivationName = "relu"
    conv_mask: bool = True
    init: Literal["xavier_uniform", "tds_uniform"] = "xavier_uniform"

    @model_validator(mode="after")
    def _check(self) -> "JasperConfig":
        for index, (block, following) in enumerate(zip(self.blocks, self.blocks[1:], strict=False)):
            if block.dense and following.residual and not following.dense:
                raise ValueError(f"blocks.{index + 1}: a residual block after a dense one must be dense too")
        return self

    @property
    def output_width(self) -> int:
        """Channels that leave the last block."""
        return self.blocks[-1].filters

    @property
    def subsampling(self) -> int:
        """Input frames per output frame."""
        factor = 1
        for block in self.blocks:
            factor *= block.subsampling
        return factor

    def build(self, num_features: int) -> "JasperEncoder":
        """Build the encoder for features of F = `num_features` rows."""
        return JasperEncoder(self, num_features)


class ValidFrames(NamedTuple):
    """Valid frames (B,), and the mask made of them, so that it is made once a frame rate."""

    lengths: Tensor
    mask: Tensor


class SubBlock(nn.Module):
    """Convolution (depthwise + pointwise, or full) and batch norm; the block adds activation and dropout."""

    def __init__(
        self, in_channels: int, config: JasperBlockConfig, stride: int, *, masked: bool = True
    ) -> None:
        super().__init__()
        self.masked = masked
        wide = partial(
            TimeConv,
            kernel_size=config.kernel,
            stride=stride,
            dilation=config.dilation,
            padding=config.padding,
        )
        self.depthwise: TimeConv | None = None
        if config.separable:
            self.depthwise = wide(in_channels, in_channels, groups=in_channels)
            self.mixing = TimeConv(in_channels, config.filters)
        else:
            self.mixing = wide(in_channels, config.filters)
        self.norm = TimeBatchNorm(config.filters, eps=1e-3)

    def forward(self, x: Tensor, valid: ValidFrames) -> tuple[Tensor, ValidFrames]:
        """Convolve (B, C, T); unmasked, the lengths come back as they were."""
        for convolution in (self.depthwise, self.mixing):
            if convolution is None:
                continue
            # A 1x1 convolution mixes no frames: its mask matters only to the batch statistics of training.
            if self.masked and (self.training or convolution.weight.shape[-1] > 1):
                x = x * valid.mask
            x = convolution(x)
            if convolution.stride > 1:
                lengths = convolution.output_lengths(valid.lengths) if self.masked else valid.lengths
                valid = ValidFrames(lengths, frame_mask(lengths, x))
        return self.norm(x), valid


class JasperBlock(nn.Module):
    """R sub-blocks with a residual path around them (Jasper §2, QuartzNet §3, Citrinet §2).

    Args:
        in_channels: channels of the block's input.
        config: its row of the table.
        earlier_channels: channels of the inputs of the dense blocks before it, oldest first.
        activation: name of the activation.
        masked: whether padding is set to 0 before convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        config: JasperBlockConfig,
        *,
        earlier_channels: Sequence[int] = (),
        activation: ActivationName = "relu",
        masked: bool = True,
    ) -> None:
        super().__init__()
        self.masked = masked
        widths = [in_channels] + [config.filters] * (config.repeat - 1)
        self.sub_blocks = nn.ModuleList(
            SubBlock(width, config, stride, masked=masked)
            for width, stride in zip(widths, config.strides, strict=True)
        )
        make_activation = _ACTIVATIONS[activation]
        self.squeeze_excite: SqueezeExcite | None = None
        if config.se:
            self.squeeze_excite = SqueezeExcite(
                config.filters, config.se_reduction, make_activation(), bias=config.se_bias
            )
        self.residual: nn.Sequential | None = None
        if config.residual:
            self.residual = _projection(in_channels, config)
        self.dense = nn.ModuleList(_projection(width, config) for width in earlier_channels)
        self.activation = nn.Sequential(make_activation(), nn.Dropout(config.dropout))

    def forward(
        self, x: Tensor, valid: ValidFrames, earlier: Sequence[Tensor] = ()
    ) -> tuple[Tensor, ValidFrames]:
        """Return (B, D, S) and its valid frames; `earlier` are the inputs of the dense blocks before."""
        y, y_valid = x, valid
        last = len(self.sub_blocks) - 1
        for index, sub_block in enumerate(self.sub_blocks):
            y, y_valid = sub_block(y, y_valid)
            if index < last:
                y = self.activation(y)
        if self.squeeze_excite is not None:
            y = self.squeeze_excite(y, y_valid.mask)
        for projection, source in zip(self.dense, earlier, strict=True):
            y = y + projection(self._residual_input(source, valid))
        if self.residual is not None:
            y = y + self.residual(self._residual_input(x, valid))
        return self.activation(y), y_valid

    def _residual_input(self, x: Tensor, valid: ValidFrames) -> Tensor:
        return x * valid.mask if self.masked and self.training else x


def _projection(in_channels: int, config: JasperBlockConfig) -> nn.Sequential:
    """The residual path: a pointwise convolution, also where the channels are equal, and batch norm."""
    return nn.Sequential(
        TimeConv(in_channels, config.filters, stride=config.stride), TimeBatchNorm(config.filters, eps=1e-3)
    )


class JasperEncoder(nn.Module):
    """A stack of Jasper blocks: (B, F, T) features → (B, D, S) encoding."""

    def __init__(self, config: JasperConfig, num_features: int) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList()
        width = num_features
        earlier: list[int] = []
        for block in config.blocks:
            self.blocks.append(
                JasperBlock(
                    width,
                    block,
                    earlier_channels=earlier if block.dense else (),
                    activation=config.activation,
                    masked=config.conv_mask,
                )
            )
            earlier = [*earlier, width] if block.dense else []
            width = block.filters
        if config.init == "tds_uniform":
            for module in self.modules():
                if isinstance(module, TimeConv | nn.Linear):
                    tds_uniform_(module.weight)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (B, F, T) or (B, F, 1, T) features with (B,) valid frames."""
        x, valid = features, ValidFrames(lengths, frame_mask(lengths, features))
        earlier: tuple[Tensor, ...] = ()
        for block, config in zip(self.blocks, self.config.blocks, strict=True):
            y, valid = block(x, valid, earlier if config.dense else ())
            earlier = (*earlier, x) if config.dense else ()
            x = y
        # Unmasked blocks leave the lengths alone; every convolution keeps ceil(T / stride) frames.
        factor = self.config.subsampling
        return x, valid.lengths if self.config.conv_mask else (lengths + factor - 1) // factor


def odd_kernel(kernel: int, factor: float) -> int:
    """Scale a kernel as Citrinet's γ does: rounded down, then up to the next odd number."""
    return max(int(kernel * factor), 1) | 1


def tds_uniform_(weight: Tensor) -> None:
    """Fill a weight from ±2 / √fan-in (arXiv:1904.02619 §3.1)."""
    bound = 2.0 * weight[0].numel() ** -0.5
    nn.init.uniform_(weight, -bound, bound)
