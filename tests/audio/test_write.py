"""Writing recordings: what is read back, what is refused, nothing half written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linnet.audio.read import audio_info, read_audio
from linnet.audio.write import write_audio
from linnet.core.arrays import Samples
from linnet.core.errors import AudioError


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".FLAC"])
def test_lossless_formats_come_back_to_16_bits(
    suffix: str, speech_like: Callable[..., Samples], tmp_path: Path
) -> None:
    samples = speech_like()
    path = tmp_path / f"new folder/a{suffix}"
    write_audio(path, samples)
    np.testing.assert_allclose(read_audio(path), samples, atol=1 / 32768)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".opus", ".ogg"])
def test_opus_keeps_rate_and_length(suffix: str, tone: Callable[..., Samples], tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    write_audio(path, tone(duration_s=2.5, sample_rate_hz=8000), 8000)
    info = audio_info(path)
    assert (info.duration_s, info.sample_rate_hz) == (2.5, 8000)
    assert path.stat().st_size < 20_000


def test_values_outside_are_clipped(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_audio(path, np.array([2.0, -2.0], np.float32))
    np.testing.assert_allclose(read_audio(path), [1.0, -1.0], atol=1e-4)


@pytest.mark.parametrize(
    ("name", "samples", "rate_hz", "words"),
    [
        ("a.mp4", np.zeros(9, np.float32), 16000, r"'\.mp4'.*\.wav"),
        ("a.opus", np.zeros(9, np.float32), 44100, "Opus cannot hold 44100 Hz"),
        ("a.wav", np.zeros((9, 2), np.float32), 16000, "not \\(N,\\) finite"),
        ("a.wav", np.array([np.nan], np.float32), 16000, "not \\(N,\\) finite"),
    ],
)
def test_what_cannot_be_written(
    name: str, samples: Samples, rate_hz: int, words: str, tmp_path: Path
) -> None:
    with pytest.raises(AudioError, match=words):
        write_audio(tmp_path / name, samples, rate_hz)
    assert list(tmp_path.iterdir()) == []
