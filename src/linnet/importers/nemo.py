"""A .nemo file as a model of linnet, with weights that fit exactly, or an error that says why not."""

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from linnet.core.errors import CheckpointError
from linnet.importers.fitting import fitted, listed
from linnet.importers.imported_model import ImportedModel
from linnet.importers.nemo_archive import WEIGHTS_MEMBER, open_nemo
from linnet.importers.nemo_config import NemoConfig, translate_config
from linnet.importers.nemo_frontend import BUFFER_PREFIX, with_stored_tables
from linnet.importers.nemo_head import rename_head
from linnet.models.ctc import CtcModel

_ENCODER, _HEAD = "encoder.", "head."


def import_nemo(path: Path, name: str | None = None) -> ImportedModel:
    """Read a .nemo file; nothing in it is run, and nothing is written.

    Args:
        path: the file.
        name: what the model is called from now on; None takes the name of the file.

    Raises:
        CheckpointError: when it is damaged or hostile, holds another kind of model, or asks for something
            that linnet does not compute.
        MissingDependencyError: when its tokenizer is of SentencePiece, which is not installed.
    """
    where = f"{path}, {WEIGHTS_MEMBER}"
    with open_nemo(path) as archive:
        config = translate_config(archive, name or model_name(path.name))
        weights = archive.weights()
    frontend = with_stored_tables(weights, config.model.frontend, where)
    renamed, left_out = _rename(weights, config, where)
    model_config = config.model.model_copy(update={"frontend": frontend})
    weights = fitted(model_config, renamed, where)
    model = CtcModel(model_config)
    model.load_state_dict(weights, assign=True)
    origin = f"{config.nemo_class} of NeMo {config.nemo_version or 'an early version'}"
    return ImportedModel(model.eval(), origin, left_out)


def model_name(file_name: str) -> str:
    """Make a model's name of a file's name."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", file_name.removesuffix(".nemo")).strip("-._")
    return stem[:64] or "imported"


def _rename(
    weights: Mapping[str, Tensor], config: NemoConfig, where: str
) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Give the weights under our names, and how many numbers were left out, by what they are.

    Raises:
        CheckpointError: listing the keys that no table knows.
    """
    renamed: dict[str, Tensor] = {}
    left_out: dict[str, int] = {}
    unknown: list[str] = []
    for key, value in weights.items():
        if key.startswith(BUFFER_PREFIX):
            continue
        other = next((what for start, what in config.target.left_out.items() if key.startswith(start)), None)
        if other is not None:
            left_out[other] = left_out.get(other, 0) + value.numel()
            continue
        try:
            ours = _our_name(key, config)
        except KeyError:
            unknown.append(key)
        else:
            if ours is not None:
                renamed[ours] = value
    if unknown:
        raise CheckpointError(
            f"{len(unknown)} weights are unknown to linnet: {listed(unknown)}",
            where=where,
            remedy="They may belong to adapters, or to a part of NeMo that linnet does not compute",
        )
    return renamed, left_out


def _our_name(key: str, config: NemoConfig) -> str | None:
    """Translate one key; KeyError when it is unknown, None when its value is of no use."""
    if key.startswith(config.target.prefix):
        return _HEAD + rename_head(key.removeprefix(config.target.prefix), config.model.head)
    if not key.startswith(_ENCODER):
        raise KeyError(key)
    ours = config.family.rename(key.removeprefix(_ENCODER), config.model.encoder)
    return None if ours is None else _ENCODER + ours
