"""Models by address: the right files are asked for, and each failure says what to do."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from linnet.core.errors import CheckpointError, LinnetError, MissingDependencyError
from linnet.importers import fetch as fetch_module
from linnet.importers.fetch import NGC_MODELS_URL, fetch, fetch_bundle, is_importable, name_in

ERRORS = ("EntryNotFoundError", "RepositoryNotFoundError", "RevisionNotFoundError", "GatedRepoError")
Hub = SimpleNamespace


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """Stands in for huggingface_hub: `files` it has, `failure` it answers with, `asked` of it."""
    errors = ModuleType("huggingface_hub.errors")
    for name in ERRORS:
        setattr(errors, name, type(name, (Exception,), {}))
    errors.LocalEntryNotFoundError = type("LocalEntryNotFoundError", (errors.EntryNotFoundError,), {})
    fake = SimpleNamespace(errors=errors, files=["name.nemo"], failure=None, asked=[], snapshot=None)

    def download(repo: str, file: str, *, revision: str | None) -> str:
        fake.asked.append((repo, file, revision))
        if fake.failure:
            raise getattr(errors, fake.failure, OSError)
        if file not in fake.files:
            raise errors.EntryNotFoundError
        return f"/cache/{file}"

    def snapshot(
        repo: str, *, revision: str | None, allow_patterns: list[str], local_files_only: bool = False
    ) -> str:
        fake.asked.append((repo, sorted(allow_patterns), revision))
        if local_files_only and fake.snapshot is None:
            raise errors.LocalEntryNotFoundError
        return str(fake.snapshot or "/cache/snapshot")

    module = ModuleType("huggingface_hub")
    module.snapshot_download = snapshot  # type: ignore[attr-defined]
    module.hf_hub_download = download  # type: ignore[attr-defined]
    module.list_repo_files = lambda *_, **__: fake.files  # type: ignore[attr-defined]
    module.errors = errors  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", errors)
    return fake


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Stands in for the network: what lies at which URL."""
    contents: dict[str, bytes] = {}

    @contextmanager
    def open_url(url: str, raising: Callable[[str], LinnetError]) -> Iterator[io.BytesIO]:
        if url not in contents:
            raise raising(f"{url}: there is no file at this address")
        yield io.BytesIO(contents[url])

    monkeypatch.setattr(fetch_module, "open_url", open_url)
    return contents


def test_the_hub_package_has_the_errors_that_are_told_apart() -> None:
    errors = pytest.importorskip("huggingface_hub.errors", reason="hf: needs the extra hub")
    assert [name for name in (*ERRORS, "LocalEntryNotFoundError") if not hasattr(errors, name)] == []
    assert issubclass(errors.LocalEntryNotFoundError, errors.EntryNotFoundError)


def test_what_has_to_be_imported() -> None:
    assert [is_importable(each) for each in ("a.nemo", "hf:a/b", "ngc:a", "digits", "b/hf:a")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert fetch("a/b.nemo", Path()) == Path("a/b.nemo")


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("hf:owner/name", ("owner/name", "name.nemo", None)),
        ("hf:owner/name@v1", ("owner/name", "name.nemo", "v1")),
        ("hf:owner/name/sub/name.nemo@refs/pr/1", ("owner/name", "sub/name.nemo", "refs/pr/1")),
    ],
)
def test_addresses_on_the_hub(hub: Hub, source: str, asked: tuple[str, str, str | None]) -> None:
    hub.files.append("sub/name.nemo")
    assert fetch(source, Path()) == Path("/cache") / asked[1]
    assert hub.asked == [asked]


def test_the_only_model_of_a_repository_is_taken(hub: Hub) -> None:
    hub.files = ["README.md", "other.nemo"]
    assert fetch("hf:owner/name", Path()) == Path("/cache/other.nemo")
    hub.files = ["a.nemo", "b.nemo"]
    with pytest.raises(CheckpointError, match=r"several: a\.nemo, b\.nemo.*hf:owner/name/a\.nemo"):
        fetch("hf:owner/name", Path())
    hub.files = ["model.safetensors"]
    with pytest.raises(CheckpointError, match=r"there is no \.nemo file, and no model of transformers"):
        fetch("hf:owner/name", Path())
    with pytest.raises(CheckpointError, match=r"'pickle\.bin' is no \.nemo file, and no other is fetched"):
        fetch("hf:owner/name/pickle.bin", Path())


def test_a_model_of_transformers_is_fetched_without_its_other_files(hub: Hub) -> None:
    small = ["config.json", "preprocessor_config.json", "vocab.json"]
    hub.files = [*small, "model.safetensors", "pytorch_model.bin", "tf_model.h5", "run.py"]
    assert fetch("hf:owner/name@v1", Path()) == Path("/cache/snapshot")
    assert hub.asked[-1] == ("owner/name", sorted([*small, "model.safetensors"]), "v1")
    hub.files.remove("model.safetensors")
    fetch("hf:owner/name", Path())
    assert hub.asked[-1] == ("owner/name", sorted([*small, "pytorch_model.bin"]), None)
    assert [name_in(each) for each in ("hf:owner/name@v1", "hf:owner/name/a.nemo", "name")] == [
        "name",
        None,
        None,
    ]


def test_without_a_network_the_folder_that_was_fetched_is_taken(hub: Hub, tmp_path: Path) -> None:
    hub.failure = "LocalEntryNotFoundError"
    hub.snapshot = tmp_path
    with pytest.raises(CheckpointError, match=r"nor is it in the hub's cache"):
        fetch("hf:owner/name", Path())
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).touch()
    assert fetch("hf:owner/name", Path()) == tmp_path


def test_a_bundle_on_the_hub_is_fetched_without_its_other_files(hub: Hub) -> None:
    hub.files = ["bundle.yaml", "name.nemo", "pickle.bin"]
    assert fetch_bundle("hf:owner/name@v1") == Path("/cache/snapshot")
    names = ["README.md", "bundle.yaml", "language.lm", "model.onnx", "proof.json", "tokens.txt"]
    assert hub.asked == [("owner/name", "bundle.yaml", "v1"), ("owner/name", names, "v1")]


def test_what_is_no_bundle_on_the_hub(hub: Hub) -> None:
    assert [fetch_bundle(each) for each in ("digits", "ngc:a", "hf:owner/name/name.nemo")] == [None] * 3
    assert hub.asked == []
    assert fetch_bundle("hf:owner/name") is None
    hub.failure = "LocalEntryNotFoundError"
    assert fetch_bundle("hf:owner/name") is None  # without a network, a .nemo file may still be in the cache
    hub.failure = "RepositoryNotFoundError"
    with pytest.raises(CheckpointError, match="no such repository"):
        fetch_bundle("hf:owner/name")


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ("GatedRepoError", "asks for consent"),
        ("RepositoryNotFoundError", "no such repository"),
        ("LocalEntryNotFoundError", r"cannot be fetched, nor is it in the hub's cache.*give its path"),
        ("OSError", r"cannot be fetched.*\(OSError\)"),
    ],
)
def test_failures_of_the_hub(hub: Hub, failure: str, message: str) -> None:
    hub.failure = failure
    with pytest.raises(CheckpointError, match=message):
        fetch("hf:owner/name", Path())


def test_a_named_file_that_is_not_there(hub: Hub) -> None:
    with pytest.raises(CheckpointError, match="there is no such file in the repository"):
        fetch("hf:owner/name/x.nemo", Path())


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match=r"fetching hf:a/b.*linnet\[hub\]"):
        fetch("hf:a/b", Path())


def test_the_catalog_of_nvidia(catalog: dict[str, bytes], tmp_path: Path) -> None:
    assert NGC_MODELS_URL.startswith("https://")
    model = f"{NGC_MODELS_URL}/nvidia/nemo/stt"
    catalog[model] = json.dumps({"model": {"latestVersionIdStr": "1.6.0"}}).encode()
    catalog[f"{model}/versions/1.6.0/files/stt.nemo"] = b"weights"
    catalog[f"{NGC_MODELS_URL}/org/stt/versions/2/files/stt.nemo"] = b"others"
    assert fetch("ngc:stt", tmp_path).read_bytes() == b"weights"
    assert fetch("ngc:org/stt:2", tmp_path).read_bytes() == b"others"
    catalog.clear()
    assert fetch("ngc:stt:1.6.0", tmp_path).read_bytes() == b"weights"  # it is here already
    with pytest.raises(CheckpointError, match="there is no file at this address"):
        fetch("ngc:stt:9", tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"model": {"latestVersionIdStr": "../.."}}'])
def test_a_catalog_that_does_not_name_a_version(
    catalog: dict[str, bytes], tmp_path: Path, answer: bytes
) -> None:
    catalog[f"{NGC_MODELS_URL}/nvidia/nemo/stt"] = answer
    with pytest.raises(CheckpointError, match=r"which version is the latest.*ngc:NAME:VERSION"):
        fetch("ngc:stt", tmp_path)


@pytest.mark.parametrize("source", ["hf:name", "hf:a/../b", "hf:a/b/", "ngc:", "ngc:a/b/c/d", "ngc:../x:1"])
def test_addresses_that_are_none(source: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"is no address of a model.*hf:OWNER/NAME"):
        fetch(source, tmp_path)
