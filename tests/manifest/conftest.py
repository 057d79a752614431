"""Utterances and lines of a manifest, without files behind them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.manifest.findings import Line
from linnet.manifest.utterance import Utterance

LineMaker = Callable[..., Line]


@pytest.fixture
def make_utterance() -> Callable[..., Utterance]:
    """`make_utterance(audio="a.wav", duration_s=1.0, text="hello", …)`."""

    def make(
        audio: str = "a.wav", duration_s: float = 1.0, text: str | None = "hello", **rest: Any
    ) -> Utterance:
        return Utterance(audio=audio, duration_s=duration_s, text=text, **rest)

    return make


@pytest.fixture
def make_line() -> LineMaker:
    """`make_line("text", number=1, manifest="train.jsonl", audio="1.wav", …)` → a line of two seconds."""

    def make(text: str | None, number: int = 1, manifest: str = "train.jsonl", **fields: Any) -> Line:
        values = {"audio": f"{number}.wav", "duration_s": 2.0} | fields
        return Line(Path(manifest), number, Utterance(text=text, **values))

    return make
