"""What decoding tells of a recording: silence, clipping, NaN, missing parts, equal sound."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from linnet.audio import decoder
from linnet.audio.inspection import SoundStatistics, inspect_sound, missing_bytes
from linnet.core.errors import AudioError

Samples = NDArray[np.float32]
Maker = Callable[..., Samples]


@pytest.fixture
def inspect(tmp_path: Path) -> Callable[..., SoundStatistics]:
    """`inspect(samples, subtype="PCM_16", offset_s=0, duration_s=100)` writes a WAV and inspects it."""

    def write(samples: Samples, subtype: str = "PCM_16", **stretch: float) -> SoundStatistics:
        soundfile.write(tmp_path / "a.wav", samples, 16000, subtype)
        return inspect_sound(tmp_path / "a.wav", stretch.get("offset_s", 0), stretch.get("duration_s", 100))

    return write


def test_sound_speech_has_nothing_to_report(
    inspect: Callable[..., SoundStatistics], speech_like: Maker
) -> None:
    sound = inspect(speech_like(2.0))
    assert (sound.duration_s, sound.expected_s, sound.damage) == (2.0, 2.0, "")
    assert sound.bad_sample_s is None
    assert sound.clipped_share == 0
    assert sound.level == pytest.approx(0.5, abs=0.15)


def test_an_offset_is_no_sound(inspect: Callable[..., SoundStatistics]) -> None:
    assert inspect(np.full(16000, 0.3, np.float32)).level == 0


@pytest.mark.parametrize("limit", [0.99, 0.4])
def test_flat_tops_are_clipping_at_any_level(
    inspect: Callable[..., SoundStatistics], speech_like: Maker, limit: float
) -> None:
    loud = 3 * speech_like(2.0)
    clipped = np.clip(loud * limit, -limit, limit)
    assert inspect(clipped).clipped_share > 0.003


def test_a_few_bits_are_no_clipping(inspect: Callable[..., SoundStatistics], speech_like: Maker) -> None:
    assert inspect(np.round(3 * speech_like(2.0)) / 2**15).clipped_share == 0


def test_clipping_counts_against_the_peak_of_all_blocks(
    inspect: Callable[..., SoundStatistics], monkeypatch: pytest.MonkeyPatch, speech_like: Maker
) -> None:
    monkeypatch.setattr(decoder, "BLOCK_VALUES", 16000)
    quiet_and_flat, loud = np.full(16000, 0.2, np.float32), speech_like(1.0, level=0.9)
    assert inspect(np.concatenate([quiet_and_flat, loud])).clipped_share == 0


def test_a_nan_is_placed_within_the_stretch(
    inspect: Callable[..., SoundStatistics], speech_like: Maker
) -> None:
    samples = speech_like(2.0)
    samples[24000:24003] = np.nan
    assert inspect(samples, "FLOAT").bad_sample_s == 1.5
    assert inspect(samples, "FLOAT", offset_s=1.0, duration_s=0.8).bad_sample_s == 0.5
    assert inspect(samples, "FLOAT", duration_s=1.0).bad_sample_s is None


def test_equal_sound_has_an_equal_digest_whatever_the_container(tmp_path: Path, speech_like: Maker) -> None:
    samples = (32767 * speech_like(2.0)).astype(np.int16)  # the encoders round floats differently
    for name in ("a.wav", "b.flac"):
        soundfile.write(tmp_path / name, samples, 16000, "PCM_16")
    wav, flac = (inspect_sound(tmp_path / name, 0.5, 1.0).digest for name in ("a.wav", "b.flac"))
    assert wav == flac
    assert wav != inspect_sound(tmp_path / "a.wav", 0.6, 1.0).digest


def test_stereo_is_judged_by_the_mean_of_its_channels(tmp_path: Path, speech_like: Maker) -> None:
    samples = speech_like(1.0)
    soundfile.write(tmp_path / "a.wav", np.stack([samples, -samples], axis=1), 16000, "FLOAT")
    assert inspect_sound(tmp_path / "a.wav", 0, 1).level == 0


def test_a_cut_flac_gives_less_than_its_header_promises(
    tmp_path: Path, speech_like: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, speech_like(4.0), 16000, "PCM_16")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    sound = inspect_sound(path, 0, 4)
    assert sound.expected_s == 4
    assert 0.5 < sound.duration_s < 3
    assert caplog.records == []  # what the decoder says is in the result


def test_missing_bytes_of_a_wav_are_counted(tmp_path: Path, speech_like: Maker) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, speech_like(1.0), 16000)
    assert missing_bytes(path) == 0
    content = path.read_bytes()
    path.write_bytes(content[:-1000])
    assert missing_bytes(path) == 1000
    path.write_bytes(content[:4] + b"\xff\xff\xff\xff" + content[8:])  # as written to a pipe
    assert missing_bytes(path) == 0


def test_missing_bytes_of_an_ogg_are_those_of_its_last_page(tmp_path: Path, speech_like: Maker) -> None:
    path = tmp_path / "a.ogg"
    soundfile.write(path, speech_like(1.0), 16000)
    content = path.read_bytes()
    last = content.rfind(b"OggS")
    for left, missing in ((len(content), 0), (len(content) - 7, 7), (last + 20, 7), (last, 0)):
        path.write_bytes(content[:left])
        assert missing_bytes(path) == missing


def test_missing_bytes_of_what_is_neither_are_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"RIFF")
    assert missing_bytes(tmp_path / "a.txt") == 0
    assert missing_bytes(tmp_path / "none.wav") == 0


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound", encoding="ascii")
    with pytest.raises(AudioError, match="not a recording"):
        inspect_sound(tmp_path / "a.wav", 0, 1)
