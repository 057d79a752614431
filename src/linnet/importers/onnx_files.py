"""The files of an exported model: named one by one, or found in their folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from linnet.core.errors import CheckpointError

SUFFIX = ".onnx"
_MODELS = ("model.onnx", "model.int8.onnx")
_TOKENS = ("tokens.txt", "vocab.txt")
_CONFIG, _PROGRAM_CONFIG = "model_config.yaml", "config.json"


class OnnxFiles(BaseModel):
    """What belongs to an ONNX file; the descriptions are the help of the command."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: Path | None = Field(
        default=None, description="Of an .onnx file: its pieces, in a file with one and its id per line."
    )
    config: Path | None = Field(
        default=None, description="Of an .onnx file: NeMo's model_config.yaml, for its front end."
    )
    frontend: Path | None = Field(
        default=None, description="Of an .onnx file: a YAML file with the keys of linnet's front end."
    )


@dataclass(frozen=True, slots=True)
class Source:
    """The files of an exported model.

    Attributes:
        model: the ONNX file.
        tokens: its pieces.
        config: NeMo's model_config.yaml, if there.
        frontend: the front end in linnet's keys, if given.
        program_config: config.json of onnx-asr, if there.
    """

    model: Path
    tokens: Path
    config: Path | None
    frontend: Path | None
    program_config: Path | None


def is_exported(source: str) -> bool:
    """Tell an exported model, or a folder, from a .nemo file and from an address."""
    return source.endswith(SUFFIX) or Path(source).is_dir()


def find_files(source: Path, files: OnnxFiles) -> Source:
    """Find the files of a model in its folder, or beside the .onnx file, unless they are named.

    Raises:
        CheckpointError: when there is no model, or no tokens.
    """
    folder = source if source.is_dir() else source.parent
    model = _first(folder, _MODELS) if source.is_dir() else source
    if model is None:
        raise CheckpointError(f"holds no {_MODELS[0]}", where=str(source), remedy="Give the .onnx file")
    tokens = files.tokens or _first(folder, _TOKENS)
    if tokens is None:
        raise CheckpointError(
            f"there is no {' or '.join(_TOKENS)} beside the model",
            where=str(model),
            remedy="Give the file with its pieces with --tokens",
        )
    config = files.config or _first(folder, (_CONFIG,))
    return Source(model, tokens, config, files.frontend, _first(folder, (_PROGRAM_CONFIG,)))


def _first(folder: Path, names: Sequence[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
