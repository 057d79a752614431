"""Squeeze-and-excitation over time: channels scaled by what an utterance's valid frames hold on average."""

import torch
from torch import Tensor, nn


class SqueezeExcite(nn.Module):
    """Squeeze-and-excitation with global context (arXiv:1709.01507; ContextNet, arXiv:2005.03191, eq. 2).

    The mean over the valid frames goes through two linear layers and a sigmoid; the result scales the
    channels. It is computed in float32 also under mixed precision, since half precision is too coarse for a
    mean over thousands of frames.

    Args:
        channels: channels in and out.
        reduction: how many times narrower the hidden layer is.
        activation: between the two layers.
        bias: whether the layers have biases.
    """

    def __init__(self, channels: int, reduction: int, activation: nn.Module, *, bias: bool = False) -> None:
        super().__init__()
        self.reduce = nn.Linear(channels, channels // reduction, bias=bias)
        self.activation = activation
        self.expand = nn.Linear(channels // reduction, channels, bias=bias)
        for layer in (self.reduce, self.expand):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Scale (B, C, T) or (B, C, 1, T) by what the `frame_mask` lets through; the rest becomes 0."""
        if not x.is_meta and torch.is_autocast_enabled(x.device.type):
            with torch.autocast(x.device.type, enabled=False):
                return self._scaled(x.float(), mask.float()).to(x.dtype)
        return self._scaled(x, mask)

    def _scaled(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x * mask
        mean = x.sum(-1) / mask.sum(-1).clamp(min=1.0)  # (B, C) or (B, C, 1)
        scale: Tensor = self.expand(self.activation(self.reduce(mean.flatten(1)))).sigmoid()  # (B, C)
        return x * scale.reshape(*scale.shape, *[1] * (x.dim() - 2))
