"""The mean of checkpoints."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from linnet.core.errors import CheckpointError
from linnet.models.checkpoint import save_model
from linnet.training.averaging import average_weights
from linnet.training.config import TrainConfig


@pytest.fixture
def save(tmp_path: Path, make_config: Callable[..., TrainConfig]) -> Callable[..., Path]:
    """`save("a", key=tensor, …)` → a checkpoint with these weights."""

    def save_as(name: str, **weights: Tensor) -> Path:
        path = tmp_path / f"{name}.ckpt"
        save_model(path, make_config().model, weights, step=1)
        return path

    return save_as


def test_weights_are_averaged_and_counters_taken_from_the_last(save: Callable[..., Path]) -> None:
    paths = [
        save("a", weight=torch.tensor([1.0, 2.0]), count=torch.tensor(3)),
        save("b", weight=torch.tensor([2.0, 6.0]), count=torch.tensor(4)),
        save("c", weight=torch.tensor([6.0, 1.0]), count=torch.tensor(5)),
    ]
    mean = average_weights(paths)
    assert mean["weight"].tolist() == [3.0, 3.0]
    assert mean["weight"].dtype == torch.float32
    assert mean["count"] == 5


def test_small_differences_survive_the_sum(save: Callable[..., Path]) -> None:
    value = torch.tensor([16_777_217.0 / 3, 1e-8])
    mean = average_weights([save(str(number), weight=value) for number in range(7)])
    assert torch.equal(mean["weight"], value)


@pytest.mark.parametrize(
    "other",
    [{"other": torch.zeros(2)}, {"weight": torch.zeros(3)}, {"weight": torch.zeros(2), "b": torch.ones(1)}],
)
def test_checkpoints_of_different_models_are_refused(
    save: Callable[..., Path], other: dict[str, Tensor]
) -> None:
    with pytest.raises(CheckpointError, match=r"b\.ckpt: holds other weights than .*a\.ckpt"):
        average_weights([save("a", weight=torch.zeros(2)), save("b", **other)])
