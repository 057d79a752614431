"""Reading an exported model: every file checked before anything is loaded from it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from linnet.bundle.schema import (
    CARD_FILE,
    CHECKPOINT_FILE,
    CONTENT_FILES,
    LM_FILE,
    MODEL_FILE,
    SCHEMA_VERSION,
    SPEC_FILE,
    TOKENS_FILE,
    BundleSpec,
)
from linnet.core.config import load_config
from linnet.core.errors import BundleError, ConfigError, TextError
from linnet.text.vocabulary import MAX_TOKENS_BYTES, Vocabulary, read_tokens

MAX_MODEL_BYTES = 2**31  # the limit of one protobuf message
MAX_CARD_BYTES = 2**20
MAX_LM_BYTES = 2**31
_LIMITS_BYTES = {MODEL_FILE: MAX_MODEL_BYTES, TOKENS_FILE: MAX_TOKENS_BYTES, CARD_FILE: MAX_CARD_BYTES}

_EXPORT_AGAIN = "Copy the whole directory again, or export the model again with linnet export"


@dataclass(frozen=True, slots=True)
class Bundle:
    """An exported model on disk.

    Attributes:
        spec: its description.
        vocabulary: the pieces it writes with.
        model_path: the ONNX file.
        path: the directory.
    """

    spec: BundleSpec
    vocabulary: Vocabulary
    model_path: Path
    path: Path

    @property
    def language_model(self) -> Path | None:
        """The model's own language model, where it has one."""
        return self.path / LM_FILE if self.spec.search else None


def read_spec(path: Path) -> BundleSpec:
    """Read what a bundle directory says of itself, and look at nothing else but the sizes of its files.

    Raises:
        BundleError: when the directory is no bundle, a newer linnet wrote it, or a file is missing or too
            large.
    """
    if not (path / SPEC_FILE).is_file():
        what = f"there is no {SPEC_FILE} in this directory" if path.is_dir() else "there is no such directory"
        raise BundleError(what, where=str(path), remedy="Give a directory that linnet export wrote")
    for name, limit_bytes in _LIMITS_BYTES.items():
        _check_size(path / name, limit_bytes)
    spec = _parse_spec(path / SPEC_FILE)
    if spec.search:
        _check_size(path / LM_FILE, MAX_LM_BYTES)
    return spec


def read_bundle(path: Path) -> Bundle:
    """Read and check a bundle directory; file names are fixed, so nothing outside of it is ever opened.

    Raises:
        BundleError: when the directory is no bundle, a newer linnet wrote it, or a file is missing, too large
            or damaged, by its SHA-256 in bundle.yaml.
    """
    spec = read_spec(path)
    _verify_checksums(path, spec)
    vocabulary = _read_vocabulary(path / TOKENS_FILE, spec)
    return Bundle(spec, vocabulary, path / MODEL_FILE, path)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits; the file is read block by block."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_size(path: Path, limit_bytes: int) -> None:
    if not path.is_file():
        raise BundleError(f"the file {path.name} is missing", where=str(path.parent), remedy=_EXPORT_AGAIN)
    if (size := path.stat().st_size) > limit_bytes:
        raise BundleError(
            f"{path.name} has {size} bytes, at most {limit_bytes} are read",
            where=str(path.parent),
            remedy=_EXPORT_AGAIN,
        )


class _SchemaVersion(BaseModel):
    """The one key that every version of bundle.yaml has."""

    model_config = ConfigDict(extra="ignore")

    schema_version: int


def _parse_spec(path: Path) -> BundleSpec:
    try:
        version = load_config(_SchemaVersion, path).schema_version
        if version > SCHEMA_VERSION:
            raise BundleError(
                f"the bundle has schema version {version}, this linnet reads up to {SCHEMA_VERSION}",
                where=str(path),
                remedy="Upgrade linnet, or export the model with this version",
            )
        return load_config(BundleSpec, path)
    except ConfigError as error:
        raise BundleError(error.what, where=error.where, remedy=_EXPORT_AGAIN) from error


def _verify_checksums(path: Path, spec: BundleSpec) -> None:
    expected = (*CONTENT_FILES, LM_FILE) if spec.search else CONTENT_FILES
    if set(spec.files) - {CHECKPOINT_FILE} != set(expected):
        raise BundleError(
            f"files must list {', '.join(expected)}, found {', '.join(spec.files) or 'none'}",
            where=str(path / SPEC_FILE),
            remedy=_EXPORT_AGAIN,
        )
    for name in expected:  # source.ckpt may be large, may have been removed, and is not used here
        if file_sha256(path / name) != spec.files[name]:
            raise BundleError(
                "the file was changed or damaged: its SHA-256 differs from bundle.yaml",
                where=str(path / name),
                remedy=_EXPORT_AGAIN,
            )


def _read_vocabulary(path: Path, spec: BundleSpec) -> Vocabulary:
    try:
        vocabulary = read_tokens(path, repeats=spec.vocabulary == "aggregate")
    except TextError as error:
        raise BundleError(error.what, where=error.where, remedy=_EXPORT_AGAIN) from error
    if vocabulary.blank_id != spec.blank_id:
        raise BundleError(
            f"the blank is token {vocabulary.blank_id} here and {spec.blank_id} in {SPEC_FILE}",
            where=str(path),
            remedy=_EXPORT_AGAIN,
        )
    return vocabulary
