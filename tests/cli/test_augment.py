"""`linnet augment` writes a before and after of everything that training may do, to hear and to see."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from linnet.audio.read import read_audio
from linnet.audio.write import write_audio
from linnet.cli.main import app

pytest.importorskip("torch", reason="augmentation is for training: the extra train")
pytest.importorskip("av", reason="time stretching comes with the extra media")
CONFIG = """\
data:
  augment:
    transforms:
      - {name: gain, probability: 0.5, gain_db: [-6, -6]}
      - {name: silence}
feature_augment: {spec_augment: {time_masks: 2}}
"""


@pytest.fixture
def recording(tmp_path: Path, speech_like: Callable[..., Any]) -> Path:
    write_audio(tmp_path / "speech.wav", speech_like(duration_s=1.0))
    return tmp_path / "speech.wav"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path / "config.yaml"


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["augment", *map(str, words)])


def test_examples_and_a_picture(recording: Path, config: Path, tmp_path: Path) -> None:
    done = run(recording, "--config", config, "--count", 3, "--output", tmp_path / "out")
    assert (done.exit_code, done.stderr) == (0, "")
    names = ["before.wav", "example-01.wav", "example-02.wav", "example-03.wav", "spectrograms.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert done.stdout.splitlines() == [str(tmp_path / "out" / name) for name in names]
    assert np.array_equal(read_audio(tmp_path / "out/before.wav"), read_audio(recording))
    assert read_audio(tmp_path / "out/example-01.wav").size > 16_000


def test_the_same_seed_writes_the_same_files(recording: Path, config: Path, tmp_path: Path) -> None:
    contents = []
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(recording, "--config", config, "--count", 2, "--seed", seed, "--output", tmp_path / folder)
        contents.append([path.read_bytes() for path in sorted((tmp_path / folder).iterdir())])
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


def test_before_and_after_of_each_augmentation(
    recording: Path, tmp_path: Path, tone: Callable[..., Any]
) -> None:
    write_audio(tmp_path / "noise/hum.wav", tone(frequency_hz=120.0))
    out = tmp_path / "each"
    done = run(recording, "--each", "--noise", tmp_path / "noise", "--output", out)
    assert done.exit_code == 0, done.stderr
    sounds = {path.stem.partition("-")[2]: read_audio(path) for path in sorted(out.glob("[0-9]*.wav"))}
    before = read_audio(out / "before.wav")
    assert len(sounds) == 13, "every transform of the waveform"
    unchanged = {name for name, sound in sounds.items() if np.array_equal(sound, before)}
    assert unchanged <= {"random_segment", "speed"}, "a second is shorter than a segment; a speed may be 1"
    assert (out / "spectrograms.png").stat().st_size > 10_000


def test_each_transform_of_a_list(recording: Path, config: Path, tmp_path: Path) -> None:
    done = run(recording, "--each", "--config", config, "--output", tmp_path / "out")
    assert done.exit_code == 0
    names = {path.name for path in (tmp_path / "out").glob("*.wav")}
    assert names == {"before.wav", "01-gain.wav", "02-silence.wav"}
    softer, before = (read_audio(tmp_path / "out" / name) for name in ("01-gain.wav", "before.wav"))
    np.testing.assert_allclose(softer, before * 10 ** (-6 / 20), atol=1e-4)


def test_samples_above_full_scale_are_told(recording: Path, tmp_path: Path) -> None:
    config = tmp_path / "loud.yaml"
    config.write_text("data: {augment: {transforms: [{name: gain, gain_db: [20, 20]}]}}\n")
    done = run(recording, "-c", config, "--count", 1, "-o", tmp_path / "out")
    assert done.exit_code == 0
    assert "example-01: gain is 14.0 dB above full scale" in done.stderr


def test_files_that_exist_are_kept(recording: Path, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "example-02.wav").write_bytes(b"mine")
    again = run(recording, "--config", config, "--count", 2, "--output", out)
    assert again.exit_code == 2
    assert "example-02.wav: the file exists already" in again.stderr
    assert [path.name for path in out.iterdir()] == ["example-02.wav"]
    assert run(recording, "--config", config, "--count", 2, "--output", out, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing says what to do to the recording"),
        (["--each", "--noise", "nowhere"], "noise folder or manifest nowhere does not exist"),
        (["--config", "empty.yaml"], "the configuration changes nothing"),
        (["--config", "none.yaml"], "there is no such configuration file"),
        (["--config", "config.yaml", "--noise", "n"], "--noise is for --each alone"),
    ],
)
def test_a_mistake_is_a_message(
    arguments: list[str],
    message: str,
    recording: Path,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.yaml").write_text("trainer: {}\n", encoding="utf-8")
    done = run(recording, *arguments, "--output", tmp_path / "out")
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_missing_recording_is_named(config: Path, tmp_path: Path) -> None:
    done = run(tmp_path / "none.wav", "--config", config, "--output", tmp_path / "out")
    assert done.exit_code == 2
    assert "none.wav" in done.stderr


def test_without_the_extra_it_is_named(
    recording: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    done = run(recording, "--config", config, "--output", tmp_path / "out")
    assert done.exit_code == 2
    assert "linnet[train]" in done.stderr


def test_a_noise_manifest_is_taken_too(recording: Path, tmp_path: Path, tone: Callable[..., Any]) -> None:
    write_audio(tmp_path / "hum.wav", tone())
    line = {"audio_filepath": "hum.wav", "duration": 0.5, "offset": 0.25}
    (tmp_path / "noise.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    done = run(recording, "--each", "--noise", tmp_path / "noise.jsonl", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
