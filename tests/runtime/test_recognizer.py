"""A recognizer reads recordings of any form and length, alone and in batches, on one clock."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from numpy.typing import NDArray

from linnet.core.errors import AudioError, BundleError, ConfigError
from linnet.core.protocols import SpeechRecognizer
from linnet.core.results import Transcript
from linnet.runtime.packaged import packaged_models, packaged_sample
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.search_config import SearchConfig
from linnet.runtime.session import CtcSession
from linnet.text.vocabulary import Vocabulary, write_tokens

Samples = NDArray[np.float32]
Say = Callable[..., Samples]


@pytest.fixture(scope="module")
def recognizer(tone_bundle: Path) -> Recognizer:
    return Recognizer.load(tone_bundle)


def edited(bundle: Path, folder: Path, **changes: object) -> Path:
    """A copy of a bundle with another description."""
    copy = folder / "edited"
    shutil.copytree(bundle, copy)
    values = yaml.safe_load((copy / "bundle.yaml").read_text(encoding="utf-8")) | changes
    (copy / "bundle.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return copy


def test_it_is_what_evaluation_expects(recognizer: Recognizer) -> None:
    plain: SpeechRecognizer = recognizer
    assert (plain.name, plain.normalizer, plain.sample_rate_hz) == ("tone", "basic", 16000)


def test_guesses_are_left_out_where_the_bundle_says_so(
    tone_bundle: Path, tmp_path: Path, say_tones: Say
) -> None:
    bundle = edited(tone_bundle, tmp_path, min_confidence=1.0)
    assert Recognizer.load(bundle).transcribe(say_tones("one two")).text == ""
    lenient = Recognizer.load(bundle, search=SearchConfig(min_confidence=0.5))
    assert (lenient.transcribe(say_tones("one two")).text, lenient.search) == ("one two", None)


def test_warming_up_runs_the_network_once(tone_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: list[tuple[int, ...]] = []
    monkeypatch.setattr(CtcSession, "log_probs", lambda _, features, lengths: shapes.append(features.shape))
    Recognizer.load(tone_bundle)
    assert shapes == []
    Recognizer.load(tone_bundle, warm_up=True)
    assert shapes == [(1, 64, 100)]


def test_words_have_times_and_confidences(recognizer: Recognizer, say_tones: Say) -> None:
    transcript = recognizer.transcribe(say_tones("one two two"))
    assert transcript.text == "one two two"
    assert (transcript.duration_s, transcript.model) == (1.8, "tone")
    assert [word.start_s for word in transcript.words] == pytest.approx([0.3, 0.8, 1.3], abs=0.03)
    assert [word.end_s for word in transcript.words] == pytest.approx([0.5, 1.0, 1.5], abs=0.03)
    assert all(0.9 < word.confidence <= 1 for word in transcript.words)


def test_numbers_become_digits_with_the_times_of_their_words(recognizer: Recognizer, say_tones: Say) -> None:
    spoken = recognizer.transcribe(say_tones("one two"))
    written = recognizer.transcribe(say_tones("one two"), numbers=True)
    assert written.text == "12"
    (number,) = written.words
    assert (number.start_s, number.end_s) == (spoken.words[0].start_s, spoken.words[1].end_s)
    assert number.confidence == min(word.confidence for word in spoken.words)


@pytest.mark.parametrize("source_rate_hz", [8000, 16000, 44100])
def test_files_bytes_objects_and_arrays_of_any_rate(
    recognizer: Recognizer, say_tones: Say, tmp_path: Path, source_rate_hz: int
) -> None:
    samples = say_tones("two one", sample_rate_hz=source_rate_hz)
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([samples, samples], axis=1), source_rate_hz)
    assert recognizer.transcribe(path).text == "two one"
    assert recognizer.transcribe(str(path)).text == "two one"
    assert recognizer.transcribe(path.read_bytes()).text == "two one"
    assert recognizer.transcribe(io.BytesIO(path.read_bytes())).text == "two one"
    assert recognizer.transcribe(samples, source_rate_hz=source_rate_hz).text == "two one"


@pytest.mark.parametrize("num_samples", [0, 1, 159, 160, 16000])
def test_nothing_to_hear_gives_an_empty_transcript(recognizer: Recognizer, num_samples: int) -> None:
    transcript = recognizer.transcribe(np.zeros(num_samples, np.float32))
    assert transcript == Transcript(text="", words=(), duration_s=num_samples / 16000, model="tone")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused(recognizer: Recognizer, value: float) -> None:
    samples = np.zeros(16000, np.float32)
    samples[7] = value
    with pytest.raises(AudioError):
        recognizer.transcribe(samples)
    with pytest.raises(AudioError, match="waveform 1 holds NaN or infinity"):
        recognizer.transcribe_samples([samples[100:], samples])


def test_a_batch_reads_as_one_by_one(recognizer: Recognizer, say_tones: Say) -> None:
    waveforms = [
        say_tones("one two one"),
        np.zeros(0, np.float32),
        say_tones("two", gap_s=0.1),
        np.zeros(100, np.float32),
        say_tones("one one two", gap_s=30.0),
        say_tones("two one"),
    ]
    together = recognizer.transcribe_samples(waveforms)
    assert together == [recognizer.transcribe_samples([samples])[0] for samples in waveforms]
    assert [transcript.text for transcript in together] == [
        "one two one",
        "",
        "two",
        "",
        "one one two",
        "two one",
    ]


def test_recordings_that_may_not_share_a_batch_do_not(
    tone_bundle: Path, tmp_path: Path, say_tones: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = Recognizer.load(edited(tone_bundle, tmp_path, one_at_a_time=True))
    sizes: list[int] = []
    log_probs = recognizer.log_probs
    monkeypatch.setattr(recognizer, "log_probs", lambda batch: sizes.append(len(batch)) or log_probs(batch))
    found = recognizer.transcribe_samples([say_tones("one two"), say_tones("two")])
    assert ([each.text for each in found], sizes) == (["one two", "two"], [1, 1])


def test_no_waveforms_no_transcripts(recognizer: Recognizer) -> None:
    assert recognizer.transcribe_samples([]) == []


def test_a_long_recording_keeps_every_word_on_one_clock(recognizer: Recognizer, say_tones: Say) -> None:
    words = "one two two one one"
    transcript = recognizer.transcribe(say_tones(words, gap_s=33.3))
    assert transcript.text == words
    starts = [33.3 + 33.5 * index for index in range(5)]
    assert [word.start_s for word in transcript.words] == pytest.approx(starts, abs=0.03)


def test_times_stay_in_order_where_speech_is_cut(
    recognizer: Recognizer, tone: Callable[..., Samples]
) -> None:
    transcript = recognizer.transcribe(tone(300.0, 150.00006))
    times = [time for word in transcript.words for time in (word.start_s, word.end_s)]
    assert len(transcript.words) >= 3  # a tone without a pause is cut all the same
    assert times == sorted(times)
    assert times[-1] <= transcript.duration_s


def test_numbers_of_another_language_are_refused(tone_bundle: Path, tmp_path: Path) -> None:
    recognizer = Recognizer.load(edited(tone_bundle, tmp_path, language="de"))
    with pytest.raises(ConfigError, match="'tone' hears 'de'"):
        recognizer.transcribe(np.zeros(16000, np.float32), numbers=True)


def test_a_model_that_does_not_fit_its_description_is_refused(tone_bundle: Path, tmp_path: Path) -> None:
    frontend = {"num_mels": 80, "normalize": "none"}
    with pytest.raises(BundleError, match="the model has 64 features, its bundle describes 80"):
        Recognizer.load(edited(tone_bundle, tmp_path, frontend=frontend))


def test_a_vocabulary_of_another_size_is_refused(
    tone_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = edited(tone_bundle, tmp_path, blank_id=3)
    write_tokens(copy / "tokens.txt", Vocabulary(("▁one", "▁two", "▁three")))
    monkeypatch.setattr("linnet.bundle.reader._verify_checksums", lambda *_: None)
    with pytest.raises(BundleError, match="the model has 3 tokens, its bundle describes 4"):
        Recognizer.load(copy)


@pytest.mark.parametrize("name", packaged_models())
def test_each_packaged_model_reads_its_sample_token_by_token(name: str) -> None:
    transcript = Recognizer.load(name, search=SearchConfig(no_lm=True)).transcribe(packaged_sample(name))
    expected = packaged_sample(name).with_suffix(".txt").read_text(encoding="utf-8").strip()
    assert transcript.text == expected
