"""Manifests of noise and impulse responses: pieces by offset, checks, figures of the room."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from linnet.core.errors import ManifestError
from linnet.corpora.sounds import SoundReport, prepare_noise, prepare_responses
from linnet.manifest.jsonl import read_manifest

RATE_HZ = 16_000
Samples = NDArray[np.float32]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sounds/deep").mkdir(parents=True)
    return tmp_path / "sounds"


@pytest.fixture
def write(folder: Path) -> Callable[..., None]:
    def write(name: str, samples: Samples, sample_rate_hz: int = RATE_HZ) -> None:
        soundfile.write(folder / name, samples, sample_rate_hz)

    return write


def white(duration_s: float, sample_rate_hz: int = RATE_HZ) -> Samples:
    noise = np.random.default_rng(0).standard_normal(round(duration_s * sample_rate_hz))
    return (0.1 * noise).astype(np.float32)


def decaying(rt60_s: float, duration_s: float = 1.0) -> Samples:
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    response = white(duration_s) * 10.0 ** (-3.0 * times_s / rt60_s)
    response[0] = 0.9
    return response.astype(np.float32)


def noise(folder: Path, **options: float) -> SoundReport:
    return prepare_noise(folder, folder.parent / "out", progress=lambda fraction: None, **options)


def responses(folder: Path) -> SoundReport:
    return prepare_responses(folder, folder.parent / "out", progress=lambda fraction: None)


def test_noise_is_cut_into_pieces(folder: Path, write: Callable[..., None]) -> None:
    write("deep/long.wav", white(8.5))
    write("short.flac", white(0.4, 44_100), 44_100)
    report = noise(folder, piece_s=3.0)
    assert report.manifest == folder.parent / "out/noise.jsonl"
    read = read_manifest(report.manifest)
    assert [(Path(item.audio).name, item.offset_s, item.duration_s) for item in read] == [
        ("long.wav", 0.0, 3.0),
        ("long.wav", 3.0, 3.0),
        ("long.wav", 6.0, 2.5),
        ("short.flac", 0.0, 0.4),
    ]
    assert report.num_recordings == 2
    assert report.skipped == ()


def test_a_rest_of_less_than_a_second_is_left_out(folder: Path, write: Callable[..., None]) -> None:
    write("a.wav", white(6.9))
    assert [sound.offset_s for sound in noise(folder, piece_s=3.0).sounds] == [0.0, 3.0]


def test_silent_pieces_and_unreadable_files_are_named(folder: Path, write: Callable[..., None]) -> None:
    sound = white(6.0)
    sound[: 3 * RATE_HZ] = 0.0
    write("a.wav", sound)
    (folder / "bad.wav").write_bytes(b"no sound")
    report = noise(folder, piece_s=3.0)
    assert [sound.offset_s for sound in report.sounds] == [3.0]
    silent, bad = report.skipped
    assert silent == f"{folder / 'a.wav'}: silent from 0 s on for 3 s"
    assert bad.startswith(f"{folder / 'bad.wav'}: not a recording")


def test_the_figures_of_impulse_responses(folder: Path, write: Callable[..., None]) -> None:
    write("room.wav", decaying(0.4))
    write("stereo.wav", np.stack([decaying(0.3)] * 2, axis=1))
    report = responses(folder)
    room, stereo = read_manifest(report.manifest)
    assert room.extra["rt60_s"] == pytest.approx(0.4, rel=0.1)
    assert stereo.extra["rt60_s"] == pytest.approx(0.3, rel=0.1)
    assert (room.extra["channels"], stereo.extra["channels"]) == (1, 2)
    tail = np.sum(decaying(0.4)[40:] ** 2)
    head = np.sum(decaying(0.4)[:40] ** 2)
    assert room.extra["direct_db"] == pytest.approx(10 * np.log10(head / tail), abs=0.1)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(1_000, np.float32), "is silent"),
        (np.eye(1, 1_000, 100, dtype=np.float32)[0], "does not fall by 25 dB"),
        (np.concatenate([[0.9], 0.03 * white(2.0)]).astype(np.float32), "ends in noise"),
        (white(31.0), "lasts 31.0 s, longer than a room rings"),
    ],
)
def test_what_is_no_impulse_response_is_left_out(
    samples: Samples, reason: str, folder: Path, write: Callable[..., None]
) -> None:
    write("good.wav", decaying(0.4))
    write("other.wav", samples)
    report = responses(folder)
    assert [Path(sound.audio).name for sound in report.sounds] == ["good.wav"]
    (skipped,) = report.skipped
    assert skipped.startswith(f"{folder / 'other.wav'}: ")
    assert reason in skipped


def test_nothing_to_use_is_an_error_with_its_first_reason(folder: Path, write: Callable[..., None]) -> None:
    with pytest.raises(ManifestError, match=r"no recordings\. Looked for .*\.wav"):
        noise(folder)
    write("a.wav", np.zeros(1_000, np.float32))
    with pytest.raises(ManifestError, match=r"1 recordings, none of which can be used.*a\.wav: silent"):
        noise(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"nowhere: there is no such folder"):
        noise(tmp_path / "nowhere")


def test_a_manifest_that_exists_is_kept(folder: Path, write: Callable[..., None]) -> None:
    write("a.wav", white(1.0))
    noise(folder)
    with pytest.raises(ManifestError, match="exists already"):
        noise(folder)
    assert noise(folder, force=True).sounds


def test_progress_ends_at_one(folder: Path, write: Callable[..., None]) -> None:
    for name in ("a.wav", "b.wav"):
        write(name, white(1.0))
    fractions: list[float] = []
    prepare_noise(folder, folder.parent / "out", progress=fractions.append)
    assert fractions == [0.5, 1.0]
