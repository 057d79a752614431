"""DeepSpeech2 (arXiv:1512.02595): convolutions over time and frequency, then bidirectional GRUs.

B batch, C channels, F feature rows, T frames in, S frames after subsampling, D width, H values of one
direction. Features are (B, F, T), or (B, F, 1, T) when the encoder is exported.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor, nn

from linnet.models.layers.masking import frame_mask
from linnet.models.layers.recurrent import Cell, RecurrentStack

Pair = tuple[Annotated[int, Field(ge=1, le=255)], Annotated[int, Field(ge=1, le=255)]]


class SpectralConvConfig(BaseModel):
    """One convolution over time and frequency, with batch norm and ReLU.

    Attributes:
        filters: channels out.
        kernel: taps over time and over frequency; odd.
        stride: steps over time and over frequency.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    filters: int = Field(ge=1)
    kernel: Pair
    stride: Pair = (1, 2)

    @field_validator("kernel")
    @classmethod
    def _check_odd(cls, kernel: tuple[int, int]) -> tuple[int, int]:
        if any(taps % 2 == 0 for taps in kernel):
            raise ValueError(f"kernel must be odd over time and over frequency, not {list(kernel)}")
        return kernel


class DeepSpeech2Config(BaseModel):
    """The layers from the features up.

    Attributes:
        convolutions: the lowest layers.
        cell: what the recurrent layers are made of.
        hidden: H, values of one direction of a recurrent layer.
        num_layers: recurrent layers.
        bidirectional: whether they also read from the end of the utterance.
        width: D, of the fully connected layer with ReLU above them.
        dropout: between recurrent layers, and after the fully connected one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["deepspeech2"] = "deepspeech2"
    convolutions: tuple[SpectralConvConfig, ...] = Field(min_length=1)
    cell: Cell = "gru"
    hidden: int = Field(ge=1, le=8192)
    num_layers: int = Field(ge=1, le=64)
    bidirectional: bool = True
    width: int = Field(ge=1)
    dropout: float = Field(default=0.5, ge=0.0, lt=1.0)

    @property
    def output_width(self) -> int:
        """Values that leave the fully connected layer: D."""
        return self.width

    @property
    def subsampling(self) -> int:
        """Input frames per output frame."""
        factor = 1
        for convolution in self.convolutions:
            factor *= convolution.stride[0]
        return factor

    def build(self, num_features: int) -> "DeepSpeech2Encoder":
        """Build the encoder for features of F = `num_features` rows."""
        return DeepSpeech2Encoder(self, num_features)


def deepspeech2(variant: str) -> DeepSpeech2Config:
    """Return a named size of OpenSeq2Seq's: `large` reads 160 bins (`ds2_large_8gpus`), `small` reads 96.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    return _SIZES[variant]


class SpectralConv(nn.Module):
    """Convolution with "same" padding, batch norm and ReLU: (B, C, F, T) → (B, C', F', S)."""

    def __init__(self, in_channels: int, config: SpectralConvConfig) -> None:
        super().__init__()
        kernel, stride = config.kernel[::-1], config.stride[::-1]  # frequency lies before time here
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.convolution = nn.Conv2d(in_channels, config.filters, kernel, stride, padding, bias=False)
        self.norm = FrameBatchNorm(config.filters, eps=1e-3)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Convolve (B, C, F, T) with (B,) valid frames."""
        x = self.convolution(x * frame_mask(lengths, x))
        stride = self.convolution.stride[1]
        lengths = lengths if stride == 1 else (lengths + stride - 1) // stride
        return self.norm(x, lengths).relu(), lengths


class FrameBatchNorm(nn.BatchNorm2d):
    """Batch norm over (B, C, F, T) whose statistics are those of the valid frames alone.

    OpenSeq2Seq and N2 count the padding too. Without it an utterance is trained alike with any padding, and
    the running statistics are those of speech.
    """

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]  # needs lengths
        """Normalize the valid frames; in training the others become 0."""
        if not self.training:
            return super().forward(x)
        valid = frame_mask(lengths, x)[:, 0, 0].bool()  # (B, T)
        frames = x.permute(0, 3, 1, 2)  # (B, T, C, F)
        normalized = frames.new_zeros(frames.shape)
        normalized[valid] = super().forward(frames[valid].unsqueeze(-1)).squeeze(-1)
        return normalized.permute(0, 2, 3, 1)


class DeepSpeech2Encoder(nn.Module):
    """Convolutions, recurrent layers and one fully connected layer: (B, F, T) features → (B, D, S) encoding.

    OpenSeq2Seq's form of DeepSpeech2 (arXiv:1512.02595 §3; the convolutions are the "2-layer 2D" of table 4):
    GRUs as cuDNN computes them, without the paper's batch norm inside them, and no row convolution. Its
    largest, with 160 bins and 29 tokens, has 58,971,133 parameters. N2 (`models.n2`) has the same plan.
    """

    def __init__(self, config: DeepSpeech2Config, num_features: int) -> None:
        super().__init__()
        channels = [1, *(convolution.filters for convolution in config.convolutions)]
        self.convolutions = nn.ModuleList(
            SpectralConv(width, each) for width, each in zip(channels, config.convolutions, strict=False)
        )
        rows = num_features
        for convolution in config.convolutions:
            rows = -(-rows // convolution.stride[1])
        self.rnn = RecurrentStack(
            config.cell,
            channels[-1] * rows,
            config.hidden,
            config.num_layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
        )
        self.linear = nn.Linear(self.rnn.output_width, config.width)
        self.dropout = nn.Dropout(config.dropout)
        _start_like_xavier(self.parameters())

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (B, F, T) or (B, F, 1, T) features with (B,) valid frames."""
        x = features.unsqueeze(1) if features.dim() == 3 else features.transpose(1, 2)  # (B, 1, F, T)
        for convolution in self.convolutions:
            x, lengths = convolution(x, lengths)
        x = self.rnn(x.permute(0, 3, 1, 2).flatten(2), lengths)  # (B, S, C·F) → (B, S, 2·H)
        encoded = self.dropout(self.linear(x).relu()).transpose(1, 2)  # (B, D, S)
        return encoded if features.dim() == 3 else encoded.unsqueeze(2), lengths


def _start_like_xavier(parameters: Iterable[Tensor]) -> None:
    """Draw every matrix and kernel as both sources do (Glorot and Bengio 2010, eq. 16)."""
    for parameter in parameters:
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)


_CONVOLUTIONS = (
    SpectralConvConfig(filters=32, kernel=(11, 41), stride=(2, 2)),
    SpectralConvConfig(filters=32, kernel=(11, 21)),
)
_SIZES = {
    "small": DeepSpeech2Config(convolutions=_CONVOLUTIONS, hidden=512, num_layers=2, width=1024),
    "large": DeepSpeech2Config(convolutions=_CONVOLUTIONS, hidden=800, num_layers=5, width=1600),
}
VARIANTS = tuple(_SIZES)
