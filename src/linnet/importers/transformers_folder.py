"""The files of a model that transformers saved: JSON within bounds, and weights without running anything."""

import json
from pathlib import Path
from typing import Any

from torch import Tensor

from linnet.core.errors import CheckpointError
from linnet.core.optional import require
from linnet.importers.fetch import TRANSFORMERS_SHARDS, TRANSFORMERS_WEIGHTS
from linnet.importers.nemo_weights import MAX_TENSORS, checked_tensor, load_weights

VOCABULARY = "vocab.json"
MAX_JSON_BYTES = 16 << 20


def read_json(path: Path) -> dict[str, Any]:
    """Read an object of JSON.

    Raises:
        CheckpointError: when it is missing, too large or no object.
    """
    if not path.is_file():
        raise CheckpointError(
            f"the file {path.name} is missing",
            where=str(path.parent),
            remedy="Fetch all files of the model, also the small ones",
        )
    if path.stat().st_size > MAX_JSON_BYTES:
        raise CheckpointError(f"has more than {MAX_JSON_BYTES >> 20} MiB", where=str(path))
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"is no JSON: {error}", where=str(path)) from None
    if not isinstance(values, dict):
        raise CheckpointError("is no object of JSON", where=str(path))
    return values


def read_weights(folder: Path) -> tuple[dict[str, Tensor], Path]:
    """Read model.safetensors, or pytorch_model.bin where there is none; gives tensors by name and the file.

    Raises:
        CheckpointError: when there is no such file, or it is damaged, would run code, or holds NaN.
        MissingDependencyError: when safetensors is not installed.
    """
    safe, pickled = (folder / name for name in TRANSFORMERS_WEIGHTS)
    if safe.is_file():
        return _read_safetensors(safe), safe
    if pickled.is_file():
        with pickled.open("rb") as file:
            return load_weights(file, pickled.stat().st_size, str(pickled)), pickled
    if any((folder / name).is_file() for name in TRANSFORMERS_SHARDS):
        raise CheckpointError(
            "the weights are spread over several files, which are not read",
            where=str(folder),
            remedy='Save them as one, with model.save_pretrained(DIR, max_shard_size="100GB")',
        )
    raise CheckpointError(f"there is no {safe.name} and no {pickled.name}", where=str(folder))


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    library = require("safetensors.torch", extra="train", purpose=f"reading {path.name}")
    try:
        tensors = library.load_file(path)
    except Exception as error:  # of the library, of the file system, of numbers that torch does not know
        raise CheckpointError(
            f"is damaged, or no file of safetensors: {error}",
            where=str(path),
            remedy="Download the file again and compare its size",
        ) from error
    if not tensors or len(tensors) > MAX_TENSORS:
        raise CheckpointError(f"holds {len(tensors)} tensors", where=str(path))
    return {key: checked_tensor(key, value, str(path)) for key, value in tensors.items()}
