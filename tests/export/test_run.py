"""From a checkpoint to a bundle that reads the same, or to nothing at all."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from linnet.bundle.reader import file_sha256, read_bundle
from linnet.bundle.schema import CHECKPOINT_FILE
from linnet.core.arrays import Samples
from linnet.core.errors import BundleError, CheckpointError, ConfigError, ExportError
from linnet.export import run
from linnet.export.options import ExportOptions
from linnet.export.run import export_bundle
from linnet.models.checkpoint import read_checkpoint
from linnet.models.ctc import CtcModel
from linnet.models.recognizer import CheckpointRecognizer
from linnet.runtime.recognizer import Recognizer

Export = Callable[..., Path]


@pytest.fixture
def export(
    tone_run: Any, graph: Path, recordings: list[Samples], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Export:
    """`export(replace=True, …)` → the bundle in `tmp_path/bundle`, from the graph that is there already."""
    monkeypatch.setattr(run, "export_onnx", lambda _, path: shutil.copyfile(graph, path))

    def make(**options: Any) -> Path:
        checkpoint = tone_run.output_dir / "final.ckpt"
        export_bundle(checkpoint, tmp_path / "bundle", recordings, ExportOptions(**options))
        return tmp_path / "bundle"

    return make


def test_the_bundle_reads_what_the_checkpoint_reads(
    export: Export, model: CtcModel, recordings: list[Samples]
) -> None:
    exported = Recognizer.load(export()).transcribe_samples(recordings)
    source = CheckpointRecognizer(model).transcribe_samples(recordings)
    assert [transcript.text for transcript in exported] == ["one", "two one", "one two one"]
    for ours, expected in zip(exported, source, strict=True):
        assert [(word.text, word.start_s, word.end_s) for word in ours.words] == [
            (word.text, word.start_s, word.end_s) for word in expected.words
        ]
        np.testing.assert_allclose(
            [word.confidence for word in ours.words], [word.confidence for word in expected.words], atol=1e-4
        )


def test_the_bundle_tells_what_it_holds(export: Export, model: CtcModel) -> None:
    bundle = read_bundle(
        export(description="Two tones.", min_confidence=0.25, language="en-GB", metrics={"WER dev": 1.5})
    )
    spec = bundle.spec
    assert spec.min_confidence == 0.25
    assert (spec.name, spec.description, spec.language, spec.license) == (
        "tones",
        "Two tones.",
        "en-GB",
        "Apache-2.0",
    )
    assert spec.frontend == model.config.frontend
    assert (spec.subsampling, spec.blank_id, spec.vocabulary, spec.normalizer) == (2, 2, "word", "basic")
    assert spec.parameters == model.num_parameters()
    assert spec.metrics == {"WER dev": 1.5}
    assert spec.opset == onnx.load(bundle.model_path).opset_import[0].version
    assert bundle.vocabulary == model.vocabulary
    assert "# tones" in (bundle.path / "README.md").read_text()


def test_a_graph_that_differs_is_not_written(
    export: Export, graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def export_another(_: CtcModel, path: Path) -> None:
        content = onnx.load(graph)
        weight = max(content.graph.initializer, key=lambda each: np.prod(each.dims))
        values = onnx.numpy_helper.to_array(weight) * np.float32(1.1)
        weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
        onnx.save(content, path)

    monkeypatch.setattr(run, "export_onnx", export_another)
    with pytest.raises(ExportError, match="Nothing was written"):
        export()
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_brings_its_checkpoint_when_asked(export: Export, tone_run: Any) -> None:
    kept = export(keep_checkpoint=True) / CHECKPOINT_FILE
    original = tone_run.output_dir / "final.ckpt"
    ours, theirs = read_checkpoint(kept), read_checkpoint(original)
    assert ours.config == theirs.config
    assert ours.weights.keys() == theirs.weights.keys()
    assert all(torch.equal(value, theirs.weights[name]) for name, value in ours.weights.items())
    assert read_bundle(kept.parent).spec.files[CHECKPOINT_FILE] == file_sha256(kept)
    kept.unlink()  # to save space
    Recognizer.load(kept.parent)
    assert not (export(replace=True) / CHECKPOINT_FILE).exists()


def test_a_bundle_is_replaced_only_when_asked(export: Export) -> None:
    first = (export() / "bundle.yaml").read_text()
    with pytest.raises(BundleError, match="there is a model here already"):
        export(description="second")
    assert (export(replace=True, description="second") / "bundle.yaml").read_text() != first


def test_a_directory_in_the_way_is_refused_before_the_export(
    export: Export, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "export_onnx", None)
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match=r"holds other files, such as 'thesis\.txt'"):
        export(replace=True)
    assert (tmp_path / "bundle" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"language": "English"}, "language: 'English' should match"),
        ({"license": "x" * 2000}, "license: 'xxx"),
    ],
)
def test_an_option_that_no_bundle_can_hold_is_refused_before_the_export(
    export: Export, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: dict[str, str], message: str
) -> None:
    monkeypatch.setattr(run, "export_onnx", None)
    with pytest.raises(ConfigError, match=message):
        export(**options)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_checkpoint_is_refused(tmp_path: Path, recordings: list[Samples]) -> None:
    (tmp_path / "a.ckpt").write_bytes(b"PK")
    with pytest.raises(CheckpointError, match=r"a\.ckpt"):
        export_bundle(tmp_path / "a.ckpt", tmp_path / "bundle", recordings, ExportOptions())


def test_a_model_that_no_onnx_file_holds_is_refused_before_any_work(
    model: CtcModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CtcModel, "num_parameters", lambda _: 2**29)
    with pytest.raises(ExportError, match=r"the weights take 2\.0 GiB, and one ONNX file holds less than 2"):
        run.export_model(model, tmp_path / "bundle", [], ExportOptions())
