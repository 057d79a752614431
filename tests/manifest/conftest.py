"""Utterances without recordings behind them."""

from collections.abc import Callable
from typing import Any

import pytest

from linnet.manifest.utterance import Utterance


@pytest.fixture
def make_utterance() -> Callable[..., Utterance]:
    """`make_utterance(audio="a.wav", duration_s=1.0, text="hello", …)`."""

    def make(
        audio: str = "a.wav", duration_s: float = 1.0, text: str | None = "hello", **rest: Any
    ) -> Utterance:
        return Utterance(audio=audio, duration_s=duration_s, text=text, **rest)

    return make
