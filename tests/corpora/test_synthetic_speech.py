"""Synthesized corpora of numbers and of sentences, made by engines that play tones."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from linnet.core.arrays import Samples
from linnet.core.errors import LinnetError, MissingDependencyError, TextError
from linnet.corpora import synthetic_speech
from linnet.corpora.number_text import NUMBER_WORDS
from linnet.corpora.spoken_numbers import ENGINE_SHARES, SpokenNumbers
from linnet.corpora.spoken_sentences import SpokenSentences
from linnet.corpora.synthetic_speech import SyntheticSpeech, prepare_synthetic_speech
from linnet.corpora.voices import ESPEAK_ACCENTS, EspeakEngine, Line, Voice
from linnet.manifest.jsonl import read_manifest

HOURS = 120 / 3600


@dataclass
class ToneEngine:
    """Plays 0.17 s of tone for each word; `fails` of ten lines give nothing."""

    name: str
    fails: int = 0

    def draw_voice(self, rng: random.Random, *, dev: bool = False) -> Voice:
        return Voice(self.name, f"{'dev' if dev else 'train'}{rng.randrange(5)}", 1.0, 100.0, 0, 1.0)

    def speak(self, lines: Sequence[Line]) -> list[Samples | None]:
        return [None if number % 10 < self.fails else self._say(line) for number, line in enumerate(lines)]

    def _say(self, line: Line) -> Samples:
        num_samples = 2720 * len(line.text.split())
        return (0.3 * np.sin(np.arange(num_samples) / 9)).astype(np.float32)


def prepare_spoken_numbers(
    output: Path, hours: float = 6.0, dev_hours: float = 0.2, **options: Any
) -> SyntheticSpeech:
    return prepare_synthetic_speech(
        output, SpokenNumbers(), ENGINE_SHARES, hours=hours, dev_hours=dev_hours, **options
    )


def install(monkeypatch: pytest.MonkeyPatch, *engines: ToneEngine, missing: Sequence[str] = ()) -> None:
    monkeypatch.setattr(synthetic_speech, "installed_engines", lambda: (list(engines), list(missing)))


@pytest.fixture
def all_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, *map(ToneEngine, ("espeak-ng", "flite", "festival")))


@pytest.mark.usefixtures("all_engines")
def test_two_manifests_of_different_voices(tmp_path: Path) -> None:
    made = prepare_spoken_numbers(tmp_path, hours=HOURS, dev_hours=0.005)
    train, dev = read_manifest(tmp_path / "train.jsonl"), read_manifest(tmp_path / "dev.jsonl")
    assert sorted(made.manifests) == [tmp_path / "dev.jsonl", tmp_path / "train.jsonl"]
    assert sum(each.duration_s for each in train) >= 120
    assert {each.speaker for each in train}.isdisjoint({each.speaker for each in dev})
    assert {each.speaker for each in (*train, *dev)} == made.speakers
    assert {word for each in train for word in (each.text or "").split()} <= set(NUMBER_WORDS)


@pytest.mark.usefixtures("all_engines")
def test_clips_are_16_khz_flac_of_the_stated_length(tmp_path: Path) -> None:
    prepare_spoken_numbers(tmp_path, hours=0.01, dev_hours=0)
    utterance = read_manifest(tmp_path / "train.jsonl")[0]
    info = soundfile.info(utterance.audio)
    assert (info.format, info.samplerate, info.channels) == ("FLAC", 16_000, 1)
    assert info.duration == pytest.approx(utterance.duration_s, abs=1e-4)


@pytest.mark.usefixtures("all_engines")
def test_engines_get_their_shares(tmp_path: Path) -> None:
    made = prepare_spoken_numbers(tmp_path, hours=0.2, dev_hours=0)
    total = sum(made.hours.values())
    assert made.hours["festival"] / total == pytest.approx(0.30, abs=0.07)
    assert made.hours["flite"] / total == pytest.approx(0.35, abs=0.07)


@pytest.mark.usefixtures("all_engines")
def test_equal_seeds_give_equal_corpora(tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        prepare_spoken_numbers(tmp_path / name, hours=0.01, dev_hours=0.001, seed=seed)
    first, again, other = (
        [path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))]
        for name in ("first", "again", "other")
    )
    assert first == again
    assert first != other


def test_missing_engines_are_reported_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, ToneEngine("flite"), missing=["espeak-ng", "festival"])
    made = prepare_spoken_numbers(tmp_path, hours=0.01)
    assert made.missing_engines == ["espeak-ng", "festival"]
    assert made.manifests == [tmp_path / "train.jsonl"]  # only espeak-ng has voices to keep for dev
    assert set(made.hours) == {"flite"}


def test_failed_clips_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ToneEngine("flite", fails=3))
    made = prepare_spoken_numbers(tmp_path, hours=0.01)
    assert made.dropped["flite: no sound"] > 0
    assert len(read_manifest(tmp_path / "train.jsonl")) + made.dropped.total() == synthetic_speech.BATCH_LINES


def test_an_engine_that_always_fails_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ToneEngine("flite", fails=10))
    with pytest.raises(LinnetError, match="flite gave no usable clip"):
        prepare_spoken_numbers(tmp_path, hours=0.01)
    assert not (tmp_path / "train.jsonl").exists()


def test_no_engine_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, missing=["espeak-ng", "flite", "festival"])
    with pytest.raises(MissingDependencyError, match="apt install espeak-ng"):
        prepare_spoken_numbers(tmp_path)


@pytest.mark.usefixtures("all_engines")
def test_progress_goes_up_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    prepare_spoken_numbers(tmp_path, hours=0.05, dev_hours=0.005, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.usefixtures("all_engines")
def test_sentences_are_lines_of_every_text_by_voices_that_speak_english(tmp_path: Path) -> None:
    lines = {"a.txt": ["it's a small bird", "with a loud voice"], "b.txt": ["they sing they say", "in may"]}
    for name, texts in lines.items():
        (tmp_path / name).write_text("\n".join([*texts, "word", "No, 3 x", ""]), encoding="utf-8")
    script = SpokenSentences([tmp_path / name for name in lines])
    prepare_synthetic_speech(tmp_path / "out", script, ENGINE_SHARES, hours=0.01, dev_hours=0)
    read = read_manifest(tmp_path / "out" / "train.jsonl")
    assert {each.text for each in read} == {text for texts in lines.values() for text in texts}


def test_no_voice_that_knows_digits_only_reads_sentences(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("a small bird\n", encoding="utf-8")
    script, engine, rng = SpokenSentences([path]), EspeakEngine(), random.Random(1)
    accents = {script.draw(engine, rng, dev=False)[0].voice.name.split("+")[0] for _ in range(60)}
    assert len(accents) > 5
    assert accents <= set(ESPEAK_ACCENTS)


def test_a_text_without_sentences_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("One\nTWO 2\n", encoding="utf-8")
    with pytest.raises(TextError, match="no line of 2 to 34"):
        SpokenSentences([path])
