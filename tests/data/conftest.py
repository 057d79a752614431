"""Examples without and with recordings behind them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.audio.write import write_audio
from linnet.data.examples import Example
from linnet.manifest.utterance import Utterance


@pytest.fixture
def make_example() -> Callable[..., Example]:
    """`make_example(audio="a.wav", duration_s=1.0, tokens=(0,), source=0, …)`."""

    def make(audio: str = "a.wav", duration_s: float = 1.0, **values: Any) -> Example:
        offset_s = values.pop("offset_s", 0.0)
        utterance = Utterance(audio=audio, duration_s=duration_s, text="", offset_s=offset_s)
        defaults = {"text": "", "tokens": (0,), "auxiliary_tokens": None, "source": 0}
        return Example(utterance=utterance, **(defaults | values))

    return make


@pytest.fixture
def recorded(tmp_path: Path, make_example: Callable[..., Example]) -> list[Example]:
    """Six recordings of noise at 16 kHz, of 0.1 to 0.35 s."""
    generator = np.random.default_rng(0)
    examples = []
    for number in range(6):
        samples = generator.uniform(-0.5, 0.5, 1600 + 800 * number).astype(np.float32)
        path = tmp_path / f"{number}.wav"
        write_audio(path, samples)
        examples.append(make_example(str(path), len(samples) / 16000, tokens=(number,)))
    return examples
