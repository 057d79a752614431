"""Words keep the text of their tokens and never leave the recording."""

from hypothesis import given
from hypothesis import strategies as st

from linnet.core.results import Word
from linnet.decoding.greedy import TokenSpan
from linnet.decoding.words import merge_numbers, spans_to_words
from linnet.features.clock import FrameClock, Timeline
from linnet.text.vocabulary import Vocabulary


def frames(shift_s: float, duration_s: float, start_s: float = 0.0, **shifts_s: float) -> Timeline:
    """A recording of 64 frames, of which the first begins with it."""
    return FrameClock(shift_s, shift_s / 2, **shifts_s).timeline(64, duration_s, start_s)


LETTERS = Vocabulary(("▁", "a", "b"))
WORDS = Vocabulary(("▁zero", "▁one"))


def test_word_tokens_are_words() -> None:
    words = spans_to_words([TokenSpan(1, 5, 7, 0.9), TokenSpan(0, 9, 10, 0.7)], WORDS, frames(0.02, 1.0))
    assert words == (
        Word(text="one", start_s=0.1, end_s=0.14, confidence=0.9),
        Word(text="zero", start_s=0.18, end_s=0.2, confidence=0.7),
    )


def test_letters_gather_into_words_without_the_space() -> None:
    tokens = [(0, 0), (1, 2), (2, 4), (0, 6), (0, 8), (2, 10), (0, 12)]
    spans = [TokenSpan(token, frame, frame + 1, 0.5 + token / 10) for token, frame in tokens]
    words = spans_to_words(spans, LETTERS, frames(0.01, 1.0))
    assert words == (
        Word(text="ab", start_s=0.02, end_s=0.05, confidence=0.6),
        Word(text="b", start_s=0.1, end_s=0.11, confidence=0.7),
    )


def test_the_last_frame_does_not_pass_the_end_of_the_recording() -> None:
    (word,) = spans_to_words([TokenSpan(0, 4, 6, 1.0)], WORDS, frames(0.02, 0.1111))
    assert (word.start_s, word.end_s) == (0.08, 0.111)


def test_a_later_part_of_a_recording_keeps_its_clock() -> None:
    spans = [TokenSpan(1, 0, 1, 1.0), TokenSpan(0, 4, 6, 1.0)]
    words = spans_to_words(spans, WORDS, frames(0.02, 0.1111, 60.0))
    assert [(word.start_s, word.end_s) for word in words] == [(60.0, 60.02), (60.08, 60.111)]


def test_a_number_spans_its_words_and_is_as_sure_as_the_least_sure() -> None:
    spoken = ("call", 0.1, 0.9), ("one", 0.4, 0.8), ("oh", 0.7, 0.6), ("two", 0.9, 0.7), ("now", 1.2, 0.5)
    words = [Word(text=text, start_s=at, end_s=at + 0.1, confidence=sure) for text, at, sure in spoken]
    number = Word(text="102", start_s=0.4, end_s=1.0, confidence=0.6)
    assert merge_numbers(words) == (words[0], number, words[4])


def test_no_tokens_no_words() -> None:
    assert spans_to_words([], WORDS, frames(0.02, 0.0)) == ()


def test_bytes_gather_into_letters() -> None:
    vocabulary = Vocabulary(("▁n", "<0xC3>", "<0xA9>"))
    spans = [TokenSpan(token, frame, frame + 1, 0.5) for frame, token in enumerate((0, 1, 2, 0, 1))]
    words = spans_to_words(spans, vocabulary, frames(0.1, 1.0))
    assert [(word.text, word.start_s, word.end_s) for word in words] == [
        ("né", 0, 0.3),
        ("n\ufffd", 0.3, 0.5),
    ]


def test_measured_shifts_move_words_until_they_meet() -> None:
    spans = [TokenSpan(token, frame, frame + 1, 1.0) for frame, token in ((1, 0), (10, 1), (14, 0))]
    timeline = frames(0.02, 0.4, word_start_shift_s=-0.03, word_end_shift_s=0.09)
    words = spans_to_words(spans, WORDS, timeline)
    assert [(word.start_s, word.end_s) for word in words] == [(0.0, 0.13), (0.17, 0.28), (0.28, 0.39)]


def test_a_temperature_moves_confidences_towards_one_half() -> None:
    spans = [TokenSpan(0, 0, 1, sure) for sure in (0.8, 0.2, 1.0, 0.0)]
    words = spans_to_words(spans, WORDS, frames(0.02, 1.0), temperature=2.0)
    assert [word.confidence for word in words] == [0.6667, 0.3333, 1.0, 0.0]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(1, 3)), max_size=10),
    st.floats(0.0, 3.0),
    st.tuples(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0)),
)
def test_text_is_that_of_the_vocabulary_and_times_are_in_order(
    steps: list[tuple[int, int, int]], duration_s: float, shifts_s: tuple[float, float]
) -> None:
    vocabulary = Vocabulary(("▁", "a", "▁b", "c", "<0xC3>", "<0xA9>"))
    spans, frame = [], 0
    for token, gap, length in steps:
        spans.append(TokenSpan(token, frame + gap, frame + gap + length, 0.5))
        frame += gap + length
    timeline = frames(0.04, duration_s, word_start_shift_s=shifts_s[0], word_end_shift_s=shifts_s[1])
    words = spans_to_words(spans, vocabulary, timeline)
    assert " ".join(word.text for word in words) == vocabulary.decode(span.token_id for span in spans)
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert all(0 <= time <= duration_s for time in times)
