"""Reading recordings: every format and source, every kind of damage, bounded memory."""

import io
import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from linnet.audio import decoder, read
from linnet.audio.read import audio_info, read_audio, stream_audio
from linnet.audio.resample import resample
from linnet.core.arrays import Samples
from linnet.core.errors import AudioError

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def encode(samples: Samples, rate_hz: int = 16000, name: str = "wav", subtype: str | None = None) -> bytes:
    container, default = FORMATS[name]
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=container, subtype=subtype or default)
    return file.getvalue()


def level_db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(samples))))


@pytest.fixture
def speech(speech_like: Callable[..., Samples]) -> Samples:
    return speech_like(duration_s=2.0)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_signal_that_went_in(name: str, speech: Samples, tmp_path: Path) -> None:
    path = tmp_path / f"a.{name}"
    path.write_bytes(encode(speech, name=name))
    samples = read_audio(path)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(len(speech), abs=1200)  # MP3 pads its frames
    length = min(len(samples), len(speech))
    error = samples[:length] - speech[:length]
    assert level_db(error) < level_db(speech) - (60 if name in ("wav", "flac") else 10)
    info = audio_info(path)
    assert (info.sample_rate_hz, info.channels) == (16000, 1)
    assert info.duration_s == pytest.approx(2.0, abs=0.08)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000, 96000])
def test_any_rate_becomes_16_khz(rate_hz: int, tone: Callable[..., Samples]) -> None:
    samples = read_audio(encode(tone(1000, sample_rate_hz=rate_hz), rate_hz))
    assert len(samples) == 16000
    inside = slice(500, -500)  # the filter rings at the cut ends
    assert np.abs(samples[inside] - tone(1000)[inside]).max() < 1e-3


def test_channels_are_mixed_to_their_mean(tone: Callable[..., Samples]) -> None:
    left, right = tone(300), tone(700)
    samples = read_audio(encode(np.stack([left, right, 0 * left], axis=1), subtype="FLOAT"))
    np.testing.assert_allclose(samples, (left + right) / 3, atol=1e-6)


def test_path_text_bytes_and_file_objects_are_read_alike(speech: Samples, tmp_path: Path) -> None:
    content = encode(speech)
    path = tmp_path / "name without suffix"
    path.write_bytes(content)
    expected = read_audio(path)
    advanced = io.BytesIO(content)
    advanced.seek(100)
    with path.open("rb") as file, path.open("rb") as unseekable:
        unseekable.seekable = lambda: False  # type: ignore[method-assign]  # like a pipe
        for source in (str(path), content, advanced, file, unseekable):
            np.testing.assert_array_equal(read_audio(source), expected)


def test_a_stretch_is_the_same_part_of_the_whole(speech: Samples) -> None:
    for name in ("wav", "flac", "opus", "mp3"):
        content = encode(speech, name=name)
        part = read_audio(content, offset_s=0.7, duration_s=0.25)
        np.testing.assert_allclose(part, read_audio(content)[11200:15200], atol=1e-6)


def test_a_duration_beyond_the_end_gives_what_is_there(speech: Samples) -> None:
    assert len(read_audio(encode(speech), offset_s=1.5, duration_s=9)) == 8000


def test_blocks_join_without_a_seam(speech: Samples, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode(speech, 44100, subtype="FLOAT")
    monkeypatch.setattr(decoder, "BLOCK_VALUES", 999)
    np.testing.assert_allclose(read_audio(content), resample(speech, 44100, 16000), atol=1e-6)


def test_arrays_of_floats_and_integers(speech: Samples) -> None:
    for dtype in ("int8", "int16", "int32"):
        full_scale = 2 ** (np.dtype(dtype).itemsize * 8 - 1)
        scaled = np.round(speech.astype(np.float64) * (full_scale - 1)).astype(dtype)
        np.testing.assert_allclose(read_audio(scaled), speech, atol=1.1 / full_scale + 1e-7)
    np.testing.assert_array_equal(read_audio(np.array([0, 128, 192], np.uint8)), [-1, 0, 0.5])
    np.testing.assert_array_equal(read_audio(speech.astype(np.float64)), speech)
    stereo = np.stack([speech, np.zeros_like(speech)], axis=1)
    np.testing.assert_allclose(read_audio(stereo), speech / 2, atol=1e-7)
    assert len(read_audio(speech, source_rate_hz=8000)) == 2 * len(speech)
    np.testing.assert_array_equal(read_audio(speech, offset_s=0.5, duration_s=0.5), speech[8000:16000])


def test_an_array_is_never_handed_back_itself(speech: Samples) -> None:
    assert not np.shares_memory(read_audio(speech), speech)


@pytest.mark.parametrize("rate_hz", [16000, 44100])
def test_an_empty_array_gives_no_samples(rate_hz: int) -> None:
    for empty in (np.zeros(0, np.float32), np.zeros((0, 2), np.int16)):
        assert read_audio(empty, source_rate_hz=rate_hz).shape == (0,)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 16000)), "transpose"),
        (np.zeros((2, 2, 2)), r"\(2, 2, 2\)"),
        (np.zeros(9, np.int64), "int64.*full scale"),
        (np.zeros(9, bool), "bool"),
        (np.zeros(9, np.complex64), "complex64"),
    ],
)
def test_arrays_that_are_no_audio(array: np.ndarray, words: str) -> None:
    with pytest.raises(AudioError, match=words):
        read_audio(array)


def test_a_rate_is_refused_for_files(speech: Samples) -> None:
    with pytest.raises(AudioError, match="source_rate_hz is for arrays"):
        read_audio(encode(speech), source_rate_hz=8000)


def test_silence_is_sound() -> None:
    np.testing.assert_array_equal(read_audio(encode(np.zeros(16000, np.float32))), np.zeros(16000))


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(AudioError, match=r"empty\.wav: the file is empty"):
        read_audio(path)


def test_a_recording_without_samples_says_so(speech: Samples) -> None:
    with pytest.raises(AudioError, match="there are no samples"):
        read_audio(encode(speech[:0]))
    with pytest.raises(AudioError, match=r"no samples after 5\.0 s"):
        read_audio(encode(speech), offset_s=5.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_bad_value_is_named_with_its_place(bad: float, speech: Samples) -> None:
    damaged = speech.copy()
    damaged[12000] = bad
    for source in (encode(damaged, subtype="FLOAT"), damaged, np.stack([damaged, -damaged], axis=1)):
        with pytest.raises(AudioError, match=r"sample 12000 \(at 0\.750 s\) is (nan|-?inf)"):
            read_audio(source)
    with pytest.raises(AudioError, match="sample 12000 "):
        read_audio(damaged, offset_s=0.5)


def test_large_finite_values_are_kept() -> None:
    np.testing.assert_array_equal(read_audio(np.full(100, 3e38, np.float32)), np.full(100, 3e38, np.float32))


@pytest.mark.parametrize("name", ["wav", "flac", "ogg", "opus", "mp3"])
def test_a_cut_file_gives_what_decodes(
    name: str, speech_like: Callable[..., Samples], caplog: pytest.LogCaptureFixture
) -> None:
    content = encode(speech_like(duration_s=10.0), name=name)
    whole = read_audio(content)
    cut = read_audio(content[: len(content) // 2])
    assert 0.3 * len(whole) < len(cut) < 0.7 * len(whole)
    np.testing.assert_allclose(cut[:-2000], whole[: len(cut) - 2000], atol=1e-6)
    if name == "flac":
        assert "damaged after" in caplog.text
    for part, is_damaged in ((content, False), (content[: len(content) // 2], True)):
        with stream_audio(part) as stream:
            assert sum(map(len, stream.blocks))
            assert ("missing at the end" in stream.damage or "damaged" in stream.damage) is is_damaged


def test_an_mp3_without_its_length_is_not_called_cut(speech_like: Callable[..., Samples]) -> None:
    content = encode(speech_like(duration_s=2.0), name="mp3").replace(b"Xing", b"\0\0\0\0")
    with stream_audio(content.replace(b"Info", b"\0\0\0\0")[: len(content) // 2]) as stream:
        assert sum(map(len, stream.blocks))
        assert stream.damage == ""


@pytest.mark.parametrize("name", ["flac", "ogg", "opus"])
def test_a_file_cut_in_its_header_is_an_error(name: str, speech: Samples) -> None:
    with pytest.raises(AudioError):
        read_audio(encode(speech, name=name)[:30])


def test_a_flac_of_unknown_length_is_read_whole(speech: Samples, tmp_path: Path) -> None:
    content = bytearray(encode(speech, name="flac"))
    content[21] &= 0xF0  # the 36 bits of STREAMINFO that count samples, as a pipe leaves them
    content[22:26] = bytes(4)
    path = tmp_path / "piped.flac"
    path.write_bytes(content)
    assert audio_info(path).duration_s == 2.0
    np.testing.assert_allclose(read_audio(path), speech, atol=1e-4)


@pytest.mark.parametrize(
    "content", [b"hello, this is no recording\n" * 20, b"\0" * 5000, b"RIFF", bytes(range(256))]
)
def test_what_is_no_audio_is_named_with_the_formats(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"notes\.wav: not a recording.*WAV, FLAC, OGG, Opus or MP3"):
        read_audio(path)


def test_headerless_samples_are_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(1000))
    with pytest.raises(AudioError, match=r"a\.raw: not a recording"):
        read_audio(path)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"none\.wav: the file cannot be opened \(No such file"):
        read_audio(tmp_path / "none.wav")
    with pytest.raises(AudioError, match="not a regular file"):
        read_audio(tmp_path)
    with pytest.raises(AudioError, match="cannot be opened"):
        audio_info("a\0b.wav")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AudioError, match="not a regular file"):
        read_audio(tmp_path / "pipe")  # would wait for a writer for ever


@pytest.mark.parametrize("source", [None, 3, [0.1, 0.2], io.StringIO("text")])
def test_other_types_are_refused(source: object) -> None:
    with pytest.raises(AudioError, match="cannot read audio from a"):
        read_audio(source)  # type: ignore[arg-type]  # the mistake under test


@pytest.mark.parametrize(
    "span", [{"offset_s": -1}, {"offset_s": float("nan")}, {"duration_s": 0}, {"duration_s": 1e9}]
)
def test_impossible_spans_are_refused(span: dict[str, float], speech: Samples) -> None:
    with pytest.raises(AudioError, match=r"the (offset|duration) is"):
        read_audio(speech, **span)  # type: ignore[arg-type]  # only the floats of the signature


@pytest.mark.parametrize("rate_hz", [0, 1, 10_000_000])
def test_impossible_rates_are_refused(rate_hz: int, speech: Samples) -> None:
    with pytest.raises(AudioError, match=f"a sample rate of {rate_hz} Hz"):
        read_audio(speech, source_rate_hz=rate_hz)


def sparse_wav(path: Path, hours: float, rate_hz: int = 1000) -> None:
    """Write a header and leave a hole for 16-bit samples, so that the file takes no room."""
    num_bytes = round(hours * 3600 * rate_hz) * 2
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    data = b"data" + struct.pack("<I", num_bytes)
    header = b"RIFF" + struct.pack("<I", 36 + num_bytes) + b"WAVEfmt " + form + data
    path.write_bytes(header)
    os.truncate(path, len(header) + num_bytes)


def test_ten_hours_are_read_in_little_more_memory_than_they_take(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    sparse_wav(path, hours=10)
    assert audio_info(path).duration_s == 36000.0
    tracemalloc.start()
    samples = read_audio(path, sample_rate_hz=1000)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(samples) == 36_000_000
    assert peak_bytes < 1.2 * samples.nbytes + 4 * decoder.BLOCK_VALUES * 4


def test_more_than_twelve_hours_are_read_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    sparse_wav(path, hours=13)
    with pytest.raises(AudioError, match=r"longer than 12 hours.*offset_s and duration_s"):
        read_audio(path)
    assert len(read_audio(path, offset_s=12.9 * 3600, duration_s=2)) == 32000


def test_the_limit_also_holds_where_no_header_tells_the_length(
    speech: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "MAX_DURATION_S", 1.0)
    with pytest.raises(AudioError, match="longer than"):
        read_audio(speech)


@pytest.mark.parametrize("name", ["wav", "opus", "mp3"])
def test_a_recording_at_a_url_is_read_like_a_file(
    name: str, speech: Samples, tmp_path: Path, s3_store: Any
) -> None:
    (tmp_path / "local").write_bytes(encode(speech, name=name))
    url = s3_store.put(f"read/a.{name}", (tmp_path / "local").read_bytes())
    assert np.array_equal(read_audio(url), read_audio(tmp_path / "local"))
    assert np.array_equal(read_audio(Path(url)), read_audio(tmp_path / "local"))
    part = {"offset_s": 0.5, "duration_s": 0.25}
    assert np.array_equal(read_audio(url, **part), read_audio(tmp_path / "local", **part))
    assert audio_info(url) == audio_info(tmp_path / "local")


@pytest.mark.parametrize("name", ["wav", "flac"])
def test_a_header_at_a_url_does_not_fetch_the_recording(
    name: str, s3_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs.core import S3File

    noise = np.random.default_rng(0).uniform(-0.9, 0.9, 480_000).astype(np.float32)
    content = encode(noise, name=name)
    url = s3_store.put(f"header/noise.{name}", content)
    fetch, num_fetched = S3File._fetch_range, []

    def counted(self: S3File, start: int, end: int) -> bytes:
        num_fetched.append(end - start)
        return bytes(fetch(self, start, end))

    monkeypatch.setattr(S3File, "_fetch_range", counted)
    assert audio_info(url).duration_s == pytest.approx(30.0, abs=0.1)
    assert len(content) > 3 * read.HEADER_BLOCK_BYTES
    assert sum(num_fetched) <= 2 * read.HEADER_BLOCK_BYTES


def test_what_is_wrong_at_a_url_names_it(s3_store: Any) -> None:
    url = s3_store.put("read/noise.wav", b"no recording")
    with pytest.raises(AudioError, match=r"^s3://bucket/read/noise\.wav: not a recording that can be read"):
        read_audio(url)
    with pytest.raises(AudioError, match=r"^s3://bucket/read/none\.wav: there is no file at this address"):
        audio_info("s3://bucket/read/none.wav")


@pytest.mark.parametrize(
    ("failure", "raised", "words"),
    [
        (ConnectionResetError("reset by the store"), AudioError, r"long\.wav: cannot be fetched \(reset by"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
)
def test_a_transfer_that_breaks_off_is_no_short_recording(
    failure: BaseException,
    raised: type[BaseException],
    words: str | None,
    speech: Samples,
    s3_store: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from s3fs.core import S3File

    url = s3_store.put("read/long.wav", encode(np.tile(speech, 20)))
    fetch = S3File._fetch_range

    def broken(self: S3File, start: int, end: int) -> bytes:
        if start:
            raise failure
        return bytes(fetch(self, start, end))

    monkeypatch.setattr(S3File, "_fetch_range", broken)
    with pytest.raises(raised, match=words):
        read_audio(url)
