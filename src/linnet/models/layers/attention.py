"""Multi-head self-attention over the frames of an utterance, with relative positions.

B batch, S frames, D width, H heads, d = D/H; Q queries, K keys, P positions.
"""

import torch
from torch import Tensor, nn

from linnet.models.layers.positions import distances, sinusoids


def additive_mask(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn "may be looked at" into what is added to the scores: 0, or so little that softmax gives 0 exactly.

    It stays finite, so that a query without any key (an utterance of no frames) gives no NaN.
    """
    floor = torch.finfo(dtype).min / 2
    return torch.zeros_like(allowed, dtype=dtype).masked_fill(~allowed, floor)


def padding_mask(lengths: Tensor, x: Tensor) -> Tensor:
    """Hide the frames of x (B, S, D) beyond `lengths` (B,) from every query: (B, 1, 1, S), to be added."""
    valid = torch.arange(x.shape[1], device=x.device) < lengths.unsqueeze(1)
    return additive_mask(valid, x.dtype)[:, None, None]


def relative_positions(x: Tensor) -> Tensor:
    """Return the position table (2S, D) of `RelativeAttention` for x (B, S, D)."""
    num_frames, width = x.shape[1:]
    return sinusoids(distances(num_frames, num_frames, 0, x), width).to(x.dtype)


def relative_shift(scores: Tensor) -> Tensor:
    """Turn scores by distance into scores by key (arXiv:1901.02860, appendix B), without copying them.

    Args:
        scores: (…, Q, Q + K), contiguous: for each query, one for each of `positions.distances`.

    Returns:
        (…, Q, K), whose row i is the input's row from column Q − i on.
    """
    num_queries = scores.shape[-2]
    num_keys = scores.shape[-1] - num_queries
    # Rows one value shorter move each next row one value to the left.
    rows = scores.flatten(-2)[..., num_queries:]
    return rows.reshape(*scores.shape[:-1], num_queries + num_keys - 1)[..., :num_keys]


class SelfAttention(nn.Module):
    """Scaled dot-product attention of every frame to every other (arXiv:1706.03762, §3.2).

    Args:
        width: D; a multiple of `num_heads`.
        num_heads: H.
        dropout: of the attention weights.
        bias: whether the linear layers add a bias.
    """

    def __init__(self, width: int, num_heads: int, dropout: float, bias: bool = True) -> None:
        super().__init__()
        assert width % num_heads == 0, "each head takes the same share of the width"
        self.num_heads = num_heads
        self.scale = (width // num_heads) ** -0.5
        self.query = nn.Linear(width, width, bias=bias)
        self.key = nn.Linear(width, width, bias=bias)
        self.value = nn.Linear(width, width, bias=bias)
        self.output = nn.Linear(width, width, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, positions: Tensor | None, mask: Tensor) -> Tensor:
        """Attend within x (B, S, D).

        Args:
            x: (B, S, D).
            positions: the position table of the subclass; none here.
            mask: to be added to the scores (B, H, S, S).

        Returns:
            (B, S, D).
        """
        query, key, value = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        scores = (query * self.scale) @ key.transpose(-2, -1) + mask
        return self.merge(self.weights(scores) @ value)

    def split(self, x: Tensor) -> Tensor:
        """(…, S, D) → (…, H, S, d)."""
        return x.reshape(*x.shape[:-1], self.num_heads, -1).transpose(-3, -2)

    def merge(self, x: Tensor) -> Tensor:
        """(B, H, S, d) → (B, S, D), through the output layer."""
        y: Tensor = self.output(x.transpose(1, 2).flatten(2))
        return y

    def weights(self, scores: Tensor) -> Tensor:
        """Normalize scores over the keys, with dropout in training."""
        weights: Tensor = self.dropout(scores.softmax(-1))
        return weights


class RelativeAttention(SelfAttention):
    """Attention with the relative positions of Transformer-XL (arXiv:1901.02860, §3.3).

    The score of a query for a key is (q + u)·k + (q + v)·W r with r the sinusoids of their distance, over √d.
    """

    def __init__(self, width: int, num_heads: int, dropout: float, bias: bool = True) -> None:
        super().__init__(width, num_heads, dropout, bias)
        self.position = nn.Linear(width, width, bias=False)
        self.content_bias = nn.Parameter(torch.zeros(num_heads, width // num_heads))  # u
        self.position_bias = nn.Parameter(torch.zeros(num_heads, width // num_heads))  # v

    def forward(self, x: Tensor, positions: Tensor | None, mask: Tensor) -> Tensor:
        """Attend within x (B, S, D), given `relative_positions` and a mask such as `padding_mask`."""
        assert positions is not None, "relative attention needs positions"
        query, key, value = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        scores = self.score(query, key, self.split(self.position(positions))) + mask  # (B, H, S, S)
        return self.merge(self.weights(scores) @ value)

    def score(self, query: Tensor, key: Tensor, position: Tensor) -> Tensor:
        """Score queries (B, H, …, Q, d) for keys (B, H, …, K, d), given (H, …, Q + K, d): (B, H, …, Q, K)."""
        bias_shape = (self.num_heads, *[1] * (query.dim() - 3), -1)
        by_content = (query + self.content_bias.view(bias_shape)) * self.scale
        by_position = (query + self.position_bias.view(bias_shape)) * self.scale
        scores: Tensor = by_content @ key.transpose(-2, -1)
        return scores + relative_shift(by_position @ position.transpose(-2, -1))
