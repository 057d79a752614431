"""The mean of several checkpoints of one run (Polyak and Juditsky 1992; icefall and Transformer practice)."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from linnet.core.errors import CheckpointError
from linnet.models.checkpoint import read_checkpoint


def average_weights(paths: Sequence[Path]) -> dict[str, Tensor]:
    """Average the model weights of checkpoints, in float64; integer entries come from the last one.

    Raises:
        CheckpointError: when a checkpoint cannot be read or holds another model than the first.
    """
    assert paths, "nothing to average"
    total: dict[str, Tensor] = {}
    for path in paths:
        weights = read_checkpoint(path).weights
        if total and _shapes(weights) != _shapes(total):
            raise CheckpointError(
                f"holds other weights than {paths[0]}",
                where=str(path),
                remedy="Average checkpoints of one run",
            )
        for key, value in weights.items():
            if not value.is_floating_point():
                total[key] = value
            else:
                total[key] = total[key] + value.double() if key in total else value.double()
    return {
        key: (value / len(paths)).to(torch.float32) if value.is_floating_point() else value
        for key, value in total.items()
    }


def _shapes(weights: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in weights.items()}
