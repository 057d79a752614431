"""`linnet export`: a bundle from a checkpoint, and every reason not to write one."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

pytest.importorskip("onnxscript", reason="exporting needs the extra train")

from linnet.audio.write import write_audio
from linnet.bundle.reader import read_bundle
from linnet.cli.main import app
from linnet.core.arrays import Samples
from linnet.core.errors import ExportError
from linnet.export import run
from linnet.export.options import ExportOptions
from linnet.export.proof import Proof
from linnet.runtime import packaged
from linnet.runtime.recognizer import Recognizer

PROOF = Proof(recordings=2, audio_s=3.25, alone=1.5e-6, batched=2.5e-6, changed_texts=0)


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, arguments)], env={"COLUMNS": "100"})


@pytest.fixture
def checkpoint(tone_run: Any) -> Path:
    return tone_run.output_dir / "final.ckpt"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Samples], ExportOptions]]:
    """Replace the export; gives the recordings and options it was asked for."""
    calls: list[tuple[list[Samples], ExportOptions]] = []

    def export_bundle(_: Path, __: Path, recordings: list[Samples], options: ExportOptions) -> Proof:
        calls.append((recordings, options))
        return PROOF

    monkeypatch.setattr(run, "export_bundle", export_bundle)
    return calls


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say_tones: Callable[..., Samples]) -> Samples:
    """Stands in for the recording inside the package."""
    samples = say_tones("one two", gap_s=0.1)
    write_audio(tmp_path / "sample.wav", samples)
    monkeypatch.setattr(packaged, "packaged_sample", lambda: tmp_path / "sample.wav")
    return samples


def test_help_says_what_is_compared() -> None:
    shown = " ".join(invoke("--help").stdout.split())
    assert "compared on real audio, alone and in a padded batch" in shown
    for option in (
        "--manifest",
        "--language",
        "--license",
        "--report",
        "--replace",
        "--keep-checkpoint",
        "--for",
        "--force",
    ):
        assert option in shown


def test_a_checkpoint_becomes_a_bundle_that_reads(
    tone_export: Any, say_tones: Callable[..., Samples]
) -> None:
    compared, difference, _, *rows, wrote = tone_export.stdout.splitlines()
    assert compared.startswith("compared on 8 recordings, ")
    assert difference.startswith("largest difference: ")
    ways = ("alone", "batches of 2", "batches of 8", "long-form")
    lines = [f"{graph} {way}" for graph in ("torch", "onnx fp32") for way in ways]
    assert [" ".join(row.split()).startswith(line) for row, line in zip(rows, lines, strict=True)] == [
        True
    ] * 8
    assert wrote == f"wrote {tone_export.output_dir}"
    recognizer = Recognizer.load(tone_export.output_dir)
    (transcript,) = recognizer.transcribe_samples([say_tones("two one", gap_s=0.1)])
    assert transcript.text == "two one"


def test_options_and_reports_reach_the_bundle(
    checkpoint: Path, tmp_path: Path, asked: list[Any], sample: Samples
) -> None:
    report = tmp_path / "fsdd-test.json"
    report.write_text(json.dumps({"words": {"rate": 0.02345}}))
    described = ("--description", "Reads tones.", "--language", "de", "--license", "MIT", "--replace")
    assert invoke(checkpoint, tmp_path / "out", *described, "--report", report).exit_code == 0
    ((_, options),) = asked
    assert options == ExportOptions(
        description="Reads tones.",
        language="de",
        license="MIT",
        metrics={"WER fsdd-test": 2.345},
        replace=True,
    )


def test_without_a_manifest_the_packaged_sample_is_compared(
    checkpoint: Path, tmp_path: Path, asked: list[Any], sample: Samples
) -> None:
    result = invoke(checkpoint, tmp_path / "out")
    assert "largest difference: 1.5e-06 alone, 2.5e-06 in a padded batch" in result.stdout
    ((recordings, _),) = asked
    assert [len(each) for each in recordings] == [len(sample), len(sample) * 2 // 3], "a batch with padding"


@pytest.mark.parametrize("content", ["{}", "no json", '{"words": {"rate": null}}', '{"words": 3}'])
def test_a_file_that_is_no_report_exits_with_2(
    checkpoint: Path, tmp_path: Path, sample: Samples, content: str
) -> None:
    (tmp_path / "report.json").write_text(content)
    result = invoke(checkpoint, tmp_path / "out", "--report", tmp_path / "report.json")
    assert result.exit_code == 2
    assert "is not a report with a word error rate" in result.stderr


def test_a_bundle_that_is_there_exits_with_2(checkpoint: Path, tone_bundle: Path, sample: Samples) -> None:
    before = read_bundle(tone_bundle).spec
    result = invoke(checkpoint, tone_bundle)
    assert result.exit_code == 2
    assert "there is a model here already" in result.stderr
    assert read_bundle(tone_bundle).spec == before


@pytest.mark.parametrize("program", ["sherpa-onnx", "onnx-asr"])
def test_another_front_end_is_said_before_writing(tone_bundle: Path, tmp_path: Path, program: str) -> None:
    result = invoke(tone_bundle, tmp_path / "out", "--for", program)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{program} computes features otherwise: " in result.stderr
    assert "window_ms is 20.0 here and always 25.0 there" in result.stderr
    assert list(tmp_path.iterdir()) == []
    assert invoke(tone_bundle, tmp_path / "out", "--for", program, "--force").exit_code == 0
    again = invoke(tone_bundle, tmp_path / "out", "--for", program, "--force")
    assert (again.exit_code, "there is a model here already" in again.stderr) == (2, True)


def test_a_checkpoint_is_proved_before_it_is_written_for_another_program(
    checkpoint: Path, tmp_path: Path, sample: Samples, tone_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def export_bundle(_: Path, directory: Path, *__: object) -> Proof:
        shutil.copytree(tone_bundle, directory)
        return PROOF

    monkeypatch.setattr(run, "export_bundle", export_bundle)
    result = invoke(checkpoint, tmp_path / "out", "--for", "sherpa-onnx", "--force")
    assert result.exit_code == 0, result.output
    _, difference, *_, wrote = result.stdout.splitlines()
    assert difference.startswith("largest difference: 1.5e-06 alone, 2.5e-06 in a padded batch, 0.0e+00 in ")
    assert wrote == f"wrote {tmp_path / 'out'}"


def test_a_refused_proof_exits_with_1(
    checkpoint: Path, tmp_path: Path, sample: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ExportError("the exported graph differs", remedy="Nothing was written")

    monkeypatch.setattr(run, "export_bundle", refuse)
    result = invoke(checkpoint, tmp_path / "out")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "error: the exported graph differs. Nothing was written" in result.stderr


def test_a_wrong_language_exits_with_2(checkpoint: Path, tmp_path: Path, sample: Samples) -> None:
    result = invoke(checkpoint, tmp_path / "out", "--language", "English")
    assert result.exit_code == 2
    assert "language: 'English' should match" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_bundle_without_a_wish_is_answered_with_the_options(tone_bundle: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(tone_bundle), str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "this is a bundle already. Say what to make of it with --int8 or --for" in result.stderr


def test_a_missing_checkpoint_exits_with_2(tmp_path: Path, sample: Samples) -> None:
    result = invoke(tmp_path / "none.ckpt", tmp_path / "out")
    assert result.exit_code == 2
    assert "none.ckpt: there is no such checkpoint" in result.stderr
