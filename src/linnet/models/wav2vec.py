"""wav2vec 1.0 (arXiv:1904.05862): features of the sound wave, learned without texts.

B batch, N samples, C channels, T frames, D width, K future steps, J distractors. Samples come as features of
one row, (B, 1, N), or (B, 1, 1, N) when the encoder is exported.
"""

import math
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from linnet.models.layers.convolution import TimeConv
from linnet.models.layers.masking import frame_mask

Positive = Annotated[int, Field(ge=1, le=4096)]


class WaveConvConfig(BaseModel):
    """One convolution of the feature encoder: channels out, taps and step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    filters: Positive
    kernel: Positive
    stride: Positive = 1


class Wav2VecConfig(BaseModel):
    """The layers from the samples up.

    Attributes:
        features: the convolutions of the feature encoder, samples → z.
        context_kernels: taps of the causal layers of the context network (the "aggregator"), z → c.
        context_padding: what they see before the first frame: "zero", or "first", that frame again, as
            fairseq has it unless told otherwise.
        log_compression: whether z is log(1 + |z|).
        residual_scale: what the sum of a context layer and its input is multiplied by the root of.
        dropout: in every convolution, before its norm.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["wav2vec"] = "wav2vec"
    features: tuple[WaveConvConfig, ...] = Field(min_length=1)
    context_kernels: tuple[Positive, ...] = tuple(range(2, 14))
    context_padding: Literal["zero", "first"] = "zero"
    log_compression: bool = True
    residual_scale: float = Field(default=0.5, gt=0.0, le=1.0)
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)

    @property
    def output_width(self) -> int:
        """Channels out: D."""
        return self.features[-1].filters

    @property
    def subsampling(self) -> int:
        """Samples from one frame to the next."""
        return math.prod(layer.stride for layer in self.features)

    @property
    def window_samples(self) -> int:
        """Samples that one frame of the feature encoder hears."""
        reach, step = 1, 1
        for layer in self.features:
            reach += (layer.kernel - 1) * step
            step *= layer.stride
        return reach

    def build(self, num_features: int) -> "Wav2VecEncoder":
        """Build the encoder; `num_features` is 1, the row of samples."""
        return Wav2VecEncoder(self, num_features)


def wav2vec(variant: str) -> Wav2VecConfig:
    """Return a named size: `base` is the paper's, `large` that of fairseq, with two more layers of one tap.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    return _SIZES[variant]


class FrameGroupNorm(nn.Module):
    """Group norm with one group, over all channels and valid frames: in float32, blind to padding.

    Args:
        num_channels: C.
    """

    def __init__(self, num_channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(num_channels))
        self.bias = nn.Parameter(torch.zeros(num_channels))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Normalize (B, C, T) or (B, C, 1, T) with (B,) valid frames."""
        values, mask = x.float(), frame_mask(lengths, x).float()
        dims, rows = tuple(range(1, x.dim())), (-1, *[1] * (x.dim() - 2))
        count = (lengths.clamp(min=1) * x.shape[1]).float().view(-1, *[1] * (x.dim() - 1))
        mean = (values * mask).sum(dims, keepdim=True) / count
        centered = values - mean
        variance = (centered * mask).square().sum(dims, keepdim=True) / count
        normalized = centered * (variance + self.eps).rsqrt()
        return (normalized * self.weight.view(rows) + self.bias.view(rows)).to(x.dtype)


class WaveConv(nn.Module):
    """Convolution, dropout, group norm, ReLU: (B, C, T) → (B, C', T').

    Args:
        convolution: of any padding.
        dropout: behind it.
        num_repeated: how often the first frame is put before all frames.
    """

    def __init__(self, convolution: TimeConv, dropout: float, num_repeated: int = 0) -> None:
        super().__init__()
        self.convolution, self.num_repeated = convolution, num_repeated
        self.dropout = nn.Dropout(dropout)
        self.norm = FrameGroupNorm(len(convolution.weight))

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve frames, of which (B,) are valid."""
        if self.num_repeated:
            first = x[..., :1].expand(*[-1] * (x.dim() - 1), self.num_repeated)
            x, lengths = torch.cat([first, x], dim=-1), lengths + self.num_repeated
        lengths = self.convolution.output_lengths(lengths).clamp(min=0)
        return self.norm(self.dropout(self.convolution(x)), lengths).relu(), lengths


class Wav2VecEncoder(nn.Module):
    """Feature encoder and context network: (B, 1, N) samples → (B, D, T) context c, every 10 ms at 16 kHz.

    The convolutions of the feature encoder have no padding, so that T is (N − 465) // 160 + 1; those of the
    context network see only what came before. The norms see the whole utterance.
    """

    def __init__(self, config: Wav2VecConfig, num_features: int) -> None:
        super().__init__()
        assert num_features == 1, "wav2vec reads samples: frontend.kind is waveform"
        self.config = config
        widths = [num_features, *(layer.filters for layer in config.features)]
        self.features = nn.ModuleList(
            WaveConv(
                TimeConv(width, layer.filters, layer.kernel, stride=layer.stride, padding=(0, 0)),
                config.dropout,
            )
            for width, layer in zip(widths, config.features, strict=False)
        )
        width = config.output_width
        self.context = nn.ModuleList(
            _context_layer(width, kernel, config) for kernel in config.context_kernels
        )

    def forward(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (B, 1, N) or (B, 1, 1, N) samples, of which (B,) are valid."""
        latents, lengths = self.encode(samples, lengths)
        return self.aggregate(latents, lengths), lengths

    def encode(self, samples: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latents z (B, D, T), and how many (B,) are valid."""
        x = samples
        for layer in self.features:
            x, lengths = layer(x, lengths)
        return (x.abs() + 1.0).log() if self.config.log_compression else x, lengths

    def aggregate(self, latents: Tensor, lengths: Tensor) -> Tensor:
        """Return the context c (B, D, T) of latents: of each frame and those before it."""
        x, scale = latents, math.sqrt(self.config.residual_scale)
        for layer in self.context:
            x = (layer(x, lengths)[0] + x) * scale
        return x


def _context_layer(width: int, kernel: int, config: Wav2VecConfig) -> WaveConv:
    num_repeated = kernel - 1 if config.context_padding == "first" else 0
    padding = (kernel - 1 - num_repeated, 0)
    return WaveConv(TimeConv(width, width, kernel, bias=True, padding=padding), config.dropout, num_repeated)


class Wav2VecPrediction(nn.Module):
    """The noise-contrastive loss over future steps (§2.2, equation 1).

    For each of K steps k, h_k(c_i) = W_k c_i + b tells the true z_{i+k} from J distractors, which are drawn
    from the valid frames of the same utterance. As in fairseq, the steps begin where z shares no sample with
    the z of frame i, not with the next frame, b is the same for all steps, and a frame has the same
    distractors in each step.

    Args:
        config: the encoder's.
        num_steps: K.
        num_negatives: J, which also is λ of the paper.
    """

    def __init__(self, config: Wav2VecConfig, num_steps: int = 12, num_negatives: int = 10) -> None:
        super().__init__()
        self.num_negatives = num_negatives
        self.first_step = -(-config.window_samples // config.subsampling)
        width = config.output_width
        self.project = nn.ConvTranspose2d(width, width, (1, num_steps))

    def forward(self, latents: Tensor, context: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Compare predictions with latents.

        Args:
            latents: z (B, D, T).
            context: c (B, D, T).
            lengths: (B,) valid frames.

        Returns:
            The mean binary cross-entropy of all decisions, and how often the true z scored higher than
            all their distractors.
        """
        predicted = self.project(context.unsqueeze(-1)).float()  # (B, D, T, K)
        latents = latents.float()
        targets = torch.cat([latents[None], self._distractors(latents, lengths)])  # (1 + J, B, D, T)
        valid = frame_mask(lengths, latents)[:, 0]  # (B, T)
        total = found = count = predicted.new_zeros(())
        for index in range(predicted.shape[-1]):
            ahead = self.first_step + index
            if ahead >= latents.shape[-1]:
                break
            scores = torch.einsum("bdt,jbdt->jbt", predicted[..., :-ahead, index], targets[..., ahead:])
            signs = torch.ones_like(scores)
            signs[1:] = -1
            used = valid[:, ahead:]  # (B, T')
            total = total - (functional.logsigmoid(signs * scores) * used).sum()
            found = found + ((scores[0] > scores[1:].amax(0)) * used).sum()
            count = count + used.sum()
        count = count.clamp(min=1)
        return total / (count * len(targets)), found / count

    def _distractors(self, latents: Tensor, lengths: Tensor) -> Tensor:
        """Draw J of the valid latents for each frame: (J, B, D, T)."""
        num_rows, width, num_frames = latents.shape
        drawn = torch.rand(num_rows, self.num_negatives * num_frames, device=latents.device)
        places = (drawn * lengths[:, None]).long().clamp(max=num_frames - 1)  # (B, J·T)
        found = latents.gather(2, places[:, None].expand(-1, width, -1))
        return found.view(num_rows, width, self.num_negatives, num_frames).permute(2, 0, 1, 3)


def _features(width: int, ones: int = 0) -> tuple[WaveConvConfig, ...]:
    """Give the convolutions of one frame every 160 samples, with `ones` of a single tap behind them."""
    steps = ((10, 5), (8, 4), (4, 2), (4, 2), (4, 2), *[(1, 1)] * ones)
    return tuple(WaveConvConfig(filters=width, kernel=kernel, stride=stride) for kernel, stride in steps)


_SIZES = {
    "tiny": Wav2VecConfig(features=_features(128)),
    "base": Wav2VecConfig(features=_features(512)),
    "large": Wav2VecConfig(features=_features(512, ones=2), dropout=0.1),
}
VARIANTS = tuple(_SIZES)
