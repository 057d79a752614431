"""A bundle is written whole or not at all, and never over something else."""

import hashlib
from pathlib import Path

import pytest
import yaml

from linnet.bundle import writer
from linnet.bundle.reader import read_bundle
from linnet.bundle.schema import BundleSpec, OwnSearch
from linnet.bundle.writer import attach_language_model, copy_bundle, update_bundle, write_bundle
from linnet.core.errors import BundleError
from linnet.text.vocabulary import Vocabulary


def test_what_is_written_is_read_back(
    tmp_path: Path, spec: BundleSpec, vocabulary: Vocabulary, model_file: Path
) -> None:
    write_bundle(tmp_path / "deep" / "toy", spec, model_file, vocabulary, "# toy\n")
    read = read_bundle(tmp_path / "deep" / "toy")
    assert read.spec.model_copy(update={"files": {}}) == spec
    assert read.vocabulary == vocabulary
    assert read.model_path.read_bytes() == model_file.read_bytes()
    assert (read.path / "README.md").read_text() == "# toy\n"
    assert sorted(path.name for path in read.path.parent.iterdir()) == ["toy"]


def test_a_proof_lies_beside_what_older_readers_check(
    tmp_path: Path, spec: BundleSpec, vocabulary: Vocabulary, model_file: Path
) -> None:
    write_bundle(tmp_path / "toy", spec, model_file, vocabulary, "", proof="{}")
    assert (tmp_path / "toy" / "proof.json").read_text() == "{}"
    assert "proof.json" not in read_bundle(tmp_path / "toy").spec.files
    write_bundle(tmp_path / "toy", spec, model_file, vocabulary, "", replace=True)
    assert not (tmp_path / "toy" / "proof.json").exists()


def test_a_measured_key_is_put_in_and_the_rest_stays(bundle: Path) -> None:
    before = read_bundle(bundle)
    update_bundle(bundle, confidence_temperature=1.5, word_end_shift_s=0.2)
    after = read_bundle(bundle)  # with its checksums
    assert after.spec == before.spec.model_copy(
        update={"confidence_temperature": 1.5, "word_end_shift_s": 0.2}
    )
    assert after.spec.clock.word_end_shift_s == 0.2


def test_a_bundle_without_the_measured_keys_is_still_read(bundle: Path) -> None:
    values = yaml.safe_load((bundle / "bundle.yaml").read_text(encoding="utf-8"))
    for key in ("confidence_temperature", "word_start_shift_s", "word_end_shift_s"):
        del values[key]
    (bundle / "bundle.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    spec = read_bundle(bundle).spec
    assert (spec.confidence_temperature, spec.word_start_shift_s, spec.word_end_shift_s) == (1.0, 0.0, 0.0)


def test_a_damaged_bundle_is_not_updated(bundle: Path) -> None:
    (bundle / "tokens.txt").write_text("nonsense", encoding="utf-8")
    before = (bundle / "bundle.yaml").read_bytes()
    with pytest.raises(BundleError):
        update_bundle(bundle, confidence_temperature=1.5)
    assert (bundle / "bundle.yaml").read_bytes() == before


def test_the_description_is_plain_yaml_with_checksums(bundle: Path) -> None:
    values = yaml.safe_load((bundle / "bundle.yaml").read_text(encoding="utf-8"))
    assert values["schema_version"] == 1
    assert values["files"]["model.onnx"] == hashlib.sha256(bytes(range(256))).hexdigest()


def test_a_bundle_is_replaced_only_when_asked(
    bundle: Path, spec: BundleSpec, vocabulary: Vocabulary, model_file: Path
) -> None:
    changed = spec.model_copy(update={"name": "second"})
    with pytest.raises(BundleError, match="there is a model here already"):
        write_bundle(bundle, changed, model_file, vocabulary, "")
    assert read_bundle(bundle).spec.name == "toy"
    write_bundle(bundle, changed, model_file, vocabulary, "", replace=True)
    assert read_bundle(bundle).spec.name == "second"
    assert sorted(path.name for path in bundle.parent.iterdir()) == ["model.bytes", "toy"]


def test_an_empty_directory_is_free(
    tmp_path: Path, spec: BundleSpec, vocabulary: Vocabulary, model_file: Path
) -> None:
    (tmp_path / "toy").mkdir()
    write_bundle(tmp_path / "toy", spec, model_file, vocabulary, "")
    assert read_bundle(tmp_path / "toy").spec.name == "toy"


def test_other_files_are_never_replaced(
    bundle: Path, spec: BundleSpec, vocabulary: Vocabulary, model_file: Path
) -> None:
    (bundle / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"holds other files, such as 'notes\.txt'"):
        write_bundle(bundle, spec, model_file, vocabulary, "", replace=True)
    with pytest.raises(BundleError, match="a file is in the way"):
        write_bundle(bundle / "notes.txt", spec, model_file, vocabulary, "", replace=True)
    assert (bundle / "notes.txt").read_text() == "mine"


def test_a_failure_leaves_what_was_there(
    bundle: Path,
    spec: BundleSpec,
    vocabulary: Vocabulary,
    model_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(writer, "write_tokens", full_disk)
    with pytest.raises(OSError, match="no space left"):
        write_bundle(bundle, spec, model_file, vocabulary, "", replace=True)
    assert read_bundle(bundle).spec.name == "toy"
    assert sorted(path.name for path in bundle.parent.iterdir()) == ["model.bytes", "toy"]


@pytest.fixture
def with_model(bundle: Path, tmp_path: Path) -> Path:
    """The bundle with a language model, which is no real one: the bundle room never looks inside it."""
    (tmp_path / "any.lm").write_bytes(b"n-grams")
    (bundle / "proof.json").write_text("{}")
    attach_language_model(bundle, tmp_path / "any.lm", OwnSearch(alpha=0.25))
    return bundle


def test_a_language_model_comes_with_its_weights_and_its_checksum(with_model: Path, tmp_path: Path) -> None:
    read = read_bundle(with_model)
    assert read.language_model == with_model / "language.lm"
    assert read.language_model.read_bytes() == b"n-grams"
    assert (read.spec.search, read.spec.name) == (OwnSearch(alpha=0.25), "toy")
    assert (with_model / "proof.json").read_text() == "{}"
    copy_bundle(with_model, tmp_path / "copy")
    assert (tmp_path / "copy" / "language.lm").read_bytes() == b"n-grams"


def test_another_language_model_takes_its_place(with_model: Path, tmp_path: Path) -> None:
    (tmp_path / "other.lm").write_bytes(b"others")
    attach_language_model(with_model, tmp_path / "other.lm", OwnSearch(beam=8))
    assert (with_model / "language.lm").read_bytes() == b"others"
    assert read_bundle(with_model).spec.search == OwnSearch(beam=8)


@pytest.mark.parametrize(
    ("content", "message"), [(None, r"language\.lm is missing"), (b"n-grans", "changed or damaged")]
)
def test_a_language_model_that_is_not_the_one_is_named(
    with_model: Path, content: bytes | None, message: str
) -> None:
    (with_model / "language.lm").unlink()
    if content:
        (with_model / "language.lm").write_bytes(content)
    with pytest.raises(BundleError, match=message):
        read_bundle(with_model)


def test_foreign_files_are_not_lost_to_a_language_model(with_model: Path, tmp_path: Path) -> None:
    (with_model / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match="holds other files"):
        attach_language_model(with_model, tmp_path / "any.lm", OwnSearch())
    assert (with_model / "notes.txt").read_text() == "mine"
