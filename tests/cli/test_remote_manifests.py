"""Commands over a manifest and recordings on an S3 server, with the packaged model."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from linnet.cli.main import app
from linnet.runtime.packaged import packaged_sample

TEXT = "four one five oh two nine eight six three seven"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "100"})


@pytest.fixture
def manifest(s3_store: Any) -> str:
    """The URL of a manifest that names the packaged sample beside it."""
    s3_store.put("digits/clips/sample.wav", packaged_sample("digits").read_bytes())
    lines = [{"audio_filepath": "clips/sample.wav", "text": TEXT}]
    return s3_store.put("digits/test.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())


def test_evaluate_reads_a_bucket(manifest: str, tmp_path: Path) -> None:
    report, hypotheses = tmp_path / "report.json", tmp_path / "hypotheses.jsonl"
    result = run("evaluate", manifest, "--model", "digits", "--json", report, "--hypotheses", hypotheses)
    assert result.exit_code == 0, result.output
    assert "1 scored, 0 left out" in result.stdout
    found = json.loads(report.read_text(encoding="utf-8"))
    assert (found["manifest"], found["words"]["rate"]) == (manifest, 0.0)
    line = json.loads(hypotheses.read_text(encoding="utf-8"))
    assert line["audio_filepath"] == "s3://bucket/digits/clips/sample.wav"
    assert line["pred_text"] == TEXT


def test_evaluate_names_what_is_missing_and_goes_on(manifest: str, tmp_path: Path) -> None:
    lines = [
        {"audio_filepath": f"s3://bucket/digits/clips/{name}.wav", "duration": 4.0, "text": TEXT}
        for name in ("sample", "none")
    ]
    local = tmp_path / "test.jsonl"
    local.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    result = run("evaluate", local, "--model", "digits")
    assert result.exit_code == 1
    assert "1 scored, 1 left out" in result.stdout
    assert "left out: s3://bucket/digits/clips/none.wav: there is no file at this address" in result.stderr


def test_a_wrong_bucket_is_wrong_usage(s3_store: Any) -> None:
    result = run("evaluate", "s3://no-such-bucket/test.jsonl", "--model", "digits")
    assert result.exit_code == 2
    assert "error: s3://no-such-bucket/test.jsonl: there is no file at this address" in result.stderr


def test_without_credentials_the_remedy_is_named(manifest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    result = run("evaluate", manifest, "--model", "digits")
    assert result.exit_code == 2
    assert "no credentials were found for the store. For S3 set AWS_ACCESS_KEY_ID" in result.stderr


def test_transcribe_reads_a_url(manifest: str, tmp_path: Path) -> None:
    url = "s3://bucket/digits/clips/sample.wav"
    assert run("transcribe", url, "--model", "digits").stdout == f"{TEXT}\n"
    both = (url, "s3://bucket/digits/clips/none.wav")
    result = run("transcribe", *both, "--model", "digits", "--output-dir", tmp_path)
    assert result.exit_code == 1
    assert (tmp_path / "sample.txt").read_text(encoding="utf-8") == f"{TEXT}\n"
    assert "s3://bucket/digits/clips/none.wav: there is no file at this address" in result.stderr
