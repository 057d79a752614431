"""Digit strings joined from single digits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from linnet.core.arrays import Samples
from linnet.core.errors import ManifestError
from linnet.corpora.joined_digits import prepare_joined_digits
from linnet.corpora.number_text import DIGIT_WORDS
from linnet.manifest.jsonl import read_manifest, write_manifest
from linnet.manifest.utterance import Utterance

HOURS = 30 / 3600


@pytest.fixture
def digits(tmp_path: Path, tone: Callable[..., Samples]) -> Path:
    """Two speakers who say each digit as a tone of its own, and one utterance that is no digit."""
    utterances = []
    for speaker, octave in (("ada", 1), ("ben", 2)):
        for number, word in enumerate((*DIGIT_WORDS, "hello")):
            path = tmp_path / f"{speaker}_{word}.wav"
            sound = tone(octave * (200 + 40 * number), duration_s=0.3, sample_rate_hz=8000)
            soundfile.write(path, np.pad(sound, 800), 8000)
            utterances.append(Utterance(str(path), 0.5, word, speaker=speaker))
    manifest = tmp_path / "single.jsonl"
    write_manifest(manifest, utterances)
    return manifest


def test_strings_have_one_speaker_and_only_digits(digits: Path, tmp_path: Path) -> None:
    made = prepare_joined_digits([digits], tmp_path / "out", hours=HOURS)
    utterances = read_manifest(made.manifest)
    assert made.num_clips == len(utterances)
    assert made.duration_s >= 30
    assert made.num_speakers == 2
    for utterance in utterances:
        words = (utterance.text or "").split()
        assert 2 <= len(words) <= 14
        assert set(words) <= set(DIGIT_WORDS)
        assert utterance.speaker in ("ada", "ben")


def test_the_sound_is_that_of_the_text(digits: Path, tmp_path: Path) -> None:
    """The tones of a string, in order, are those of its digits up to one change of speed."""
    made = prepare_joined_digits([digits], tmp_path / "out", hours=HOURS)
    utterance = read_manifest(made.manifest)[0]
    samples, rate_hz = soundfile.read(utterance.audio)
    assert rate_hz == 16_000
    assert len(samples) / rate_hz == pytest.approx(utterance.duration_s, abs=1e-3)
    words = (utterance.text or "").split()
    voiced_s = 0.3 * len(words)
    assert voiced_s / 1.2 < utterance.duration_s < (voiced_s + 0.55 * len(words) + 1) / 0.85
    octave = {"ada": 1, "ben": 2}[utterance.speaker]
    spectrum = np.abs(np.fft.rfft(samples))
    heard_hz = np.argmax(spectrum) * rate_hz / len(samples)
    said_hz = [octave * (200 + 40 * DIGIT_WORDS.index(word)) for word in words]
    assert min(said_hz) * 0.84 < heard_hz < max(said_hz) * 1.21


def test_speakers_who_lack_a_digit_share_strings(digits: Path, tmp_path: Path) -> None:
    utterances = [
        utterance
        for utterance in read_manifest(digits)
        if utterance.speaker == "ben" or utterance.text in ("one", "two")
    ]
    utterances += [
        Utterance(each.audio, each.duration_s, each.text, speaker="cleo")
        for each in utterances
        if each.speaker == "ben" and each.text == "three"
    ]
    write_manifest(tmp_path / "some.jsonl", utterances)
    made = prepare_joined_digits([tmp_path / "some.jsonl"], tmp_path / "out", hours=3 * HOURS)
    by_speaker: dict[str, set[str]] = {}
    for utterance in read_manifest(made.manifest):
        by_speaker.setdefault(utterance.speaker, set()).update((utterance.text or "").split())
    assert made.num_speakers == 3
    assert by_speaker.keys() == {"ben", "several"}
    assert by_speaker["several"] == {"one", "two", "three"}


def test_equal_seeds_give_equal_clips(digits: Path, tmp_path: Path) -> None:
    made = [
        prepare_joined_digits([digits], tmp_path / name, hours=HOURS, seed=seed)
        for name, seed in (("first", 3), ("again", 3), ("other", 4))
    ]
    first, again, other = (read_manifest(each.manifest) for each in made)
    assert [each.text for each in first] == [each.text for each in again]
    assert [Path(each.audio).read_bytes() for each in first] == [
        Path(each.audio).read_bytes() for each in again
    ]
    assert [each.text for each in first] != [each.text for each in other]


def test_progress_ends_at_one(digits: Path, tmp_path: Path) -> None:
    seen: list[float] = []
    prepare_joined_digits([digits], tmp_path / "out", hours=HOURS, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_manifest_is_not_overwritten(digits: Path, tmp_path: Path) -> None:
    prepare_joined_digits([digits], tmp_path / "out", hours=HOURS)
    with pytest.raises(ManifestError, match="exists already"):
        prepare_joined_digits([digits], tmp_path / "out", hours=HOURS)


def test_a_manifest_without_digits_is_an_error(digits: Path, tmp_path: Path) -> None:
    others = [utterance for utterance in read_manifest(digits) if utterance.text == "hello"]
    write_manifest(tmp_path / "others.jsonl", others)
    with pytest.raises(ManifestError, match="no recording of a single digit"):
        prepare_joined_digits([tmp_path / "others.jsonl"], tmp_path / "out", hours=HOURS)
