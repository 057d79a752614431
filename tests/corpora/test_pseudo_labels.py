"""Texts for recordings without texts, heard by a recognizer that says what it is told to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from linnet.audio.write import write_audio
from linnet.core.arrays import Samples
from linnet.core.errors import ManifestError
from linnet.core.results import Transcript, Word
from linnet.corpora.pseudo_labels import prepare_pseudo_labels
from linnet.manifest.jsonl import read_manifest


@dataclass
class Listener:
    """Hears the words and confidences that belong to a duration in seconds."""

    heard: dict[int, tuple[str, float]]
    name: str = "listener"
    normalizer: str = "basic"
    sample_rate_hz: int = 16_000

    def transcribe_samples(self, waveforms: Sequence[Samples]) -> list[Transcript]:
        return [self._transcript(len(each) // self.sample_rate_hz) for each in waveforms]

    def _transcript(self, seconds: int) -> Transcript:
        text, confidence = self.heard[seconds]
        words = tuple(Word(text=word, start_s=0.0, end_s=0.1, confidence=confidence) for word in text.split())
        return Transcript(model=self.name, text=text, words=words, duration_s=float(seconds))


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Recordings of 1, 2, 3 and 4 seconds, and one that is damaged; the first has a text already."""
    lines = [{"audio_filepath": "1.wav", "duration": 1.0, "text": "old", "speaker": "a", "place": "hall"}]
    lines += [{"audio_filepath": f"{seconds}.wav", "duration": float(seconds)} for seconds in (2, 3, 4, 5)]
    for seconds in (1, 2, 3, 4):
        write_audio(tmp_path / f"{seconds}.wav", np.zeros(16_000 * seconds, np.float32), 16_000)
    (tmp_path / "5.wav").write_bytes(b"no audio")
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


HEARD = {
    1: ("one two", 0.85),
    2: ("three four five", 0.95),
    3: ("unsure of that", 0.6),
    4: ("few", 0.99),
}


def test_what_is_heard_surely_becomes_the_text(recordings: Path, tmp_path: Path) -> None:
    report = prepare_pseudo_labels(recordings, tmp_path / "out", Listener(HEARD))
    labelled = read_manifest(tmp_path / "out" / "train.jsonl")
    assert [(each.text, each.extra["confidence"]) for each in labelled] == [
        ("three four five", 0.95),
        ("one two", 0.85),
    ]
    assert (labelled[1].speaker, labelled[1].extra["place"]) == ("a", "hall")
    reasons = {Path(each.what).name: each.reason for each in report.skipped}
    assert reasons["3.wav"] == "heard with a confidence of 0.60"
    assert reasons["4.wav"] == "0.2 words a second were heard"
    assert "5.wav" in reasons


def test_nothing_sure_is_an_error_and_writes_nothing(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="none of 5 recordings"):
        prepare_pseudo_labels(recordings, tmp_path / "out", Listener(HEARD), min_confidence=0.999)
    assert not (tmp_path / "out").exists()
