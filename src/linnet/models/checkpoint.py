"""What a checkpoint says of its model, and how it is read back without running anything from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from linnet.core.errors import CheckpointError
from linnet.core.files import replacing
from linnet.models.ctc import CtcModel, ModelConfig

FORMAT = 1
PREFIX = "model."  # where the training module keeps the model's weights
RETRAIN = "Train again, or use another checkpoint of the run"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's configuration and weights."""

    config: ModelConfig
    weights: dict[str, Tensor]
    step: int


def describe_model(config: ModelConfig) -> dict[str, Any]:
    """Return the entry "linnet" of a checkpoint."""
    return {"format": FORMAT, "model": config.model_dump(mode="json")}


def save_model(path: Path, config: ModelConfig, weights: Mapping[str, Tensor], step: int) -> None:
    """Write a checkpoint that holds a model and nothing of its training."""
    prefixed = {PREFIX + key: value for key, value in weights.items()}
    with replacing(path) as temporary:
        torch.save({"linnet": describe_model(config), "state_dict": prefixed, "global_step": step}, temporary)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint of a run or of `save_model`; only tensors and plain values are unpickled.

    Raises:
        CheckpointError: when the file is missing, damaged or not a linnet checkpoint.
    """
    if not path.is_file():
        raise CheckpointError("there is no such checkpoint", where=str(path), remedy="Check the path")
    match _load_plain_values(path):
        case {
            "linnet": {"format": int(version), "model": dict(about)},
            "state_dict": dict(state),
            "global_step": int(step),
        } if version == FORMAT:
            return Checkpoint(_read_config(about, path), _model_weights(state), step)
    raise CheckpointError(
        "is not a checkpoint of linnet", where=str(path), remedy="Give a .ckpt of `linnet train`"
    )


def load_model(path: Path) -> CtcModel:
    """Build the model of a checkpoint, in evaluation mode.

    Raises:
        CheckpointError: also when weights are missing, unexpected or of another shape.
    """
    checkpoint = read_checkpoint(path)
    model = CtcModel(checkpoint.config)
    try:
        model.load_state_dict(checkpoint.weights)
    except RuntimeError as error:
        problem = " ".join(line.strip() for line in str(error).splitlines()[1:])
        raise CheckpointError(
            f"does not fit its own model: {problem}", where=str(path), remedy=RETRAIN
        ) from None
    return model.eval()


def _load_plain_values(path: Path) -> Any:
    with path.open("rb") as file:
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file can raise anything
            # torch's own message is not shown: it proposes to run what the file holds.
            raise CheckpointError(
                "is damaged, or holds more than tensors and plain values", where=str(path), remedy=RETRAIN
            ) from error


def _read_config(about: dict[str, Any], path: Path) -> ModelConfig:
    match about:
        case {"tokenizer": {"path": str()}}:  # a checkpoint holds its pieces and may not open other files
            raise CheckpointError("refers to a tokenizer outside of it", where=str(path), remedy=RETRAIN)
    try:
        return ModelConfig.model_validate(about)
    except ValidationError as error:
        problem = f"describes a model this version does not know: {error.errors()[0]['msg']}"
        raise CheckpointError(problem, where=str(path), remedy="Update linnet") from None


def _model_weights(state: dict[Any, Any]) -> dict[str, Tensor]:
    return {
        key.removeprefix(PREFIX): value
        for key, value in state.items()
        if isinstance(key, str) and key.startswith(PREFIX) and isinstance(value, Tensor)
    }
