"""Speech while it is spoken: partial texts, final ones at pauses, the same words as of the whole."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linnet.core.arrays import Samples
from linnet.runtime.live import LiveConfig, LiveReader, LiveText
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.search_config import SearchConfig

Say = Callable[..., Samples]


@pytest.fixture(scope="module")
def recognizer(tone_bundle: Path) -> Recognizer:
    return Recognizer.load(tone_bundle)


def hear(reader: LiveReader, samples: Samples, block: int = 1600) -> list[LiveText]:
    texts = [
        text
        for start in range(0, len(samples), block)
        for text in reader.feed(samples[start : start + block])
    ]
    return [*texts, *reader.finish()]


def test_partial_texts_grow_and_a_pause_makes_them_final(recognizer: Recognizer, say_tones: Say) -> None:
    samples = np.concatenate([say_tones("one two"), np.zeros(16_000, np.float32), say_tones("two")])
    texts = hear(LiveReader(recognizer), samples)
    assert [(each.segment.text, each.final) for each in texts] == [
        ("one", False),
        ("one two", False),
        ("one two", True),
        ("two", False),
        ("two", True),
    ]
    last_word_ends_s = 1.0
    assert last_word_ends_s + 0.8 <= texts[2].heard_s <= last_word_ends_s + 0.8 + 0.2 + 0.4
    assert texts[3].to_dict()["words"][0]["start_s"] == pytest.approx(2.6, abs=0.03)
    assert (texts[0].to_dict()["final"], texts[0].heard_s) == (False, pytest.approx(0.8, abs=0.41))


@pytest.mark.parametrize(
    ("gap_s", "block", "search"),
    [
        (0.05, 2000, None),
        (0.3, 5000, SearchConfig(beam=4, hotword=("two one=0.1",))),
        (1.7, 3000, None),
        (7.0, 8000, None),
    ],
)
def test_the_words_are_those_of_the_whole(
    tone_bundle: Path, say_tones: Say, gap_s: float, block: int, search: SearchConfig | None
) -> None:
    recognizer = Recognizer.load(tone_bundle, search=search)
    samples = say_tones("one two two one " * (1 if gap_s > 1 else 6), gap_s=gap_s)
    reader = LiveReader(recognizer, LiveConfig(max_segment_s=4.0))
    words = [word for each in hear(reader, samples, block) if each.final for word in each.segment.words]
    expected = recognizer.transcribe(samples).words
    assert [word.text for word in words] == [word.text for word in expected]
    starts_s = [word.start_s for word in words]
    assert starts_s == pytest.approx([word.start_s for word in expected], abs=0.04)
    assert starts_s == sorted(starts_s)
    assert bool(reader.readings) == (search is not None)


def test_only_the_segment_and_its_context_are_held(
    recognizer: Recognizer, say_tones: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    log_probs = recognizer.log_probs
    monkeypatch.setattr(recognizer, "log_probs", lambda f: sizes.append(f[0].shape[1]) or log_probs(f))
    silence = np.zeros(12 * 16_000, np.float32)
    speech = say_tones("one two " * 25, gap_s=0.1)
    hear(LiveReader(recognizer, LiveConfig(max_segment_s=4.0)), np.concatenate([silence, speech]), 6400)
    assert max(sizes) <= 100 * (4.0 + 4.0 + 1.0)


def test_nothing_gives_nothing(recognizer: Recognizer) -> None:
    assert hear(LiveReader(recognizer), np.zeros(0, np.float32)) == []
    assert hear(LiveReader(recognizer), np.zeros(50, np.float32)) == []
    with pytest.raises(ValueError, match="half of max_segment_s"):
        LiveConfig(pause_s=3, max_segment_s=4)
