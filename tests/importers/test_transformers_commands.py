"""A folder of transformers in the commands: imported into a bundle, run from the cache, trained on."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

pytest.importorskip("onnxscript", reason="importing needs the extra train")

from linnet.bundle.reader import read_bundle
from linnet.cli.imported import imported_source
from linnet.cli.main import app
from linnet.export import run
from linnet.export.options import ExportOptions
from linnet.export.proof import Proof
from linnet.importers import fetch
from linnet.models.ctc import CtcModel
from linnet.runtime.packaged import find_model

PROOF = Proof(recordings=2, audio_s=3.25, alone=1.5e-6, batched=2.5e-6, changed_texts=0)
Writer = Callable[..., Path]


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LINNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[tuple[CtcModel, ExportOptions]]:
    """Puts the packaged model where a bundle shall be written; gives what was to be exported."""
    calls: list[tuple[CtcModel, ExportOptions]] = []

    def export_model(model: CtcModel, directory: Path, recordings: Any, options: ExportOptions) -> Proof:
        calls.append((model, options))
        shutil.copytree(find_model("digits"), directory)
        return PROOF

    monkeypatch.setattr(run, "export_model", export_model)
    return calls


def test_a_folder_is_told_and_exported(
    write_transformers: Writer, tmp_path: Path, exports: list[Any]
) -> None:
    done = invoke("import", write_transformers(), tmp_path / "bundle", "--language", "sv")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "model       tiny-model: Wav2Vec2ForCTC of transformers 4.30.0"
    assert lines[1].endswith("parameters, a frame every 10 ms")
    assert lines[2] == "vocabulary  6 pieces, char; texts by basic"
    assert lines[3] == "front end   samples at 16000 Hz, normalized per_feature"
    assert lines[4].startswith("compared on 2 recordings")
    assert lines[-1] == f"wrote {tmp_path / 'bundle'}"
    ((model, options),) = exports
    assert (model.config.name, options.language) == ("tiny-model", "sv")


@pytest.mark.every_export
def test_a_folder_becomes_a_proved_bundle(write_transformers: Writer, tmp_path: Path) -> None:
    done = invoke("import", write_transformers(), tmp_path / "bundle", "--language", "sv")
    assert done.exit_code == 0, done.output
    spec = read_bundle(tmp_path / "bundle").spec
    assert (spec.name, spec.language, spec.subsampling) == ("tiny-model", "sv", 160)


def test_a_folder_runs_from_the_cache(write_transformers: Writer, cache: Path, exports: list[Any]) -> None:
    command = ["transcribe", "--sample", "--model", write_transformers()]
    first, second = invoke(*command), invoke(*command)
    assert first.exit_code == second.exit_code == 0, first.output
    assert "importing" in first.stderr
    assert "importing" not in second.stderr
    assert [model.config.name for model, _ in exports] == ["tiny-model"]
    write_transformers({"transformers_version": "4.31.0"})  # another file, another key
    assert "importing" in invoke(*command).stderr
    assert len(list((cache / "imported").iterdir())) == 2


def test_a_folder_from_the_hub_is_called_like_its_repository(
    write_transformers: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_transformers()
    monkeypatch.setattr(
        fetch, "fetch", lambda source, _: folder if source == "hf:owner/name" else Path(source)
    )
    source = imported_source("hf:owner/name")
    assert source is not None
    assert (source.config.name, source.config.encoder.kind) == ("name", "wav2vec2")


def test_training_starts_from_a_model_without_a_head(write_transformers: Writer) -> None:
    weights = {"lm_head.weight": None, "lm_head.bias": None}
    source = imported_source(str(write_transformers({"architectures": ["Wav2Vec2Model"]}, weights)))
    assert source is not None
    assert not any(name.startswith("head.") for name in source.weights)
    assert source.weights["encoder.mask_vector"].shape == torch.Size([8])


def test_what_is_not_read_leaves_nothing_behind(write_transformers: Writer, tmp_path: Path) -> None:
    folder = write_transformers({"model_type": "whisper"})
    for command in (["import", folder, tmp_path / "x"], ["transcribe", "--sample", "-m", folder]):
        done = invoke(*command)
        assert done.exit_code == 2
        assert "model_type: 'whisper' is not supported" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tiny-model"]
