"""Lines of a manifest, without files behind them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.manifest.findings import Line
from linnet.manifest.utterance import Utterance

LineMaker = Callable[..., Line]


@pytest.fixture
def make_line() -> LineMaker:
    """`make_line("text", number=1, manifest="train.jsonl", audio="1.wav", …)` → a line of two seconds."""

    def make(text: str | None, number: int = 1, manifest: str = "train.jsonl", **fields: Any) -> Line:
        values = {"audio": f"{number}.wav", "duration_s": 2.0} | fields
        return Line(Path(manifest), number, Utterance(text=text, **values))

    return make
