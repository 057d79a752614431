"""Words keep the text of their tokens and never leave the recording."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.core.results import Word
from linnet.decoding.greedy import TokenSpan
from linnet.decoding.words import merge_numbers, spans_to_words
from linnet.text.vocabulary import Vocabulary

LETTERS = Vocabulary(("▁", "a", "b"))
WORDS = Vocabulary(("▁zero", "▁one"))


def test_word_tokens_are_words() -> None:
    words = spans_to_words([TokenSpan(1, 5, 7, 0.9), TokenSpan(0, 9, 10, 0.7)], WORDS, 0.02, 1.0)
    assert words == (
        Word(text="one", start_s=0.1, end_s=0.14, confidence=0.9),
        Word(text="zero", start_s=0.18, end_s=0.2, confidence=0.7),
    )


def test_letters_gather_into_words_without_the_space() -> None:
    tokens = [(0, 0), (1, 2), (2, 4), (0, 6), (0, 8), (2, 10), (0, 12)]
    spans = [TokenSpan(token, frame, frame + 1, 0.5 + token / 10) for token, frame in tokens]
    words = spans_to_words(spans, LETTERS, 0.01, 1.0)
    assert words == (
        Word(text="ab", start_s=0.02, end_s=0.05, confidence=pytest.approx(0.65)),
        Word(text="b", start_s=0.1, end_s=0.11, confidence=0.7),
    )


def test_the_last_frame_does_not_pass_the_end_of_the_recording() -> None:
    (word,) = spans_to_words([TokenSpan(0, 4, 6, 1.0)], WORDS, 0.02, 0.1111)
    assert (word.start_s, word.end_s) == (0.08, 0.1111)


def test_a_later_part_of_a_recording_keeps_its_clock() -> None:
    spans = [TokenSpan(1, 0, 1, 1.0), TokenSpan(0, 4, 6, 1.0)]
    words = spans_to_words(spans, WORDS, 0.02, 0.1111, start_s=60.0)
    assert [(word.start_s, word.end_s) for word in words] == [(60.0, 60.02), (60.08, 60.1111)]


def test_a_number_spans_its_words_and_is_as_sure_as_the_least_sure() -> None:
    spoken = ("call", 0.1, 0.9), ("one", 0.4, 0.8), ("oh", 0.7, 0.6), ("two", 0.9, 0.7), ("now", 1.2, 0.5)
    words = [Word(text=text, start_s=at, end_s=at + 0.1, confidence=sure) for text, at, sure in spoken]
    number = Word(text="102", start_s=0.4, end_s=1.0, confidence=0.6)
    assert merge_numbers(words) == (words[0], number, words[4])


def test_no_tokens_no_words() -> None:
    assert spans_to_words([], WORDS, 0.02, 0.0) == ()


def test_bytes_gather_into_letters() -> None:
    vocabulary = Vocabulary(("▁n", "<0xC3>", "<0xA9>"))
    spans = [TokenSpan(token, frame, frame + 1, 0.5) for frame, token in enumerate((0, 1, 2, 0, 1))]
    words = spans_to_words(spans, vocabulary, 0.1, 1.0)
    assert [(word.text, word.start_s, word.end_s) for word in words] == [
        ("né", 0, 0.3),
        ("n\ufffd", 0.3, 0.5),
    ]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(1, 3))),
    st.floats(0.0, 1.0),
)
def test_text_is_that_of_the_vocabulary_and_times_are_in_order(
    steps: list[tuple[int, int, int]], duration_s: float
) -> None:
    vocabulary = Vocabulary(("▁", "a", "▁b", "c", "<0xC3>", "<0xA9>"))
    spans, frame = [], 0
    for token, gap, length in steps:
        spans.append(TokenSpan(token, frame + gap, frame + gap + length, 0.5))
        frame += gap + length
    words = spans_to_words(spans, vocabulary, 0.04, duration_s)
    assert " ".join(word.text for word in words) == vocabulary.decode(span.token_id for span in spans)
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert all(0 <= time <= duration_s for time in times)
