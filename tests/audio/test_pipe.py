"""Pipes: WAV as it comes in any coding, other formats by way of a file, samples without a header."""

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from linnet.audio import pipe
from linnet.audio.pipe import PcmFormat, open_live
from linnet.audio.read import read_audio, stream_audio
from linnet.core.arrays import Samples
from linnet.core.errors import AudioError


class Pipe(io.BytesIO):
    """Bytes that cannot seek and come a few at a time."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation("seek")

    def read1(self, size: int = -1, /) -> bytes:
        return super().read1(min(size, 1003))


def encode(samples: Samples, subtype: str = "PCM_16", name: str = "wav", rate_hz: int = 16000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=name.upper(), subtype=subtype)
    return file.getvalue()


@pytest.fixture(scope="module")
def stereo() -> Samples:
    return np.random.default_rng(0).uniform(-0.9, 0.9, (8000, 2)).astype(np.float32)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_wav_of_any_coding_reads_as_from_a_file(stereo: Samples, subtype: str) -> None:
    content = encode(stereo, subtype)
    np.testing.assert_allclose(read_audio(Pipe(content)), read_audio(content), atol=1e-6)
    part = read_audio(Pipe(content), offset_s=0.1, duration_s=0.2)
    np.testing.assert_allclose(part, read_audio(content)[1600:4800], atol=1e-6)


@pytest.mark.parametrize(("name", "subtype"), [("flac", "PCM_16"), ("wav", "ULAW")])
def test_what_needs_to_seek_is_copied_to_a_file(stereo: Samples, name: str, subtype: str) -> None:
    content = encode(stereo, subtype, name)
    np.testing.assert_array_equal(read_audio(Pipe(content)), read_audio(content))


def test_what_is_copied_is_bounded(stereo: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "MAX_COPIED_BYTES", 1000)
    with pytest.raises(AudioError, match="holds more than 1000 bytes"):
        read_audio(Pipe(encode(stereo, name="flac")))


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_a_size_that_no_writer_knew_reads_to_the_end(stereo: Samples, size: int) -> None:
    content = bytearray(encode(stereo))
    content[40:44] = size.to_bytes(4, "little")
    with stream_audio(Pipe(content)) as stream:
        assert np.isnan(stream.duration_s)
        assert sum(map(len, stream.blocks)) == 8000
        assert stream.damage == ""


def test_a_stream_that_breaks_off_gives_its_part_and_says_so(stereo: Samples, tmp_path: Path) -> None:
    content = encode(stereo)[:20_000]
    path = tmp_path / "cut.wav"
    path.write_bytes(content)
    for source in (Pipe(content), path):
        with stream_audio(source) as stream:
            assert stream.duration_s in (0.5, pytest.approx(0.3118, abs=1e-3))
            assert sum(map(len, stream.blocks)) == (20_000 - 44) // 4
            assert "12044 bytes are missing" in stream.damage


@pytest.mark.parametrize(
    "content", [b"", b"RI", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEdata\0\0\0\0", b"x" * 99]
)
def test_what_is_no_recording_is_refused(content: bytes) -> None:
    with pytest.raises(AudioError):
        read_audio(Pipe(content))


def test_samples_without_a_header() -> None:
    values = np.arange(-500, 500, dtype="<i2")
    found = open_live(Pipe(values.tobytes() + b"\0"), PcmFormat(sample_rate_hz=8000), "pipe")
    np.testing.assert_array_equal(np.concatenate(list(found.blocks(0)))[:, 0], values / 32768)
    assert found.info.sample_rate_hz == 8000
    with pytest.raises(AudioError, match="cannot be read as it comes"):
        open_live(Pipe(b"RIFF\0\0\0\0WAVEabcd"), PcmFormat(sample_rate_hz=8000), "pipe")


def test_a_block_comes_before_the_next_was_written(stereo: Samples) -> None:
    reading, writing = os.pipe()
    heard = threading.Event()
    content = encode(stereo)

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as file:
            file.write(content[:4044])
            if heard.wait(timeout=20):
                file.write(content[4044:])

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb") as file, stream_audio(file) as stream:
        first = next(block for block in stream.blocks if len(block))
        heard.set()
        rest = sum(len(block) for block in stream.blocks)
    writer.join()
    assert (len(first), len(first) + rest) == (1000, 8000)
