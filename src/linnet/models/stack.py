"""Two encoders, one after the other.

B batch, F feature rows, T frames in, D width, S frames out.
"""

from torch import Tensor, nn


class EncoderStack(nn.Module):
    """Encodes an encoding: (B, F, T) → (B, D, S).

    Args:
        first: reads the features.
        then: reads what `first` makes of them.
    """

    def __init__(self, first: nn.Module, then: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.then = then

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (B, F, T) or (B, F, 1, T) features with (B,) valid frames."""
        encoded, lengths = self.first(features, lengths)
        if encoded.dim() < features.dim():  # an encoder need not keep the form that is exported
            encoded = encoded.unsqueeze(2)
        output: tuple[Tensor, Tensor] = self.then(encoded, lengths)
        return output
