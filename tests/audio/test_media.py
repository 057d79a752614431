"""Containers read through PyAV, and the remedy where it is missing."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.audio.media import media_format
from linnet.audio.read import audio_info, read_audio
from linnet.core.arrays import Samples
from linnet.core.errors import AudioError, MissingDependencyError

RATE_HZ = 48000
DURATION_S = 3.0


def encode(samples: Samples, container: str, codec: str, **options: Any) -> bytes:
    """Encode samples (N,) at 48 kHz as stereo."""
    av = pytest.importorskip("av", reason="needs the extra media")
    file = io.BytesIO()
    with av.open(file, "w", format=container, **options) as output:
        stream = output.add_stream(codec, rate=RATE_HZ, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.stack([samples, samples]), format="fltp", layout="stereo")
        frame.rate = RATE_HZ
        resampler = av.AudioResampler(format=stream.format.name, frame_size=stream.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.fixture
def sound(tone: Callable[..., Samples]) -> Samples:
    return tone(440, duration_s=DURATION_S, sample_rate_hz=RATE_HZ)


@pytest.mark.parametrize(
    ("container", "codec"),
    [("ipod", "aac"), ("mp4", "aac"), ("webm", "libopus"), ("matroska", "pcm_s16le"), ("adts", "aac")],
)
def test_containers_give_the_signal_that_went_in(
    container: str, codec: str, sound: Samples, tone: Callable[..., Samples], tmp_path: Path
) -> None:
    path = tmp_path / "a.media"
    path.write_bytes(encode(sound, container, codec))
    samples = read_audio(path)
    assert len(samples) / 16000 == pytest.approx(DURATION_S, abs=0.1)
    spectrum = np.abs(np.fft.rfft(samples[8000:24000]))
    assert np.argmax(spectrum) == 440
    assert np.sqrt(np.mean(samples[8000:24000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    info = audio_info(path)
    assert (info.sample_rate_hz, info.channels) == (RATE_HZ, 2)
    assert info.duration_s == pytest.approx(DURATION_S, abs=0.3)  # ADTS has no header: FFmpeg estimates


def test_a_stretch_is_the_same_part_of_the_whole(sound: Samples) -> None:
    content = encode(sound, "ipod", "aac")
    part = read_audio(content, offset_s=1.0, duration_s=0.5)
    whole = read_audio(content)[16000:24000]
    assert len(part) == 8000
    np.testing.assert_allclose(part[200:-200], whole[200:-200], atol=1e-5)


def test_a_live_recording_without_a_duration_is_measured(sound: Samples, tmp_path: Path) -> None:
    path = tmp_path / "browser.webm"
    path.write_bytes(encode(sound, "webm", "libopus", options={"live": "1"}))
    assert audio_info(path).duration_s == pytest.approx(DURATION_S, abs=0.05)
    assert len(read_audio(path)) == pytest.approx(16000 * DURATION_S, abs=1600)


def test_a_cut_recording_gives_what_decodes(sound: Samples) -> None:
    content = encode(sound, "webm", "libopus")
    samples = read_audio(content[: len(content) // 2])
    assert 0.3 * DURATION_S < len(samples) / 16000 < 0.7 * DURATION_S


def test_a_damaged_container_is_an_error(sound: Samples) -> None:
    content = encode(sound, "ipod", "aac")
    with pytest.raises(AudioError, match="the mp4 container cannot be read"):
        read_audio(content[:200])  # its index stands at the end


def test_a_video_without_sound_is_an_error() -> None:
    av = pytest.importorskip("av", reason="needs the extra media")
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 64
        output.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(stream.encode(None))
    with pytest.raises(AudioError, match="holds no sound"):
        read_audio(file.getvalue())


def test_the_remedy_is_named_where_the_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    path = tmp_path / "memo.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(100))
    with pytest.raises(MissingDependencyError, match=r"memo\.m4a.*pip install 'linnet\[media\]'"):
        read_audio(path)


def test_a_playlist_is_never_followed(tmp_path: Path) -> None:
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXTINF:1,\nsecret.wav\n")
    with pytest.raises(AudioError, match="not a recording"):
        read_audio(path)


def test_formats_that_need_no_package_are_left_to_libsndfile() -> None:
    for head in (b"RIFF\0\0\0\0WAVEfmt ", b"fLaC" + bytes(12), b"OggS" + bytes(12), b"ID3" + bytes(13)):
        assert media_format(head) is None
    assert media_format(b"\xff\xfb" + bytes(14)) is None  # MP3, which begins almost as ADTS does
    assert media_format(b"RIFF\0\0\0\0AVI LIST") == "avi"
