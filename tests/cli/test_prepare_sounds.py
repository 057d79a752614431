"""`linnet prepare noise` and `linnet prepare rir`: what is printed, and manifests that augmentation reads."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from linnet.cli.main import app
from linnet.data.augment.noise import NoiseConfig
from linnet.data.augment.room import RoomConfig


def linnet(*words: object) -> Result:
    return CliRunner().invoke(app, ["prepare", *map(str, words)])


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    rng, folder = np.random.default_rng(0), tmp_path / "sounds"
    folder.mkdir()
    decay = np.exp(-np.arange(16_000) / 900.0)[:, None]
    soundfile.write(folder / "room.wav", 0.2 * decay * rng.standard_normal((16_000, 2)), 16_000)
    soundfile.write(folder / "street.wav", 0.1 * rng.standard_normal(40_000), 16_000)
    return folder


def test_noise_to_a_transform(sounds: Path, tmp_path: Path) -> None:
    done = linnet("noise", sounds, "--output", tmp_path, "--piece-s", 1)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"{tmp_path / 'noise.jsonl'}: 3 pieces of 2 recordings, 0.00 hours\n"
    speech = np.ones(8_000, np.float32)
    noisy = NoiseConfig(path=tmp_path / "noise.jsonl").build()(speech, np.random.default_rng(0))
    assert not np.array_equal(noisy, speech)


def test_responses_to_a_transform(sounds: Path, tmp_path: Path) -> None:
    done = linnet("rir", sounds, "--output", tmp_path)
    assert done.exit_code == 0
    assert f"{tmp_path / 'rir.jsonl'}: 1 impulse responses, RT60 0.3" in done.stdout
    assert "1 have several channels, which are mixed" in done.stderr
    assert "left out" in done.stderr
    assert "street.wav" in done.stderr
    room = RoomConfig(path=tmp_path / "rir.jsonl", simulated_share=0.0).build()
    speech = np.zeros(8_000, np.float32)
    speech[100] = 1.0
    assert np.count_nonzero(room(speech, np.random.default_rng(0))) > 1_000


def test_a_long_list_of_left_out_files_is_cut(sounds: Path, tmp_path: Path) -> None:
    for number in range(12):
        (sounds / f"bad{number}.wav").write_bytes(b"no sound")
    done = linnet("noise", sounds, "--output", tmp_path)
    assert done.stderr.count("not a recording") == 10
    assert "left out 12 in all" in done.stderr


def test_a_folder_without_sounds_is_an_error(tmp_path: Path) -> None:
    done = linnet("noise", tmp_path, "--output", tmp_path / "out")
    assert done.exit_code == 2
    assert "there are no recordings" in done.stderr
    assert not (tmp_path / "out").exists()
