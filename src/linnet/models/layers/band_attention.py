"""Relative attention within a band around each frame, in time and memory proportional to the frames.

B batch, S frames, D width, H heads, d = D/H; w block size, the larger side of the band; n = ⌈S/w⌉ blocks.
Every block of w queries looks at its own, the previous and the next block of keys.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.models.layers.attention import RelativeAttention, additive_mask
from linnet.models.layers.positions import distances, sinusoids


def band_mask(lengths: Tensor, x: Tensor, left: int, right: int) -> Tensor:
    """Let a frame of x (B, S, D) look at `left` frames before and `right` behind it, within `lengths` (B,).

    Returns:
        (B, 1, n, w, 3w), to be added to the scores.
    """
    size = max(left, right)
    queries = torch.arange(size, device=x.device).unsqueeze(1)
    offsets = torch.arange(3 * size, device=x.device) - size  # of the keys, from the block's first query
    in_band = (queries - offsets <= left) & (offsets - queries <= right)  # (w, 3w)
    starts = torch.arange(num_blocks(x.shape[1], size), device=x.device) * size
    keys = starts.unsqueeze(1) + offsets  # (n, 3w)
    valid = (keys >= 0) & (keys < lengths[:, None, None])  # (B, n, 3w)
    return additive_mask(valid.unsqueeze(2) & in_band, x.dtype).unsqueeze(1)


def band_positions(x: Tensor, size: int) -> Tensor:
    """Return the position table (4w, D) of `BandAttention` for x (B, S, D)."""
    return sinusoids(distances(size, 3 * size, size, x), x.shape[-1]).to(x.dtype)


def num_blocks(num_frames: int, size: int) -> int:
    """Return how many blocks of `size` hold the frames."""
    return (num_frames + size - 1) // size


class BandAttention(RelativeAttention):
    """`RelativeAttention` whose mask is a band, computed by blocks (arXiv:2004.05150, §3.1).

    With a global token, the first frame looks at every frame and is looked at by every frame, once more than
    the band lets it (arXiv:2305.05084, §2.3). Like NeMo's, it knows no positions then.

    Args:
        width: D.
        num_heads: H.
        dropout: of the attention weights.
        bias: whether the linear layers add a bias.
        size: w.
        global_token: whether the first frame is a global token.
        global_layers: whether the global token has query, key and value layers of its own.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        dropout: float,
        bias: bool = True,
        *,
        size: int,
        global_token: bool = False,
        global_layers: bool = False,
    ) -> None:
        super().__init__(width, num_heads, dropout, bias)
        self.size, self.global_token = size, global_token
        names = ("query", "key", "value") if global_layers else ()
        self.global_layers = nn.ModuleDict({name: nn.Linear(width, width, bias=bias) for name in names})

    def forward(self, x: Tensor, positions: Tensor | None, mask: Tensor) -> Tensor:
        """Attend within x (B, S, D), given `band_positions` and `band_mask`."""
        assert positions is not None, "relative attention needs positions"
        query, key, value = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        position = self.split(self.position(positions)).unsqueeze(1)  # (H, 1, 4w, d)
        scores = self.score(self._blocks(query), self._neighborhoods(key), position) + mask
        near = self._neighborhoods(value)  # (B, H, n, 3w, d)
        if not self.global_token:
            return self.merge(self._frames(self.weights(scores) @ near, x))
        if self.global_layers:
            query, key, token_value = (self.split(layer(x)) for layer in self.global_layers.values())
        else:
            token_value = value
        to_token = (query * self.scale) @ key[:, :, :1].transpose(-2, -1)  # (B, H, S, 1)
        weights = self.weights(torch.cat((self._blocks(to_token), scores), dim=-1))
        y = self._frames(weights[..., 1:] @ near, x) + self._frames(weights[..., :1], x) * value[:, :, :1]
        from_token = (query[:, :, :1] * self.scale) @ key.transpose(-2, -1)  # (B, H, 1, S)
        token = self.weights(from_token + self._padding_mask(mask, x)) @ token_value
        return self.merge(torch.cat((token, y[:, :, 1:]), dim=2))

    def _blocks(self, x: Tensor) -> Tensor:
        """(B, H, S, d) → (B, H, n, w, d), with zeros behind the last frame."""
        num_frames, size = x.shape[2], self.size
        missing = num_blocks(num_frames, size) * size - num_frames
        return functional.pad(x, (0, 0, 0, missing)).reshape(*x.shape[:2], -1, size, x.shape[-1])

    def _neighborhoods(self, x: Tensor) -> Tensor:
        """(B, H, S, d) → (B, H, n, 3w, d): each block between its neighbors, zeros where there are none."""
        blocks = functional.pad(self._blocks(x), (0, 0, 0, 0, 1, 1))
        return torch.cat((blocks[:, :, :-2], blocks[:, :, 1:-1], blocks[:, :, 2:]), dim=3)

    def _frames(self, blocks: Tensor, x: Tensor) -> Tensor:
        """(B, H, n, w, d) → (B, H, S, d) with S that of x (B, S, D)."""
        return blocks.flatten(2, 3)[:, :, : x.shape[1]]

    def _padding_mask(self, mask: Tensor, x: Tensor) -> Tensor:
        """Read from a band mask which frames of x are padding, by what each says of itself: (B, 1, 1, S)."""
        own = mask[..., self.size : 2 * self.size].diagonal(dim1=-2, dim2=-1)  # (B, 1, n, w)
        return own.flatten(2)[:, :, : x.shape[1]].unsqueeze(2)
