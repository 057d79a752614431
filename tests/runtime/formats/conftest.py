"""Words to write: `say("one two", gap_s=0.1)`, and what a hypothesis makes of them."""

from collections.abc import Callable

import pytest

from linnet.core.results import Transcript, Word

Speaker = Callable[..., tuple[Word, ...]]


def _say(text: str, start_s: float = 0.5, word_s: float = 0.25, gap_s: float = 0.25) -> tuple[Word, ...]:
    words, at_s = [], start_s
    for each in text.split(" "):
        words.append(Word(text=each, start_s=at_s, end_s=at_s + word_s, confidence=0.75))
        at_s += word_s + gap_s
    return tuple(words)


@pytest.fixture(scope="session")
def say() -> Speaker:
    """`say(text, start_s=0.5, word_s=0.25, gap_s=0.25)` → words, evenly spaced."""
    return _say


@pytest.fixture(scope="session")
def transcript() -> Transcript:
    """Two phrases with a pause of 1.25 s, 65 s long."""
    words = _say("one <two> & 3") + _say('say "four"', start_s=61.5)
    return Transcript(text=" ".join(word.text for word in words), words=words, duration_s=65.0, model="tone")
