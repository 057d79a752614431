"""The position-wise feed-forward module of Transformers."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

_swish = partial(nn.SiLU, inplace=True)


class FeedForward(nn.Module):
    """Linear, activation, dropout, linear: (B, S, D) → (B, S, D) (arXiv:2005.08100, figure 4).

    Args:
        width: D.
        hidden: values between the two linear layers.
        dropout: after the activation.
        bias: whether the linear layers add a bias.
        activation: gives the module between them; Swish by default.
    """

    def __init__(
        self,
        width: int,
        hidden: int,
        dropout: float,
        bias: bool = True,
        *,
        activation: Callable[[], nn.Module] = _swish,
    ) -> None:
        super().__init__()
        self.expand = nn.Linear(width, hidden, bias=bias)
        self.activation = activation()
        self.dropout = nn.Dropout(dropout)
        self.contract = nn.Linear(hidden, width, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, S, D), each frame for itself."""
        y: Tensor = self.contract(self.dropout(self.activation(self.expand(x))))
        return y
