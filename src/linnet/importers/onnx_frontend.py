"""The front end of an exported model: written in the file, told by its user, or known of its program."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from linnet.bundle.schema import METADATA_KEY, BundleSpec
from linnet.core.config import MAX_CONFIG_BYTES, load_config
from linnet.core.config_error import config_error, shorten
from linnet.core.errors import CheckpointError, ConfigError
from linnet.features.config import FrontendConfig

_NORMALIZE_KEY = "normalize_type"  # sherpa-onnx's
_NORMALIZATIONS = {"per_feature": "per_feature", "all_features": "all_features", "": "none", "NA": "none"}
_QUARTZNET_MELS = 64
_REMEDY = (
    "Give NeMo's model_config.yaml with --config, or a YAML file with the keys of linnet's front end "
    "(num_mels, window_ms, …) with --frontend"
)
_EXPORT_AGAIN = "Export the model again with linnet export"


@dataclass(frozen=True, slots=True)
class FoundFrontend:
    """A front end and where it is from, for people."""

    config: FrontendConfig
    source: str


def read_spec(metadata: Mapping[str, str], where: str) -> BundleSpec | None:
    """Read the description that `linnet export --for` left in the file, if it did.

    Raises:
        CheckpointError: when it is damaged.
    """
    if METADATA_KEY not in metadata:
        return None
    try:
        return BundleSpec.model_validate(
            _json(metadata[METADATA_KEY], f"{where}, {METADATA_KEY}", _EXPORT_AGAIN)
        )
    except ValidationError as error:
        what = config_error(error, BundleSpec, where).what
        raise CheckpointError(f"{METADATA_KEY}: {what}", where=where, remedy=_EXPORT_AGAIN) from None


def frontend_from_yaml(path: Path) -> FoundFrontend:
    """Read a file with the keys of `FrontendConfig`.

    Raises:
        ConfigError: naming each wrong key.
    """
    return FoundFrontend(load_config(FrontendConfig, path), path.name)


def frontend_from_nemo(path: Path) -> FoundFrontend:
    """Read the preprocessor of NeMo's model_config.yaml.

    Raises:
        CheckpointError: when it cannot be read, or asks for what linnet does not compute.
        MissingDependencyError: when torch is not installed.
    """
    from linnet.core.optional import require

    require("torch", extra="train", purpose="reading NeMo's model_config.yaml")
    from linnet.importers.nemo_config import component
    from linnet.importers.nemo_frontend import translate_preprocessor
    from linnet.importers.nemo_yaml import parse_config

    values = parse_config(_read(path), str(path))
    if isinstance(values.get("model"), dict):  # NeMo, too, takes the part below `model`
        values = values["model"]
    version = values.get("nemo_version")
    section = component(values.get("preprocessor"), f"{path}, preprocessor")
    config = translate_preprocessor(*section, None if version is None else str(version))
    return FoundFrontend(config, path.name)


def frontend_of_program(
    metadata: Mapping[str, str], config_json: Path | None, num_features: int | None, where: str
) -> FoundFrontend:
    """Give the front end that onnx-asr or sherpa-onnx would compute for a model, told by their files.

    Raises:
        CheckpointError: when the files are of neither.
    """
    if config_json is not None:
        text = _read(config_json).decode("utf-8", errors="replace")
        about = _json(text, str(config_json), "Mend it, or give the front end with --frontend")
        if str(about.get("model_type")).startswith("nemo-conformer"):
            num_mels = about.get("features_size", 80)
            return FoundFrontend(_nemo(num_mels, {}, str(config_json)), "config.json of onnx-asr")
    if _NORMALIZE_KEY not in metadata:
        raise CheckpointError("does not say which features it reads", where=where, remedy=_REMEDY)
    if (normalize := _NORMALIZATIONS.get(metadata[_NORMALIZE_KEY])) is None:
        found = shorten(metadata[_NORMALIZE_KEY])
        raise CheckpointError(f"{_NORMALIZE_KEY}: {found} is unknown", where=where, remedy=_REMEDY)
    if num_features is None:
        raise CheckpointError("leaves open how many features it reads", where=where, remedy=_REMEDY)
    values = {"normalize": normalize, "pad_mode": "reflect"}  # most such models are of NeMo before 2.5
    return FoundFrontend(_nemo(num_features, values, where), "assumed: NeMo's before 2.5")


def _nemo(num_mels: Any, values: Mapping[str, Any], where: str) -> FrontendConfig:
    """Fill in what NeMo's models share: 20 ms windows with QuartzNet's 64 mel bands, 25 ms with others."""
    window_ms = 20.0 if num_mels == _QUARTZNET_MELS else 25.0
    try:
        return FrontendConfig.model_validate({"num_mels": num_mels, "window_ms": window_ms, **values})
    except ValidationError as error:
        problem: ConfigError = config_error(error, FrontendConfig, where)
        raise CheckpointError(problem.what, where=where, remedy=_REMEDY) from None


def _json(text: str, where: str, remedy: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise CheckpointError("is no JSON object", where=where, remedy=remedy)
    return values


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise CheckpointError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            remedy="Check the path, and whether you may read it",
        ) from None
    if len(content) > MAX_CONFIG_BYTES:
        raise CheckpointError(
            f"a configuration is at most {MAX_CONFIG_BYTES} bytes long", where=str(path), remedy=_REMEDY
        )
    return content
