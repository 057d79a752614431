"""Writing an exported model: the whole directory appears at once, or not at all."""

import shutil
from collections.abc import Collection
from pathlib import Path

import yaml

from linnet.bundle.reader import file_sha256, read_bundle
from linnet.bundle.schema import (
    CARD_FILE,
    CHECKPOINT_FILE,
    CONTENT_FILES,
    LM_FILE,
    MODEL_FILE,
    PROOF_FILE,
    SPEC_FILE,
    TOKENS_FILE,
    BundleSpec,
    OwnSearch,
)
from linnet.core.errors import BundleError
from linnet.core.files import new_directory, write_text
from linnet.text.vocabulary import Vocabulary, write_tokens


def write_bundle(
    directory: Path,
    spec: BundleSpec,
    model_path: Path,
    vocabulary: Vocabulary,
    card: str,
    *,
    proof: str | None = None,
    checkpoint: Path | None = None,
    replace: bool = False,
) -> None:
    """Write bundle.yaml, model.onnx, tokens.txt and README.md into a new directory.

    Args:
        directory: where; its parents are made. It may exist when it is empty.
        spec: the description; its `files` are filled in here.
        model_path: the ONNX file, which is copied.
        vocabulary: the pieces of the model.
        card: the model card, in Markdown.
        proof: how the graph was compared, in JSON, which is kept as proof.json.
        checkpoint: the model as it was trained, which is copied as source.ckpt.
        replace: whether a bundle that is already there may go. Anything else in its directory never goes.

    Raises:
        BundleError: when something is in the way.
    """
    assert spec.blank_id == vocabulary.blank_id, (spec.blank_id, vocabulary.blank_id)
    check_free(directory, replace=replace)
    with new_directory(directory) as staging:
        shutil.copyfile(model_path, staging / MODEL_FILE)
        write_tokens(staging / TOKENS_FILE, vocabulary)
        write_text(staging / CARD_FILE, card)
        if checkpoint is not None:
            shutil.copyfile(checkpoint, staging / CHECKPOINT_FILE)
        files = {path.name: file_sha256(path) for path in sorted(staging.iterdir())}
        _write_spec(staging, spec.model_copy(update={"files": files}))
        if proof is not None:
            write_text(staging / PROOF_FILE, proof)
        read_bundle(staging)  # what cannot be read back must not take the place of anything


def copy_bundle(source: Path, directory: Path, *, replace: bool = False) -> None:
    """Copy the files of a sound bundle, and nothing else that lies beside them, into a new directory.

    Raises:
        BundleError: when the bundle is damaged, or something is in the way.
    """
    check_free(directory, replace=replace)
    with new_directory(directory) as staging:
        _copy_files(source, staging, (SPEC_FILE, PROOF_FILE, LM_FILE, *CONTENT_FILES))
        read_bundle(staging)


def attach_language_model(directory: Path, language_model: Path, search: OwnSearch) -> BundleSpec:
    """Put a language model into a bundle, which from then on reads with it; the other files stay.

    Args:
        directory: a sound bundle, the model of which may have a language model already.
        language_model: a packed file of `linnet lm`, which is copied.
        search: what is done with it.

    Returns:
        The new description.

    Raises:
        BundleError: when the bundle is damaged, or holds files that are no part of it.
    """
    before = read_bundle(directory).spec
    check_free(directory, replace=True)
    with new_directory(directory) as staging:
        _copy_files(directory, staging, (CHECKPOINT_FILE, PROOF_FILE, *CONTENT_FILES))
        shutil.copyfile(language_model, staging / LM_FILE)
        files = dict(before.files) | {LM_FILE: file_sha256(staging / LM_FILE)}
        spec = before.model_copy(update={"search": search, "files": files})
        _write_spec(staging, spec)
        read_bundle(staging)
    return spec


def update_bundle(directory: Path, **changes: float) -> BundleSpec:
    """Put what was measured later into bundle.yaml; the other files and their checksums stay.

    Args:
        directory: a sound bundle.
        changes: keys of `BundleSpec` with their new values.

    Returns:
        The new description.

    Raises:
        BundleError: when the bundle is damaged.
    """
    spec = BundleSpec.model_validate(read_bundle(directory).spec.model_dump() | changes)
    _write_spec(directory, spec)
    return spec


def _copy_files(source: Path, target: Path, names: Collection[str]) -> None:
    """Copy those of the files that are there."""
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _write_spec(directory: Path, spec: BundleSpec) -> None:
    values = spec.model_dump(mode="json")
    write_text(directory / SPEC_FILE, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def check_free(
    directory: Path,
    *,
    replace: bool = False,
    files: Collection[str] = (SPEC_FILE, CHECKPOINT_FILE, PROOF_FILE, LM_FILE, *CONTENT_FILES),
) -> None:
    """Say before any work that `write_bundle` would refuse a directory.

    Args:
        directory: where something shall be written.
        replace: whether what was written there before may go.
        files: what that may consist of; a directory with anything else never goes.

    Raises:
        BundleError: when something is in the way.
    """
    if not directory.exists():
        return
    if not directory.is_dir():
        raise BundleError(
            "a file is in the way of the bundle", where=str(directory), remedy="Choose another directory"
        )
    names = {entry.name for entry in directory.iterdir()}
    if foreign := sorted(names - set(files)):
        raise BundleError(
            f"the directory holds other files, such as {foreign[0]!r}",
            where=str(directory),
            remedy="Choose a new directory",
        )
    if names and not replace:
        raise BundleError(
            "there is a model here already",
            where=str(directory),
            remedy="Choose a new directory or ask to replace it",
        )
