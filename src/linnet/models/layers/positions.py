"""Sinusoids of frame positions, computed for any length when they are needed.

D width, P positions.
"""

import math

import torch
from torch import Tensor


def sinusoids(positions: Tensor, width: int) -> Tensor:
    """Return sin(p · 10000^(−2i/D)) in the even and the cosine in the odd channels (arXiv:1706.03762, §3.5).

    Args:
        positions: (P,) frame numbers or distances.
        width: D; even.

    Returns:
        (P, D) float32.
    """
    assert width % 2 == 0, "a sine and a cosine for each frequency need an even width"
    channels = torch.arange(0, width, 2, dtype=torch.float32, device=positions.device)
    rates = torch.exp(channels * -(math.log(10000.0) / width))
    angles = positions.to(torch.float32).unsqueeze(1) * rates  # (P, D/2)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)


def distances(num_queries: int, num_keys: int, lead: int, like: Tensor) -> Tensor:
    """Return the distances that `attention.relative_shift` expects, largest (to the left) first.

    Args:
        num_queries: Q.
        num_keys: K.
        lead: how many keys lie before the first query's own frame.
        like: a tensor on the device to use.

    Returns:
        (Q + K,) query frame minus key frame, from Q + lead down to lead − K + 1.
    """
    return num_queries + lead - torch.arange(num_queries + num_keys, device=like.device)
