"""Where a model to import comes from: a file, the Hugging Face hub (hf:) or NVIDIA's catalog (ngc:)."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from linnet.bundle.schema import CONTENT_FILES, LM_FILE, PROOF_FILE, SPEC_FILE
from linnet.core.errors import CheckpointError
from linnet.core.files import replacing
from linnet.core.optional import require
from linnet.core.remote import open_url

SUFFIX = ".nemo"
SCHEMES = ("hf:", "ngc:")
NGC_MODELS_URL = "https://api.ngc.nvidia.com/v2/models"
NGC_DEFAULT_TEAM = "nvidia/nemo"
MAX_ANSWER_BYTES = 4 << 20

# What transformers saves of a model.
TRANSFORMERS_CONFIG = "config.json"
TRANSFORMERS_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
TRANSFORMERS_TEXTS = (  # small files beside them, as far as a model has them
    *("vocab.json", "tokenizer_config.json", "added_tokens.json"),
    *("preprocessor_config.json", "processor_config.json"),
)
TRANSFORMERS_SHARDS = ("model.safetensors.index.json", "pytorch_model.bin.index.json")

_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_HF = re.compile(
    rf"hf:(?P<repo>{_WORD}/{_WORD})(?:/(?P<file>{_WORD}(?:/{_WORD})*))?(?:@(?P<revision>{_WORD}(?:/{_WORD})*))?"
)
_NGC = re.compile(rf"ngc:(?:(?P<team>{_WORD}(?:/{_WORD})?)/)?(?P<name>{_WORD})(?::(?P<version>{_WORD}))?")


def is_importable(source: str) -> bool:
    """Tell by its name alone whether a model has to be imported before it runs; fetches nothing."""
    return source.startswith(SCHEMES) or source.endswith(SUFFIX)


def is_transformers_folder(source: str) -> bool:
    """Tell a folder that transformers saved from others, by the names of its files."""
    folder = Path(source)
    weights = (*TRANSFORMERS_WEIGHTS, *TRANSFORMERS_SHARDS)
    return (folder / TRANSFORMERS_CONFIG).is_file() and any((folder / name).is_file() for name in weights)


def name_in(source: str) -> str | None:
    """Give the name of a repository on the Hugging Face hub, whose folder here is called otherwise."""
    match = _HF.fullmatch(source)
    return match["repo"].rpartition("/")[2] if match and not match["file"] else None


def fetch(source: str, folder: Path) -> Path:
    """Give the .nemo file of a source on this machine, or the folder of a model of transformers.

    Args:
        source: a path, hf:OWNER/NAME[/FILE][@REVISION] or ngc:[ORG/[TEAM/]]NAME[:VERSION].
        folder: keeps what comes from NVIDIA's catalog. The Hugging Face hub has a cache of its own.

    Raises:
        CheckpointError: when the source is written wrong, there is no such file, or it cannot be reached.
        MissingDependencyError: when the packages for it are not installed.
    """
    if not source.startswith(SCHEMES):
        return Path(source)
    if match := _HF.fullmatch(source):
        return _from_hugging_face(source, match["repo"], match["file"], match["revision"])
    if match := _NGC.fullmatch(source):
        return _from_ngc(match["team"] or NGC_DEFAULT_TEAM, match["name"], match["version"], folder)
    raise CheckpointError(
        f"{source!r} is no address of a model",
        remedy="Write hf:OWNER/NAME[/FILE][@REVISION] or ngc:[ORG/[TEAM/]]NAME[:VERSION]",
    )


def fetch_bundle(source: str) -> Path | None:
    """Give the folder of a bundle of linnet on the Hugging Face hub; None where the source is none.

    All its files are of one revision. They are not verified here: `bundle.reader` does that.

    Args:
        source: hf:OWNER/NAME[@REVISION] of a repository with a bundle.yaml; anything else is no bundle.

    Raises:
        CheckpointError: when the repository cannot be reached.
        MissingDependencyError: when the package for it is not installed.
    """
    match = _HF.fullmatch(source)
    if match is None or match["file"]:
        return None
    hub = require("huggingface_hub", extra="hub", purpose=f"fetching {source}")
    errors = require("huggingface_hub.errors", extra="hub", purpose=f"fetching {source}")
    repo, revision = match["repo"], match["revision"]
    try:
        try:
            hub.hf_hub_download(repo, SPEC_FILE, revision=revision)
        except errors.EntryNotFoundError:  # also where there is no network: a .nemo file may be in the cache
            return None
        names = [SPEC_FILE, PROOF_FILE, LM_FILE, *CONTENT_FILES]
        return Path(hub.snapshot_download(repo, revision=revision, allow_patterns=names))
    except Exception as error:  # the hub's own errors, and those of the HTTP client beneath it
        raise _hub_error(error, errors, source) from error


def _from_hugging_face(source: str, repo: str, file: str | None, revision: str | None) -> Path:
    """Fetch one .nemo file; without a name the one called like the repository, else the only one.

    Where there is none, the files of a model of transformers are fetched, and their folder is given.
    """
    hub = require("huggingface_hub", extra="hub", purpose=f"fetching {source}")
    errors = require("huggingface_hub.errors", extra="hub", purpose=f"fetching {source}")
    if file is not None and not file.endswith(SUFFIX):
        raise CheckpointError(
            f"{file!r} is no {SUFFIX} file, and no other is fetched",
            where=source,
            remedy=f"Name a {SUFFIX} file of the repository",
        )
    try:
        try:
            name = file or repo.rpartition("/")[2] + SUFFIX
            return Path(hub.hf_hub_download(repo, name, revision=revision))
        except errors.EntryNotFoundError as error:
            if file is not None:
                raise
            if isinstance(error, errors.LocalEntryNotFoundError):  # no network
                return _cached_folder(hub, repo, revision, error)
            names = hub.list_repo_files(repo, revision=revision)
            if wanted := _transformers_files(names):
                return Path(hub.snapshot_download(repo, revision=revision, allow_patterns=wanted))
            return Path(hub.hf_hub_download(repo, _only_model(names, source), revision=revision))
    except CheckpointError:
        raise
    except Exception as error:  # the hub's own errors, and those of the HTTP client beneath it
        raise _hub_error(error, errors, source) from error


def _transformers_files(names: list[str]) -> list[str]:
    """Choose what a model of transformers needs, the weights once; nothing where one is missing."""
    weights = next((name for name in (*TRANSFORMERS_WEIGHTS, *TRANSFORMERS_SHARDS) if name in names), None)
    if weights is None or TRANSFORMERS_CONFIG not in names or any(name.endswith(SUFFIX) for name in names):
        return []
    return [TRANSFORMERS_CONFIG, weights, *(name for name in TRANSFORMERS_TEXTS if name in names)]


def _cached_folder(hub: Any, repo: str, revision: str | None, error: Exception) -> Path:
    """Give the folder of a model of transformers that was fetched before; else raise `error`."""
    wanted = [TRANSFORMERS_CONFIG, *TRANSFORMERS_WEIGHTS, *TRANSFORMERS_TEXTS]
    try:
        found = hub.snapshot_download(repo, revision=revision, allow_patterns=wanted, local_files_only=True)
    except Exception:  # the hub's own errors: it is not there
        raise error from None
    if not is_transformers_folder(found):
        raise error
    return Path(found)


def _only_model(names: list[str], source: str) -> str:
    found = [name for name in names if name.endswith(SUFFIX)]
    if len(found) == 1:
        return found[0]
    what = f"there is no {SUFFIX} file, and no model of transformers"
    remedy = "Check the repository"
    if found:
        what = f"there are several: {', '.join(found)}"
        remedy = f"Name one: {source.partition('@')[0]}/{found[0]}"
    raise CheckpointError(what, where=source, remedy=remedy)


def _hub_error(error: Exception, errors: Any, source: str) -> CheckpointError:
    what = f"cannot be fetched, nor is it in the hub's cache ({type(error).__name__})"
    remedy = "Check the network, or fetch the file elsewhere and give its path"
    if isinstance(error, errors.GatedRepoError):
        what = "its owner asks for consent first"
        remedy = "Agree on the model's page, then log in with: hf auth login"
    elif isinstance(error, errors.RepositoryNotFoundError | errors.RevisionNotFoundError):
        what = "there is no such repository or revision, or it is private"
        remedy = "Check the name; for a private one log in with: hf auth login"
    elif isinstance(error, errors.EntryNotFoundError) and not isinstance(
        error, errors.LocalEntryNotFoundError
    ):
        what, remedy = "there is no such file in the repository", "Check the name"
    return CheckpointError(what, where=source, remedy=remedy)


def _from_ngc(team: str, name: str, version: str | None, folder: Path) -> Path:
    """Fetch NAME.nemo of a version of a model, the latest by default, unless it is in `folder` already."""
    address = f"{NGC_MODELS_URL}/{team}/{name}"
    version = version or _latest_version(address)
    path = folder / f"{team.replace('/', '_')}_{name}_{version}{SUFFIX}"
    if path.is_file():
        return path
    file_url = f"{address}/versions/{version}/files/{name}{SUFFIX}"
    with (
        replacing(path) as temporary,
        temporary.open("wb") as target,
        open_url(file_url, CheckpointError) as source,
    ):
        shutil.copyfileobj(source, target)
    return path


def _latest_version(address: str) -> str:
    with open_url(address, CheckpointError) as file:
        content = file.read(MAX_ANSWER_BYTES)
    try:
        version = json.loads(content)["model"]["latestVersionIdStr"]
    except (ValueError, KeyError, TypeError):
        version = None
    if not isinstance(version, str) or not re.fullmatch(_WORD, version):
        raise CheckpointError(
            "the catalog does not say which version is the latest",
            where=address,
            remedy="Give the version: ngc:NAME:VERSION",
        )
    return version
