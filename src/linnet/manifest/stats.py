"""Figures about a manifest: hours, speakers, lengths, speech rates, words and characters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from linnet.manifest.filter import chars_per_s
from linnet.manifest.utterance import Utterance

PERCENTILES = (0, 5, 50, 95, 100)

Percentiles = dict[int, float]  # value by percentile; empty where there is nothing to measure


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestStats:
    """Figures about utterances.

    Attributes:
        num_utterances: how many there are.
        num_recordings: how many files or URLs they lie in.
        total_s: how long they last together.
        num_speakers: how many different speakers are named.
        num_without_speaker: utterances that name none.
        num_without_text: utterances without a text; an empty text is one.
        num_empty_texts: utterances whose text has no word.
        duration_s: percentiles of the duration.
        chars_per_s: percentiles of the characters, spaces included, in a second, of utterances with a text.
        num_words: words of all texts, as spaces divide them.
        num_distinct_words: different words among them.
        characters: how often each character comes, the most frequent first.
    """

    num_utterances: int
    num_recordings: int
    total_s: float
    num_speakers: int
    num_without_speaker: int
    num_without_text: int
    num_empty_texts: int
    duration_s: Percentiles
    chars_per_s: Percentiles
    num_words: int
    num_distinct_words: int
    characters: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, ready for JSON."""
        return asdict(self)


def measure_utterances(utterances: Sequence[Utterance]) -> ManifestStats:
    """Count and measure."""
    texts = [utterance.text for utterance in utterances if utterance.text is not None]
    words = Counter(word for text in texts for word in text.split())
    characters = Counter(character for text in texts for character in text)
    rates = [rate for utterance in utterances if (rate := chars_per_s(utterance)) is not None]
    return ManifestStats(
        num_utterances=len(utterances),
        num_recordings=len({utterance.audio for utterance in utterances}),
        total_s=sum(utterance.duration_s for utterance in utterances),
        num_speakers=len({utterance.speaker for utterance in utterances} - {""}),
        num_without_speaker=sum(not utterance.speaker for utterance in utterances),
        num_without_text=len(utterances) - len(texts),
        num_empty_texts=sum(not text.strip() for text in texts),
        duration_s=_percentiles([utterance.duration_s for utterance in utterances]),
        chars_per_s=_percentiles(rates),
        num_words=words.total(),
        num_distinct_words=len(words),
        characters=dict(sorted(characters.items(), key=lambda item: (-item[1], item[0]))),
    )


def _percentiles(values: Sequence[float]) -> Percentiles:
    if not values:
        return {}
    return dict(zip(PERCENTILES, map(float, np.percentile(values, PERCENTILES)), strict=True))
