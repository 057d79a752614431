"""A known text finds its words on the clock of a recording of any length, and what was not said is marked."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from linnet.core.errors import ConfigError, MissingDependencyError, TextError
from linnet.decoding.alignment import AlignConfig
from linnet.runtime.aligner import Aligner
from linnet.runtime.recognizer import Recognizer

Say = Callable[..., NDArray[np.float32]]


@pytest.fixture(scope="module")
def aligner(tone_bundle: Path) -> Aligner:
    pytest.importorskip("numba", reason="forced alignment needs the extra beam")
    return Aligner(Recognizer.load(tone_bundle))


def test_words_tokens_and_lines(aligner: Aligner, say_tones: Say) -> None:
    done_s: list[float] = []
    found = aligner.align(say_tones("one two two"), ["One,", "", "two two!"], done_s.append)
    assert [(word.text, word.line, word.spoken) for word in found.words] == [
        ("one", 1, True),
        ("two", 3, True),
        ("two", 3, True),
    ]
    assert [word.start_s for word in found.words] == pytest.approx([0.3, 0.8, 1.3], abs=0.03)
    assert [word.end_s for word in found.words] == pytest.approx([0.5, 1.0, 1.5], abs=0.03)
    (token,) = found.words[0].tokens
    assert (token.text, token.start_s, token.end_s) == ("one", found.words[0].start_s, found.words[0].end_s)
    assert (found.duration_s, found.model, done_s) == (pytest.approx(1.8), "tone", [pytest.approx(1.8)])


def test_times_agree_with_a_transcription(aligner: Aligner, say_tones: Say) -> None:
    samples = say_tones("two one")
    words = aligner.recognizer.transcribe_samples([samples])[0].words
    aligned = aligner.align(samples, ["two one"]).words
    assert [(word.start_s, word.end_s) for word in aligned] == [(word.start_s, word.end_s) for word in words]


def test_a_word_that_was_not_said_is_marked(aligner: Aligner, say_tones: Say) -> None:
    found = aligner.align(say_tones("one one"), ["one two one"])
    assert [word.spoken for word in found.words] == [True, False, True]
    lenient = Aligner(aligner.recognizer, AlignConfig(min_score=-1000.0))
    assert all(word.spoken for word in lenient.align(say_tones("one one"), ["one two one"]).words)


def test_a_long_recording_is_aligned_across_its_segments(aligner: Aligner, say_tones: Say) -> None:
    found = aligner.align(say_tones("one two two one", gap_s=33.3), ["one two two one"])
    starts_s = [33.3 + 33.5 * index for index in range(4)]
    assert [word.start_s for word in found.words] == pytest.approx(starts_s, abs=0.03)


def test_lines_that_cannot_be_written_are_named(aligner: Aligner, say_tones: Say) -> None:
    with pytest.raises(TextError, match=r"line 2: .*'too'.*; line 3: .*'7'.*numbers as they are spoken"):
        aligner.align(say_tones("one"), ["one", "too one", "7"])


def test_a_text_without_words_and_a_recording_without_room_are_refused(aligner: Aligner) -> None:
    with pytest.raises(TextError, match="has no words"):
        aligner.align(np.zeros(16000, np.float32), ["", "—"])
    with pytest.raises(ConfigError, match="there are 0"):
        aligner.align(np.zeros(0, np.float32), ["one"])


def test_without_numba_the_extra_is_named(tone_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "numba", None)
    with pytest.raises(MissingDependencyError, match=r"linnet\[beam\]"):
        Aligner(Recognizer.load(tone_bundle))
