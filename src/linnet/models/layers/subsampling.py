"""Subsampling by strided 2-D convolutions over time and frequency, exact under padding.

B batch, C channels, F mel bins, T frames in, S frames after subsampling, D width.
"""

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

KERNEL, STRIDE = 3, 2
Size = TypeVar("Size", int, Tensor)


def valid_frames(lengths: Tensor, x: Tensor) -> Tensor:
    """Return 1 for valid frames of x (B, C, T, F) and 0 for padding: (B, 1, T, 1)."""
    valid = torch.arange(x.shape[2], device=x.device) < lengths.unsqueeze(1)
    return valid.to(x.dtype)[:, None, :, None]


class ConvSubsampling(nn.Module):
    """3x3 convolutions of stride 2, each followed by ReLU, then a linear layer over channels and bins.

    Plain convolutions are the subsampling of Conformer (arXiv:2005.08100), separable ones after the first
    that of Squeezeformer (arXiv:2206.00888) and FastConformer (arXiv:2305.05084). Every convolution sees
    zeros beyond the valid frames, so that padding changes nothing.

    Args:
        num_features: F.
        width: D.
        channels: C.
        factor: T / S, a power of two.
        separable: whether the convolutions after the first are depthwise, with a pointwise one behind.
        causal: whether the padding is two before and one behind, instead of one on each side; over the mel
            bins as well, as in NeMo's streaming models.
    """

    def __init__(
        self,
        num_features: int,
        width: int,
        channels: int,
        factor: int,
        *,
        separable: bool = False,
        causal: bool = False,
    ) -> None:
        super().__init__()
        assert factor.bit_count() == 1, "the factor must be a power of two"
        self.padding = (KERNEL - 1, STRIDE - 1) if causal else (1, 1)
        own_padding = 0 if causal else 1
        num_stages = factor.bit_length() - 1
        groups = channels if separable else 1
        self.stages = nn.ModuleList(
            nn.Conv2d(1, channels, KERNEL, STRIDE, own_padding)
            if index == 0
            else nn.Conv2d(channels, channels, KERNEL, STRIDE, own_padding, groups=groups)
            for index in range(num_stages)
        )
        self.mixings = nn.ModuleList(
            nn.Conv2d(channels, channels, 1) if separable and index else nn.Identity()
            for index in range(num_stages)
        )
        num_bins = num_features
        for _ in range(num_stages):
            num_bins = self._output_size(num_bins)
        self.output = nn.Linear(channels * num_bins, width)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Subsample.

        Args:
            features: (B, F, T), or (B, F, 1, T) for export.
            lengths: (B,) valid frames.

        Returns:
            (B, S, D) and (B,) valid frames of it.
        """
        x = (features if features.dim() == 3 else features.squeeze(2)).transpose(1, 2).unsqueeze(1)
        x = x * valid_frames(lengths, x)
        for stage, mixing in zip(self.stages, self.mixings, strict=True):
            if self.padding != (1, 1):
                x = functional.pad(x, self.padding * 2)
            x = mixing(stage(x))  # (B, C, T', F')
            lengths = self._output_size(lengths)
            # In place: these are the largest tensors of the model, and convolutions do not look back at them.
            x = x.mul_(valid_frames(lengths, x)).relu_()
        return self.output(x.transpose(1, 2).flatten(2)), lengths

    def _output_size(self, size: Size) -> Size:
        """Return how many frames, or bins, a stage leaves of `size`."""
        return (size + sum(self.padding) - KERNEL) // STRIDE + 1
