"""`linnet evaluate`: figures on stdout, files on request, bad lines listed, exit codes."""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from linnet.audio.write import write_audio
from linnet.bundle.reader import read_bundle
from linnet.bundle.writer import update_bundle
from linnet.cli.main import app
from linnet.core.arrays import Samples
from linnet.core.results import Transcript, Word
from linnet.manifest.jsonl import read_manifest
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.search_config import SearchConfig

RATE_HZ = 16_000


WORDS = tuple(Word(text=text, start_s=0.0, end_s=0.05, confidence=0.9) for text in ("one", "two"))


class OneTwoRecognizer:
    """Hears "one two" in everything."""

    name = "one-two"
    normalizer = "basic"
    sample_rate_hz = RATE_HZ
    search = None

    def transcribe_samples(self, waveforms: Sequence[Samples]) -> list[Transcript]:
        return [
            Transcript(text="one two", words=WORDS, duration_s=len(each) / RATE_HZ, model=self.name)
            for each in waveforms
        ]


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were asked of `Recognizer.load`."""
    names: list[str] = []

    def load(name: str, *, search: SearchConfig) -> OneTwoRecognizer:
        names.append(name)
        return OneTwoRecognizer()

    monkeypatch.setattr(Recognizer, "load", load)
    return names


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    write_audio(tmp_path / "a.wav", np.full(1600, 0.1, np.float32), RATE_HZ)
    lines = [
        {"audio_filepath": "a.wav", "duration": 0.1, "text": "One, two.", "speaker": "anna"},
        {"audio_filepath": "a.wav", "duration": 0.1, "text": "one three", "speaker": "ben", "room": 7},
    ]
    return write_lines(tmp_path / "test.jsonl", lines)


def write_lines(path: Path, lines: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)], env={"COLUMNS": "100"})


def test_the_figures_and_their_recipe_are_on_stdout(manifest: Path, loaded: list[str]) -> None:
    result = run(manifest, "--model", "digits")
    assert result.exit_code == 0, result.output
    assert loaded == ["digits"]
    rows = {line.split("  ")[0]: line.split() for line in result.stdout.splitlines()}
    assert rows["words (WER)"][-5:] == ["25.00%", "1", "0", "0", "4"]
    assert rows["words, not normalized"][-5:] == ["75.00%", "3", "0", "0", "4"]
    assert "0.00% to 50.00% (bootstrap over 2 utterances)" in result.stdout
    assert "normalizer    basic, version 1" in result.stdout
    assert "  REF one three\n  HYP one two\n          S" in result.stdout
    assert result.stderr == ""


def test_the_report_is_written_as_json(manifest: Path, tmp_path: Path) -> None:
    path = tmp_path / "reports" / "report.json"
    assert run(manifest, "--model", "digits", "--json", path).exit_code == 0
    report = json.loads(path.read_text(encoding="utf-8"))
    assert report["words"]["rate"] == 0.25
    assert report["model"] == "one-two"
    assert report["manifest"] == str(manifest)
    assert report["manifest_problems"] == []


def test_a_temperature_is_fitted_and_kept_in_the_bundle(
    manifest: Path, tone_bundle: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(tone_bundle, bundle)
    update_bundle(bundle, min_confidence=0.9)
    result = run(manifest, "--model", bundle, "--calibrate")
    assert result.exit_code == 0, result.output
    assert "calibration error (ECE) 15.00%, ranking (AUC) 0.500, over 4 words" in result.stdout
    # Three of four words are right at a confidence of 0.9, whose logit is twice that of 0.75.
    spec = read_bundle(bundle).spec
    assert spec.confidence_temperature == pytest.approx(2.0, rel=0.02)
    assert spec.min_confidence == pytest.approx(0.75, rel=0.02)  # leaves out what it left out before
    assert "ECE 15.00% before, " in result.stdout


def test_nothing_is_kept_where_nothing_can_be_fitted(
    manifest: Path, tone_bundle: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(tone_bundle, bundle)
    before = (bundle / "bundle.yaml").read_bytes()
    right = write_lines(tmp_path / "right.jsonl", [json.loads(manifest.read_text().splitlines()[0])])
    result = run(right, "--model", bundle, "--calibrate")
    assert (result.exit_code, (bundle / "bundle.yaml").read_bytes()) == (2, before)
    assert "2 of 2 words are right" in result.stderr


@pytest.mark.parametrize("model", ["absent", "run/final.ckpt"])
def test_only_a_bundle_is_calibrated(manifest: Path, loaded: list[str], model: str) -> None:
    result = run(manifest, "--model", model, "--calibrate")
    assert (result.exit_code, loaded) == (2, [])
    assert "is not the directory of one" in result.stderr


def test_hypotheses_are_the_manifest_with_one_more_field(manifest: Path, tmp_path: Path) -> None:
    path = tmp_path / "hypotheses.jsonl"
    assert run(manifest, "--model", "digits", "--hypotheses", path).exit_code == 0
    written = read_manifest(path)
    assert [each.text for each in written] == ["One, two.", "one three"]
    assert [each.extra for each in written] == [{"pred_text": "one two"}, {"room": 7, "pred_text": "one two"}]


def test_normalizer_and_interval_can_be_chosen(manifest: Path) -> None:
    stdout = run(manifest, "-m", "digits", "--normalizer", "none", "--interval-over", "speaker").stdout
    assert "normalizer    none, version 1" in stdout
    assert "bootstrap over 2 speakers" in stdout


def test_bad_lines_are_listed_and_the_rest_goes_on(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"no recording")
    with manifest.open("a", encoding="utf-8") as file:
        file.write('{"audio_filepath": "noise.wav", "duration": 1, "text": "a"}\nnot json\n')
        file.write('{"audio_filepath": "absent.wav", "duration": 1, "text": "a"}\n')
    report_path = tmp_path / "report.json"
    result = run(manifest, "--model", "digits", "--json", report_path)
    assert result.exit_code == 1
    warnings = [line for line in result.stderr.splitlines() if line.startswith("warning: left out: ")]
    assert len(warnings) == 3
    assert "test.jsonl, line 4" in warnings[0]
    assert "absent.wav" in warnings[1]
    assert "noise.wav" in warnings[2]
    assert "25.00%" in result.stdout
    report = json.loads(report_path.read_text(encoding="utf-8"))
    assert len(report["failures"]) == 1
    assert len(report["manifest_problems"]) == 2


def test_a_manifest_without_a_good_line_is_an_error(tmp_path: Path, loaded: list[str]) -> None:
    empty = write_lines(tmp_path / "empty.jsonl", [])
    bad = write_lines(tmp_path / "bad.jsonl", [{"text": "no audio"}])
    for path in (empty, bad, tmp_path / "absent.jsonl"):
        result = run(path, "--model", "digits")
        assert result.exit_code == 2
        assert path.name in result.stderr
    assert loaded == []


def test_a_wrong_normalizer_is_an_error(manifest: Path) -> None:
    result = run(manifest, "--model", "digits", "--normalizer", "basik")
    assert result.exit_code == 2
    assert "did you mean 'basic'?" in result.stderr


@pytest.mark.parametrize("option", ["--json", "--hypotheses"])
def test_the_manifest_is_never_overwritten(manifest: Path, option: str) -> None:
    before = manifest.read_bytes()
    result = run(manifest, "--model", "digits", option, manifest.parent / "." / manifest.name)
    assert result.exit_code == 2
    assert "would overwrite" in result.stderr
    assert manifest.read_bytes() == before


def test_outputs_do_not_overwrite_each_other(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(manifest, "--model", "digits", "--json", out, "--hypotheses", out).exit_code == 2
    assert not out.exists()


def test_a_checkpoint_needs_the_extra_train(
    manifest: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    result = run(manifest, "--model", "runs/best.ckpt")
    assert result.exit_code == 2
    assert "pip install 'linnet[train]'" in result.stderr
    assert loaded == []


def test_control_characters_of_a_manifest_are_written_out(manifest: Path) -> None:
    with manifest.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"audio_filepath": "a.wav", "duration": 0.1, "text": "x\x1b[2Jy"}) + "\n")
    assert "\x1b" not in run(manifest, "--model", "digits", "--normalizer", "none").stdout
