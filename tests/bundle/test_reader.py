"""A bundle is read only when every file is what its description says."""

from pathlib import Path

import pytest
import yaml

from linnet.bundle import reader
from linnet.bundle.reader import file_sha256, read_bundle, read_spec
from linnet.bundle.schema import CONTENT_FILES
from linnet.core.errors import BundleError


def edit_spec(bundle: Path, **changes: object) -> None:
    path = bundle / "bundle.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")


def test_a_sound_bundle(bundle: Path) -> None:
    read = read_bundle(bundle)
    assert read.spec.name == "toy"
    assert read.vocabulary.pieces == ("▁zero", "▁one")
    assert read.model_path == bundle / "model.onnx"
    assert read.path == bundle


def test_no_directory_and_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="there is no such directory"):
        read_bundle(tmp_path / "none")
    with pytest.raises(BundleError, match=r"there is no bundle\.yaml in this directory"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("name", CONTENT_FILES)
def test_a_missing_file_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        read_bundle(bundle)


@pytest.mark.parametrize("name", CONTENT_FILES)
def test_a_changed_file_is_named(bundle: Path, name: str) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[0] ^= 1
    (bundle / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name}: the file was changed or damaged"):
        read_bundle(bundle)


def test_a_description_is_read_without_the_rest(bundle: Path) -> None:
    (bundle / "model.onnx").write_bytes(b"another")
    assert read_spec(bundle).name == "toy"


def test_a_newer_schema_is_named_with_its_remedy(bundle: Path) -> None:
    edit_spec(bundle, schema_version=2, a_key_of_the_future=True)
    with pytest.raises(BundleError, match=r"schema version 2, this linnet reads up to 1\. Upgrade linnet"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": "one"}, "schema_version"),
        ({"subsampling": "two"}, "subsampling"),
        ({"a_key": 1}, "a_key"),
        ({"files": {}}, r"files must list model\.onnx, tokens\.txt, README\.md, found none"),
        ({"files": {"../model.onnx": "0" * 64}}, r"files must list .* found \.\./model\.onnx"),
        ({"blank_id": 5}, "the blank is token 2 here and 5 in"),
    ],
)
def test_a_wrong_description_is_refused(bundle: Path, changes: dict[str, object], message: str) -> None:
    edit_spec(bundle, **changes)
    with pytest.raises(BundleError, match=message):
        read_bundle(bundle)


@pytest.mark.parametrize("content", [b"", b"[1, 2]", b"a: [", b"\xff\xfe\x00", b"name: toy\n", b"[" * 600])
def test_what_is_no_description_is_refused(bundle: Path, content: bytes) -> None:
    (bundle / "bundle.yaml").write_bytes(content)
    with pytest.raises(BundleError, match=r"bundle\.yaml"):
        read_bundle(bundle)


def test_yaml_cannot_run_code(bundle: Path) -> None:
    (bundle / "bundle.yaml").write_text("schema_version: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(BundleError, match=r"bundle\.yaml"):
        read_bundle(bundle)


def test_a_huge_model_is_not_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reader._LIMITS_BYTES, "model.onnx", 255)
    with pytest.raises(BundleError, match=r"model\.onnx has 256 bytes, at most 255"):
        read_bundle(bundle)


def test_a_damaged_vocabulary_is_a_bundle_error(bundle: Path) -> None:
    (bundle / "tokens.txt").write_text("▁zero 0\n▁one 1\n")
    files = dict(read_spec(bundle).files)
    edit_spec(bundle, files=files | {"tokens.txt": file_sha256(bundle / "tokens.txt")})
    with pytest.raises(BundleError, match=r"tokens\.txt: the last token is not '<blk>'"):
        read_bundle(bundle)
