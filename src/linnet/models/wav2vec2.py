"""The encoder of wav2vec 2.0 (arXiv:2006.11477): convolutions over samples, then a Transformer.

B batch, N samples, C channels of the convolutions, S frames, D width.
"""

import math
from typing import Any, Literal, NamedTuple, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from linnet.models.layers.attention import SelfAttention, padding_mask
from linnet.models.layers.conv_module import ChannelNorm
from linnet.models.layers.convolution import TimeConv
from linnet.models.layers.feed_forward import FeedForward
from linnet.models.layers.masking import frame_mask
from linnet.models.layers.spans import SpanMaskConfig, span_mask

GROUP_NORM_EPS = 1e-5


class WaveConvolution(NamedTuple):
    """One convolution of the feature encoder: channels out, taps, and the step in frames of what is read."""

    channels: int
    kernel: int
    stride: int


# One frame every 320 samples, which hears 400 (§4.2).
CONVOLUTIONS = (
    WaveConvolution(512, 10, 5),
    *[WaveConvolution(512, 3, 2)] * 4,
    *[WaveConvolution(512, 2, 2)] * 2,
)


class Wav2Vec2Config(BaseModel):
    """All that makes an encoder of wav2vec 2.0; the defaults are those of its base model.

    Attributes:
        convolutions: [channels, taps, step] of each convolution of the feature encoder.
        conv_bias: whether they add a bias.
        conv_norm: "group" normalizes each channel of the first convolution over the utterance; "layer" each
            frame behind every convolution.
        num_layers: layers of the Transformer.
        width: D; a multiple of `num_heads` and of `position_groups`.
        num_heads: attention heads.
        hidden: values between the two linear layers of a feed-forward module.
        pre_norm: layer norm before attention and feed-forward instead of behind their sums.
        position_kernel: taps of the convolution that tells a frame what lies around it.
        position_groups: its groups.
        bias_buckets: groups of distances with a bias of their own on the attention scores, as in WavLM
            (arXiv:2110.13900); a multiple of 4, 0 for no bias.
        bias_distance: frames from which on all distances are in one group.
        norm_eps: of the layer norms of the Transformer and of the one before it.
        dropout: behind attention and feed-forward, and of the first layer's input.
        attention_dropout: of the attention weights.
        hidden_dropout: inside the feed-forward modules.
        input_dropout: of the features that the Transformer reads.
        output_dropout: of what it gives.
        layer_dropout: share of the layers that a training step leaves out.
        time_mask: spans of frames that training replaces by a learned vector.
        channel_mask: spans of channels that training sets to 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["wav2vec2"] = "wav2vec2"
    convolutions: tuple[WaveConvolution, ...] = Field(default=CONVOLUTIONS, min_length=1, max_length=32)
    conv_bias: bool = False
    conv_norm: Literal["group", "layer"] = "group"
    num_layers: int = Field(default=12, ge=1, le=200)
    width: int = Field(default=768, ge=1, le=8192)
    num_heads: int = Field(default=12, ge=1)
    hidden: int = Field(default=3072, ge=1, le=65536)
    pre_norm: bool = False
    position_kernel: int = Field(default=128, ge=1, le=1024)
    position_groups: int = Field(default=16, ge=1)
    bias_buckets: int = Field(default=0, ge=0, le=10_000, multiple_of=4)
    bias_distance: int = Field(default=800, ge=1, le=1_000_000)
    norm_eps: float = Field(default=1e-5, gt=0.0, lt=1.0)
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    attention_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    hidden_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    input_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    output_dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    layer_dropout: float = Field(default=0.05, ge=0.0, lt=1.0)
    time_mask: SpanMaskConfig = SpanMaskConfig(length=10, min_spans=2)
    channel_mask: SpanMaskConfig = SpanMaskConfig(length=64)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("num_heads", "position_groups"):
            if self.width % getattr(self, name):
                raise ValueError(f"width must be a multiple of {name}, not {self.width}")
        for layer in self.convolutions:
            if not (1 <= layer.channels <= 8192 and 1 <= layer.kernel <= 1024 and 1 <= layer.stride <= 1024):
                raise ValueError(f"a convolution has channels, taps and a step of 1 or more, not {[*layer]}")
        if self.bias_buckets and self.bias_distance <= self.bias_buckets // 4:
            raise ValueError(f"bias_distance must be more than bias_buckets / 4, not {self.bias_distance}")
        if self.subsampling > 1024:
            raise ValueError(f"the steps of the convolutions multiply to {self.subsampling}, more than 1024")
        return self

    @property
    def subsampling(self) -> int:
        """Samples from one frame to the next."""
        return math.prod(layer.stride for layer in self.convolutions)

    @property
    def window_samples(self) -> int:
        """Samples that one frame of the feature encoder hears."""
        window = 1
        for layer in reversed(self.convolutions):
            window = (window - 1) * layer.stride + layer.kernel
        return window

    @property
    def output_width(self) -> int:
        """Values per output frame."""
        return self.width

    def build(self, num_features: int) -> "Wav2Vec2Encoder":
        """Build the encoder; a waveform has `num_features` = 1 row."""
        return Wav2Vec2Encoder(self, num_features)


class UtteranceNorm(nn.Module):
    """Normalize each channel of an utterance over its valid frames: group norm with a group a channel.

    Padding has no part in it, so that an utterance gives the same in any batch.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Normalize x (B, C, S) or (B, C, 1, S), of which (B,) frames are valid."""
        wide = x if x.dtype == torch.float64 else x.float()  # half precision cannot add so many
        valid = frame_mask(lengths, wide)
        count = valid.sum(-1, keepdim=True).clamp(min=1)
        centered = (wide - (wide * valid).sum(-1, keepdim=True) / count) * valid
        variance = centered.square().sum(-1, keepdim=True) / count
        weight, bias = (each.view(1, -1, *[1] * (x.dim() - 2)) for each in (self.weight, self.bias))
        return (centered * (variance + GROUP_NORM_EPS).rsqrt() * weight + bias).to(x.dtype)


class WaveLayer(nn.Module):
    """Convolution without padding, norm, GELU (§2)."""

    def __init__(self, num_inputs: int, layer: WaveConvolution, bias: bool, norm: str | None) -> None:
        super().__init__()
        channels, kernel, stride = layer
        self.conv = TimeConv(num_inputs, channels, kernel, stride=stride, bias=bias, padding=(0, 0))
        nn.init.kaiming_normal_(self.conv.weight)
        self.norm: nn.Module = nn.Identity()
        if norm is not None:
            self.norm = UtteranceNorm(channels) if norm == "group" else ChannelNorm(channels)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve (B, C, T) or (B, C, 1, T), of which (B,) frames are valid."""
        lengths = self.conv.output_lengths(lengths).clamp(min=0)
        x = self.conv(x)
        x = self.norm(x, lengths) if isinstance(self.norm, UtteranceNorm) else self.norm(x)
        return functional.gelu(x), lengths


class FeatureEncoder(nn.Module):
    """The convolutions from samples to latent speech: (B, 1, N), (B,) → (B, C, S), (B,)."""

    def __init__(self, config: Wav2Vec2Config, num_features: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for index, layer in enumerate(config.convolutions):
            norm = None if index and config.conv_norm == "group" else config.conv_norm
            self.layers.append(WaveLayer(num_features, layer, config.conv_bias, norm))
            num_features = layer.channels

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Extract (B, C, S), or (B, C, 1, S) of (B, 1, 1, N)."""
        for layer in self.layers:
            x, lengths = layer(x, lengths)
        return x, lengths


class PositionConvolution(nn.Module):
    """A grouped convolution, its weights normed by tap, whose GELU is added (§2): (B, S, D) → (B, S, D)."""

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.gain = nn.Parameter(torch.empty(1, 1, kernel))
        self.direction = nn.Parameter(torch.empty(width, width // groups, kernel))
        self.bias = nn.Parameter(torch.zeros(width))
        nn.init.normal_(self.direction, std=2 * (kernel * width) ** -0.5)
        with torch.no_grad():
            self.gain.copy_(self.norm())

    def norm(self) -> Tensor:
        """Return the length of the weights of each tap: (1, 1, kernel)."""
        return self.direction.square().sum((0, 1), keepdim=True).sqrt()

    def forward(self, x: Tensor) -> Tensor:
        """Add to each frame of x (B, S, D) what lies around it; padding is 0."""
        weight = self.direction * (self.gain / self.norm())
        padding = weight.shape[-1] // 2
        y = x.transpose(1, 2)  # (B, D, S)
        if torch.compiler.is_exporting():  # height-1 2-D convolutions (docs/decisions/0002)
            y = functional.conv2d(
                y.unsqueeze(2), weight.unsqueeze(2), self.bias, padding=(0, padding), groups=self.groups
            ).squeeze(2)
        else:
            y = functional.conv1d(y, weight, self.bias, padding=padding, groups=self.groups)
        # An even number of taps gives one frame too many.
        return x + functional.gelu(y[..., : x.shape[1]]).transpose(1, 2)


class DistanceBias(nn.Module):
    """A bias for each head and distance, fine near a frame and coarse far from it (arXiv:2110.13900, §3.1).

    Half of the buckets are for keys behind the query; half of each half have a distance each, the rest grow
    with its logarithm.
    """

    def __init__(self, num_heads: int, num_buckets: int, max_distance: int) -> None:
        super().__init__()
        self.num_buckets, self.max_distance = num_buckets, max_distance
        self.weight = nn.Parameter(torch.randn(num_buckets, num_heads))

    def forward(self, x: Tensor) -> Tensor:
        """Return the biases of x (B, S, D) by query and key: (H, S, S)."""
        frames = torch.arange(x.shape[1], device=x.device)
        ahead = frames - frames.unsqueeze(1)  # key minus query
        return self.weight[self._bucket(ahead)].permute(2, 0, 1)

    def _bucket(self, ahead: Tensor) -> Tensor:
        half = self.num_buckets // 2
        exact = half // 2
        distance = ahead.abs()
        share = torch.log(distance.clamp(min=1).float() / exact) / math.log(self.max_distance / exact)
        far = (exact + (share * (half - exact)).long()).clamp(max=half - 1)
        return torch.where(distance < exact, distance, far) + half * (ahead > 0).long()


class GatedAttention(SelfAttention):
    """Attention with `DistanceBias`, as strong as the query makes it (arXiv:2110.13900, §3.1)."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__(width, num_heads, dropout)
        self.gate = nn.Linear(width // num_heads, 8)
        self.gate_scale = nn.Parameter(torch.ones(1, num_heads, 1, 1))

    def forward(self, x: Tensor, positions: Tensor | None, mask: Tensor) -> Tensor:
        """Attend within x (B, S, D), given the biases (H, S, S) and `padding_mask`."""
        assert positions is not None, "gated attention needs biases"
        gates = self.gate(self.split(x)).unflatten(-1, (2, 4)).sum(-1).sigmoid()  # (B, H, S, 2)
        strength = gates[..., :1] * (gates[..., 1:] * self.gate_scale - 1.0) + 2.0
        return super().forward(x, None, mask + strength * positions)


class TransformerLayer(nn.Module):
    """Self-attention and a feed-forward module, with layer norm behind or before each (arXiv:1706.03762)."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.pre_norm = config.pre_norm
        attention = GatedAttention if config.bias_buckets else SelfAttention
        self.attention = attention(config.width, config.num_heads, config.attention_dropout)
        self.attention_norm = nn.LayerNorm(config.width, config.norm_eps)
        self.feed_forward = FeedForward(
            config.width, config.hidden, config.hidden_dropout, activation=nn.GELU
        )
        self.feed_forward_norm = nn.LayerNorm(config.width, config.norm_eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, positions: Tensor | None, mask: Tensor) -> Tensor:
        """Transform x (B, S, D), given the biases of `DistanceBias`, if any, and `padding_mask`."""
        y: Tensor
        if self.pre_norm:
            x = x + self.dropout(self.attention(self.attention_norm(x), positions, mask))
            y = x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))
        else:
            x = self.attention_norm(x + self.dropout(self.attention(x, positions, mask)))
            y = self.feed_forward_norm(x + self.dropout(self.feed_forward(x)))
        return y


class Wav2Vec2Encoder(nn.Module):
    """wav2vec 2.0: (B, 1, N) samples → (B, D, S) encoding.

    Pre-training (`training.contrastive`) calls the parts one by one, fine-tuning and recognition the whole.
    """

    def __init__(self, config: Wav2Vec2Config, num_features: int) -> None:
        super().__init__()
        self.config = config
        channels = config.convolutions[-1].channels
        self.features = FeatureEncoder(config, num_features)
        self.input_norm = nn.LayerNorm(channels, config.norm_eps)
        self.projection = nn.Linear(channels, config.width)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.mask_vector = nn.Parameter(torch.rand(config.width))
        self.position = PositionConvolution(config.width, config.position_kernel, config.position_groups)
        self.dropout = nn.Dropout(config.dropout)
        self.distance_bias: DistanceBias | None = None
        if config.bias_buckets:
            self.distance_bias = DistanceBias(config.num_heads, config.bias_buckets, config.bias_distance)
        self.layers = nn.ModuleList(TransformerLayer(config) for _ in range(config.num_layers))
        self.norm = nn.LayerNorm(config.width, config.norm_eps)
        self.output_dropout = nn.Dropout(config.output_dropout)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (B, 1, N) or (B, 1, 1, N) samples, of which (B,) are valid: (B, D, S) or (B, D, 1, S)."""
        latent, lengths = self.latent(features, lengths)  # (B, S, C)
        x = self.input_dropout(self.projection(self.input_norm(latent)))
        if self.training:
            x = self.masked(x, span_mask(lengths, x.shape[1], self.config.time_mask))
        encoded = self.output_dropout(self.contextualize(x, lengths)).transpose(1, 2)  # (B, D, S)
        return encoded if features.dim() == 3 else encoded.unsqueeze(2), lengths

    def latent(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Give the latent speech (B, S, C) of (B, 1, N) or (B, 1, 1, N) samples, and (B,) valid frames."""
        latent, lengths = self.features(samples, lengths)
        return latent.flatten(2).transpose(1, 2), lengths

    def masked(self, x: Tensor, times: Tensor) -> Tensor:
        """Put the mask vector where `times` (B, S) is true in x (B, S, D), and 0 in some channels."""
        x = torch.where(times.unsqueeze(2), self.mask_vector.to(x.dtype), x)
        widths = torch.full((len(x),), x.shape[2], device=x.device)
        channels = span_mask(widths, x.shape[2], self.config.channel_mask)
        return x.masked_fill(channels.unsqueeze(1), 0.0)

    def contextualize(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Run the Transformer over x (B, S, D), of which (B,) frames are valid."""
        x = self.position(x * frame_mask(lengths, x.transpose(1, 2)).transpose(1, 2))
        x = self.dropout(x if self.config.pre_norm else self.norm(x))
        mask = padding_mask(lengths, x)
        positions = None if self.distance_bias is None else self.distance_bias(x)
        for layer in self.layers:
            if not self.training or float(torch.rand(())) >= self.config.layer_dropout:
                x = layer(x, positions, mask)
        return self.norm(x) if self.config.pre_norm else x


def wav2vec2(variant: str) -> Wav2Vec2Config:
    """Return a named size.

    `base` and `large` are the paper's (§4.2), `large` in the form that was trained on 60,000 hours and that
    XLSR and XLS-R 0.3B took over; `xls-r-1b` and `xls-r-2b` are XLS-R's (arXiv:2111.09296, table 1); `tiny`
    is linnet's own.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    return Wav2Vec2Config.model_validate(_SIZES[variant])


_NORMED = {"conv_bias": True, "conv_norm": "layer", "pre_norm": True, "num_heads": 16, "layer_dropout": 0.0}
_LARGE = {**_NORMED, "num_layers": 24, "width": 1024, "hidden": 4096}
_SIZES: dict[str, dict[str, Any]] = {
    "tiny": {  # few channels where there are many frames: there the others spend half of a step
        "convolutions": [
            WaveConvolution(channels, *layer[1:])
            for channels, layer in zip((32, 64, 96, 128, 128, 128, 128), CONVOLUTIONS, strict=True)
        ],
        "num_layers": 4,
        "width": 144,
        "hidden": 576,
        "num_heads": 4,
        "position_kernel": 64,
        "pre_norm": True,
        "layer_dropout": 0.0,
    },
    "base": {},
    "large": _LARGE,
    "xls-r-300m": _LARGE,
    "xls-r-1b": {**_NORMED, "num_layers": 48, "width": 1280, "hidden": 5120},
    "xls-r-2b": {**_NORMED, "num_layers": 48, "width": 1920, "hidden": 7680},
}
VARIANTS = tuple(_SIZES)
