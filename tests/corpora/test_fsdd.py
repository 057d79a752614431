"""The Free Spoken Digit Dataset: its names, its split, its damage."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from linnet.audio.write import write_audio
from linnet.core.arrays import Samples
from linnet.core.errors import ManifestError
from linnet.corpora.prepare import prepare_corpus
from linnet.corpora.report import PrepareReport
from linnet.manifest.jsonl import read_manifest


def prepare_fsdd(source: Path, output: Path, *, force: bool = False) -> PrepareReport:
    return prepare_corpus("fsdd", source, output, force=force)


@pytest.fixture
def source(tmp_path: Path, tone: Callable[..., Samples]) -> Path:
    """Recordings 3 to 6 of two digits by two speakers, at 8 kHz as published."""
    sound = tone(duration_s=0.4, sample_rate_hz=8000)
    for digit in (0, 7):
        for speaker in ("george", "lucas"):
            for number in (3, 4, 5, 16):
                write_audio(tmp_path / f"fsdd/recordings/{digit}_{speaker}_{number}.wav", sound, 8000)
    (tmp_path / "fsdd/recordings/README.md").write_text("no recording")
    return tmp_path / "fsdd"


def names(manifest: Path) -> set[str]:
    return {Path(utterance.audio).name for utterance in read_manifest(manifest)}


def test_the_official_split(source: Path, tmp_path: Path) -> None:
    report = prepare_fsdd(source, tmp_path)
    expected = {f"{digit}_{speaker}" for digit in "07" for speaker in ("george", "lucas")}
    assert names(tmp_path / "test.jsonl") == {
        f"{name}_{number}.wav" for name in expected for number in (3, 4)
    }
    assert names(tmp_path / "train.jsonl") == {
        f"{name}_{number}.wav" for name in expected for number in (5, 16)
    }
    train, test = report.parts
    assert (train.manifest, test.manifest) == (tmp_path / "train.jsonl", tmp_path / "test.jsonl")
    assert (train.num_utterances, train.num_speakers) == (8, 2)
    assert train.duration_s == pytest.approx(3.2)


def test_an_utterance_is_complete(source: Path, tmp_path: Path) -> None:
    prepare_fsdd(source / "recordings", tmp_path)
    utterance = read_manifest(tmp_path / "test.jsonl")[-1]
    assert utterance.audio == str(source / "recordings/7_lucas_4.wav")
    assert (utterance.text, utterance.speaker, utterance.language) == ("seven", "fsdd_lucas", "en")
    assert utterance.duration_s == 0.4


def test_a_damaged_recording_is_left_out_and_named(source: Path, tmp_path: Path) -> None:
    damaged = source / "recordings/0_george_5.wav"
    damaged.write_bytes(b"")
    report = prepare_fsdd(source, tmp_path)
    assert report.parts[0].num_utterances == 7
    assert [(skipped.what, skipped.reason) for skipped in report.skipped] == [
        (str(damaged), "the file is empty")
    ]


def test_a_folder_with_manifests_is_taken_as_it_is(source: Path, tmp_path: Path) -> None:
    prepare_fsdd(source, source)
    prepare_fsdd(source, tmp_path / "out")
    for part in ("train.jsonl", "test.jsonl"):
        assert read_manifest(tmp_path / "out" / part) == read_manifest(source / part)


@pytest.mark.parametrize("content", ["", "a.wav", "recordings/10_george_9.wav"])
def test_another_folder_is_refused(content: str, source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    if content:
        (other / content).parent.mkdir(exist_ok=True)
        shutil.copy(source / "recordings/0_george_3.wav", other / content)
    with pytest.raises(ManifestError, match=r"no recording with a text \(0 left out\).*0_george_0\.wav"):
        prepare_fsdd(other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_manifest_is_replaced_unless_forced(source: Path, tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text("mine")
    with pytest.raises(ManifestError, match=r"test\.jsonl: the manifest exists already.*--force"):
        prepare_fsdd(source, tmp_path)
    assert not (tmp_path / "train.jsonl").exists()
    prepare_fsdd(source, tmp_path, force=True)
    assert len(read_manifest(tmp_path / "test.jsonl")) == 8
