"""`linnet listen` writes what comes through a pipe while it comes, and says how it ended."""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from linnet.audio import microphone
from linnet.cli.main import app
from linnet.core.arrays import Samples

Say = Callable[..., Samples]


def listen(bundle: Path, stdin: bytes, *options: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["listen", "-", "--model", str(bundle), *options], input=stdin)
    return result.exit_code, result.stdout, result.stderr


def raw(samples: Samples) -> bytes:
    return (samples * 32767).astype("<i2").tobytes()


@pytest.fixture
def speech(say_tones: Say) -> Samples:
    return np.concatenate([say_tones("one two"), np.zeros(16_000, np.float32), say_tones("two")])


def test_a_pause_ends_a_line(tone_bundle: Path, speech: Samples) -> None:
    assert listen(tone_bundle, raw(speech)) == (0, "one two\ntwo\n", "")
    assert listen(tone_bundle, raw(speech), "--numbers", "--pause", "2") == (0, "122\n", "")


def test_wav_of_another_rate_as_json(tone_bundle: Path, say_tones: Say) -> None:
    file = io.BytesIO()
    soundfile.write(file, say_tones("one two", sample_rate_hz=44_100), 44_100, format="WAV")
    code, stdout, _ = listen(tone_bundle, file.getvalue(), "--format", "json")
    lines = [json.loads(line) for line in stdout.splitlines()]
    assert (code, [line["final"] for line in lines][-1]) == (0, True)
    assert [word["text"] for word in lines[-1]["words"]] == ["one", "two"]
    assert lines[-1]["words"][1]["start_s"] == pytest.approx(0.8, abs=0.03)


def test_a_rate_for_samples_without_a_header(tone_bundle: Path, say_tones: Say) -> None:
    samples = raw(say_tones("one two", sample_rate_hz=8000))
    assert listen(tone_bundle, samples, "--rate", "8000")[1] == "one two\n"


def test_hotwords_are_accounted_for(tone_bundle: Path, speech: Samples) -> None:
    _, stdout, stderr = listen(tone_bundle, raw(speech), "--hotword", "one two=0.1", "--hotword", "three")
    assert stdout == "one two\ntwo\n"
    assert stderr.splitlines()[-2:] == [
        "hotword 'one two': written",
        "hotword 'three': not in the vocabulary",
    ]


def test_a_stream_that_breaks_off_fails_with_what_was_heard(tone_bundle: Path, speech: Samples) -> None:
    file = io.BytesIO()
    soundfile.write(file, speech, 16_000, format="WAV")
    code, stdout, stderr = listen(tone_bundle, file.getvalue()[:60_000])
    assert (code, stdout) == (1, "one two\n")
    assert "the stream broke off: " in stderr


def test_what_cannot_be_listened_to(tone_bundle: Path) -> None:
    result = CliRunner().invoke(app, ["listen", "call.wav", "--model", str(tone_bundle)])
    assert (result.exit_code, "linnet transcribe" in result.stderr) == (2, True)
    assert listen(tone_bundle, b"", "--pause", "0")[0] == 2
    assert listen(tone_bundle, b"") == (0, "", "")


def test_a_microphone_is_heard_until_it_is_interrupted(
    tone_bundle: Path, speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blocks() -> Iterator[Samples]:
        yield from np.split(speech, 10)
        raise KeyboardInterrupt

    @contextmanager
    def fake(device: str | None, rate_hz: int) -> Iterator[Iterator[Samples]]:
        assert (device, rate_hz) == ("USB", 16_000)
        yield blocks()

    monkeypatch.setattr(microphone, "open_microphone", fake)
    result = CliRunner().invoke(app, ["listen", "--device", "USB", "--model", str(tone_bundle)])
    assert (result.exit_code, result.stdout) == (0, "one two\ntwo\n")


def test_a_line_comes_before_the_next_words_are_spoken(tone_bundle: Path, speech: Samples) -> None:
    code = "import sys\nfrom linnet.cli.main import main\nsys.argv[0] = 'linnet'\nmain()"
    command = [sys.executable, "-c", code, "listen", "-", "--model", str(tone_bundle)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        content = raw(speech)
        process.stdin.write(content[:70_000])  # the first words and 0.9 s of silence
        process.stdin.flush()
        assert process.stdout.readline() == b"one two\n"
        process.stdin.write(content[70_000:])
        process.stdin.close()
        assert process.stdout.read() == b"two\n"
