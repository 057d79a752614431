"""The model that a run starts from: found, read, and laid under the configuration."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from linnet.bundle.schema import CHECKPOINT_FILE, SPEC_FILE
from linnet.core.config import check_values, read_values
from linnet.core.config_error import shorten
from linnet.core.errors import CheckpointError, ConfigError
from linnet.models.checkpoint import Checkpoint, read_checkpoint
from linnet.models.ctc import ModelConfig
from linnet.models.encoders import FAMILIES, stands_on
from linnet.training.config import TrainConfig
from linnet.training.init_config import InitConfig

logger = logging.getLogger(__name__)
MAX_LISTED_KEYS = 20

ForeignReader = Callable[[str], Checkpoint | None]
"""Reads a model of another toolkit; None when the name is not that of one."""


@dataclass(frozen=True, slots=True)
class Run:
    """What `linnet train` was asked for.

    Attributes:
        config: the complete configuration.
        source: the model that a fresh run starts from, or None.
    """

    config: TrainConfig
    source: Checkpoint | None


class _Resume(BaseModel):
    model_config = ConfigDict(extra="ignore")

    resume: bool = False


class _Start(BaseModel):
    """The keys of a run that say where its model comes from."""

    model_config = ConfigDict(extra="ignore")

    init: InitConfig | None = None
    output_dir: Path = Path()
    trainer: _Resume = _Resume()


def load_run(path: Path, overrides: Sequence[str] = (), read_foreign: ForeignReader | None = None) -> Run:
    """Read a configuration; with `init`, what its model leaves out is the source's.

    Where `trainer.resume` finds a checkpoint of the run, that one is the source, and no weights are taken.

    Args:
        path: the YAML file.
        overrides: as `core.config.load_config` reads them.
        read_foreign: reads models of other toolkits.

    Raises:
        ConfigError: when a key is wrong, or the encoder or front end differ from the source's.
        CheckpointError: when the source cannot be read.
    """
    values, where = read_values(TrainConfig, path, overrides)
    start = check_values(_Start, values, where)
    if start.init is None:
        return Run(check_values(TrainConfig, values, where), None)
    last = start.output_dir / "checkpoints" / "last.ckpt"
    if start.trainer.resume and last.is_file():
        values = _completed(values, read_checkpoint(last).config)
        return Run(check_values(TrainConfig, values, where), None)
    source = read_source(start.init.path, read_foreign)
    config = check_values(TrainConfig, _completed(values, source.config), where)
    _check_agreement(config.model, source.config, start.init, where)
    return Run(config, source)


def read_source(path: str, read_foreign: ForeignReader | None = None) -> Checkpoint:
    """Read a model to start from.

    Args:
        path: a checkpoint, the output_dir of a run, a bundle that keeps its checkpoint, or a foreign model.
        read_foreign: reads models of other toolkits.

    Raises:
        CheckpointError: when it cannot be read, with the remedy.
    """
    foreign = read_foreign(path) if read_foreign else None
    if foreign is not None:
        return foreign
    if path.endswith(".onnx"):
        raise CheckpointError(
            "an exported graph has its weights folded and renamed, and cannot be trained on",
            where=path,
            remedy="Name the checkpoint that it was exported from",
        )
    return read_checkpoint(_checkpoint_in(Path(path)) if Path(path).is_dir() else Path(path))


def _checkpoint_in(directory: Path) -> Path:
    """Find the checkpoint to take in the output_dir of a run, or in a bundle."""
    if (directory / SPEC_FILE).is_file():
        if (kept := directory / CHECKPOINT_FILE).is_file():
            return kept
        raise CheckpointError(
            f"the bundle holds no {CHECKPOINT_FILE}, and its graph has the weights folded and renamed",
            where=str(directory),
            remedy="Name the checkpoint that it was exported from, or export it with --keep-checkpoint",
        )
    if (final := directory / "final.ckpt").is_file():
        return final
    # Names end in the dev WER, written with as many digits in each.
    best = sorted(directory.glob("checkpoints/best-*.ckpt"), key=lambda path: path.stem.rpartition("-")[2])
    if best:
        return best[0]
    raise CheckpointError(
        "there is no final.ckpt, no checkpoints/best-….ckpt and no bundle in this directory",
        where=str(directory),
        remedy="Name a checkpoint, or the output_dir of a run that was validated once",
    )


def _completed(values: Mapping[str, Any], source: ModelConfig) -> dict[str, Any]:
    """Lay the source's front end, encoder, tokenizer and normalizer under those of the configuration."""
    given = values.get("model")
    if not isinstance(given, Mapping | None):
        return dict(values)
    theirs = source.model_dump(mode="json")
    model = {**theirs, **(given or {})}
    if "name" not in (given or {}):
        del model["name"]
    for part in ("frontend", "encoder"):
        model[part] = _overlaid(theirs[part], (given or {}).get(part))
    return {**values, "model": model}


def _overlaid(theirs: Mapping[str, Any], ours: Any) -> Any:
    """Fill in what `ours` leaves out, unless it names a size or another kind."""
    if ours is None:
        return theirs
    if not isinstance(ours, Mapping) or FAMILIES.keys() & ours.keys():
        return ours
    return {**theirs, **ours} if ours.get("kind", theirs["kind"]) == theirs["kind"] else ours


def _check_agreement(ours: ModelConfig, theirs: ModelConfig, init: InitConfig, where: str) -> None:
    differing = list(_differences(ours, theirs))
    if not differing:
        return
    lines = differing[:MAX_LISTED_KEYS]
    if len(differing) > len(lines):
        lines.append(f"and {len(differing) - len(lines)} more")
    listed = "\n  ".join([f"the model differs from {init.path}", *lines])
    if init.partial:
        logger.warning("%s\n  what fits is taken (init.partial)", listed)
        return
    raise ConfigError(
        listed,
        where=where,
        remedy="Leave these keys out to take the source's, or take only what fits with init.partial=true",
    )


def _differences(ours: ModelConfig, theirs: ModelConfig) -> Iterator[str]:
    """Name the keys of front end and encoder that change what the weights mean."""
    if stands_on(ours.encoder, theirs.encoder):
        ours = ours.model_copy(update={"encoder": ours.encoder.first})
    here, there = (dict(_flat(model.model_dump(include={"frontend", "encoder"}))) for model in (ours, theirs))
    for key in {**here, **there}:
        name = key.rpartition(".")[2]
        if "drop" in name or name == "dither" or "_mask." in key:  # of training alone: may differ
            continue
        left, right = here.get(key, "missing"), there.get(key, "missing")
        if left != right:
            yield f"model.{key}: {_shown(left)} here, {_shown(right)} in the source"


def _shown(value: Any) -> str:
    return "missing" if value == "missing" else shorten(value)


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        below = value.items()
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        below = dict(enumerate(value)).items()
    else:
        yield key, value
        return
    for name, item in below:
        yield from _flat(item, f"{key}.{name}" if key else str(name))
