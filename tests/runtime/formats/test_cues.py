"""Phrases and cues: where they end, how wide they are, how long they stay."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.core.results import Word
from linnet.runtime.formats.cues import MAX_CUE_S, MIN_CUE_S, CueConfig, cues, phrases, text_of

Speaker = Callable[..., tuple[Word, ...]]


def shown(words: tuple[Word, ...], config: CueConfig | None = None) -> list[list[str]]:
    found = cues(phrases(words), config or CueConfig(), duration_s=1e6)
    return [[text_of(line) for line in cue.lines] for cue in found]


def test_pauses_part_phrases(say: Speaker) -> None:
    words = say("one two") + say("three", start_s=2.25)  # 1 s after the first two
    assert [text_of(phrase) for phrase in phrases(words)] == ["one two", "three"]
    assert phrases(()) == []


def test_a_phrase_that_never_pauses_is_parted_all_the_same(say: Speaker) -> None:
    found = phrases(say(" ".join(["on"] * 130), gap_s=0.2))  # 58 s
    assert [len(phrase) for phrase in found] == [65, 65]


def test_lines_are_filled_to_their_width(say: Speaker) -> None:
    words = say("one two three four five six seven", gap_s=0.1)
    assert shown(words, CueConfig(max_line_width=13)) == [["one two three", "four"], ["five six", "seven"]]
    assert shown(words, CueConfig(max_line_width=18, max_line_count=3)) == [
        ["one two three four", "five six seven"]
    ]
    assert shown(words, CueConfig(max_line_width=4, max_line_count=1)) == [[each.text] for each in words]


def test_words_of_a_line_are_counted(say: Speaker) -> None:
    words = say("a b c d e f", gap_s=0.1)
    assert shown(words, CueConfig(max_words_per_line=2)) == [["a b"], ["c d"], ["e f"]]
    assert shown(words, CueConfig(max_words_per_line=2, max_line_count=3)) == [["a b", "c d", "e f"]]


def test_cues_are_parted_where_the_pause_is_long(say: Speaker) -> None:
    words = say("one two three", gap_s=0.1) + say("four five six seven", start_s=2.0, gap_s=0.1)
    assert shown(words, CueConfig(max_line_width=20, max_line_count=1)) == [
        ["one two three"],
        ["four five six seven"],
    ]


def test_a_short_cue_stays_until_the_next(say: Speaker) -> None:
    words = say("one") + say("two", start_s=3.0) + say("three", start_s=9.5)
    found = cues([words[:1], words[1:2], words[2:]], CueConfig(), duration_s=10.0)
    assert [(cue.start_s, cue.end_s) for cue in found] == [(0.5, 1.5), (3.0, 4.0), (9.5, 10.0)]
    close = cues([words[:1], say("two", start_s=0.75)], CueConfig(), duration_s=10.0)
    assert [(cue.start_s, cue.end_s) for cue in close] == [(0.5, 0.75), (0.75, 1.75)]


def test_texts_are_one_line_without_control_characters(say: Speaker) -> None:
    assert text_of(say("a\x1b\nb\t\u2028c")) == "a b c"


SPOKEN = st.lists(
    st.tuples(st.text("abcä ", min_size=1, max_size=12), st.integers(0, 3000), st.integers(0, 2000)),
    max_size=40,
)
CONFIGS = st.builds(
    CueConfig,
    max_line_width=st.integers(1, 60),
    max_line_count=st.none() | st.integers(1, 3),
    max_words_per_line=st.none() | st.integers(1, 5),
)


@settings(max_examples=40)
@given(spoken=SPOKEN, config=CONFIGS)
def test_cues_keep_every_word_and_every_limit(spoken: list[tuple[str, int, int]], config: CueConfig) -> None:
    words, at_ms = [], 0
    for text, gap_ms, length_ms in spoken:
        start_ms = at_ms + gap_ms
        at_ms = start_ms + length_ms
        words.append(Word(text=text, start_s=start_ms / 1000, end_s=at_ms / 1000, confidence=1.0))
    found = cues(phrases(words), config, duration_s=at_ms / 1000)
    assert [word for cue in found for line in cue.lines for word in line] == words
    for cue in found:
        num_words = sum(map(len, cue.lines))
        assert len(cue.lines) <= config.num_lines
        assert all(len(text_of(line)) <= config.max_line_width or len(line) == 1 for line in cue.lines)
        assert all(len(line) <= (config.max_words_per_line or 99) for line in cue.lines)
        assert cue.start_s < cue.end_s
        assert cue.end_s - cue.start_s <= max(MAX_CUE_S, MIN_CUE_S) + 1e-9 or num_words == 1
    assert all(left.start_s <= right.start_s for left, right in pairwise(found))
    assert all(left.end_s <= max(right.start_s, left.start_s + 0.001) for left, right in pairwise(found))


def test_the_defaults_are_two_lines_or_one_of_counted_words() -> None:
    assert CueConfig().num_lines == 2
    assert CueConfig(max_words_per_line=3).num_lines == 1
    with pytest.raises(ValueError, match="max_line_width"):
        CueConfig(max_line_width=0)
