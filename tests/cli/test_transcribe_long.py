"""`linnet transcribe` of long and of damaged recordings: from files and pipes, with what was heard kept."""

import io
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
