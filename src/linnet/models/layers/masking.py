"""Masks that keep padding out of a batch's valid frames."""

import torch
from torch import Tensor


def frame_mask(lengths: Tensor, x: Tensor) -> Tensor:
    """Return 1 for valid frames and 0 for padding, shaped to multiply `x`.

    Args:
        lengths: (B,) valid frames.
        x: (B, C, T) or (B, C, 1, T).

    Returns:
        (B, 1, T) or (B, 1, 1, T) in the dtype of `x`.
    """
    valid = torch.arange(x.shape[-1], device=x.device) < lengths.unsqueeze(1)
    mask = valid.to(x.dtype).unsqueeze(1)
    return mask if x.dim() == 3 else mask.unsqueeze(2)
