"""Single digits cut out of digit strings, with the model of tones as the ear."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from linnet.audio.read import read_audio
from linnet.core.arrays import Samples
from linnet.core.errors import ManifestError
from linnet.corpora.cut_digits import prepare_cut_digits
from linnet.manifest.jsonl import read_manifest, write_manifest
from linnet.manifest.utterance import Utterance
from linnet.runtime.recognizer import Recognizer

GAP_S, WORD_S = 0.3, 0.2


@pytest.fixture
def recordings(tmp_path: Path, say_tones: Callable[..., Samples]) -> Path:
    """A string, a string whose text is wrong, a single digit and other words; the string starts at 1 s."""
    utterances = []
    for index, (said, text) in enumerate(
        [("one two two", "one two two"), ("one two", "one one"), ("one", "one"), ("two one", "hello one")]
    ):
        samples = say_tones(said, gap_s=GAP_S)
        path = tmp_path / f"{index}.wav"
        soundfile.write(path, np.concatenate([np.zeros(16_000, np.float32), samples]), 16_000)
        utterances.append(
            Utterance(str(path), len(samples) / 16_000, text, offset_s=1.0, speaker=f"speaker{index}")
        )
    manifest = tmp_path / "strings.jsonl"
    write_manifest(manifest, utterances)
    return manifest


def test_each_piece_is_its_digit(recordings: Path, tmp_path: Path, tone_bundle: Path) -> None:
    seen: list[float] = []
    report = prepare_cut_digits(
        recordings, tmp_path / "cut", Recognizer.load(tone_bundle), progress=seen.append
    )
    pieces = read_manifest(report.parts[0].manifest)
    assert [piece.text for piece in pieces] == ["one", "two", "two"]
    assert {piece.speaker for piece in pieces} == {"speaker0"}
    for index, piece in enumerate(pieces):
        starts_s = 1.0 + GAP_S + index * (GAP_S + WORD_S)
        assert piece.offset_s == pytest.approx(starts_s, abs=0.05)
        assert piece.duration_s == pytest.approx(WORD_S, abs=0.1)
        samples = read_audio(piece.audio, offset_s=piece.offset_s, duration_s=piece.duration_s)
        heard_hz = np.argmax(np.abs(np.fft.rfft(samples))) * 16_000 / len(samples)
        assert heard_hz == pytest.approx({"one": 300, "two": 3000}[piece.text or ""], rel=0.05)
    assert seen[-1] == 1.0


def test_what_is_heard_otherwise_is_left_out_and_named(
    recordings: Path, tmp_path: Path, tone_bundle: Path
) -> None:
    report = prepare_cut_digits(recordings, tmp_path / "cut", Recognizer.load(tone_bundle))
    assert [(Path(each.what).name, each.reason) for each in report.skipped] == [
        ("1.wav", "'one one' was heard as 'one two'")
    ]


def test_a_manifest_without_strings_is_an_error(recordings: Path, tmp_path: Path, tone_bundle: Path) -> None:
    write_manifest(tmp_path / "single.jsonl", read_manifest(recordings)[2:])
    with pytest.raises(ManifestError, match="no digit could be cut out of 0 digit strings"):
        prepare_cut_digits(tmp_path / "single.jsonl", tmp_path / "cut", Recognizer.load(tone_bundle))


def test_a_manifest_is_not_overwritten(recordings: Path, tmp_path: Path, tone_bundle: Path) -> None:
    recognizer = Recognizer.load(tone_bundle)
    prepare_cut_digits(recordings, tmp_path / "cut", recognizer)
    with pytest.raises(ManifestError, match="exists already"):
        prepare_cut_digits(recordings, tmp_path / "cut", recognizer)
    prepare_cut_digits(recordings, tmp_path / "cut", recognizer, force=True)
    assert len(read_manifest(tmp_path / "cut" / "train.jsonl")) == 3
