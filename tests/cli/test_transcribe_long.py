"""`linnet transcribe` of long and of damaged recordings: from files and pipes, with what was heard kept."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner

from linnet.cli.main import app
from linnet.core.arrays import Samples

Say = Callable[..., Samples]


def wav(samples: Samples) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format="WAV")
    return file.getvalue()


def test_a_long_recording_needs_no_option(tone_bundle: Path, say_tones: Say) -> None:
    words = "one two two one"
    content = wav(say_tones(words, gap_s=15.0))
    result = CliRunner().invoke(app, ["transcribe", "-", "--model", str(tone_bundle)], input=content)
    assert (result.exit_code, result.stdout) == (0, words + "\n")


@pytest.mark.parametrize("gap_s", [0.3, 20.0])
def test_what_was_heard_of_a_truncated_recording_is_given(
    tone_bundle: Path, say_tones: Say, tmp_path: Path, gap_s: float
) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(wav(say_tones("one two one one", gap_s=gap_s))[: -round((gap_s + 0.5) * 32_000)])
    result = CliRunner().invoke(app, ["transcribe", str(path), "--model", str(tone_bundle)])
    assert (result.exit_code, result.stdout) == (1, "one two one\n")
    assert "bytes are missing at the end; the text ends there" in result.stderr.replace("\n", " ")


def test_a_truncated_recording_has_a_transcript_and_is_counted_apart(
    tone_bundle: Path, say_tones: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("calls").mkdir()
    Path("calls/whole.wav").write_bytes(wav(say_tones("two")))
    Path("calls/cut.wav").write_bytes(wav(say_tones("one two one"))[:-25_600])
    Path("calls/bad.wav").write_bytes(b"RIFF nonsense")
    command = ["transcribe", "calls", "-o", "out", "--model", str(tone_bundle)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert "2 transcripts in out\n" in done.stderr
    assert "1 of 3 recordings could not be transcribed\n" in done.stderr
    assert "1 of 3 recordings could not be read to the end\n" in done.stderr
    assert {path.name: path.read_text() for path in Path("out").glob("*.txt")} == {
        "whole.txt": "two\n",
        "cut.txt": "one two\n",
    }
    shutil.copy("calls/whole.wav", "calls/bad.wav")
    resumed = CliRunner().invoke(app, [*command, "--resume"])
    assert (resumed.exit_code, resumed.stderr) == (0, "1 transcripts in out, 2 finished before\n")
