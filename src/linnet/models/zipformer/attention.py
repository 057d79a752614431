"""Attention in Zipformer: weights computed once for a block, and the modules that share them.

B batch, S frames, D width, H heads, Q query width, P positions.
"""

import math

import torch
from torch import Tensor, nn

from linnet.models.layers.attention import relative_shift
from linnet.models.layers.positions import distances
from linnet.models.layers.schedule import Clock, Ramp
from linnet.models.zipformer.activations import scaled_linear
from linnet.models.zipformer.regularizers import Balancer, Whiten, chance, penalized

POSITION_SKIP = Ramp((0.0, 0.5), (4000.0, 0.0))
PENALTY_PROBABILITY = 0.1


def whitening_limit(limit: float, growth: float = 2.0) -> Ramp:
    """A limit that grows over 20,000 batches."""
    return Ramp((0.0, limit), (20_000.0, growth * limit))


def compact_positions(x: Tensor, width: int) -> Tensor:
    """Return the position table of x (B, S, D) for `relative_shift`: (2S, `width`).

    Distances d are squeezed, logarithmically and then by an arc tangent, into an angle, of which the
    columns are cosines and sines (icefall's CompactRelPositionalEncoding); near ones stay far apart, and
    far ones lie near each other. The last column is 1.
    """
    num_frames = x.shape[1]
    offsets = -distances(num_frames, num_frames, 0, x).to(torch.float32).unsqueeze(1)  # key minus query
    length = math.sqrt(width)
    squeezed = length * offsets.sign() * ((offsets.abs() + length).log() - math.log(length))
    angles = (squeezed * (2.0 * math.pi / width)).atan()
    angles = angles * torch.arange(1, width // 2 + 1, device=x.device)
    table = torch.stack((angles.cos(), angles.sin()), dim=-1).flatten(1)[:, :-1]
    return torch.cat((table, torch.ones_like(table[:, :1])), dim=1).to(x.dtype)


class AttentionWeights(nn.Module):
    """Who looks at whom: softmax of q·k + p·W r over the keys, with r the table of positions (§3.1).

    There is no division by √Q: the initial weights are that much smaller instead, which ScaledAdam keeps
    in proportion.
    """

    def __init__(
        self,
        clock: Clock,
        width: int,
        num_heads: int,
        query_width: int,
        position_head_width: int,
        position_width: int,
    ) -> None:
        super().__init__()
        self.clock, self.num_heads = clock, num_heads
        self.split = [query_width * num_heads] * 2 + [position_head_width * num_heads]
        self.in_proj = scaled_linear(width, sum(self.split), query_width**-0.25)
        self.linear_pos = scaled_linear(position_width, num_heads * position_head_width, 0.05, bias=False)
        self.balance_keys = Balancer(clock, (0.4, 0.6), (0.0, 100.0), probability=0.025)
        self.whiten_keys = Whiten(clock, whitening_limit(3.0), gain=0.025, num_groups=num_heads)

    def forward(self, x: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        """Return the weights (B, H, S, S) of frames x (B, S, D).

        Args:
            x: (B, S, D).
            positions: `compact_positions`.
            mask: to be added to the scores (B, H, S, S).
        """
        query, key, place = self.in_proj(x).split(self.split, dim=-1)
        key = self.whiten_keys(self.balance_keys(key))
        scores = split_heads(query, self.num_heads) @ split_heads(key, self.num_heads).transpose(-2, -1)
        table = split_heads(self.linear_pos(positions), self.num_heads)  # (H, 2S, d)
        by_position = _shifted(split_heads(place, self.num_heads) @ table.transpose(-2, -1))
        if self.training and chance(self.clock.value(POSITION_SKIP)):
            by_position = by_position * 0.0  # its weights keep a gradient, which processes agree about
        scores = scores + by_position
        if self.training and chance(PENALTY_PROBABILITY):
            scores = penalized(scores)
        weights: Tensor = (scores + mask).softmax(-1)
        return weights


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """(…, S, H·d) → (…, H, S, d)."""
    return x.reshape(*x.shape[:-1], num_heads, x.shape[-1] // num_heads).transpose(-3, -2)


def _shifted(scores: Tensor) -> Tensor:
    """Turn scores (B, H, S, 2S) by distance into scores (B, H, S, S) by key."""
    if not torch.compiler.is_exporting():
        return relative_shift(scores)
    # For export by index: it cannot prove the length of a row where S comes from several divisions.
    frames = torch.arange(scores.shape[-2], device=scores.device)
    columns = scores.shape[-2] + frames - frames.unsqueeze(1)
    return scores.gather(-1, columns.expand(scores.shape[0], scores.shape[1], -1, -1))


class SelfAttention(nn.Module):
    """Sums of values under weights that the block has computed."""

    def __init__(self, clock: Clock, width: int, num_heads: int, value_width: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.in_proj = nn.Linear(width, num_heads * value_width)
        self.out_proj = scaled_linear(num_heads * value_width, width, 0.05)
        self.whiten = Whiten(clock, whitening_limit(7.5, 3.0))

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Attend within x (B, S, D) by weights (B, H, S, S)."""
        values = split_heads(self.in_proj(x), self.num_heads)  # (B, H, S, d)
        attended: Tensor = self.whiten(self.out_proj((weights @ values).transpose(1, 2).flatten(2)))
        return attended


class NonlinearAttention(nn.Module):
    """Values gated before and behind the sum, under the weights of the first head (§3.2)."""

    def __init__(self, clock: Clock, width: int) -> None:
        super().__init__()
        hidden = 3 * width // 4
        self.in_proj = nn.Linear(width, 3 * hidden)
        positive = (Ramp((0.0, 0.25), (20_000.0, 0.05)), Ramp((0.0, 0.75), (20_000.0, 0.95)))
        self.balancer = Balancer(clock, positive, (0.5, 5.0))
        self.whiten_in = Whiten(clock, whitening_limit(5.0))
        self.out_proj = scaled_linear(hidden, width, 0.05)
        self.whiten_out = Whiten(clock, whitening_limit(5.0, 3.0))

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Attend within x (B, S, D) by weights (B, H, S, S)."""
        gate, values, scale = self.in_proj(x).chunk(3, dim=-1)
        values = self.whiten_in(values) * self.balancer(gate).tanh()
        attended: Tensor = self.whiten_out(self.out_proj((weights[:, 0] @ values) * scale))
        return attended
