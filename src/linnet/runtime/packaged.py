"""The models that come with linnet, a sample recording for each, and what a model's name means."""

import os
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from linnet.bundle.schema import SPEC_FILE
from linnet.core.errors import BundleError

DEFAULT_MODEL = "english"
SAMPLE_FILE = "sample.wav"


def packaged_models() -> dict[str, Path]:
    """Return the directories of the models inside the package by their names."""
    return {path.name: path for path in sorted(_packaged().glob("*/")) if (path / SPEC_FILE).is_file()}


def packaged_sample(model: str | None = None) -> Path:
    """Return the path of the sample recording of a packaged model; its text lies beside it.

    Args:
        model: a model's name or path; any other than a packaged one has the default model's sample.
    """
    return packaged_models().get(model or DEFAULT_MODEL, _packaged() / DEFAULT_MODEL) / SAMPLE_FILE


def find_model(path_or_name: str | os.PathLike[str]) -> Path:
    """Return the directory of a model.

    Args:
        path_or_name: the name of a packaged model, or the path of a bundle. A name wins over a directory
            called the same, which is still to be had as "./name".

    Raises:
        BundleError: when it is neither, naming the nearest packaged model.
    """
    models = packaged_models()
    if isinstance(path_or_name, str) and path_or_name in models:
        return models[path_or_name]
    path = Path(path_or_name)
    if path.is_dir():
        return path
    near = get_close_matches(str(path_or_name), models, n=1)
    raise BundleError(
        f"there is no model {str(path_or_name)!r}: neither a directory nor a packaged model",
        remedy=f"Packaged: {', '.join(models) or 'none'}" + (f"; did you mean {near[0]!r}?" if near else ""),
    )


def _packaged() -> Path:
    return Path(str(files("linnet"))) / "packaged"
