"""Recordings of a folder or manifest."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linnet.core.errors import AudioError, ConfigError
from linnet.data.augment import sound_bank
from linnet.data.augment.sound_bank import SoundBank

FIRST, SECOND = np.full(1_000, 0.25, dtype=np.float32), np.full(2_000, -0.5, dtype=np.float32)


def test_every_recording_is_drawn(write_sounds: Callable[..., Path], rng: np.random.Generator) -> None:
    bank = SoundBank(write_sounds(FIRST, SECOND), "noise")
    assert {bank.draw(rng).size for _ in range(20)} == {1_000, 2_000}


def test_folders_are_searched_deeply(write_sounds: Callable[..., Path], rng: np.random.Generator) -> None:
    assert SoundBank(write_sounds(FIRST).parent, "noise").draw(rng).size == 1_000


def test_other_rates_and_channels_are_converted(
    write_sounds: Callable[..., Path], rng: np.random.Generator
) -> None:
    stereo = np.zeros((4_800, 2), dtype=np.float32)
    assert SoundBank(write_sounds(stereo, sample_rate_hz=48_000), "noise").draw(rng).shape == (1_600,)


def test_a_manifest_gives_stretches(write_sounds: Callable[..., Path], rng: np.random.Generator) -> None:
    folder = write_sounds(np.concatenate([FIRST, SECOND]))
    manifest = folder / "noise.jsonl"
    line = {"audio_filepath": "0.wav", "offset": 0.0625, "duration": 0.1, "text": ""}
    manifest.write_text(json.dumps(line) + "\n", encoding="utf-8")
    drawn = SoundBank(manifest, "noise").draw(rng)
    np.testing.assert_allclose(drawn, SECOND[:1_600])


def test_a_recording_is_read_once(
    write_sounds: Callable[..., Path], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = SoundBank(write_sounds(FIRST), "noise")
    drawn = bank.draw(rng)
    monkeypatch.setattr(sound_bank, "read_audio", None)
    assert bank.draw(rng) is drawn


def test_memory_is_bounded(
    write_sounds: Callable[..., Path], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_bank, "MAX_CACHE_SAMPLES", 2_500)
    bank = SoundBank(write_sounds(FIRST, SECOND), "noise")
    read: list[str] = []
    real_read = sound_bank.read_audio
    monkeypatch.setattr(
        sound_bank, "read_audio", lambda path, **options: read.append(path) or real_read(path)
    )
    for _ in range(20):
        bank.draw(rng)
    assert len(read) > 2


def test_a_pickle_is_small_and_draws_the_same(write_sounds: Callable[..., Path]) -> None:
    bank = SoundBank(write_sounds(FIRST, SECOND), "noise")
    drawn = bank.draw(np.random.default_rng(1))
    pickled = pickle.dumps(bank)
    assert len(pickled) < 1_000
    assert np.array_equal(pickle.loads(pickled).draw(np.random.default_rng(1)), drawn)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"noise folder or manifest .*nowhere does not exist"):
        SoundBank(tmp_path / "nowhere", "noise")


def test_a_folder_without_recordings_is_named(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("no sound", encoding="utf-8")
    with pytest.raises(ConfigError, match=f"noise folder {tmp_path} holds no recording"):
        SoundBank(tmp_path, "noise")


def test_a_bad_manifest_is_named(tmp_path: Path) -> None:
    manifest = tmp_path / "noise.jsonl"
    manifest.write_text("{}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"noise manifest cannot be used: .*noise.jsonl, line 1"):
        SoundBank(manifest, "noise")


def test_a_bad_recording_is_named_when_it_is_drawn(tmp_path: Path, rng: np.random.Generator) -> None:
    (tmp_path / "bad.wav").write_bytes(b"no sound at all")
    bank = SoundBank(tmp_path, "noise")
    with pytest.raises(AudioError, match=r"bad\.wav"):
        bank.draw(rng)
