"""Figures of a manifest, against ones worked out by hand."""

from collections.abc import Callable

import pytest

from linnet.manifest.stats import measure_utterances
from linnet.manifest.utterance import Utterance


def test_figures_of_a_small_manifest(make_utterance: Callable[..., Utterance]) -> None:
    stats = measure_utterances(
        [
            make_utterance("a.wav", 1.0, "to be", speaker="ada"),
            make_utterance("a.wav", 2.0, "or to be", speaker="ada", offset_s=1.0),
            make_utterance("b.wav", 3.0, " ", speaker="bo"),
            make_utterance("c.wav", 6.0, None),
        ]
    )
    assert (stats.num_utterances, stats.num_recordings, stats.total_s) == (4, 3, 12.0)
    assert (stats.num_speakers, stats.num_without_speaker) == (2, 1)
    assert (stats.num_without_text, stats.num_empty_texts) == (1, 1)
    assert (stats.num_words, stats.num_distinct_words) == (5, 3)
    assert list(stats.characters.items()) == [(" ", 4), ("o", 3), ("b", 2), ("e", 2), ("t", 2), ("r", 1)]
    assert (stats.duration_s[0], stats.duration_s[50], stats.duration_s[100]) == (1.0, 2.5, 6.0)
    assert stats.chars_per_s[0] == pytest.approx(1 / 3)
    assert (stats.chars_per_s[50], stats.chars_per_s[100]) == (4.0, 5.0)


def test_nothing_has_no_percentiles() -> None:
    stats = measure_utterances([])
    assert (stats.num_utterances, stats.duration_s, stats.characters) == (0, {}, {})
