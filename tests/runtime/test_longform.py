"""Long recordings: every word once, at its time, in bounded memory, with a search and without."""

import io
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from linnet.core.arrays import LogProbs, Samples
from linnet.core.errors import AudioError
from linnet.runtime.longform import LongReading, SegmentReader, find_cut
from linnet.runtime.longform_config import LongFormConfig
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.search_config import SearchConfig

Say = Callable[..., Samples]
CONFIG = LongFormConfig(chunk_s=2.0, overlap_s=0.6, pause_s=0.6, max_segment_s=5.0)
BLANK = 2
BEGINS = np.array([True, False, False])


@pytest.fixture(scope="module")
def recognizer(tone_bundle: Path) -> Recognizer:
    return Recognizer.load(tone_bundle, long_form=CONFIG)


def written(text: str) -> LogProbs:
    """A frame for each letter: W begins a word, w goes on with it, . is silence."""
    log_probs = np.full((len(text), 3), -9.0, np.float32)
    log_probs[np.arange(len(text)), ["Ww.".index(letter) for letter in text]] = -0.001
    return log_probs


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("", None),
        ("Ww..W", None),
        ("Ww....W", 4),  # in the middle of the shortest pause
        ("Ww.........W", 4),
        ("Ww....", 4),  # even if more silence may come
        ("......W", 4),  # before speech, all but half a pause goes
        ("......", None),
        ("............", 10),
        ("..W", None),
        ("WwWwWwWw..WwWwWwW", 9),  # too long: the widest gap of the second half
        ("WwwwwwwwwwwwwwwwwW", 12),  # one word: anywhere
    ],
)
def test_where_a_segment_ends(text: str, cut: int | None) -> None:
    assert find_cut(written(text), BLANK, BEGINS, pause=4, most=12) == cut


def test_segments_do_not_depend_on_the_pieces_they_come_in(recognizer: Recognizer, say_tones: Say) -> None:
    samples = np.concatenate(
        [say_tones("one two", gap_s=0.1), np.zeros(30_000, np.float32), say_tones("two")]
    )
    (log_probs,) = recognizer.log_probs([recognizer.features(samples)])
    found = []
    for size in (1, 13, 1000):
        reader = SegmentReader(recognizer, CONFIG)
        segments = [
            segment
            for start in range(0, len(log_probs), size)
            for segment in reader.feed(log_probs[start : start + size])
        ]
        found.append([each.words for each in [*segments, *reader.finish(len(samples) / 16000)]])
    assert [[word.text for word in words] for words in found[0]] == [["one", "two"], ["two"]]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("gap_s", "search"), [(0.05, None), (0.31, SearchConfig(beam=4, nbest=2)), (1.37, None), (7.0, None)]
)
def test_every_word_is_there_once_and_at_its_time(
    tone_bundle: Path, say_tones: Say, gap_s: float, search: SearchConfig | None
) -> None:
    recognizer = Recognizer.load(tone_bundle, long_form=CONFIG, search=search)
    words = ["one", "two", "one", "one", "two"] * (2 if gap_s > 1 else 12)
    samples = say_tones(" ".join(words), gap_s=gap_s)
    transcript = recognizer.transcribe(samples)
    assert transcript.text == " ".join(words)
    starts_s = [gap_s + (gap_s + 0.2) * index for index in range(len(words))]
    assert [word.start_s for word in transcript.words] == pytest.approx(starts_s, abs=0.04)
    times = [time for word in transcript.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert transcript.duration_s == len(samples) / 16000
    assert times[-1] <= transcript.duration_s
    assert [each.text for each in transcript.alternatives[:1]] == ([transcript.text] if search else [])


def test_a_word_that_touches_the_end_is_not_lost(recognizer: Recognizer, say_tones: Say) -> None:
    samples = say_tones("one two one two one two", gap_s=0.4)[: -round(0.4 * 16000)]
    assert recognizer.transcribe(samples).text == "one two one two one two"


def test_segments_come_while_the_recording_is_read(recognizer: Recognizer, say_tones: Say) -> None:
    heard: list[float] = []
    reading = LongReading(recognizer, CONFIG, heard.append)
    segments = reading.segments(iter(np.split(say_tones("one " * 20, gap_s=0.8), 40)))
    assert next(segments).text == "one"
    assert heard[-1] < 5
    assert len(list(segments)) == 19
    assert heard[-1] == 20.8


def test_the_stream_writes_numbers_and_reads_files(recognizer: Recognizer, say_tones: Say) -> None:
    file = io.BytesIO()
    parts = [say_tones("one two", gap_s=0.2), np.zeros(16_000), say_tones("two two")]
    soundfile.write(file, np.concatenate(parts), 16000, format="WAV")
    assert [segment.text for segment in recognizer.stream(file, numbers=True)] == ["12", "22"]
    assert [segment.text for segment in recognizer.stream(file)] == ["one two", "two two"]


def test_a_recording_of_any_length_takes_the_same_memory(recognizer: Recognizer, say_tones: Say) -> None:
    words = say_tones("one two", gap_s=0.7)

    def blocks(count: int) -> Iterator[Samples]:
        return (words.copy() for _ in range(count))

    peaks = []
    for count in (8, 40):
        tracemalloc.start()
        assert len(LongReading(recognizer, CONFIG).words(blocks(count))) == 2 * count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 300_000  # the words; the samples are 5 MB more


def test_what_is_no_number_is_refused_wherever_it_lies(recognizer: Recognizer) -> None:
    samples = np.zeros(160_000, np.float32)
    samples[150_000] = np.nan
    with pytest.raises(AudioError, match="sample 150000"):
        recognizer.transcribe(samples)


def test_damage_is_told_with_what_was_heard(recognizer: Recognizer, say_tones: Say, tmp_path: Path) -> None:
    for words, name in (("one two", "short"), ("one two " * 6, "long")):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, say_tones(words), 16000)
        path.write_bytes(path.read_bytes()[:-9_600])
        transcript = recognizer.transcribe(path)
        assert transcript.text == words.strip()
        assert transcript.damage == "9600 bytes are missing at the end"
        assert transcript.to_dict()["damage"]


@pytest.mark.parametrize("chosen", [{"overlap_s": 40}, {"pause_s": 20}, {"chunk_s": 0}])
def test_lengths_that_do_not_fit_are_refused(chosen: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"half of|greater than"):
        LongFormConfig.model_validate(chosen)
