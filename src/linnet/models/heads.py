"""Heads: from the encoding of a frame to a score for every token."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from linnet.models.layers.convolution import TimeConv
from linnet.models.layers.recurrent import RecurrentStack


class LinearHeadConfig(BaseModel):
    """One linear layer, the usual head for CTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["linear"] = "linear"

    def build(self, width: int, num_tokens: int) -> "LinearHead":
        """Build the head for D = `width` and V = `num_tokens`."""
        return LinearHead(width, num_tokens, bias=True)


class LstmHeadConfig(BaseModel):
    """An LSTM before the linear layer, as in the Conformer with LSTM decoder of NguyenAnh2003's notes.

    Attributes:
        hidden: width of the LSTM, in each direction.
        num_layers: LSTM layers.
        bidirectional: also read from the end of the utterance.
        dropout: before each LSTM layer but the first, and before the linear layer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["lstm"] = "lstm"
    hidden: int = Field(default=320, ge=1, le=8192)
    num_layers: int = Field(default=1, ge=1, le=16)
    bidirectional: bool = False
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)

    def build(self, width: int, num_tokens: int) -> "LstmHead":
        """Build the head for D = `width` and V = `num_tokens`."""
        return LstmHead(self, width, num_tokens)


HeadConfig = Annotated[LinearHeadConfig | LstmHeadConfig, Field(discriminator="kind")]


class LinearHead(TimeConv):
    """Scores each frame by itself: (B, D, S) → (B, V, S), or (B, D, 1, S) → (B, V, 1, S)."""

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Score the frames; `lengths`, which other heads need, makes no difference."""
        return super().forward(x)


class LstmHead(nn.Module):
    """Scores each frame with what came before it: (B, D, S) or (B, D, 1, S) → (B, V, S)."""

    def __init__(self, config: LstmHeadConfig, width: int, num_tokens: int) -> None:
        super().__init__()
        self.rnn = RecurrentStack(
            "lstm",
            width,
            config.hidden,
            config.num_layers,
            bidirectional=config.bidirectional,
            dropout=config.dropout,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.linear = nn.Linear(self.rnn.output_width, num_tokens)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Score the frames, of which (B,) are valid."""
        y = self.rnn(x.flatten(2).transpose(1, 2), lengths)  # (B, S, H)
        scores: Tensor = self.linear(self.dropout(y))
        return scores.transpose(1, 2)
