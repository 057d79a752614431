"""Foreign models where a bundle is asked for: imported on first use, and kept in the user's cache."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from linnet.cli.console import messages, printable, progress_bar

if TYPE_CHECKING:
    from linnet.core.arrays import Samples
    from linnet.export.options import ExportOptions
    from linnet.export.proof import Proof
    from linnet.importers.imported_model import ImportedModel
    from linnet.models.checkpoint import Checkpoint
    from linnet.models.ctc import CtcModel

UNKNOWN_LANGUAGE = "und"
UNKNOWN_LICENSE = "LicenseRef-unknown"
_KEY_DIGITS = 32  # of the SHA-256

# NVIDIA's names: stt_en_conformer_ctc_small.
_LANGUAGE_IN_NAME = re.compile(r"(?:^|[_-])stt_([a-z]{2})_")


def cache_folder() -> Path:
    """Return the folder for what can be made again.

    It is $LINNET_CACHE, else $XDG_CACHE_HOME/linnet, else ~/.cache/linnet.
    """
    if folder := os.environ.get("LINNET_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linnet"


def runnable_model(model: str | None) -> str:
    """Give a model that the runtime reads: for a foreign one its bundle in the cache, else `model` as it is.

    A bundle on the Hugging Face hub is in the hub's own cache.

    None is the packaged model.

    The key in the cache is the SHA-256 of the file or files and linnet's version, so that neither a changed
    file nor a new linnet meets an old bundle.

    Raises:
        CheckpointError: when it cannot be imported.
        ExportError: when the bundle would not give what the model gives.
        MissingDependencyError: on first use, when the extra `train` is not installed.
    """
    from linnet.importers.fetch import fetch, fetch_bundle, is_importable, is_transformers_folder, name_in
    from linnet.runtime.packaged import DEFAULT_MODEL

    if model is None:
        return DEFAULT_MODEL
    from linnet.bundle.schema import SPEC_FILE

    is_folder = is_transformers_folder(model) and not (Path(model) / SPEC_FILE).is_file()
    if not is_folder and (not is_importable(model) or Path(model).is_dir()):
        return model
    if bundle := fetch_bundle(model):
        return str(bundle)
    from linnet import __version__
    from linnet.core.errors import CheckpointError

    path = fetch(model, cache_folder() / "downloads")
    if not path.is_file() and not is_transformers_folder(str(path)):
        raise CheckpointError("there is no such file", where=str(path), remedy="Check the path")
    directory = cache_folder() / "imported" / f"{_sha256(path)[:_KEY_DIGITS]}-{__version__}"
    if not (directory / SPEC_FILE).is_file():
        messages.print(f"importing {printable(model)}, once, into {printable(str(directory))}", markup=False)
        _import_into(directory, path, name_in(model))
    return str(directory)


def imported_source(model: str) -> "Checkpoint | None":
    """Give the weights of a foreign model to train on from; None when the name is not that of one.

    Raises:
        CheckpointError: when it cannot be imported.
    """
    from linnet.importers.fetch import is_importable, is_transformers_folder

    foreign = is_importable(model) or model.endswith(".pt")
    if not is_transformers_folder(model) and (not foreign or Path(model).is_dir()):
        return None
    from linnet.models.checkpoint import Checkpoint

    imported = import_foreign(model, needs_head=False)
    weights = imported.model.state_dict()
    if not imported.has_head:
        weights = {name: value for name, value in weights.items() if not name.startswith("head.")}
    return Checkpoint(imported.model.config, weights, step=0)


def import_foreign(source: str, name: str | None = None, *, needs_head: bool = True) -> "ImportedModel":
    """Read a model of another toolkit, fetching it first where it is elsewhere.

    Args:
        source: a .nemo file, a folder of transformers, a .pt file of icefall or fairseq, or an address
            (`importers.fetch`).
        name: what it is called from now on; None takes the name of the file or folder.
        needs_head: whether a model that writes no texts yet is refused.

    Raises:
        CheckpointError: when it cannot be imported.
    """
    from linnet.importers.fetch import fetch, is_transformers_folder, name_in

    path = fetch(source, cache_folder() / "downloads")
    if is_transformers_folder(str(path)):
        from linnet.importers.transformers import import_transformers

        return import_transformers(path, name or name_in(source), needs_head=needs_head)
    if path.suffix == ".pt":
        from linnet.importers.fairseq import import_fairseq, is_fairseq
        from linnet.importers.icefall import icefall_model
        from linnet.importers.nemo_weights import load_checkpoint

        stored = load_checkpoint(path)
        if is_fairseq(stored.weights):
            return import_fairseq(stored, path, name, needs_head=needs_head)
        return icefall_model(stored.weights, path, name)
    from linnet.importers.nemo import import_nemo

    return import_nemo(path, name)


def require_importing() -> None:
    """Say before any work that a package is missing.

    Raises:
        MissingDependencyError: naming the extra.
    """
    from linnet.core.optional import require

    for module in ("torch", "onnx", "onnxscript"):
        require(module, extra="train", purpose="importing a model")


def language_of(name: str) -> str:
    """Guess the language tag of a model from its name."""
    match = _LANGUAGE_IN_NAME.search(name)
    return match[1] if match else UNKNOWN_LANGUAGE


def write_imported(
    model: "CtcModel", directory: Path, recordings: "list[Samples]", options: "ExportOptions"
) -> "Proof":
    """Export a model, compare both on `recordings`, and write the bundle, with a bar while it lasts."""
    from linnet.export.run import export_model

    with progress_bar("") as bar:
        bar.add_task("exporting and comparing", total=None)
        return export_model(model, directory, recordings, options)


def _import_into(directory: Path, path: Path, name: str | None) -> None:
    require_importing()
    from linnet.cli.export import sample_recordings
    from linnet.export.options import ExportOptions

    model = import_foreign(str(path), name).model
    options = ExportOptions(
        description=f"Imported from {name or path.name}.",
        language=language_of(model.config.name),
        license=UNKNOWN_LICENSE,
        replace=True,
    )
    write_imported(model, directory, sample_recordings(model.config.frontend.sample_rate_hz), options)


def _sha256(path: Path) -> str:
    """Give the SHA-256 of a file, or one of all files that are directly in a folder."""
    from hashlib import sha256

    from linnet.bundle.reader import file_sha256

    if path.is_file():
        return file_sha256(path)
    files = sorted(each for each in path.iterdir() if each.is_file())
    return sha256("".join(f"{each.name}:{file_sha256(each)};" for each in files).encode()).hexdigest()
